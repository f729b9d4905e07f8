import fc from "fast-check";
import { expect, it } from "vitest";
import type { RequestId } from "../../src/ids.ts";
import { laneName } from "../../src/platform/keys.ts";
import type { Command, RedisClient } from "../../src/platform/redis.ts";
import { AUDIT, CANCEL, RESTART, TELL } from "../../src/platform/scripts/cancel.ts";
import { CLAIM, FREEZE, RELEASE } from "../../src/platform/scripts/claim.ts";
import { CLOSE } from "../../src/platform/scripts/close.ts";
import { CONTENT, CONTENT_ORDER, NEXT_CONTENT, WAITING_CONTENT } from "../../src/platform/scripts/content.ts";
import { LINK } from "../../src/platform/scripts/link.ts";
import { OPEN } from "../../src/platform/scripts/open.ts";
import { RECORD } from "../../src/platform/scripts/record.ts";
import { CHANGE, ENROL, RESERVE } from "../../src/platform/scripts/registry.ts";
import { SETTLE } from "../../src/platform/scripts/settle.ts";
import { ADVANCE, TAKE } from "../../src/platform/scripts/stream.ts";
import { SWEEP, UNPAUSE } from "../../src/platform/scripts/sweep.ts";
import type { Claimed, Settlement } from "../../src/platform/store/lanes.ts";
import { createStore, type Store } from "../../src/platform/store.ts";
import {
  alpha,
  beta,
  claimed,
  claimedOne,
  closing,
  DAY,
  ends,
  founded,
  gateway,
  goesBack,
  HOUR,
  idOf,
  KEEP,
  LEASE,
  link,
  MINUTE,
  NOW,
  n,
  ONE,
  opening,
  parks,
  request,
  SECOND,
  TWO,
  task,
} from "./samples.ts";
import { engines, numbers, onEach, repeating } from "./stand.ts";

