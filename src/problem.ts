import type { Context as Http } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Refusal } from "./contract/integration.ts";
import type { SetError } from "./intake/transmitter.ts";

/** Everything that a caller of the API can be told went wrong. */
export type Problem =
  | { readonly reason: "unauthorized" }
  /** `err` is said only to a sender that has shown who it is. */
  | { readonly reason: "delivery_refused"; readonly as: Refusal["status"]; readonly err?: SetError }
  /** A genuine security event that is not taken; `at` is the place that does not fit. */
  | { readonly reason: "event_refused"; readonly err: SetError; readonly at: string }
  | { readonly reason: "keys_unavailable" }
  | { readonly reason: "quarantine_full" }
  | { readonly reason: "forbidden"; readonly needs: string }
  | { readonly reason: "not_found"; readonly what: string }
  | { readonly reason: "invalid"; readonly errors: readonly { readonly field: string; readonly expected: string }[] }
  | { readonly reason: "unsupported_media_type"; readonly expected: string }
  | { readonly reason: "too_large"; readonly maxBytes: number }
  | { readonly reason: "method_not_allowed"; readonly allowed: string }
  | { readonly reason: "conflict"; readonly detail: string }
  | { readonly reason: "endpoint_refused"; readonly detail: string }
  /** A vendor that was asked on the caller's behalf did not do it. */
  | { readonly reason: "vendor_refused"; readonly detail: string }
  | { readonly reason: "store_unreachable" }
  | { readonly reason: "internal" };

type Shape = { readonly status: ContentfulStatusCode; readonly title: string; readonly detail: string };

/** RFC 9457. The type is stable and may be looked up; the detail says what to do. */
export function problemResponse(c: Http, problem: Problem): Response {
  if (problem.reason === "delivery_refused" && (problem.as === "secevent" || problem.err !== undefined))
    return secevent(c, problem.err ?? "authentication_failed", "No such address, or the token does not fit it.");
  if (problem.reason === "event_refused") return secevent(c, problem.err, `${problem.at} does not fit.`);
  const { status, title, detail } = shape(problem);
  const more = problem.reason === "invalid" ? { errors: problem.errors } : {};
  const headers: Record<string, string> = { "content-type": "application/problem+json", "cache-control": "no-store" };
  if (problem.reason === "unauthorized") headers["www-authenticate"] = 'Bearer realm="quittance"';
  if (problem.reason === "store_unreachable" || problem.reason === "keys_unavailable") headers["retry-after"] = "30";
  if (problem.reason === "method_not_allowed") headers.allow = problem.allowed;
  const body = { type: `https://quittance.dev/problems/${problem.reason}`, title, status, detail, ...more };
  return c.body(JSON.stringify(body), status, headers);
}

/** RFC 8935 section 2.3: its own error body, in a language that is named. */
const secevent = (c: Http, err: SetError, description: string): Response =>
  c.body(JSON.stringify({ err, description }), 400, {
    "content-type": "application/json",
    "content-language": "en",
    "cache-control": "no-store",
  });

function shape(problem: Problem): Shape {
  switch (problem.reason) {
    case "unauthorized":
      return {
        status: 401,
        title: "Not authorised",
        detail: "Send `Authorization: Bearer <key>` with a key that this gateway issued.",
      };
    case "quarantine_full":
      return {
        status: 503,
        title: "Try again",
        detail:
          "This was not understood, and nothing more of that kind can be kept until an operator has looked at it.",
      };
    case "keys_unavailable":
      return {
        status: 503,
        title: "Try again",
        detail: "The keys that this is signed with cannot be had now. Send the same again later.",
      };
    case "delivery_refused":
      return {
        status: problem.as === "secevent" ? 400 : problem.as,
        title: "Delivery refused",
        detail: "No such address, or the signature does not fit it. The gateway's log says which check failed.",
      };
    case "event_refused":
      return { status: 400, title: "Event refused", detail: `${problem.at} does not fit.` };
    case "vendor_refused":
      return { status: 502, title: "The vendor did not do it", detail: problem.detail };
    case "forbidden":
      return {
        status: 403,
        title: "Not allowed",
        detail: `This key may not do that; it needs the role ${problem.needs}.`,
      };
    case "not_found":
      return { status: 404, title: "Not found", detail: `There is no ${problem.what} here.` };
    case "invalid":
      return {
        status: 422,
        title: "Input refused",
        detail: "Nothing was changed. See `errors` for each field and what was expected.",
      };
    case "unsupported_media_type":
      return { status: 415, title: "Wrong content type", detail: `Send ${problem.expected}.` };
    case "too_large":
      return { status: 413, title: "Too large", detail: `A body may have at most ${problem.maxBytes} bytes.` };
    case "method_not_allowed":
      return { status: 405, title: "Method not allowed", detail: `Use ${problem.allowed}.` };
    case "conflict":
      return { status: 409, title: "Conflict", detail: problem.detail };
    case "endpoint_refused":
      return { status: 422, title: "The endpoint did not answer the challenge", detail: problem.detail };
    case "store_unreachable":
      return {
        status: 503,
        title: "Try again",
        detail: "Nothing was recorded, because the store could not be reached. Send the same again later.",
      };
    case "internal":
      return { status: 500, title: "Internal error", detail: "Something failed here. Send the same again later." };
  }
}
