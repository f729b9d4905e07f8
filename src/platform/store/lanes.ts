import type { Instant, RequestId } from "../../ids.ts";
import { GATEWAY, keys, laneName, parseLane, SHARDS } from "../keys.ts";
import type { Answer, Command, RedisClient } from "../redis.ts";
import { CLAIM, FREEZE, RELEASE } from "../scripts/claim.ts";
import { SETTLE } from "../scripts/settle.ts";
import { SWEEP, UNPAUSE } from "../scripts/sweep.ts";

/** An order as it was claimed: only its holder may settle it, and only while the lease lasts. */
export type Claimed = {
  readonly id: string;
  readonly attempt: number;
  readonly payload: string;
  readonly cursor: string;
  /** Sealed identities that earlier tasks of the request have learned. */
  readonly learned: readonly string[];
  /** The orders that this one was joined with, itself included; none where it stands alone. */
  readonly joint: readonly string[];
};

/** A bulk batch: its id, which is its idempotency key, and its members, fixed before the call until it is settled. */
export type Frozen = { readonly id: string; readonly members: readonly string[] };

export type Claim =
  | {
      readonly state: "batch";
      readonly orders: readonly Claimed[];
      readonly frozen: Frozen | undefined;
      /** Calls that may be made for this batch, where the vendor account has a quota. */
      readonly calls?: number;
    }
  /** Nothing is ready, another run is at this lane, or the tenant has as many runs as it may. */
  | { readonly state: "none" | "busy" | "full" }
  /** `isSpent`: because no more calls are allowed today. */
  | { readonly state: "paused"; readonly until: Instant; readonly isSpent?: true };

/** A vendor account's day: what it allows, and what this run has made of it. */
export type Spending = {
  /** The account, and the day as its own zone counts it. */
  readonly account: string;
  readonly day: string;
  readonly allowed: number;
  readonly made: number;
  /** How many calls the batch to come may make at most. */
  readonly wanted: number;
  readonly ends: Instant;
};

/** What became of one order. `task` names the record that changes with it, if it belongs to a request. */
export type Settlement = {
  readonly id: string;
  readonly attempt: number;
  readonly task?: { readonly request: RequestId; readonly id: string; readonly document: string };
  readonly deadline: Instant;
} & (
  | { readonly what: "end"; readonly learned: string; readonly frees: readonly Freed[] }
  | { readonly what: "back"; readonly due: Instant; readonly cursor: string }
  | { readonly what: "park"; readonly cursor: string }
  | { readonly what: "drop" }
);

export type Freed = { readonly task: string; readonly subprocessor: string };

export type Settled = {
  readonly results: readonly ("applied" | "late" | "missing")[];
  readonly woken: readonly string[];
};

/** A lane is awake for at most this long without a sign of life. */
export const AWAKE_MS = 60_000;

/**
 * Runs of one tenant at a time, over all invocations: one tenant's hanging endpoints hold up nobody else. The gateway's own
 * lane calls nobody and is not counted: starts and closes do not wait for holders.
 */
export const RUNS_A_TENANT = 8;

export type Settle = {
  readonly token: string;
  readonly settlements: readonly Settlement[];
  readonly pauseUntil?: Instant;
  /** The vendor account that rests with the lane, where others share it. */
  readonly account?: string;
  /** The bulk batch of which it is known what became. */
  readonly thaws?: string;
  /** The run that lets go of the lane, and of what it did not use of the day's calls. */
  readonly release?: string;
  readonly spent?: Spending;
};

export type Claiming = {
  readonly token: string;
  readonly most: number;
  readonly leaseUntil: Instant;
  /** Who claims: the same for every claim of one run. */
  readonly run: string;
  readonly account?: string;
  readonly spending?: Spending;
};