/** A tenant's life with every script in it, written so that no call depends on an answer that a repeat would change. */
async function life(store: Store): Promise<void> {
  await store.reserve("acme", "token");
  await founded(store);
  const ada = { index: "ada-index", suppression: "ada-suppression", since: NOW };
  await store.link(link("ada", { identities: [ada], fields: { "e:ada-index": "sealed ada" } }));
  await store.record([
    request(ONE, { closing: "ada" }),
    request(TWO, { startAt: NOW + DAY, closing: "ada" }),
    request(idOf("over"), { ceiling: { source: "hook", most: 1 } }),
    request(idOf("held"), { ceiling: { source: "hook", most: 1 } }),
    request(idOf("note"), { noteOnly: true }),
  ]);
  await store.cancel(n, TWO, "cancelled document", KEEP, NOW, "ada");
  const start = await claimedOne(store, gateway, `start:${ONE}`, "starts");
  const tasks = [
    task("alpha.erase"),
    task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] }),
    task("beta.erase"),
    task("beta.stop", { what: "open", payload: "" }),
  ];
  const suppressions = [{ pseudonym: ada.suppression, value: `erased ${ONE} alpha`, lifetimeMs: DAY }];
  await store.open([opening(ONE, start, tasks, { subject: "ada", subjectVersion: "1", suppressions })]);
  await claimed(store, alpha, "alpha-first");
  await claimed(store, beta, "beta-first");
  const frees = [{ task: "alpha.revoke", subprocessor: "alpha" }];
  const first = { token: "alpha-first", settlements: [ends(ONE, "alpha.erase", 1, { frees, learned: "lesson" })] };
  await store.settleAndClaim(alpha, first, undefined, NOW);
  await claimed(store, alpha, "alpha-second");
  const back = goesBack(ONE, "beta.erase", 1, { due: NOW + MINUTE, cursor: "cursor" });
  const paused = { token: "beta-first", settlements: [back], pauseUntil: NOW + 2 * MINUTE };
  await store.settleAndClaim(beta, paused, undefined, NOW);
  await store.sweep([alpha, beta, gateway], NOW + SECOND);
  await store.unpause(beta, undefined, NOW + SECOND);
  await claimed(store, beta, "beta-second", { now: NOW + MINUTE });
  await store.freeze(beta, "run", { id: "batch", members: [`${ONE}/beta.erase`] }, NOW + MINUTE);
  const park = { token: "beta-second", settlements: [parks(ONE, "beta.erase", 2)], thaws: "batch", release: "run" };
  await store.settleAndClaim(beta, park, undefined, NOW + MINUTE);
  await store.byHand(beta, goesBack(ONE, "beta.erase", 0), NOW + MINUTE);
  await store.byHand(beta, ends(ONE, "beta.stop", 0), NOW + MINUTE);
  await claimed(store, beta, "beta-third", { now: NOW + MINUTE });
  const end = { token: "beta-third", settlements: [ends(ONE, "beta.erase", 3)] };
  await store.settleAndClaim(beta, end, undefined, NOW + MINUTE);
  await store.audit([{ n, id: ONE, startAt: NOW, deadline: NOW + DAY }], NOW + MINUTE);
  await store.restart([{ n, id: idOf("held"), due: NOW, deadline: NOW + DAY, release: true }], NOW + MINUTE);
  await store.tell(n, "notice", ["alpha", "beta"], NOW + MINUTE);
  await store.setField(n, ONE, "al", "at_risk");
  await store.suppress(n, [{ pseudonym: "found", value: `acted ${ONE} alpha`, lifetimeMs: DAY }]);
  await claimed(store, alpha, "alpha-third", { now: NOW + HOUR });
  const last = { token: "alpha-third", settlements: [ends(ONE, "alpha.revoke", 2)] };
  await store.settleAndClaim(alpha, last, undefined, NOW + HOUR);
  const close = await claimedOne(store, gateway, `close:${ONE}`, "closes", NOW + HOUR);
  await store.close([
    closing(ONE, close, {
      now: NOW + HOUR,
      subject: "ada",
      subjectVersion: "1",
      closing: "ada",
      erasesSubject: true,
      identities: [ada.index],
      residues: [{ id: "residue", due: NOW + 9 * DAY, wrapped: "own key", sealed: "own seal" }],
      notices: [{ subprocessor: "beta", id: "notice:receipt", payload: "" }],
    }),
  ]);
  await store.dropResidue(n, "residue");
  const chunks = [{ id: "chunk", items: 2, wrapped: "content key", sealed: "sealed content" }];
  const content = { n, version: "1", now: NOW + HOUR, source: "posts/events", delivery: "delivery", items: 2 };
  await store.recordDelivery([request(idOf("with"))], { ...content, told: [{ subprocessor: "alpha", chunks }] });
  await store.recordDelivery([], { ...content, told: [] });
  await store.contentCounts(n, ["alpha"], 1, NOW + HOUR);
  const tells = { ...(await claimedOne(store, alpha, CONTENT_ORDER, "tells", NOW + HOUR)), most: 1000, batch: "batch" };
  await store.nextContent(n, "alpha", tells, NOW + HOUR);
  await store.nextContent(n, "alpha", { ...tells, sent: { batch: "batch", unread: 0 } }, NOW + HOUR);
  await store.enrol(n, "1", { alpha: true, beta: false });
  await store.takeStream("alpha/news", "reader", NOW, NOW + LEASE);
  const place = { cursor: "1", at: NOW, origin: "https://alpha.example" };
  await store.advanceStream("alpha/news", "reader", {
    now: NOW,
    leaseUntil: NOW + LEASE,
    place,
    counts: { messages: 1 },
  });
  await store.advanceStream("alpha/news", "reader", { now: NOW, failures: 0, restUntil: 0 });
  await store.sweep(await store.dueLanes(NOW + DAY, 10), NOW + DAY);
}

onEach("a life in the store", engines, ({ client, store, state, scripts, flush }) => {
  it("[I3] runs every script on the keys that it declares", async () => {
    await life(store);
    expect(new Set(scripts)).toEqual(
      new Set([
        ADVANCE,
        AUDIT,
        CANCEL,
        CHANGE,
        CLAIM,
        CLOSE,
        CONTENT,
        ENROL,
        FREEZE,
        LINK,
        NEXT_CONTENT,
        OPEN,
        RECORD,
        RELEASE,
        RESERVE,
        RESTART,
        SETTLE,
        SWEEP,
        TAKE,
        TELL,
        UNPAUSE,
        WAITING_CONTENT,
      ]),
    );
  });

  it.each([
    ["every call", () => true],
    ["some calls", numbers(1)],
    ["other calls", numbers(2)],
  ])("[I3] comes to the same where the client repeats %s because an answer was lost", async (_, draw) => {
    await life(store);
    const once = await state();
    await flush();
    await life(createStore(repeating(client, () => Number(draw()) > 0.5)));
    expect(await state()).toEqual(once);
  });
});

/** What may happen to a lane, a runner or a message; places are taken modulo what there is. */
type Happening =
  | { readonly what: "request"; readonly waits: boolean; readonly both: boolean }
  | { readonly what: "start" }
  | { readonly what: "replan"; readonly which: number }
  | { readonly what: "claim"; readonly lane: number; readonly most: number }
  | { readonly what: "settle"; readonly which: number; readonly as: "end" | "back" | "park"; readonly again: boolean }
  | { readonly what: "crash"; readonly which: number }
  | { readonly what: "repeat"; readonly which: number }
  | { readonly what: "hand"; readonly which: number; readonly as: "end" | "back" }
  | { readonly what: "pass"; readonly seconds: number }
  | { readonly what: "sweep" };

