import { at, bearer, type Call, del, postJson, type Reply } from "../../src/contract/call.ts";
import type { Identity } from "../../src/contract/identity.ts";
import {
  type Action,
  absent,
  type BulkAction,
  defineIntegration,
  type Integration,
  type SingleAction,
} from "../../src/contract/integration.ts";
import { type Answer, erased, notFound } from "../../src/contract/outcome.ts";
import { type Settings, secret } from "../../src/contract/settings.ts";
import { parseRequestId, type RequestId, tenantNumber } from "../../src/ids.ts";
import { type Cursor, cursorPlace, type OrderPayload, sealPlace } from "../../src/lanes/order.ts";
import { type Bounds, type Worked, work } from "../../src/lanes/work.ts";
import { laneName } from "../../src/platform/keys.ts";
import type { ContentStore } from "../../src/platform/store/content.ts";
import type { Claimed, Frozen, LaneStore, Settlement } from "../../src/platform/store/lanes.ts";
import type { Store } from "../../src/platform/store.ts";
import { createVault } from "../../src/platform/vault.ts";
import type { Ports, SendProblem } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import type { Tenant } from "../../src/registry/tenant.ts";
import type { Hold } from "../../src/request/hold.ts";
import { Policy } from "../../src/request/policy.ts";
import type { Task } from "../../src/request/task.ts";
import { fail, ok } from "../../src/result.ts";
import { type Played, replyOf } from "../support/play.ts";

export const NOW = Date.parse("2026-11-21T09:00:00Z");
export const DAY = 86_400_000;
export const SOURCE = "https://acme.example/docs";
export const n = tenantNumber(1);
export const LANE = laneName(n, "acme");
export const email = (name: string): Identity => ({ type: "email", value: `${name}@example.com` });

export function idOf(name: string): RequestId {
  const parsed = parseRequestId(`req_11${name.padEnd(32, "z")}`);
  if (parsed === undefined) throw new Error(`no request can be called ${name}`);
  return parsed.id;
}

const answerOf = (status: number): Answer =>
  status === 204
    ? erased
    : status === 404
      ? notFound
      : { outcome: "unforeseen", status, what: "an undocumented answer" };

/** Deletes one contact a call. */
export const single = (more: Partial<SingleAction<Settings>> = {}): SingleAction<Settings> => ({
  source: SOURCE,
  by: ["email"],
  each: "identity",
  *run({ identity, idempotencyKey }) {
    const headers = { ...bearer("key"), "idempotency-key": idempotencyKey("delete") };
    return answerOf((yield del(at`https://api.acme.example/contacts/${{ contact: identity.value }}`, headers)).status);
  },
  ...more,
});

/** Deletes up to three contacts a call; the reply has a status for each. */
export const bulk = (more: Partial<BulkAction<Settings>["bulk"]> = {}): BulkAction<Settings> => ({
  source: SOURCE,
  by: ["email"],
  each: "identity",
  bulk: {
    most: 3,
    *run(orders, key) {
      const headers = { ...bearer("key"), "idempotency-key": key };
      const ids = orders.map(({ identity }) => identity.value);
      const reply = yield postJson(at`https://api.acme.example/deletions`, headers, ids);
      return reply.status === 200 ? statusesOf(reply).map(answerOf) : orders.map(() => answerOf(reply.status));
    },
    ...more,
  },
});

// The replies of these tests are lists of statuses.
const statusesOf = (reply: Reply): readonly number[] => JSON.parse(reply.text) as number[];

export const holder = (more: Partial<Integration>): Integration =>
  defineIntegration<Settings>({
    id: "acme",
    name: "Acme",
    about: "Holds contacts.",
    origins: ["https://api.acme.example"],
    settings: { apiKey: secret("API key") },
    identities: {},
    hooks: absent("none", SOURCE),
    oauth: absent("none", SOURCE),
    actions: { erase: single(), revoke: absent("none", SOURCE) },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
    ...more,
  });

export const entry = (id: string, more: Partial<Subprocessor> = {}): Subprocessor => ({
  id,
  integration: id,
  settings: {},
  secrets: {},
  registersObjects: false,
  status: "active",
  validFrom: "2026-01-01T00:00:00.000Z",
  version: 1,
  facts: {},
  ...more,
});