export type LaneStore = {
  /** Settles, if there is something to settle, and claims, if asked, in one round trip. */
  readonly settleAndClaim: (
    lane: string,
    settle: Settle | undefined,
    claim: Claiming | undefined,
    now: Instant,
  ) => Promise<{ readonly settled: Settled | undefined; readonly claim: Claim | undefined }>;
  /** Fixes a bulk batch before its call; false when the run has lost the lane meanwhile. */
  readonly freeze: (lane: string, run: string, batch: Frozen, now: Instant) => Promise<boolean>;
  /** Lanes that their index says are due, shard by shard. */
  readonly dueLanes: (now: Instant, most: number) => Promise<readonly string[]>;
  /** Wakes those of them that are asleep and have something ready; corrects the index for the others. */
  readonly sweep: (lanes: readonly string[], now: Instant) => Promise<readonly string[]>;
  /** The ids of orders that the lanes hold; for each given pair whether it is there, and whether it is being worked on. */
  readonly look: (
    orders: readonly { readonly lane: string; readonly id: string }[],
  ) => Promise<readonly ("missing" | "waiting" | "in_flight")[]>;
  /** An order as it lies in its lane, whoever has it. */
  readonly order: (
    lane: string,
    id: string,
  ) => Promise<{ readonly payload: string; readonly cursor: string } | undefined>;
  /** A pause that no longer has a reason is lifted; that of the account too, for all lanes that rest because of it. */
  readonly unpause: (
    lane: string,
    account: { readonly name: string; readonly lanes: readonly string[] } | undefined,
    now: Instant,
  ) => Promise<void>;
};

export const laneKeys = (lane: string): [string, string, string] => {
  const { n, subprocessor } = parseLane(lane);
  return [keys.due(n, subprocessor), keys.orders(n, subprocessor), keys.lanes(lane)];
};

export const gatewayOf = (n: string): string => laneName(n, GATEWAY);

export const texts = (answer: Answer | undefined): readonly string[] =>
  Array.isArray(answer) ? answer.map(String) : [];

export function laneStore(redis: RedisClient): LaneStore {
  return {
    settleAndClaim: async (lane, settle, claim, now) => {
      const { n, subprocessor } = parseLane(lane);
      const [due, orders] = laneKeys(lane);
      const mostRuns = subprocessor === GATEWAY ? 0 : RUNS_A_TENANT;
      const commands: Command[] = [];
      if (settle !== undefined) commands.push(settleCommand(lane, settle, now));
      const dayOf = ({ account, day }: Spending) => keys.quota(n, account, day);
      if (settle?.release !== undefined)
        commands.push({
          script: RELEASE,
          keys: [orders, keys.runs(n), ...(settle.spent === undefined ? [] : [dayOf(settle.spent)])],
          args: [settle.release, lane, settle.spent?.made ?? 0],
        });
      if (claim !== undefined) {
        const { account, spending } = claim;
        const named = [due, orders, keys.runs(n)];
        const place = (key: string | undefined) => (key === undefined ? 0 : named.push(key));
        const places = [
          place(account === undefined ? undefined : keys.account(n, account)),
          place(spending === undefined ? undefined : dayOf(spending)),
        ];
        const { allowed = 0, made = 0, wanted = 0, ends = 0 } = spending ?? {};
        commands.push({
          script: CLAIM,
          keys: named,
          args: [
            ...[now, claim.token, claim.leaseUntil, claim.most, now + AWAKE_MS, claim.run, lane, mostRuns, ...places],
            ...[allowed, made, wanted, ends],
          ],
        });
      }
      const answers = await redis.run(commands);
      return {
        settled: settle === undefined ? undefined : readSettled(texts(answers[0]), lane),
        claim: claim === undefined ? undefined : readClaim(texts(answers.at(-1))),
      };
    },

    freeze: async (lane, run, { id, members }, now) => {
      const [answer] = await redis.run([
        { script: FREEZE, keys: [laneKeys(lane)[1]], args: [now, run, [id, ...members].join(" ")] },
      ]);
      return Number(answer) === 1;
    },

    dueLanes: async (now, most) => {
      const shards = Array.from({ length: SHARDS }, (_, shard) => [
        "zrange",
        keys.lanesShard(shard),
        "-inf",
        now,
        "byscore",
        "limit",
        0,
        most,
      ]);
      return (await redis.run(shards)).flatMap(texts);
    },

    sweep: async (lanes, now) => {
      const answers = await redis.run(
        lanes.map((lane) => ({ script: SWEEP, keys: laneKeys(lane), args: [now, lane, now + AWAKE_MS] })),
      );
      return lanes.filter((_, index) => Number(answers[index]) === 1);
    },

    look: async (orders) => {
      const answers = await redis.run(orders.map(({ lane, id }) => ["hmget", laneKeys(lane)[1], id, `${id}:t`]));
      return answers.map((answer) => {
        const [payload, token] = Array.isArray(answer) ? answer : [];
        if (payload === null || payload === undefined) return "missing";
        return token === null || token === undefined ? "waiting" : "in_flight";
      });
    },

    order: async (lane, id) => {
      const [answer] = await redis.run([["hmget", laneKeys(lane)[1], id, `${id}:c`]]);
      const [payload, cursor] = Array.isArray(answer) ? answer : [];
      return typeof payload === "string" ? { payload, cursor: typeof cursor === "string" ? cursor : "" } : undefined;
    },

    unpause: async (lane, account, now) => {
      const { n } = parseLane(lane);
      const key = account === undefined ? [] : [keys.account(n, account.name)];
      const lift = (each: string, whose: "own" | "other") => ({
        script: UNPAUSE,
        keys: [...laneKeys(each), ...key],
        args: [now, each, whose],
      });
      await redis.run([...(account?.lanes ?? []).map((each) => lift(each, "other")), lift(lane, "own")]);
    },
  };
}

