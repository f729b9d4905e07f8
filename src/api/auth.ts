import type { MiddlewareHandler } from "hono";
import { base64url } from "jose";
import { tenantNumber } from "../ids.ts";
import type { App as Base, Ports } from "../ports.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import type { ApiKey, Role } from "../registry/tenant.ts";
import { fail, ok, type Result } from "../result.ts";

/** What a route behind an API key finds in its context. */
export type Authorised = { Variables: Base["Variables"] & { tenant: Context; actor: string } };

const RANK: Readonly<Record<Role, number>> = { read: 0, request: 1, operate: 2 };

/** `qk_<tenant number>_<43 random characters>`; development keys carry `dev_` before it. */
const KEY = /^(?:dev_)?qk_([0-9a-z]{1,9})_[A-Za-z0-9_-]{43}$/;

/** An API key and what is kept of it. The key itself is shown once. */
export async function newApiKey(
  n: string,
  role: Role,
  random: (bytes: number) => Uint8Array<ArrayBuffer>,
  now: string,
  local: boolean,
): Promise<{ readonly key: string; readonly entry: ApiKey }> {
  const key = `${local ? "dev_" : ""}qk_${n}_${base64url.encode(random(32))}`;
  const id = `key_${base64url.encode(random(6))}`;
  return { key, entry: { id, hash: await hashOf(key), role, createdAt: now } };
}

export async function hashOf(key: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))));
}

/** Whose key it is. Keys are compared by their hashes, so the time taken tells nothing about a key. */
export async function authorise(
  ports: Ports,
  header: string | undefined,
  role: Role,
): Promise<Result<{ context: Context; key: ApiKey }, Problem>> {
  const token = bearerOf(header);
  const n = KEY.exec(token ?? "")?.[1];
  if (token === undefined || n === undefined) return fail({ reason: "unauthorized" });
  const context = await ports.tenants.byNumber(tenantNumber(n));
  const hash = await hashOf(token);
  const key = context?.tenant.apiKeys.find((each) => each.hash === hash);
  if (context === undefined || key === undefined || context.tenant.status !== "active")
    return fail({ reason: "unauthorized" });
  return RANK[key.role] < RANK[role] ? fail({ reason: "forbidden", needs: role }) : ok({ context, key });
}

/** Lets through who has at least this role, with its tenant. */
export const requires =
  (role: Role): MiddlewareHandler<Authorised> =>
  async (c, next) => {
    const authorised = await authorise(c.var.ports, c.req.header("authorization"), role);
    if (!authorised.ok) return problemResponse(c, authorised.problem);
    c.set("tenant", authorised.value.context);
    c.set("actor", authorised.value.key.id);
    return next();
  };

export const bearerOf = (header: string | undefined): string | undefined =>
  /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? "")?.[1];
