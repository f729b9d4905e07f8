import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import type { Instant } from "../ids.ts";
import type { ClientCredentials, KeySets, Log } from "../ports.ts";
import { fail, ok, type Result } from "../result.ts";

/** For how long keys are used without asking again, and for how long they are while their server does not answer. */
const FRESH_MS = 3_600_000;
const STALE_MS = 24 * 3_600_000;

/** The least time between two questions to one address, whatever the cause. */
const COOLDOWN_MS = 60_000;

/** A sender names a certificate's address, and so may make some up: of one host so many unknown ones are asked for in a cooldown. */
const MAX_UNKNOWN = 20;

const TIMEOUT_MS = 5_000;

/** Who waits for another's answer looks so often. */
const LOOK_MS = 50;
const MAX_BYTES = 65_536;
const MAX_ADDRESSES = 200;

/** Of credentials, so many are remembered; and of each, so many keys, which are more than the unknown ones of a cooldown. */
const MAX_CREDENTIALS = 200;
const MAX_KEYS_BEHIND = 40;

/** A token is not used in its last minutes, nor for longer than a day whatever its server says. */
const TOKEN_MARGIN_MS = 300_000;
const TOKEN_MAX_MS = 24 * 3_600_000;

/** A set without a key is no answer: it would have every delivery refused. */
const Keys = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(100),
});

/** RFC 6749 section 5.1. */
const Token = z.looseObject({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  expires_in: z.number().positive(),
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
  wait: Wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): KeySets {
  const line: Line = () => turns(now, wait);
  const call = calling(fetcher, new Set(forbidden.map(withoutDot)));
  const ask: Ask = async (address) => {
    const reply = await call(address);
    return reply.ok ? reply : fail(NOTHING_THERE.has(reply.problem) ? "absent" : "unavailable");
  };
  const sets = published(ask, now, log, line(), keysIn);
  const certificate = (text: string) => (text.includes("-----BEGIN CERTIFICATE-----") ? text : undefined);
  const texts = published(ask, now, log, line(), certificate);
  const readers = behindTokens(call, now, log, line);
  return {
    keys: async (address, isFresh) => {
      const found = await sets(address, isFresh);
      return found.ok ? found.value : undefined;
    },
    text: async (address, behind) => {
      if (behind === undefined) return texts(address, false);
      const read = await readers(behind);
      return read(address, false);
    },
  };
}

/**
 * What is published to whoever has a token. Each credential has its own token, keys and failures: a tenant whose secret is
 * wrong, or to whose address made-up keys are sent, takes nothing from another, even one who uses the same application.
 */
function behindTokens(call: Call, now: () => Instant, log: Log, line: Line) {
  const known = new Map<string, Reader>();
  return async (credentials: ClientCredentials): Promise<Reader> => {
    const name = await nameOf(credentials);
    const reader =
      known.get(name) ??
      published(behindToken(call, now, log, line(), credentials), now, log, line(), publicKey, MAX_KEYS_BEHIND);
    remember(known, name, reader, MAX_CREDENTIALS);
    return reader;
  };
}

function behindToken(
  call: Call,
  now: () => Instant,
  log: Log,
  { isTaken, others, take }: Turns,
  credentials: ClientCredentials,
): Ask {
  let token: { readonly text: string; readonly until: Instant } | undefined;
  let askedAt = -Infinity;

  const tokenNow = async (): Promise<string | undefined> => {
    const isOver = token === undefined || now() >= token.until;
    if (isOver && isTaken(credentials.tokenAddress)) await others(credentials.tokenAddress);
    const begun = now();
    if (token !== undefined && begun < token.until) return token.text;
    // Set before the answer: of several at once, one asks. eBay grants a thousand tokens a day.
    if (begun - askedAt < COOLDOWN_MS) return undefined;
    askedAt = begun;
    const reply = await take(credentials.tokenAddress, () => call(credentials.tokenAddress, tokenRequest(credentials)));
    const granted = reply.ok ? parsed(Token, reply.value) : undefined;
    if (granted === undefined) {
      log("token_unavailable", {
        host: new URL(credentials.tokenAddress).host,
        status: reply.ok ? 200 : reply.problem,
      });
      return undefined;
    }
    const lasts = Math.min(granted.expires_in * 1000 - TOKEN_MARGIN_MS, TOKEN_MAX_MS);
    token = { text: granted.access_token, until: begun + Math.max(lasts, COOLDOWN_MS) };
    return token.text;
  };

  return async (address) => {
    const text = await tokenNow();
    if (text === undefined) return fail("unavailable");
    const reply = await call(address, { headers: { authorization: `Bearer ${text}`, accept: "application/json" } });
    if (reply.ok) return reply;
    // The token was taken back before its time; the next question asks for another.
    if (reply.problem === 401 && token?.text === text) token = undefined;
    return fail(reply.problem !== 403 && NOTHING_THERE.has(reply.problem) ? "absent" : "unavailable");
  };
}

/**
 * RFC 7617, and not the form encoding of RFC 6749 section 2.3.1: the one vendor that has such a token says no more than base64 of both.
 * https://developer.ebay.com/api-docs/static/oauth-base64-credentials.html
 */
const tokenRequest = ({ id, secret, scope }: ClientCredentials): RequestInit => ({
  method: "POST",
  headers: {
    authorization: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${id}:${secret}`)))}`,
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
  },
  body: new URLSearchParams({ grant_type: "client_credentials", scope }).toString(),
});

/** A hash, so that no secret is a key of a map. Of the whole: an id alone is no proof that one may use another's token. */
async function nameOf({ tokenAddress, scope, id, secret }: ClientCredentials): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([tokenAddress, scope, id, secret]));
  return String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}

