import type { TenantKeys } from "./ports.ts";

/** Epoch milliseconds, UTC. */
export type Instant = number;

/** A tenant's number in base 36: the part of ids, codes and keys by which the right database is found without a search. */
export type TenantNumber = string & { readonly brand: "TenantNumber" };
export type RequestId = string & { readonly brand: "RequestId" };

export const tenantNumber = (number: number | string): TenantNumber =>
  // The one place that makes them: a counter's value, or text that `parseId` or a stored document vouches for.
  (typeof number === "number" ? number.toString(36) : number) as TenantNumber;

/**
 * A request's id: `req_`, the length of the tenant's number, the number, and 32 letters and digits derived from tenant,
 * source and delivery id under the tenant's key. A repeat of the delivery lands on the same id; nobody else can guess it.
 */
export async function requestId(
  n: TenantNumber,
  keys: TenantKeys,
  source: string,
  delivery: string,
): Promise<RequestId> {
  return `req_${n.length}${n}${await keys.derive("request", `${source}\u0000${delivery}`)}` as RequestId;
}

/** The code under which a person sees the status: the id's body and a tag, so that a log with ids in it opens no page. */
export async function statusCode(keys: TenantKeys, id: RequestId): Promise<string> {
  return `${id.slice("req_".length)}${(await keys.derive("status", id)).slice(0, 16)}`;
}

export function parseRequestId(text: string): { n: TenantNumber; id: RequestId } | undefined {
  const match = /^req_([1-9])([0-9a-z]+)$/.exec(text);
  const length = Number(match?.[1]);
  const rest = match?.[2] ?? "";
  if (match === null || rest.length !== length + 32) return undefined;
  return { n: tenantNumber(rest.slice(0, length)), id: text as RequestId };
}

export function parseStatusCode(code: string): { n: TenantNumber; id: RequestId } | undefined {
  if (code.length < 17) return undefined;
  return parseRequestId(`req_${code.slice(0, -16)}`);
}
