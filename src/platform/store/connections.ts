import type { Instant, TenantNumber } from "../../ids.ts";
import { keys } from "../keys.ts";
import type { Command, RedisClient } from "../redis.ts";
import { SCHEDULE } from "../scripts/cancel.ts";
import { CONFIRM, END, ENDING, RENEWED, TAKE } from "../scripts/connections.ts";
import { AWAKE_MS, gatewayOf, laneKeys, texts } from "./lanes.ts";
import { type Hash, hash } from "./requests.ts";

/** What is remembered of someone who is on their way to a vendor and back: once, for so long. */
export const ON_THE_WAY_MS = 10 * 60_000;

/** How a connection ended is kept for a while, for steps that come late. */
const ENDED_MS = 40 * 86_400_000;

export type NewConnection = {
  readonly n: TenantNumber;
  readonly id: string;
  readonly subprocessor: string;
  /** The account's index pseudonym. */
  readonly account: string;
  /** The same of the account as all of its vendor's family know it; mostly the same. */
  readonly household: string;
  readonly document: string;
  readonly wrapped: string;
  readonly grant: string;
  readonly expiresAt: Instant | undefined;
  readonly isRenewable: boolean;
  readonly code: string;
  readonly now: Instant;
  /** The step that revokes it unless it is confirmed by then. */
  readonly step: { readonly id: string; readonly due: Instant };
};

export type Take = {
  readonly n: TenantNumber;
  readonly id: string;
  readonly now: Instant;
  /** The access token has to last until then. */
  readonly until: Instant;
  readonly runner: string;
  readonly leaseUntil: Instant;
  /** The API key that is given the token; "" for an act of our own. */
  readonly by: string;
  /** Subprocessors of which no token is given. */
  readonly except: readonly string[];
};

export type TakenGrant =
  | { readonly result: "none" | "busy" }
  | { readonly result: "ended"; readonly end: string }
  | { readonly result: "not_active"; readonly state: string }
  | { readonly result: "not_in_force"; readonly subprocessor: string }
  | {
      readonly result: "held" | "renew";
      readonly wrapped: string;
      readonly grant: string;
      readonly version: string;
      readonly subprocessor: string;
      /** An earlier renewal never said what came of it. */
      readonly wasCutOff: boolean;
    };

export type Renewal = Pick<Take, "n" | "id" | "now" | "runner" | "by"> & {
  readonly version: string;
  readonly grant: string;
  readonly expiresAt: Instant | undefined;
  readonly isRenewable: boolean;
};

export type ConnectionEnd = {
  readonly id: string;
  readonly subprocessor: string;
  readonly account: string;
  readonly household: string;
  readonly how: string;
};

export type ConnectionStore = {
  readonly keepTicket: (n: TenantNumber, digest: string, sealed: string) => Promise<void>;
  /** Takes it: there is no second time. */
  readonly takeTicket: (n: TenantNumber, digest: string) => Promise<string | undefined>;
  readonly keepState: (n: TenantNumber, digest: string, sealed: string) => Promise<void>;
  readonly takeState: (n: TenantNumber, digest: string) => Promise<string | undefined>;
  /** What is kept for the tenant, or else what is made now; of two who make it at once both are told the same. */
  readonly clientKey: (n: TenantNumber, make: () => Promise<string>) => Promise<string>;
  /** All of it, or nothing. */
  readonly land: (connection: NewConnection) => Promise<void>;
  readonly connections: (
    lookups: readonly { readonly n: TenantNumber; readonly id: string }[],
  ) => Promise<readonly Hash[]>;
  /** By pseudonym of an account, `<subprocessor> <connection>` of each that has not ended. */
  readonly ofAccounts: (n: TenantNumber, pseudonyms: readonly string[]) => Promise<readonly (readonly string[])[]>;
  readonly confirm: (
    n: TenantNumber,
    id: string,
    code: string,
    subject: string,
    now: Instant,
  ) => Promise<"confirmed" | "none" | "refused" | "ended">;
  readonly takeGrant: (take: Take) => Promise<TakenGrant>;
  /** False where what was renewed is no longer what stands. */
  readonly renewed: (renewal: Renewal) => Promise<boolean>;
  /** `given`: the token that stands is given out, since there is no newer one. */
  readonly letGo: (
    take: Pick<Take, "n" | "id" | "runner"> & { readonly given?: Pick<Take, "by" | "now"> },
  ) => Promise<void>;
  readonly ending: (n: TenantNumber, ids: readonly string[]) => Promise<void>;
  readonly endConnections: (n: TenantNumber, ends: readonly ConnectionEnd[]) => Promise<void>;
  /** Puts an order into a lane, unless it is there. */
  readonly scheduleAt: (lane: string, id: string, due: Instant, now: Instant) => Promise<void>;
};

