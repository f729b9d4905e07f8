import { type Instant, type TenantNumber, tenantNumber } from "../../ids.ts";
import type { Tenant } from "../../registry/tenant.ts";
import { keys } from "../keys.ts";
import type { Answer, RedisClient } from "../redis.ts";
import { LINK } from "../scripts/link.ts";
import { CHANGE, ENROL, RESERVE } from "../scripts/registry.ts";
import { texts } from "./lanes.ts";
import { type Hash, hash } from "./requests.ts";

export type Snapshot = { readonly version: string; readonly tenant: Tenant };

export type Change = {
  readonly at: string;
  readonly by: string;
  readonly what: string;
  readonly id?: string;
  readonly reason?: string;
  /** The new state, without secrets. */
  readonly now?: unknown;
};

/** By integration with streams: whether the tenant listens to them. */
export type Listening = Readonly<Record<string, boolean>>;

export type Link = {
  readonly n: TenantNumber;
  readonly subject: string;
  readonly now: Instant;
  /** The wrapped key of a new record; "" where the record is there already. */
  readonly wrapped: string;
  readonly lifts: boolean;
  readonly identities: readonly { readonly index: string; readonly suppression: string; readonly since?: Instant }[];
  readonly fields: Readonly<Record<string, string>>;
};

export type Linked =
  | { readonly result: "taken"; readonly identity: number }
  /** A consent was given for someone whose erasure is open. */
  | { readonly result: "under_erasure" }
  /** The record came or went meanwhile: load it and seal again. */
  | { readonly result: "changed" }
  | {
      readonly result: "linked";
      readonly isNew: boolean;
      readonly suppressed: readonly number[];
      readonly requests: readonly string[];
    };

export type Standing = { readonly known: boolean; readonly gone: boolean };

export type Gate = Standing & {
  readonly requests: readonly string[];
  readonly closing: readonly { readonly request: string; readonly startAt: Instant }[];
};

export type RegistryStore = {
  readonly numberOf: (slug: string) => Promise<TenantNumber | undefined>;
  readonly snapshot: (n: TenantNumber) => Promise<Snapshot | undefined>;
  readonly reserve: (slug: string, token: string) => Promise<TenantNumber | undefined>;
  /** False when somebody else changed it first. */
  readonly change: (
    n: TenantNumber,
    expected: string,
    tenant: Tenant,
    change: Change,
    listening?: Listening,
  ) => Promise<boolean>;
  /** Nothing where the registry has changed since this version. */
  readonly enrol: (n: TenantNumber, version: string, listening: Listening) => Promise<void>;
  readonly history: (n: TenantNumber, from: number, most: number) => Promise<readonly Change[]>;
  /** The subject that each pseudonym belongs to. */
  readonly subjectsOf: (
    lookups: readonly { readonly n: TenantNumber; readonly pseudonym: string }[],
  ) => Promise<readonly (string | undefined)[]>;
  readonly subjects: (
    lookups: readonly { readonly n: TenantNumber; readonly subject: string }[],
  ) => Promise<readonly Hash[]>;
  /** Whether a subject is known, or was and has been erased. */
  readonly standing: (n: TenantNumber, subject: string) => Promise<Standing>;
  /** The same, with its open requests, and its closures in their grace windows from the next to start. */
  readonly gate: (n: TenantNumber, subject: string) => Promise<Gate>;
  readonly link: (link: Link) => Promise<Linked>;
  readonly suppressed: (n: TenantNumber, pseudonyms: readonly string[]) => Promise<readonly (string | undefined)[]>;
  readonly suppress: (
    n: TenantNumber,
    entries: readonly { readonly pseudonym: string; readonly value: string; readonly lifetimeMs: number }[],
  ) => Promise<void>;
  readonly ping: () => Promise<void>;
};

