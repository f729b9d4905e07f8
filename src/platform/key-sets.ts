import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import type { Instant } from "../ids.ts";
import type { KeySets, Log } from "../ports.ts";

/** For how long keys are used without asking again, and for how long they are while their server does not answer. */
const FRESH_MS = 3_600_000;
const STALE_MS = 24 * 3_600_000;

/** The least time between two questions to one address, whatever the cause. */
const COOLDOWN_MS = 60_000;

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 65_536;
const MAX_ADDRESSES = 200;

const Keys = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

type Known = { readonly text: string | undefined; readonly at: Instant; readonly askedAt: Instant };

/**
 * Public keys and certificates by address, kept in the isolate. A rotation is followed when a token names a key that is not
 * there; an outage of the key server is survived for a day. Redirects are not followed.
 */
export function keySets(fetcher: typeof fetch, now: () => Instant, log: Log): KeySets {
  const known = new Map<string, Known>();

  const text = async (address: string, isFresh = false): Promise<string | undefined> => {
    const before = known.get(address);
    const age = before === undefined ? Number.POSITIVE_INFINITY : now() - before.at;
    const mayAsk = before === undefined || now() - before.askedAt >= COOLDOWN_MS;
    if (before?.text !== undefined && age < FRESH_MS && !(isFresh && mayAsk)) return before.text;
    if (!mayAsk) return age < STALE_MS ? before.text : undefined;
    const asked = await ask(fetcher, address);
    if (asked === undefined) log("keys_unavailable", { host: new URL(address).host });
    const kept = age < STALE_MS ? before?.text : undefined;
    remember(known, address, {
      text: asked ?? kept,
      at: asked === undefined ? (before?.at ?? now()) : now(),
      askedAt: now(),
    });
    return asked ?? kept;
  };

  const keys = async (address: string, isFresh: boolean): Promise<JSONWebKeySet | undefined> => {
    const body = await text(address, isFresh);
    if (body === undefined) return undefined;
    try {
      const parsed = Keys.safeParse(JSON.parse(body));
      // The schema has the one member that every key needs; jose reads the others as they fit the algorithm.
      return parsed.success ? (parsed.data as JSONWebKeySet) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  };

  return { text, keys };
}

async function ask(fetcher: typeof fetch, address: string): Promise<string | undefined> {
  try {
    const response = await fetcher(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status !== 200 || Number(response.headers.get("content-length") ?? 0) > MAX_BYTES) {
      await response.body?.cancel();
      return undefined;
    }
    const body = await response.text();
    return body.length > MAX_BYTES ? undefined : body;
  } catch {
    // A connection that fails in whatever way is an answer that did not come.
    return undefined;
  }
}

function remember(known: Map<string, Known>, address: string, entry: Known): void {
  known.delete(address);
  known.set(address, entry);
  const oldest = known.keys().next();
  if (known.size > MAX_ADDRESSES && oldest.done !== true) known.delete(oldest.value);
}