export type Answered = Played | { readonly problem: SendProblem };
export const TIMED_OUT: Answered = { problem: { reason: "timed_out", afterMs: 10_000 } };

type Setup = {
  readonly erase?: Action<Settings>;
  readonly revoke?: Action<Settings>;
  readonly limits?: Integration["limits"];
  readonly holds?: readonly Hold[];
  readonly content?: NonNullable<Integration["content"]>;
  readonly hooks?: Integration["hooks"];
  readonly lanes?: Partial<LaneStore & ContentStore>;
};

export type OrderSetup = {
  readonly identities?: readonly Identity[];
  readonly action?: "erase" | "revoke";
  readonly receivedAt?: string;
  readonly subject?: string;
  readonly scope?: string;
  readonly keeps?: OrderPayload["keeps"];
  readonly joint?: readonly string[];
};

/** One lane with its vendor: what is sealed is really sealed, and the vendor answers in the order that the test says. */
export async function bench({
  erase = single(),
  revoke,
  limits = { connections: 1 },
  holds = [],
  content,
  hooks,
  lanes = {},
}: Setup = {}) {
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const vault = createVault([{ id: "m1", bytes: random(32) }], random);
  const acme = holder({
    actions: { erase, revoke: revoke ?? absent("none", SOURCE) },
    limits,
    ...(content && { content }),
    ...(hooks && { hooks }),
  });
  const tenant: Tenant = {
    n,
    slug: "acme",
    name: "Acme",
    root: await vault.newTenant(n),
    policy: Policy.parse({}),
    policyVersion: 1,
    subprocessors: { acme: entry("acme") },
    apiKeys: [],
    holds,
    status: "active",
  };
  const keys = await vault.tenant(n, tenant.root);
  const context: Context = {
    version: "1",
    tenant,
    keys,
    loadedAt: NOW,
    secrets: async () => [],
    once: async (_, make) => make(),
  };
  let now = NOW;
  let answers: readonly Answered[] = [];
  const calls: Call[] = [];
  const events: string[] = [];
  const frozen: Frozen[] = [];
  const suppressed: string[] = [];
  let suppressions = 0;
  const store: Partial<Store> = {
    freeze: async (_, __, batch) => {
      frozen.push(batch);
      return true;
    },
    suppress: async (_, entries) => {
      suppressions += 1;
      suppressed.push(...entries.map(({ value }) => value));
    },
    ...lanes,
  };
  const ports: Ports = {
    now: () => now,
    random,
    // Whatever else would be asked of the store fails, and is seen.
    store: store as Store,
    tenants: { bySlug: async () => context, byNumber: async () => context },
    vault,
    send: async (call) => {
      const [next, ...rest] = answers;
      if (next === undefined) throw new Error(`no answer is left for ${call.method} ${call.at.template}`);
      answers = rest;
      calls.push(call);
      return "problem" in next ? fail(next.problem) : ok(replyOf(next));
    },
    listen: async () => ({ ok: false, problem: { reason: "connection_failed" } }),
    lines: async () => ({ ok: false, problem: { reason: "connection_failed" } }),
    wake: async () => undefined,
    later: () => undefined,
    keySets: { keys: async () => undefined, text: async () => fail("absent") },
    log: (event, facts) => {
      events.push(`${event} ${String(facts.request ?? facts.order ?? facts.subprocessor ?? "")}`.trim());
    },
    integrations: new Map([[acme.id, acme]]),
    signing: { sign: async () => "", jwks: async () => ({ keys: [] }) },
    sleep: async () => undefined,
    origin: "https://gate.example",
  };
  const sealing = new Map<string, { readonly wrapped: string }>();

  const order = async (name: string, more: OrderSetup = {}): Promise<Claimed> => {
    const { identities = [email(name)], action = "erase", keeps = {} } = more;
    const request = idOf(name);
    const task = `acme.${action}`;
    const made = await keys.newKey(`request ${request}`);
    const wrapped = sealing.get(name)?.wrapped ?? made.wrapped;
    sealing.set(name, { wrapped });
    const key = await keys.unwrap(`request ${request}`, wrapped);
    const payload: OrderPayload = {
      request,
      ...(more.subject !== undefined && { subject: more.subject }),
      task: {
        id: task,
        subprocessor: "acme",
        integration: "acme",
        action,
        ...(more.scope !== undefined && { scope: more.scope }),
        attempts: 0,
        due_at: "2026-12-21T23:59:59.999Z",
        state: "queued",
      },
      receivedAt: more.receivedAt ?? "2026-11-20T09:00:00.000Z",
      deadline: NOW + 30 * DAY,
      keeps,
      frees: [],
      key: wrapped,
      sealed: await key.seal(sealPlace(request, task), JSON.stringify(identities)),
    };
    return {
      id: `${request}/${task}`,
      attempt: 1,
      payload: JSON.stringify(payload),
      cursor: "",
      learned: [],
      joint: more.joint ?? [],
    };
  };

  /** The orders of several requests, joined. */
  const party = async (setups: Readonly<Record<string, OrderSetup>>): Promise<readonly Claimed[]> => {
    const joint = Object.keys(setups).map((name) => `${idOf(name)}/acme.${setups[name]?.action ?? "erase"}`);
    return Promise.all(Object.entries(setups).map(([name, setup]) => order(name, { ...setup, joint })));
  };

  const keyOf = (claimed: Claimed) => {
    // Written by `order` above.
    const { request, key } = JSON.parse(claimed.payload) as OrderPayload;
    return keys.unwrap(`request ${request}`, key);
  };

  const bounds: Bounds = { run: "run", end: NOW + 60_000, until: NOW + 100_000, timeouts: 2 };
  return {
    ports,
    context,
    calls,
    events,
    frozen,
    suppressed,
    suppressions: () => suppressions,
    order,
    party,
    pass: (ms: number) => {
      now += ms;
    },
    answers: (...next: readonly Answered[]) => {
      answers = next;
    },
    /** Works a batch, the vendor answering so. */
    work: (
      orders: readonly Claimed[],
      next: readonly Answered[],
      batch?: Frozen,
      more: Partial<Bounds> = {},
    ): Promise<Worked> => {
      answers = next;
      return work(
        ports,
        context,
        LANE,
        { token: "token", orders, frozen: batch },
        { ...bounds, end: now + 60_000, until: now + 100_000, ...more },
      );
    },
    /** The same order as it is claimed the next time. */
    again: (claimed: Claimed, { settlements }: Pick<Worked, "settlements">): Claimed => {
      const mine = settlements.find(({ id }) => id === claimed.id);
      const cursor = mine !== undefined && "cursor" in mine ? mine.cursor : "";
      return { ...claimed, attempt: claimed.attempt + 1, cursor: cursor === "" ? claimed.cursor : cursor };
    },
    cursorOf: async (claimed: Claimed, settlement: Settlement | undefined): Promise<Cursor> => {
      if (settlement?.task === undefined || !("cursor" in settlement)) throw new Error("it has no cursor");
      const { request, id } = settlement.task;
      return JSON.parse(await (await keyOf(claimed)).open(cursorPlace(request, id), settlement.cursor)) as Cursor;
    },
    keyOf,
    /** What the calls named, and under which key. */
    bodies: () => calls.map(({ body }): unknown => JSON.parse(body ?? "null")),
    idempotencyKeys: () => calls.map(({ headers }) => headers["idempotency-key"]),
  };
}

/** The task's document that a settlement writes. */
export const taskOf = (settlement: Settlement | undefined): Task => {
  if (settlement?.task === undefined) throw new Error("it settles no task");
  // Written by the code under test.
  return JSON.parse(settlement.task.document) as Task;
};

/** Settlements in the order of their requests' names, in a few words. */
export const summary = ({ settlements }: Pick<Worked, "settlements">): readonly string[] =>
  settlements
    .map((settlement) => {
      const name = settlement.id.slice(6).split("z")[0] ?? "";
      if (settlement.task === undefined) return `${name} untouched`;
      const task = taskOf(settlement);
      return `${name} ${settlement.what} ${task.state === "ended" ? task.outcome : task.state}`;
    })
    .toSorted();
