import { expect, it } from "vitest";
import { record } from "../../src/request/record.ts";
import { viewOf, viewOfEntry } from "../../src/request/view.ts";
import { bench, email } from "./samples.ts";

const intent = {
  type: "erasure",
  source: "api",
  delivery: "one",
  authority: "everywhere",
  identities: [email("ada")],
} as const;

async function recorded() {
  const at = await bench();
  const [entry] = await record(at.ports, at.context, () => [intent]);
  if (entry === undefined) throw new Error("nothing was recorded");
  let loads = 0;
  const { load } = at.ports.store;
  const store: typeof at.ports.store = {
    ...at.ports.store,
    look: async () => [],
    load: async (requests) => {
      loads += 1;
      return load(requests);
    },
  };
  return { at, entry, ports: { ...at.ports, store }, loads: () => loads };
}

it("shows what has just been recorded as it lies in the store, without reading it", async () => {
  const { at, entry, ports, loads } = await recorded();
  const shown = await viewOfEntry(ports, at.context, entry);
  expect(loads()).toBe(0);
  expect(shown).toMatchObject({ id: entry.id, status: "open", tasks: [] });
  expect(shown).toEqual(await viewOf(ports, at.context, entry.id));
});

it("reads what somebody else may have written: a repeat, or one that is held", async () => {
  const { at, entry, ports, loads } = await recorded();
  await viewOfEntry(ports, at.context, { ...entry, recorded: { result: "held" } });
  await viewOfEntry(ports, at.context, { ...entry, recorded: { result: "duplicate", wake: false } });
  expect(loads()).toBe(2);
});
