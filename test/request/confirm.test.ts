import { describe, expect, it } from "vitest";
import { get } from "../../src/contract/call.ts";
import type { Integration } from "../../src/contract/integration.ts";
import type { Confirmation, Stream, Verdict } from "../../src/contract/stream.ts";
import type { Ports } from "../../src/ports.ts";
import { confirm } from "../../src/request/confirm.ts";
import type { Step } from "../../src/request/step.ts";
import { fail, ok } from "../../src/result.ts";
import { bench, email, NOW, summary } from "./samples.ts";

const SOURCE = "https://acme.example/docs";

const stepOf = (subject: string): Step => ({
  order: { id: `confirm:${subject}`, attempt: 1, payload: "", cursor: "", learned: [], joint: [] },
  subject,
});

/** One held request of a stream of the shop's, asked about at this address. */
async function stand(address: string, answer: "away" | Verdict) {
  const at = await bench();
  const shop = at.ports.integrations.get("shop");
  if (shop === undefined) throw new Error("the bench has a shop");
  const asked: string[] = [];
  const asking: Confirmation = {
    source: SOURCE,
    signals: ["account_deleted"],
    *run({ value }) {
      const reply = yield get({ url: address, template: "{host}" }, {});
      asked.push(value);
      // The verdict is what the host says in this test.
      return reply.text as Verdict;
    },
  };
  const streams = { network: { confirm: asking } as Partial<Stream> as Stream };
  const integration: Integration = { ...shop, streams };
  const done: string[] = [];
  const calls: string[] = [];
  const ports: Ports = {
    ...at.ports,
    integrations: new Map([["shop", integration]]),
    send: async ({ at: to }) => {
      calls.push(to.url);
      return answer === "away"
        ? fail({ reason: "connection_failed" })
        : ok({ status: 200, header: () => undefined, text: answer });
    },
    store: {
      ...at.ports.store,
      restart: async (all) => {
        done.push(...all.map(({ release }) => `started ${release}`));
        return all.map(() => ({ result: "queued", wake: true }));
      },
      cancel: async (_, id, document) => {
        done.push(`cancelled ${id === JSON.parse(document).id}`);
        return "cancelled";
      },
    },
  };
  const id = await at.request("ada", { source: "shop/network", confirms: true });
  at.requests.set(id, { ...at.requests.get(id), held: "confirmation" });
  const run = async (attempt = 1) => {
    const step = stepOf(id);
    const { settlements } = await confirm(ports, at.context, "token", [{ ...step, order: { ...step.order, attempt } }]);
    return summary(settlements).map((line) => line.replace(id, "it"));
  };
  return { at, id, run, done, asked, calls };
}

describe("asking whether it is so", () => {
  it("starts what is confirmed, by the identity of the signal", async () => {
    const { run, done, asked } = await stand("https://host.example/", "confirmed");
    expect(await run()).toEqual(["confirm:it drop"]);
    expect(done).toEqual(["started true"]);
    expect(asked).toEqual([email("ada").value]);
  });

  it("cancels what is contradicted twice", async () => {
    const { run, done } = await stand("https://host.example/", "contradicted");
    expect(await run(1)).toEqual(["confirm:it back later"]);
    expect(done).toEqual([]);
    expect(await run(2)).toEqual(["confirm:it drop"]);
    expect(done).toEqual(["cancelled true"]);
  });

  it.each(["away", "unknown"] as const)("[I2] asks again later where a host is %s", async (answer) => {
    const { run, done } = await stand("https://host.example/", answer);
    for (const attempt of [1, 2, 30]) expect(await run(attempt)).toEqual(["confirm:it back later"]);
    expect(done).toEqual([]);
  });

  it.each([
    "http://host.example/",
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://[fd00::1]/",
    "https://localhost/",
    "https://store.internal/",
    "https://host.example:6379/",
    "https://user@host.example/",
    "not an address",
  ])("[I13] makes no call to %s, whatever a reply has named", async (address) => {
    const { run, calls } = await stand(address, "confirmed");
    expect(await run()).toEqual(["confirm:it back later"]);
    expect(calls).toEqual([]);
  });

  it.each([{ st: "cancelled" }, { st: "open" }, { held: "ceiling" }])("leaves alone what is %o", async (now) => {
    const { at, id, run, done, calls } = await stand("https://host.example/", "confirmed");
    at.requests.set(id, { ...at.requests.get(id), ...now });
    expect(await run()).toEqual(["confirm:it drop"]);
    expect([...done, ...calls]).toEqual([]);
  });

  it("[I10] begins no call when its time is up: what is left comes with the next batch", async () => {
    const { at, id } = await stand("https://host.example/", "confirmed");
    let now = NOW;
    const ports: Ports = {
      ...at.ports,
      now: () => {
        now += 6000;
        return now;
      },
    };
    const { settlements } = await confirm(
      ports,
      at.context,
      "token",
      Array.from({ length: 9 }, () => stepOf(id)),
    );
    expect(settlements).toHaveLength(9);
    expect(settlements.every(({ what }) => what === "back")).toBe(true);
  });
});