export function registryStore(redis: RedisClient): RegistryStore {
  return {
    numberOf: async (slug) => {
      const [number] = await redis.run([["hget", keys.slugs, slug]]);
      return typeof number === "string" ? tenantNumber(Number.parseInt(number, 10)) : undefined;
    },

    snapshot: async (n) => {
      const [answer] = await redis.run([["hmget", keys.tenant(n), "v", "snap"]]);
      const [version, text] = Array.isArray(answer) ? answer : [];
      if (typeof text !== "string") return undefined;
      // Written by `change` from a Tenant and by nobody else.
      return { version: String(version), tenant: JSON.parse(text) as Tenant };
    },

    reserve: async (slug, token) => {
      const [answer] = await redis.run([{ script: RESERVE, keys: [keys.slugs, keys.tenants], args: [slug, token] }]);
      const [result, number] = texts(answer);
      return result === "reserved" ? tenantNumber(Number(number)) : undefined;
    },

    change: async (n, expected, tenant, change, listening = {}) => {
      const next = String(Number(expected || "0") + 1);
      const [answer] = await redis.run([
        {
          script: CHANGE,
          keys: [keys.tenant(n), keys.history(n), ...Object.keys(listening).map(keys.listening)],
          args: [
            expected,
            next,
            JSON.stringify(tenant),
            JSON.stringify({ version: next, ...change }),
            n,
            ...flags(listening),
          ],
        },
      ]);
      return texts(answer)[0] === "changed";
    },

    enrol: async (n, version, listening) => {
      const named = [keys.tenant(n), ...Object.keys(listening).map(keys.listening)];
      await redis.run([{ script: ENROL, keys: named, args: [version, n, ...flags(listening)] }]);
    },

    history: async (n, from, most) => {
      const [answer] = await redis.run([["lrange", keys.history(n), from, from + most - 1]]);
      // Written by `change` and by nobody else.
      return texts(answer).map((text) => JSON.parse(text) as Change);
    },

    subjectsOf: async (lookups) =>
      (await redis.run(lookups.map(({ n, pseudonym }) => ["hget", keys.identity(n, pseudonym), "s"]))).map((answer) =>
        typeof answer === "string" ? answer : undefined,
      ),

    subjects: async (lookups) =>
      (await redis.run(lookups.map(({ n, subject }) => ["hgetall", keys.subject(n, subject)]))).map(hash),

    standing: async (n, subject) => standing((await redis.run([standingCommand(n, subject)]))[0]),

    gate: async (n, subject) => {
      const [stands, requests, scores] = await redis.run([
        standingCommand(n, subject),
        ["smembers", keys.subjectRequests(n, subject)],
        ["zrange", keys.closing(n, subject), 0, -1, "withscores"],
      ]);
      const flat = texts(scores);
      const closing = Array.from({ length: flat.length / 2 }, (_, at) => ({
        request: flat[2 * at] ?? "",
        startAt: Number(flat[2 * at + 1]),
      }));
      return { ...standing(stands), requests: texts(requests), closing };
    },

    link: async (link) => {
      const { n, subject, identities } = link;
      const [answer] = await redis.run([
        {
          script: LINK,
          keys: [
            keys.subject(n, subject),
            keys.subjectRequests(n, subject),
            ...identities.flatMap(({ index, suppression }) => [
              keys.identity(n, index),
              keys.suppression(n, suppression),
            ]),
          ],
          args: [
            subject,
            link.now,
            link.wrapped,
            link.lifts ? 1 : 0,
            identities.length,
            ...identities.map(({ since }) => since ?? ""),
            ...Object.entries(link.fields).flat(),
          ],
        },
      ]);
      const [result, second, count = "0", ...rest] = texts(answer);
      if (result === "taken") return { result, identity: Number(second) - 1 };
      if (result === "under_erasure") return { result };
      if (result !== "linked") return { result: "changed" };
      const suppressed = Number(count);
      return {
        result,
        isNew: second === "1",
        suppressed: rest.slice(0, suppressed).map((index) => Number(index) - 1),
        requests: rest.slice(suppressed),
      };
    },

    suppressed: async (n, pseudonyms) =>
      (await redis.run(pseudonyms.map((pseudonym) => ["get", keys.suppression(n, pseudonym)]))).map((answer) =>
        typeof answer === "string" ? answer : undefined,
      ),

    suppress: async (n, entries) => {
      await redis.run(
        entries.map(({ pseudonym, value, lifetimeMs }) => [
          "set",
          keys.suppression(n, pseudonym),
          value,
          "px",
          lifetimeMs,
          "nx",
        ]),
      );
    },

    ping: async () => {
      await redis.run([["ping"]]);
    },
  };
}

const flags = (listening: Listening): readonly number[] => Object.values(listening).map((does) => (does ? 1 : 0));

const standingCommand = (n: TenantNumber, subject: string) => ["hmget", keys.subject(n, subject), "k", "gone"];

function standing(answer: Answer | undefined): Standing {
  const [key, gone] = Array.isArray(answer) ? answer : [];
  return { known: typeof key === "string", gone: typeof gone === "string" };
}