/** One script settles a whole batch; every key it may touch is named before. */
export function settleCommand(
  lane: string,
  { token, settlements, pauseUntil = 0, account, thaws = "" }: Omit<Settle, "release">,
  now: Instant,
) {
  const { n } = parseLane(lane);
  const gateway = gatewayOf(n);
  const named = [...laneKeys(lane), ...laneKeys(gateway)];
  const places = new Map<string, number>();
  const place = (first: string, group: readonly string[]): number => {
    const known = places.get(first);
    if (known !== undefined) return known;
    named.push(...group);
    const at = named.length - group.length + 1;
    places.set(first, at);
    return at;
  };
  const entries = settlements.flatMap((settlement): (string | number)[] => {
    const { id, attempt, task, deadline } = settlement;
    const request =
      task === undefined
        ? 0
        : place(keys.request(n, task.request), [keys.request(n, task.request), keys.openTasks(n, task.request)]);
    const head = [
      id,
      attempt,
      settlement.what,
      request,
      task?.request ?? "",
      task?.id ?? "",
      task?.document ?? "",
      deadline,
    ];
    if (settlement.what === "back") return [...head, settlement.due, settlement.cursor];
    if (settlement.what === "park") return [...head, settlement.cursor];
    if (settlement.what === "drop") return head;
    const freed = settlement.frees.flatMap((each) => {
      const freedLane = laneName(n, each.subprocessor);
      const first = place(keys.due(n, each.subprocessor), laneKeys(freedLane));
      return [each.task, first, freedLane, orderId(task?.request ?? ("" as RequestId), each.task), deadline];
    });
    return [...head, settlement.learned, settlement.frees.length, ...freed];
  });
  const resting = account === undefined || pauseUntil === 0 ? 0 : named.push(keys.account(n, account));
  const head = [now, token, lane, gateway, now + AWAKE_MS, pauseUntil, settlements.length, thaws, resting];
  return { script: SETTLE, keys: named, args: [...head, ...entries] };
}

/** A task's order in its lane. */
export const orderId = (request: RequestId, task: string): string => `${request}/${task}`;

export function readSettled(answer: readonly string[], lane: string): Settled {
  const count = Number(answer[0] ?? 0);
  const results = answer
    .slice(1, 1 + count)
    .map((result) => (result === "applied" || result === "missing" ? result : "late"));
  return { results, woken: answer.slice(1 + count).filter((each) => each !== lane) };
}

function readClaim(answer: readonly string[]): Claim {
  const [state, detail = "", more = ""] = answer;
  if (state === "paused") return { state, until: Number(detail), ...(more === "quota" && { isSpent: true }) };
  if (state === "busy" || state === "full") return { state };
  if (state !== "batch") return { state: "none" };
  const orders: Claimed[] = [];
  for (let at = 3; at + 5 < answer.length; at += 6) {
    const [id = "", attempt, payload = "", cursor = "", learned = "", joint = ""] = answer.slice(at, at + 6);
    orders.push({ id, attempt: Number(attempt), payload, cursor, learned: words(learned), joint: words(joint) });
  }
  const [batch, ...members] = words(detail);
  const frozen = batch === undefined ? undefined : { id: batch, members };
  return { state, orders, frozen, ...(more !== "" && { calls: Number(more) }) };
}

const words = (text: string): readonly string[] => (text === "" ? [] : text.split(" "));
