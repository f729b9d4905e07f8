import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { page, type Shelf, type Thing } from "./shelf.ts";
import type { Refusal } from "./vendor.ts";

// How Stripe words lists, parameters, credentials and refusals.
// See https://docs.stripe.com/api/errors, /api/pagination, /api/authentication and https://docs.stripe.com/error-codes.

export type StripeState = Readonly<
  Record<
    "customers" | "payment_intents" | "charges" | "invoices" | "payment_methods" | "subscriptions" | "redaction_jobs",
    Shelf
  >
>;
export type StripeEnv = { Variables: { account: string; requestId: string } };

/** Newest first, ten at a time unless asked otherwise. */
export function list(c: Context, path: string, things: readonly Thing[]): Response {
  const newest = things.toReversed().sort((a, b) => Number(b.created) - Number(a.created));
  const after = c.req.query("starting_after");
  const shown = page(newest, after, limitOf(c));
  if (!shown)
    throw refused(400, { code: "resource_missing", message: `No such object: '${after}'`, param: "starting_after" });
  return c.json({ object: "list", url: `/v1/${path}`, has_more: shown.hasMore, data: shown.data });
}

export function limitOf(c: Context): number {
  const limit = Number(c.req.query("limit") ?? 10);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  throw refused(400, {
    code: "parameter_invalid_integer",
    message: "This value must be between 1 and 100.",
    param: "limit",
  });
}

/** Stripe refuses parameters that it does not know. */
export function accept(c: Context, known: readonly string[]): void {
  const paging = ["limit", "starting_after", "ending_before", "expand[]", "created"];
  const odd = Object.keys(c.req.query()).find(
    (name) => !known.includes(name) && !paging.includes(name.replace(/\[(gt|lt)e?\]$/, "")),
  );
  if (odd !== undefined) throw unknown(odd);
}

export async function form(c: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}

export function unknown(param: string): HTTPException {
  return refused(400, { code: "parameter_unknown", message: `Received unknown parameter: ${param}`, param });
}

export function missing(kind: string, id: string, param: string, status: 400 | 404): HTTPException {
  const what =
    kind === "payment_intents"
      ? "payment_intent"
      : kind === "payment_methods"
        ? "PaymentMethod"
        : kind.replace(/s$/, "");
  return refused(status, { code: "resource_missing", message: `No such ${what}: '${id}'`, param });
}

/** A request that Stripe refuses, thrown by the route that finds out. */
export function refused(status: 400 | 401 | 403 | 404, error: { readonly [field: string]: string }): HTTPException {
  return new HTTPException(status, { res: refusal(status, error) });
}

export function unrecognized(c: Context): { message: string } {
  const path = new URL(c.req.url).pathname;
  return {
    message: `Unrecognized request URL (${c.req.method}: ${path}). If you are trying to list objects, remove the trailing slash.`,
  };
}

export function refusal(status: number, error: { readonly [field: string]: string }): Response {
  const link = error.code && { doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll("_", "-")}` };
  return Response.json({ error: { type: "invalid_request_error", ...error, ...link } }, { status });
}

export function unauthorized(key: string): Response {
  return refusal(401, { message: `Invalid API Key provided: ${masked(key)}` });
}

export function oauthRefusal(status: number, error: string, error_description: string): Response {
  return Response.json({ error, error_description }, { status });
}

export function stripeRefusal({ reason, status }: Refusal): Response {
  if (reason === "unauthorized") return unauthorized("sk_test_0000");
  if (reason === "server_error")
    return refusal(status, {
      type: "api_error",
      message: "An unknown error occurred. Please contact us if this persists.",
    });
  return refusal(status, {
    code: "rate_limit",
    message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
  });
}

/** A secret key comes as a bearer token, or as the user name of basic authentication. */
export function secretKey(request: Request): string | undefined {
  const [scheme, credentials] = (request.headers.get("authorization") ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return credentials;
  return scheme?.toLowerCase() === "basic" ? atob(credentials ?? "").split(":")[0] : undefined;
}

export function masked(key: string): string {
  return key.replace(
    /^(sk_\w+?_)?(.*)(.{4})$/,
    (_, prefix = "", middle: string, end: string) => prefix + "*".repeat(middle.length) + end,
  );
}

export function slotOf(request: Request, key: string): string {
  return JSON.stringify([secretKey(request), request.headers.get("stripe-account"), key]);
}

export async function fingerprintOf(request: Request): Promise<string> {
  const fields = new URLSearchParams(await request.clone().text());
  fields.sort();
  return `${request.method} ${new URL(request.url).pathname} ${fields}`;
}