const publicKey = (text: string) => (text.includes("-----BEGIN PUBLIC KEY-----") ? text : undefined);

type Wait = (ms: number) => Promise<void>;
type Turns = ReturnType<typeof turns>;
type Line = () => Turns;

/**
 * Who asks for what now, so that those who need the same answer wait for it and do not ask, too. They look for themselves: a
 * promise belongs to the request that made it, and ends with it.
 */
function turns(now: () => Instant, wait: Wait) {
  const since = new Map<string, Instant>();
  const isTaken = (what: string) => now() - (since.get(what) ?? -Infinity) < TIMEOUT_MS;
  return {
    isTaken,
    others: async (what: string): Promise<void> => {
      for (let looks = 0; looks < TIMEOUT_MS / LOOK_MS && isTaken(what); looks++) await wait(LOOK_MS);
    },
    /** What is asked is taken before anybody else can look. */
    take: async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
      since.set(what, now());
      try {
        return await ask();
      } finally {
        since.delete(what);
      }
    },
  };
}

type Ask = (address: string) => Promise<Result<string, Missing>>;
type Reader = (address: string, isFresh: boolean) => Promise<Result<string, Missing>>;

/** What is published at addresses, read once for each answer. */
function published<T>(
  ask: Ask,
  now: () => Instant,
  log: Log,
  { isTaken, others, take }: Turns,
  read: (text: string) => T | undefined,
  most = MAX_ADDRESSES,
) {
  const known = new Map<string, Known<T>>();
  // Apart, so that no number of addresses that lead nowhere pushes out one that is in use.
  const failed = new Map<string, Failed>();

  return async (address: string, isFresh: boolean): Promise<Result<T, Missing>> => {
    // With nothing at hand, or nothing that fits, whoever asks already is waited for.
    const has = known.get(address);
    const isOfNoUse = isFresh || has === undefined || now() - has.at >= STALE_MS;
    if (isOfNoUse && isTaken(address)) await others(address);
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
    if (before !== undefined) remember(known, address, { ...before, askedAt: begun }, most);
    const asked = await take(address, () => ask(address));
    const value = asked.ok ? read(asked.value) : undefined;
    if (value !== undefined) {
      failed.delete(address);
      remember(known, address, { value, at: now(), askedAt: begun }, most);
      return ok(value);
    }
    const why = asked.ok ? "unavailable" : asked.problem;
    log("keys_unavailable", { host, why });
    remember(failed, address, { host, why, askedAt: begun }, most);
    return kept ?? fail(why);
  };
}

const isBusy = (failed: ReadonlyMap<string, Failed>, host: string, now: Instant): boolean =>
  [...failed.values()].filter((each) => each.host === host && now - each.askedAt < COOLDOWN_MS).length >= MAX_UNKNOWN;

// The schema has the one member that every key needs; jose reads the others as they fit the algorithm.
const keysIn = (text: string) => parsed(Keys, text) as JSONWebKeySet | undefined;

function parsed<S extends z.ZodType>(schema: S, text: string): z.infer<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The problem is the status; zero: no answer came that could be used. */
type Call = (address: string, request?: RequestInit) => Promise<Result<string, number>>;

const calling =
  (fetcher: typeof fetch, forbidden: ReadonlySet<string>): Call =>
  async (address, request = {}) => {
    const { protocol, port, hostname } = new URL(address);
    if (protocol !== "https:" || port !== "" || forbidden.has(withoutDot(hostname))) return fail(404);
    try {
      const response = await fetcher(address, {
        ...request,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        return fail(response.status);
      }
      const text = await bounded(response);
      return text === undefined ? fail(0) : ok(text);
    } catch {
      // A connection that fails in whatever way is an answer that did not come.
      return fail(0);
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

function remember<T>(map: Map<string, T>, address: string, entry: T, most: number): void {
  map.delete(address);
  map.set(address, entry);
  const oldest = map.keys().next();
  if (map.size > most && oldest.done !== true) map.delete(oldest.value);
}