const scheduled = (lane: string, step: { readonly id: string; readonly due: Instant }, now: Instant): Command => ({
  script: SCHEDULE,
  keys: laneKeys(lane),
  args: [now, lane, now + AWAKE_MS, step.id, step.due],
});

export function connectionStore(redis: RedisClient): ConnectionStore {
  const keep = async (key: string, sealed: string) => {
    await redis.run([["set", key, sealed, "px", ON_THE_WAY_MS]]);
  };
  const take = async (key: string) => {
    const [sealed] = await redis.run([["getdel", key]]);
    return typeof sealed === "string" ? sealed : undefined;
  };
  return {
    keepTicket: (n, digest, sealed) => keep(keys.ticket(n, digest), sealed),
    takeTicket: (n, digest) => take(keys.ticket(n, digest)),
    keepState: (n, digest, sealed) => keep(keys.oauthState(n, digest), sealed),
    takeState: (n, digest) => take(keys.oauthState(n, digest)),

    clientKey: async (n, make) => {
      const key = keys.clientKey(n);
      const [kept] = await redis.run([["get", key]]);
      if (typeof kept === "string") return kept;
      const made = await make();
      const [, stands] = await redis.run([
        ["set", key, made, "nx"],
        ["get", key],
      ]);
      return typeof stands === "string" ? stands : made;
    },

    land: async (each) => {
      const fields = [
        ...["st", "unconfirmed", "p", each.subprocessor, "a", each.account, "h", each.household],
        ...["d", each.document, "k", each.wrapped],
        ...["t", each.grant, "v", 1, "f", each.isRenewable ? 1 : 0, "c", each.code, "at", each.now],
        ...(each.expiresAt === undefined ? [] : ["e", each.expiresAt]),
      ];
      await redis.run(
        [
          ["hset", keys.connection(each.n, each.id), ...fields],
          ...[each.account, each.household].map((pseudonym) => [
            "sadd",
            keys.accountConnections(each.n, pseudonym),
            `${each.subprocessor} ${each.id}`,
          ]),
          scheduled(gatewayOf(each.n), each.step, each.now),
        ],
        { atomic: true },
      );
    },

    connections: async (lookups) =>
      (await redis.run(lookups.map(({ n, id }) => ["hgetall", keys.connection(n, id)]))).map(hash),

    ofAccounts: async (n, pseudonyms) =>
      (await redis.run(pseudonyms.map((each) => ["smembers", keys.accountConnections(n, each)]))).map(texts),

    confirm: async (n, id, code, subject, now) => {
      const [answer] = await redis.run([
        { script: CONFIRM, keys: [keys.connection(n, id)], args: [code, subject, now] },
      ]);
      return answer === "confirmed" || answer === "none" || answer === "ended" ? answer : "refused";
    },

    takeGrant: async ({ n, id, now, until, runner, leaseUntil, by, except }) => {
      const [answer] = await redis.run([
        { script: TAKE, keys: [keys.connection(n, id)], args: [now, until, runner, leaseUntil, by, ...except] },
      ]);
      const [result, first = "", grant = "", version = "", cutOff, subprocessor = ""] = texts(answer);
      if (result === "held" || result === "renew")
        return { result, wrapped: first, grant, version, subprocessor, wasCutOff: cutOff === "1" };
      if (result === "ended") return { result, end: first };
      if (result === "not_active") return { result, state: first };
      if (result === "not_in_force") return { result, subprocessor: first };
      return { result: result === "busy" ? "busy" : "none" };
    },

    renewed: async ({ n, id, now, runner, by, version, grant, expiresAt, isRenewable }) => {
      const args = [version, runner, grant, expiresAt ?? "", isRenewable ? 1 : 0, now, by];
      const [answer] = await redis.run([{ script: RENEWED, keys: [keys.connection(n, id)], args }]);
      return Number(answer) === 1;
    },

    letGo: async ({ n, id, runner, given }) => {
      const args = ["", runner, "", "", 0, given?.now ?? 0, given?.by ?? ""];
      await redis.run([{ script: RENEWED, keys: [keys.connection(n, id)], args }]);
    },

    ending: async (n, ids) => {
      await redis.run(ids.map((id) => ({ script: ENDING, keys: [keys.connection(n, id)], args: [] })));
    },

    endConnections: async (n, ends) => {
      await redis.run(
        ends.map(({ id, subprocessor, account, household, how }) => ({
          script: END,
          keys: [keys.connection(n, id), keys.accountConnections(n, account), keys.accountConnections(n, household)],
          args: [how, `${subprocessor} ${id}`, ENDED_MS],
        })),
      );
    },

    scheduleAt: async (lane, id, due, now) => {
      await redis.run([scheduled(lane, { id, due }, now)]);
    },
  };
}
