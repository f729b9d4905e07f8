import { z } from "zod";
import { parse } from "../contract/signal.ts";
import type { Ports } from "../ports.ts";
import { quarantine } from "./quarantine.ts";
import { utf8 } from "./schemes/bytes.ts";
import type { Delivery, Refused } from "./schemes/scheme.ts";
import type { SetError } from "./transmitter.ts";
import { type Found, understand } from "./understand.ts";
import { meansOf, verify } from "./verify.ts";

/** What becomes of one token that was fetched. */
export type Polled =
  /** What it causes is durable: it may be acknowledged. */
  | { readonly result: "durable" }
  /** It is genuine, and will never be taken. */
  | { readonly result: "refused"; readonly err: SetError }
  /** It fails its proof, which a key or a setting that is on its way may mend. */
  | { readonly result: "unproven"; readonly err: SetError; readonly check: string }
  /** Nothing can be said now. */
  | { readonly result: "later"; readonly check: string };

const Named = z.looseObject({ jti: z.string() });

/** Proves a token that was fetched under the name `jti` as one that was pushed, and makes durable what it causes. */
export async function polled(ports: Ports, found: Found, jti: string, token: string): Promise<Polled> {
  const { hook } = found;
  if (hook.verify.scheme !== "jwt") return { result: "later", check: "scheme" };
  // The secret beside a token is that of a push; here the transmitter is known by its address.
  const { also: _, ...scheme } = hook.verify;
  const delivery: Delivery = { method: "POST", url: ports.origin, body: utf8(token), header: () => undefined };
  const verified = await verify(scheme, delivery, meansOf(ports, found));
  if (!verified.ok) return unproven(verified.problem);
  const named = parse(Named, verified.value.text);
  if (!named.ok || named.value.jti !== jti) return { result: "refused", err: "invalid_request" };
  const understood = await understand(ports, found, verified.value);
  if (understood.ok) return { result: "durable" };
  const { reason, at } = understood.problem;
  if (reason === "unknown_state") return { result: "refused", err: "invalid_state" };
  const kept = await quarantine(ports, found, verified.value, at, []);
  return kept ? { result: "refused", err: "invalid_request" } : { result: "later", check: "quarantine_full" };
}

function unproven(problem: Refused): Polled {
  const check = problem.reason;
  if (problem.reason === "keys_unavailable" || problem.reason === "no_key") return { result: "later", check };
  return { result: "unproven", err: errorOf(problem), check };
}

/** What a sender that is known hears of a token that fails its proof. */
export function errorOf(problem: Refused): SetError {
  if (problem.reason === "bad_signature") return "invalid_key";
  if (problem.reason !== "not_for_us") return "invalid_request";
  if (problem.what === "iss") return "invalid_issuer";
  return problem.what === "aud" ? "invalid_audience" : "invalid_request";
}
