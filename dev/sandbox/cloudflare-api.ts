import type { Json, Refusal } from "./vendor.ts";

/**
 * The envelope of Cloudflare's API, and its refusals by number.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/
 */
export const answered = (result: Json, more: { readonly [name: string]: Json } = {}): Response =>
  Response.json({ success: true, errors: [], messages: [], result, ...more });

export const refused = (status: number, code: number): Response =>
  Response.json({ success: false, errors: [{ code, message: "refused" }], messages: [], result: null }, { status });

export const cloudflareRefusal = ({ reason, status }: Refusal): Response => refused(status, CODES[reason]);

const CODES = { rate_limited: 10_429, server_error: 10_000, unauthorized: 10_000 };

/** Whether a call comes with a token that may act for the account; undefined where it does. */
export function refusedToken(
  request: Request,
  tokens: ReadonlyMap<string, string>,
  account: string,
): Response | undefined {
  const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return refused(400, 6003);
  // A token that no seed names may act for every account.
  return (tokens.get(token) ?? account) === account ? undefined : refused(403, 10_000);
}
