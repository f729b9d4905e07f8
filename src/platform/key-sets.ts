import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import type { Instant } from "../ids.ts";
import type { KeySets, Log } from "../ports.ts";
import { fail, ok, type Result } from "../result.ts";

/** For how long keys are used without asking again, and for how long they are while their server does not answer. */
const FRESH_MS = 3_600_000;
const STALE_MS = 24 * 3_600_000;

/** The least time between two questions to one address, whatever the cause. */
const COOLDOWN_MS = 60_000;

/** A sender names a certificate's address, and so may make some up: of one host so many unknown ones are asked for in a cooldown. */
const MAX_UNKNOWN = 20;

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 65_536;
const MAX_ADDRESSES = 200;

/** A set without a key is no answer: it would have every delivery refused. */
const Keys = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(100),
});

type Missing = "absent" | "unavailable";
type Known<T> = { readonly value: T; readonly at: Instant; readonly askedAt: Instant };
type Failed = { readonly host: string; readonly why: Missing; readonly askedAt: Instant };

/**
 * Public keys and certificates by address, kept in the isolate. A rotation is followed when a token names a key that is not
 * there; an outage of the key server, or an answer that holds no keys, is survived for a day. Redirects are not followed, and
 * forbidden hosts (the gateway's own and the store's) are never asked.
 */
export function keySets(
  fetcher: typeof fetch,
  now: () => Instant,
  log: Log,
  forbidden: readonly string[] = [],
): KeySets {
  const ask = asking(fetcher, new Set(forbidden.map(withoutDot)));
  const sets = published(ask, now, log, keysIn);
  const texts = published(ask, now, log, (text) => (text.includes("-----BEGIN CERTIFICATE-----") ? text : undefined));
  return {
    keys: async (address, isFresh) => {
      const found = await sets(address, isFresh);
      return found.ok ? found.value : undefined;
    },
    text: (address) => texts(address, false),
  };
}

type Ask = (address: string) => Promise<Result<string, Missing>>;

/** What is published at addresses, read once for each answer. */
function published<T>(ask: Ask, now: () => Instant, log: Log, read: (text: string) => T | undefined) {
  const known = new Map<string, Known<T>>();
  // Apart, so that no number of addresses that lead nowhere pushes out one that is in use.
  const failed = new Map<string, Failed>();

  return async (address: string, isFresh: boolean): Promise<Result<T, Missing>> => {
    const begun = now();
    const before = known.get(address);
    const failure = failed.get(address);
    const kept = before !== undefined && begun - before.at < STALE_MS ? ok(before.value) : undefined;
    if (before !== undefined && begun - before.at < FRESH_MS && !isFresh) return ok(before.value);
    const askedAt = Math.max(before?.askedAt ?? -Infinity, failure?.askedAt ?? -Infinity);
    if (begun - askedAt < COOLDOWN_MS) return kept ?? fail(failure?.why ?? "unavailable");
    const { host } = new URL(address);
    if (before === undefined && isBusy(failed, host, begun)) return fail("unavailable");
    // Others go on with what is there while this one asks.
    if (before !== undefined) remember(known, address, { ...before, askedAt: begun });
    const asked = await ask(address);
    const value = asked.ok ? read(asked.value) : undefined;
    if (value !== undefined) {
      failed.delete(address);
      remember(known, address, { value, at: now(), askedAt: begun });
      return ok(value);
    }
    const why = asked.ok ? "unavailable" : asked.problem;
    log("keys_unavailable", { host, why });
    remember(failed, address, { host, why, askedAt: begun });
    return kept ?? fail(why);
  };
}

const isBusy = (failed: ReadonlyMap<string, Failed>, host: string, now: Instant): boolean =>
  [...failed.values()].filter((each) => each.host === host && now - each.askedAt < COOLDOWN_MS).length >= MAX_UNKNOWN;

function keysIn(text: string): JSONWebKeySet | undefined {
  try {
    const parsed = Keys.safeParse(JSON.parse(text));
    // The schema has the one member that every key needs; jose reads the others as they fit the algorithm.
    return parsed.success ? (parsed.data as JSONWebKeySet) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const asking =
  (fetcher: typeof fetch, forbidden: ReadonlySet<string>): Ask =>
  async (address) => {
    const { protocol, port, hostname } = new URL(address);
    if (protocol !== "https:" || port !== "" || forbidden.has(withoutDot(hostname))) return fail("absent");
    try {
      const response = await fetcher(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status !== 200) {
        await response.body?.cancel();
        return fail(NOTHING_THERE.has(response.status) ? "absent" : "unavailable");
      }
      const text = await bounded(response);
      return text === undefined ? fail("unavailable") : ok(text);
    } catch {
      // A connection that fails in whatever way is an answer that did not come.
      return fail("unavailable");
    }
  };

/** Key servers stand on object stores, which say 403 of what is not there. */
const NOTHING_THERE: ReadonlySet<number> = new Set([403, 404, 410]);

const withoutDot = (host: string): string => host.replace(/\.+$/, "");

async function bounded({ body }: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function remember<T>(map: Map<string, T>, address: string, entry: T): void {
  map.delete(address);
  map.set(address, entry);
  const oldest = map.keys().next();
  if (map.size > MAX_ADDRESSES && oldest.done !== true) map.delete(oldest.value);
}
