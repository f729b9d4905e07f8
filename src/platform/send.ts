import type { Call, Reply } from "../contract/call.ts";
import type { Send, SendProblem } from "../ports.ts";
import { fail, ok, type Result } from "../result.ts";
import { isProven } from "./prove.ts";
import { type Signed, signed } from "./sign.ts";

/** A call that takes longer is a time-out; a vendor whose work takes longer has a job for it. */
const TIMEOUT_MS = 10_000;

/** Answers are ids, statuses and lists of ids. */
const MAX_REPLY_BYTES = 1_048_576;

/** The gateway's part of Workers' six connections, leaving one for the store. */
const CONNECTIONS = 5;

export const USER_AGENT = "Quittance/0.1 (+https://quittance.dev)";

/**
 * Calls that begin within a tenth of a second share a timer. Nothing stops one before its time, and an invocation has ten
 * thousand: at a thousand calls a second, one for each would be too many.
 */
const SHARED_MS = 100;

function timeouts(now: () => number): () => AbortSignal {
  let since = Number.NaN;
  let signal = AbortSignal.abort();
  return () => {
    const at = now();
    // A clock that was set back begins a new one as well.
    if (!(at >= since && at < since + SHARED_MS)) {
      since = at;
      signal = AbortSignal.timeout(TIMEOUT_MS);
    }
    return signal;
  };
}

/**
 * Sends calls over `fetch`: no redirect is followed, so no credential can reach another origin; time and size are bounded;
 * forbidden hosts (the gateway's own and the store's) are never called.
 */
export function sender(fetcher: typeof fetch, now: () => number, forbidden: readonly string[]): Send {
  const hosts = new Set(forbidden.map(withoutDot));
  const timeout = timeouts(now);
  const free: (() => void)[] = [];
  let busy = 0;
  const enter = async (): Promise<void> => {
    if (busy < CONNECTIONS) {
      busy++;
      return;
    }
    await new Promise<void>((resolve) => free.push(resolve));
  };
  const leave = (): void => {
    const next = free.shift();
    if (next === undefined) busy--;
    else next();
  };

  return async (call) => {
    const url = new URL(call.at.url);
    if (url.protocol !== "https:" || url.port !== "" || hosts.has(withoutDot(url.hostname)))
      return fail({ reason: "forbidden_address", host: url.host });
    const proof = await proofOf(call, now());
    if (!proof.ok) return proof;
    await enter();
    try {
      const once = async ({ headers, body }: Signed): Promise<Reply | undefined> => {
        const reply = await fetcher(url, {
          method: call.method,
          headers: { "user-agent": USER_AGENT, ...headers },
          ...(body !== undefined && { body }),
          redirect: "manual",
          signal: timeout(),
        });
        const text = await bounded(reply);
        if (text === undefined) return undefined;
        return { status: reply.status, header: (name) => reply.headers.get(name) ?? undefined, text };
      };
      const first = await once(proof.value);
      const nonce = first === undefined ? undefined : nonceAsked(call, first);
      // Nothing was done yet: a proof is looked at before what it is shown for. Asked again and again, it stays the answer.
      const answer = nonce === undefined ? first : await once(await signed(call, now(), nonce));
      if (answer === undefined) return fail({ reason: "too_large", maxBytes: MAX_REPLY_BYTES });
      if (call.proof === undefined) return ok(answer);
      return ok({ ...answer, proven: await isProven(call.proof, answer, proof.value.body ?? "", now()) });
    } catch (error) {
      // Whatever `fetch` rejects with, no answer came: the name tells a time-out from a broken connection.
      const name = error instanceof Error ? error.name : "";
      return name === "TimeoutError" || name === "AbortError"
        ? fail({ reason: "timed_out", afterMs: TIMEOUT_MS })
        : fail({ reason: "connection_failed" });
    } finally {
      leave();
    }
  };
}

/**
 * The nonce that a server wants in a proof of possession: an authorization server says so by 400 and an error, another by 401 and a
 * challenge. RFC 9449 sections 8 and 9.
 */
function nonceAsked({ sign }: Call, { status, header, text }: Reply): string | undefined {
  if (sign?.scheme !== "dpop") return undefined;
  const isAsked =
    (status === 400 && /"error"\s*:\s*"use_dpop_nonce"/.test(text)) ||
    (status === 401 && /\bDPoP\b.*\berror="use_dpop_nonce"/i.test(header("www-authenticate") ?? ""));
  return isAsked ? header("dpop-nonce") : undefined;
}

async function proofOf(call: Call, now: number): Promise<Result<Signed, SendProblem>> {
  try {
    return ok(await signed(call, now));
  } catch {
    // Whatever a library rejects with, it is the key: nothing else of what is signed comes from outside. Its message may name the key.
    return fail({ reason: "cannot_sign" });
  }
}

/** A dot at its end makes a name absolute and changes nothing about where it leads. */
const withoutDot = (host: string): string => host.replace(/\.+$/, "");

async function bounded(reply: Response): Promise<string | undefined> {
  if (reply.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of reply.body) {
    size += chunk.byteLength;
    if (size > MAX_REPLY_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