const place = fc.nat({ max: 50 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("request" as const), waits: fc.boolean(), both: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("start" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("replan" as const), which: place }) },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant("claim" as const), lane: place, most: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("settle" as const),
      which: place,
      as: fc.constantFrom("end" as const, "end" as const, "back" as const, "park" as const),
      again: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("crash" as const), which: place }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("repeat" as const), which: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("hand" as const),
      which: place,
      as: fc.constantFrom("end" as const, "back" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("sweep" as const) }) },
);

type Plan = { readonly id: RequestId; readonly waits: boolean; readonly both: boolean };
type Hold = { readonly lane: string; readonly token: string; readonly order: Claimed };

/**
 * Two lanes, their runners and the gateway, on a clock of their own; all requests are of one person, so that they join. What
 * it does depends on nothing but the happenings.
 */
class World {
  readonly plans: Plan[] = [];
  readonly #store: Store;
  readonly #recent: (readonly Command[])[] = [];
  readonly #client: RedisClient;
  readonly #lanes = [alpha, beta] as const;
  readonly #ended = new Map<string, string>();
  #holds: Hold[] = [];
  #now = NOW;
  #serial = 0;

  constructor(client: RedisClient, shall: () => boolean) {
    this.#client = client;
    const unlucky = repeating(client, shall);
    this.#store = createStore({
      run: (commands) => {
        if (commands.some((command) => "script" in command)) this.#recent.push(commands);
        return unlucky.run(commands);
      },
    });
  }

  /** Two requests that have started, so that there is something to happen to. */
  async begin(): Promise<void> {
    await founded(this.#store);
    await this.#record(true, false);
    await this.#record(true, true);
    await this.#gateway("start");
  }

  async happen(event: Happening): Promise<void> {
    if (event.what === "request") await this.#record(event.waits, event.both);
    if (event.what === "start") await this.#gateway("start");
    if (event.what === "replan") await this.#replan(event.which);
    if (event.what === "claim") await this.#claim(this.#lanes[event.lane % 2] ?? alpha, event.most);
    if (event.what === "settle") await this.#settle(event.which, event.as, event.again);
    if (event.what === "crash") this.#holds = this.#holds.filter((_, at) => at !== event.which % this.#holds.length);
    if (event.what === "repeat") await this.#client.run(this.#recent.at(-1 - (event.which % 4)) ?? []);
    if (event.what === "hand") await this.#byHand(event.which, event.as);
    if (event.what === "pass") this.#now += event.seconds * SECOND;
    if (event.what === "sweep") await this.#store.sweep(await this.#store.dueLanes(this.#now, 10), this.#now);
    await this.#check();
  }

  /** Nobody says any more which lane has work: the sweep has to find all of it. Parked tasks are given back by hand. */
  async finish(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) {
      if ((await this.statuses()).every((status) => status === "closed")) return;
      this.#now += MINUTE + LEASE;
      if (turn % 3 === 0) for (const at of this.plans.keys()) await this.#byHand(at, "back");
      this.#now += MINUTE;
      const awake = await this.#store.sweep(await this.#store.dueLanes(this.#now, 10), this.#now);
      for (const lane of awake) {
        if (lane === gateway) await this.#gateway("both");
        if (lane === gateway) continue;
        this.#holds = [];
        while ((await this.#claim(lane, 3)) > 0) while (this.#holds.length > 0) await this.#settle(0, "end", false);
      }
      await this.#check();
    }
  }

  async statuses(): Promise<readonly (string | undefined)[]> {
    return (await this.#store.load(this.plans.map(({ id }) => ({ n, id })))).map(({ st }) => st);
  }

  log = (): Promise<readonly string[]> => this.#store.log(n);

  async #record(waits: boolean, both: boolean): Promise<void> {
    if (this.plans.length >= 5) return;
    const id = idOf(`r${this.plans.length}`);
    this.plans.push({ id, waits, both });
    await this.#store.record([request(id, { now: this.#now, startAt: this.#now, deadline: NOW + 30 * DAY })]);
  }

  async #replan(which: number): Promise<void> {
    const plan = this.plans[which % this.plans.length];
    if (plan === undefined) return;
    const due = this.#now;
    await this.#store.restart([{ n, id: plan.id, due, deadline: NOW + 30 * DAY, release: false }], this.#now);
  }

  async #gateway(which: "start" | "both"): Promise<void> {
    const token = this.#token();
    const orders = await claimed(this.#store, gateway, token, { now: this.#now });
    for (const plan of this.plans)
      for (const order of orders) {
        const held = { token, attempt: order.attempt };
        if (order.id === `start:${plan.id}`)
          await this.#store.open([opening(plan.id, held, tasksOf(plan), { now: this.#now, subject: "ada" })]);
        // Somebody who only starts leaves the closes to the next, whose lease comes later.
        if (order.id === `close:${plan.id}` && which === "both")
          await this.#store.close([closing(plan.id, held, { now: this.#now, subject: "ada" })]);
      }
  }

  async #claim(lane: string, most: number): Promise<number> {
    const token = this.#token();
    const orders = await claimed(this.#store, lane, token, { now: this.#now, most });
    this.#holds.push(...orders.map((order) => ({ lane, token, order })));
    return orders.length;
  }

  async #settle(which: number, as: "end" | "back" | "park", again: boolean): Promise<void> {
    const hold = this.#holds[which % this.#holds.length];
    if (hold === undefined) return;
    // Whoever does not forget what it settled settles it once more, late.
    if (!again) this.#holds = this.#holds.filter((each) => each !== hold);
    const { lane, token, order } = hold;
    await this.#store.settleAndClaim(lane, { token, settlements: [this.#settlement(order, as)] }, undefined, this.#now);
  }

  #settlement(order: Claimed, as: "end" | "back" | "park"): Settlement {
    const [name = "", taskId = ""] = order.id.split("/");
    const plan = this.plans.find(({ id }) => id === name);
    if (plan === undefined) throw new Error(`nobody asked for ${order.id}`);
    if (as === "back") return goesBack(plan.id, taskId, order.attempt, { due: this.#now + 30 * SECOND, cursor: "c" });
    if (as === "park") return parks(plan.id, taskId, order.attempt);
    return ends(plan.id, taskId, order.attempt, { frees: freesOf(taskId), document: this.#endDocument() });
  }

  async #byHand(which: number, as: "end" | "back"): Promise<void> {
    const plan = this.plans[which % this.plans.length];
    if (plan === undefined) return;
    const [hash = {}] = await this.#store.load([{ n, id: plan.id }]);
    for (const [at, { id, subprocessor }] of tasksOf(plan).entries()) {
      const document = hash[`t:${id}`];
      if (document === undefined || (as === "back" && !document.startsWith("stuck"))) continue;
      if (as === "end" && at !== which % 3) continue;
      const lane = laneName(n, subprocessor);
      const settlement =
        as === "back"
          ? goesBack(plan.id, id, 0, { due: this.#now })
          : ends(plan.id, id, 0, { frees: freesOf(id), document: this.#endDocument() });
      await this.#store.byHand(lane, settlement, this.#now);
    }
  }

  /** Each end says which it is, so that a second one would show. */
  #endDocument = (): string => `ended ${++this.#serial}`;
  #token = (): string => `token${++this.#serial}`;

  /** A task ends once: no end is ever overwritten, and none is taken back. */
  async #check(): Promise<void> {
    const hashes = await this.#store.load(this.plans.map(({ id }) => ({ n, id })));
    for (const [at, hash] of hashes.entries())
      for (const [name, document] of Object.entries(hash).filter(([field]) => field.startsWith("t:"))) {
        const task = `${at} ${name}`;
        const before = this.#ended.get(task);
        if (before !== undefined) expect(document, task).toBe(before);
        if (document.startsWith("ended")) this.#ended.set(task, document);
      }
  }
}

const tasksOf = ({ waits, both }: Plan) => [
  task("alpha.erase"),
  ...(both ? [task("alpha.look")] : []),
  task("beta.erase", waits ? { what: "wait", waits: ["alpha.erase"] } : {}),
];

const freesOf = (taskId: string) => (taskId === "alpha.erase" ? [{ task: "beta.erase", subprocessor: "beta" }] : []);

// A real server only: the engine in memory would take minutes for as many calls.
onEach("anything that may happen", engines.slice(0, 1), ({ client, flush, state }) => {
  it("[I2] [I3] loses no task and ends none twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 20, maxLength: 45 }), fc.nat(), async (happenings, seed) => {
        await flush();
        const draw = numbers(seed);
        const world = new World(client, () => draw() > 0.8);
        await world.begin();
        for (const event of happenings) await world.happen(event);
        await world.finish();
        expect(await world.statuses()).toEqual(world.plans.map(() => "closed"));
        expect((await world.log()).toSorted()).toEqual(world.plans.map(({ id }) => `leaf of ${id}`).toSorted());
        const left = Object.keys(await state()).filter((key) => key.startsWith("l:"));
        expect(left).toEqual([]);
      }),
      { seed: 20_261, numRuns: 8, interruptAfterTimeLimit: 4_000 },
    );
  });
});
