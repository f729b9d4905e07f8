import type { Instant, TenantNumber } from "../../ids.ts";
import { keys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { KEEP_POLLING } from "../scripts/poll.ts";
import { AWAKE_MS, laneKeys } from "./lanes.ts";
import { type Hash, hash } from "./requests.ts";

/** For how long an answer to a verification is awaited: transmitters send it at once, or after a push that failed. */
export const VERIFIED_WITHIN_MS = 15 * 60_000;

/** How a stream stands is forgotten when nothing has been heard of it for so long. */
const STOOD_MS = 400 * 86_400_000;

export type TransmitterStore = {
  /** Puts the order to poll into each lane where it is missing. Answers the lanes that woke. */
  readonly keepPolling: (lanes: readonly string[], now: Instant) => Promise<readonly string[]>;
  readonly expectVerification: (n: TenantNumber, subprocessor: string, state: string, now: Instant) => Promise<void>;
  readonly isExpected: (n: TenantNumber, subprocessor: string, state: string) => Promise<boolean>;
  readonly streamVerified: (n: TenantNumber, subprocessor: string, now: Instant) => Promise<void>;
  readonly streamStatus: (
    n: TenantNumber,
    subprocessor: string,
    status: string,
    reason: string,
    now: Instant,
  ) => Promise<void>;
  /** When it was polled and what came of it: nothing, or why not. */
  readonly streamPolled: (n: TenantNumber, subprocessor: string, problem: string, now: Instant) => Promise<void>;
  readonly keepStreamToken: (n: TenantNumber, subprocessor: string, sealed: string, until: Instant) => Promise<void>;
  readonly stream: (n: TenantNumber, subprocessor: string) => Promise<Hash>;
};

export const transmitterStore = (redis: RedisClient): TransmitterStore => {
  const note = async (n: TenantNumber, subprocessor: string, ...fields: readonly (string | number)[]) => {
    const key = keys.transmitter(n, subprocessor);
    await redis.run([
      ["hset", key, ...fields],
      ["pexpire", key, STOOD_MS],
    ]);
  };
  return {
    keepPolling: async (lanes, now) => {
      const answers = await redis.run(
        lanes.map((lane) => ({ script: KEEP_POLLING, keys: laneKeys(lane), args: [now, lane, now + AWAKE_MS] })),
      );
      return lanes.filter((_, index) => Number(answers[index]) === 1);
    },
    expectVerification: async (n, subprocessor, state, now) => {
      const key = keys.transmitter(n, subprocessor);
      await redis.run([
        ["set", keys.verification(n, subprocessor, state), 1, "px", VERIFIED_WITHIN_MS],
        ["hset", key, "va", now],
        ["pexpire", key, STOOD_MS],
      ]);
    },
    isExpected: async (n, subprocessor, state) =>
      // What we make has this shape; nothing else becomes part of a key's name.
      /^[0-9a-f]{32}$/.test(state) &&
      Number((await redis.run([["exists", keys.verification(n, subprocessor, state)]]))[0]) === 1,
    streamVerified: (n, subprocessor, now) => note(n, subprocessor, "v", now),
    streamStatus: (n, subprocessor, status, reason, now) =>
      note(n, subprocessor, "st", status, "sr", reason, "sa", now),
    streamPolled: (n, subprocessor, problem, now) =>
      note(n, subprocessor, "pa", now, "pp", problem, ...(problem === "" ? ["po", now] : [])),
    keepStreamToken: (n, subprocessor, sealed, until) => note(n, subprocessor, "tk", sealed, "tu", until),
    stream: async (n, subprocessor) => hash((await redis.run([["hgetall", keys.transmitter(n, subprocessor)]]))[0]),
  };
};
