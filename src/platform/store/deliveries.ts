import type { Instant, TenantNumber } from "../../ids.ts";
import { keys, laneName } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { ASK_FOR, KEEP } from "../scripts/delivery.ts";
import { AWAKE_MS, laneKeys, texts } from "./lanes.ts";
import { type Hash, hash } from "./requests.ts";

/** For how long a delivery that was not understood waits for somebody to look at it. */
export const QUARANTINE_MS = 30 * 86_400_000;

/** What a tenant's quarantine holds at most: whoever may sign for a vendor can fill it, and no more than that. */
const MOST = 1000;

/** For how long it is shown what came and was of no concern. */
const COUNTED_MS = 35 * 86_400_000;
const DAY_MS = 86_400_000;

export type KeptDelivery = { readonly wrapped: string; readonly sealed: string; readonly facts: string };

export type DeliveryStore = {
  /** False when the quarantine is full: then nothing was kept. */
  readonly quarantine: (n: TenantNumber, id: string, delivery: KeptDelivery, now: Instant) => Promise<boolean>;
  /** Newest first. */
  readonly quarantined: (n: TenantNumber, most: number, now: Instant) => Promise<readonly (readonly [string, Hash])[]>;
  readonly delivery: (n: TenantNumber, id: string) => Promise<KeptDelivery | undefined>;
  readonly dropDelivery: (n: TenantNumber, id: string) => Promise<void>;
  /** Puts the call that a delivery asked for into the lane, unless it is there. Answers whether the lane woke. */
  readonly askFor: (
    n: TenantNumber,
    subprocessor: string,
    asked: { readonly order: string; readonly payload: string; readonly deadline: Instant },
    now: Instant,
  ) => Promise<boolean>;
  /** Counts events that were of no concern, by source and name. */
  readonly countIgnored: (
    n: TenantNumber,
    counts: readonly { readonly event: string; readonly count: number }[],
    now: Instant,
  ) => Promise<void>;
  /** By day, today first. */
  readonly ignored: (n: TenantNumber, days: number, now: Instant) => Promise<readonly Hash[]>;
};

export const deliveryStore = (redis: RedisClient): DeliveryStore => ({
  quarantine: async (n, id, { wrapped, sealed, facts }, now) => {
    const args = [now, id, QUARANTINE_MS, MOST, wrapped, sealed, facts];
    const [answer] = await redis.run([{ script: KEEP, keys: [keys.delivery(n, id), keys.deliveries(n)], args }]);
    return answer === "kept";
  },

  quarantined: async (n, most, now) => {
    const range = ["zrange", keys.deliveries(n), "+inf", now - QUARANTINE_MS, "byscore", "rev", "limit", 0, most];
    const ids = texts((await redis.run([range]))[0]);
    const facts = await redis.run(ids.map((id) => ["hget", keys.delivery(n, id), "f"]));
    return ids.flatMap((id, index): (readonly [string, Hash])[] => {
      const text = facts[index];
      return typeof text === "string" ? [[id, JSON.parse(text)]] : [];
    });
  },

  delivery: async (n, id) => {
    const { k, s, f } = hash((await redis.run([["hgetall", keys.delivery(n, id)]]))[0]);
    return k === undefined || s === undefined || f === undefined ? undefined : { wrapped: k, sealed: s, facts: f };
  },

  dropDelivery: async (n, id) => {
    await redis.run([
      ["del", keys.delivery(n, id)],
      ["zrem", keys.deliveries(n), id],
    ]);
  },

  askFor: async (n, subprocessor, { order, payload, deadline }, now) => {
    const lane = laneName(n, subprocessor);
    const args = [now, lane, order, payload, deadline, now + AWAKE_MS];
    const [answer] = await redis.run([{ script: ASK_FOR, keys: laneKeys(lane), args }]);
    return Number(answer) === 1;
  },

  countIgnored: async (n, counts, now) => {
    const key = keys.ignored(n, Math.floor(now / DAY_MS));
    await redis.run([
      ...counts.map(({ event, count }) => ["hincrby", key, event, count]),
      ["pexpire", key, COUNTED_MS],
    ]);
  },

  ignored: async (n, days, now) => {
    const today = Math.floor(now / DAY_MS);
    const reads = Array.from({ length: days }, (_, back) => ["hgetall", keys.ignored(n, today - back)]);
    return (await redis.run(reads)).map(hash);
  },
});
