import { expect, it } from "vitest";
import { at, bearer, get, postJson, unforeseen } from "../../src/contract/call.ts";
import { absent, type BulkAction, defineIntegration, type Order } from "../../src/contract/integration.ts";
import { type Answer, accepted, erased } from "../../src/contract/outcome.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { parseRequestId } from "../../src/ids.ts";
import { type BulkOpened, workBulk } from "../../src/lanes/bulk.ts";
import { type Cursor, firstCursor, type Target } from "../../src/lanes/order.ts";
import type { Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { ok } from "../../src/result.ts";
import { type Played, replyOf } from "../support/play.ts";

/** Several identities of one order, and several orders of one identity, in one bulk call. */
const NOW = Date.parse("2026-11-21T09:00:00Z");
const SOURCE = "https://acme.example/docs";
const id = (letter: string) => {
  const parsed = parseRequestId(`req_11${letter.repeat(32)}`)?.id;
  if (parsed === undefined) throw new Error("a request's id");
  return parsed;
};
const contact = (value: string) => ({ type: "acme.contact", value });
const stuck = unforeseen({ status: 418 }, "odd");

async function worked(
  bulk: Partial<BulkAction<Settings>["bulk"]>,
  people: readonly { readonly letter: string; readonly receivedAt?: string; readonly targets: readonly Target[] }[],
  replies: readonly Played[],
) {
  const action: BulkAction<Settings> = {
    source: SOURCE,
    by: ["acme.contact"],
    each: "identity",
    bulk: {
      most: 10,
      *run(orders) {
        yield postJson(at`https://api.acme.example/deletions`, bearer("key"), {});
        return orders.map(() => erased);
      },
      ...bulk,
    },
  };
  const integration = defineIntegration<Settings>({
    id: "acme",
    name: "Acme",
    about: "Holds contacts.",
    origins: ["https://api.acme.example"],
    settings: {},
    identities: { "acme.contact": "Contact id" },
    hooks: absent("none", SOURCE),
    oauth: absent("none", SOURCE),
    actions: { erase: action, revoke: absent("none", SOURCE) },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
  });
  const orders = people.map(({ letter, receivedAt = "2026-11-20T09:00:00.000Z", targets }): BulkOpened => {
    const task = {
      id: "acme.erase",
      subprocessor: "acme",
      integration: "acme",
      action: "erase",
      attempts: 0,
      due_at: "2026-12-21T23:59:59.999Z",
      state: "queued",
    } as const;
    const payload = { request: id(letter), task, receivedAt, deadline: NOW, keeps: {}, frees: [], key: "", sealed: "" };
    return {
      order: { id: letter, attempt: 1, payload: "", cursor: "", learned: [], joint: [] },
      payload,
      job: { payload, cursor: { ...firstCursor([]), targets }, integration, action, settings: {} },
      key: { seal: async (_, text) => text, open: async (_, text) => text },
    };
  });
  let calls = 0;
  const ports = {
    send: async () => ok(replyOf(replies[calls++] ?? { status: 599 })),
    now: () => NOW,
    random: (count: number) => new Uint8Array(count),
    log: () => undefined,
    store: { freeze: async () => true },
  };
  const { settlements } = await workBulk(
    // What a bulk call uses of them.
    ports as unknown as Ports,
    { tenant: { slug: "acme" } } as unknown as Context,
    "1:acme",
    orders,
    undefined,
    { turn: async () => undefined, until: NOW + 1 },
    { run: "run", end: NOW + 1, until: NOW + 1, timeouts: 2 },
  );
  return new Map(
    settlements.map((each) => [
      each.id,
      {
        what: each.what,
        task: JSON.parse(each.task?.document ?? "{}") as Record<string, unknown>,
        cursor: "cursor" in each ? (JSON.parse(each.cursor) as Cursor) : undefined,
      },
    ]),
  );
}

const todo = (value: string): Target => ({ identity: contact(value), state: { at: "todo" } });
const waiting = (value: string, reference: string): Target => ({
  identity: contact(value),
  state: { at: "accepted", reference, askAt: NOW },
});
const states = (cursor: Cursor | undefined) => cursor?.targets.map(({ state }) => state.at);
/** Answers each contact as the test says. */
const answering =
  (answers: Readonly<Record<string, Answer>>) =>
  (orders: readonly Order[]): readonly Answer[] =>
    orders.map(({ identity }) => answers[identity.value] ?? erased);

it.each([
  ["before", { a: stuck, b: accepted("job-1", 60) }],
  ["after", { a: accepted("job-1", 60), b: stuck }],
])("[I2] keeps what was accepted for one identity when another's answer, %s it, is stuck", async (_, answers) => {
  const settled = await worked(
    {
      *run(orders) {
        yield postJson(at`https://api.acme.example/deletions`, {}, {});
        return answering(answers)(orders);
      },
    },
    [{ letter: "a", targets: [todo("a"), todo("b")] }],
    [{ status: 201 }],
  );
  expect(settled.get("a")).toMatchObject({ what: "park", task: { state: "stuck" } });
  expect(states(settled.get("a")?.cursor)?.toSorted()).toEqual(["accepted", "todo"]);
});

it("[I2] keeps what was accepted for one identity when the question about another's finds no answer", async () => {
  const settled = await worked(
    {
      *run(orders) {
        yield postJson(at`https://api.acme.example/deletions`, {}, {});
        return orders.map(() => accepted("job-2", 60));
      },
      *check(_, orders) {
        yield get(at`https://api.acme.example/jobs`, {});
        return orders.map(() => erased);
      },
    },
    [{ letter: "a", targets: [waiting("a", "job-1"), todo("b")] }],
    [{ status: 503 }, { status: 201 }],
  );
  const { cursor } = settled.get("a") ?? {};
  expect(cursor?.targets.map(({ state }) => (state.at === "accepted" ? state.reference : state.at))).toEqual([
    "job-1",
    "job-2",
  ]);
});

it("notes a call once, and a failure once, for an order with several identities", async () => {
  const person = [{ letter: "a", targets: [todo("a"), todo("b"), todo("c")] }];
  const failed = await worked({}, person, [{ status: 503 }]);
  expect(failed.get("a")?.cursor).toMatchObject({ fails: 1, evidence: [{ status: 503 }] });
  const done = await worked({}, person, [{ status: 201 }]);
  expect(done.get("a")?.task).toMatchObject({ outcome: "erased", evidence: [{ status: 201 }] });
});

it("[I4] asks for each order by itself, because an answer may not serve a later request for the same identity", async () => {
  const early = { letter: "a", receivedAt: "2026-11-01T09:00:00.000Z", targets: [waiting("x", "job-1")] };
  const late = { letter: "b", receivedAt: "2026-11-20T09:00:00.000Z", targets: [waiting("x", "job-1")] };
  const settled = await worked(
    {
      *check(_, orders) {
        yield get(at`https://api.acme.example/jobs`, {});
        return orders.map(({ requestedAt }) => (requestedAt < "2026-11-10" ? erased : { outcome: "more" }));
      },
    },
    [early, late],
    [{ status: 200 }],
  );
  expect(settled.get("a")).toMatchObject({ what: "end", task: { outcome: "erased" } });
  expect(settled.get("b")).toMatchObject({ what: "back", cursor: { targets: [{ state: { at: "todo" } }] } });
});
