import { createHmac } from "node:crypto";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "meta", account: "<app id>", secret?, grants: [{user_id, permissions?, token?}]}`; without a secret any will do. */
const Seed = z.object({
  account: z.string(),
  secret: z.string().optional(),
  grants: z
    .array(
      z.strictObject({
        user_id: z.string(),
        permissions: z.array(z.string()).default(["public_profile", "email"]),
        /** The user token of this grant; made from app and user unless given. */
        token: z.string().optional(),
      }),
    )
    .default([]),
});

type Grant = { permissions: { [name: string]: "granted" | "declined" }; token: string; granted_at: number };
/** Whose token it is; an app's own token speaks for all that authorised the app. */
type Caller = { app: string; user?: string };

/**
 * Facebook Login's Graph edges on a grant: reading and revoking permissions, inspecting a token.
 *
 * Errors 190 with subcode 458 (the user has not authorised the app) and 100 with subcode 33 (no such object for this
 * token) are Graph's own. Unconfirmed: that an *app* token gets the first for a grant that was removed and the second
 * for a user who was never there, as here; no source says what it gets.
 * Unconfirmed: the status of throttling. Graph is seen to answer 400 or 403 with code 4, not 429, and no `Retry-After`:
 * set the fault's `status`.
 *
 * @see https://developers.facebook.com/docs/graph-api/reference/user/permissions/
 * @see https://developers.facebook.com/docs/graph-api/guides/error-handling
 * @see https://developers.facebook.com/docs/graph-api/reference/v19.0/debug_token
 * @see https://developers.facebook.com/docs/graph-api/guides/secure-requests for `appsecret_proof`
 */
export const meta: MakeVendor = (world) => {
  const apps = new Map<string, { grants: Map<string, Grant>; removed: Map<string, Grant> }>();
  const seededSecrets = new Map<string, string>();
  const appOf = (id: string) => {
    const app = apps.get(id) ?? { grants: new Map(), removed: new Map() };
    apps.set(id, app);
    return app;
  };
  const secretOf = (app: string) => seededSecrets.get(app) ?? world.secrets.meta?.[app];
  const notAuthorised = (app: string) =>
    refused({
      message: `Error validating access token: The user has not authorized application ${app}.`,
      code: 190,
      error_subcode: 458,
    });

  /** The app and, for a user token, the user that a token speaks for; throws Graph's refusal. */
  const callerOf = (token: string): Caller => {
    const [app, secret] = token.split("|");
    if (app && secret) {
      const expected = secretOf(app);
      if (expected === undefined || expected === secret) return { app };
      throw refused({ message: "Error validating application. Invalid application secret.", code: 190 });
    }
    for (const [id, { grants, removed }] of apps) {
      for (const [user, grant] of grants) if (grant.token === token) return { app: id, user };
      if ([...removed.values()].some((grant) => grant.token === token)) throw notAuthorised(id);
    }
    throw refused({ message: "Invalid OAuth access token - Cannot parse access token", code: 190 });
  };
  const authenticate = async (c: Context): Promise<Caller> => {
    const fields = new URLSearchParams(await c.req.text());
    const field = (name: string) => c.req.query(name) ?? fields.get(name) ?? undefined;
    const token = /^(?:Bearer|OAuth) (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? field("access_token");
    if (!token) throw refused({ message: "An access token is required to request this resource.", code: 104 });
    const caller = callerOf(token);
    const [proof, secret] = [field("appsecret_proof"), secretOf(caller.app)];
    if (
      proof !== undefined &&
      secret !== undefined &&
      proof !== createHmac("sha256", secret).update(token).digest("hex")
    )
      throw refused({ message: "Invalid appsecret_proof provided in the API argument", code: 100 });
    return caller;
  };
  /** The grant that the call is about; throws when there is none (any more), or it is another user's. */
  const grantOf = async (c: Context, id: string) => {
    const caller = await authenticate(c);
    const user = id === "me" && caller.user !== undefined ? caller.user : id;
    const { grants, removed } = appOf(caller.app);
    const grant = grants.get(user);
    if (grant && (caller.user === undefined || caller.user === user)) return { user, grant, grants, removed };
    if (removed.has(user)) throw notAuthorised(caller.app);
    const method = c.req.method.toLowerCase();
    throw refused({
      message: `Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
      type: "GraphMethodException",
      code: 100,
      error_subcode: 33,
    });
  };

  // The version in the path says which documentation applies; without one Graph takes the app's oldest.
  const app = new Hono({ getPath: (request) => new URL(request.url).pathname.replace(/^\/v\d+\.\d+(?=\/)/, "") });
  app.use(async (c, next) => {
    await next();
    c.header("facebook-api-version", /^\/(v\d+\.\d+)\//.exec(new URL(c.req.url).pathname)?.[1] ?? "v19.0");
  });
  app.get("/:user/permissions", async (c) => {
    const { grant } = await grantOf(c, c.req.param("user"));
    return c.json({ data: Object.entries(grant.permissions).map(([permission, status]) => ({ permission, status })) });
  });
  app.delete("/:user/permissions", async (c) => {
    const { user, grant, grants, removed } = await grantOf(c, c.req.param("user"));
    const one = c.req.query("permission");
    if (one !== undefined) return decline(grant, one);
    grants.delete(user);
    removed.set(user, grant);
    return c.json({ success: true });
  });
  app.delete("/:user/permissions/:permission", async (c) =>
    decline((await grantOf(c, c.req.param("user"))).grant, c.req.param("permission")),
  );
  app.get("/debug_token", async (c) => {
    const caller = await authenticate(c);
    if (caller.user !== undefined)
      throw refused({
        message:
          "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app",
        code: 100,
      });
    const input = c.req.query("input_token") ?? "";
    const { grants, removed } = appOf(caller.app);
    const holds = ([, { token }]: [string, Grant]) => token === input;
    const [user, grant] = [...grants].find(holds) ?? [...removed].find(holds) ?? [];
    if (user === undefined || !grant)
      return c.json({
        data: { error: { code: 190, message: "Invalid OAuth access token." }, is_valid: false, scopes: [] },
      });
    const scopes = Object.entries(grant.permissions).flatMap(([name, status]) => (status === "granted" ? [name] : []));
    const about = { app_id: caller.app, type: "USER", user_id: user, issued_at: grant.granted_at, expires_at: 0 };
    if (grants.has(user)) return c.json({ data: { ...about, is_valid: true, scopes } });
    const error = { code: 190, message: `The user has not authorized application ${caller.app}.`, subcode: 458 };
    return c.json({ data: { ...about, error, is_valid: false, scopes: [] } });
  });
  app.get("/:app{\\d+}", async (c) => {
    const caller = await authenticate(c);
    if (caller.app === c.req.param("app")) return c.json({ id: caller.app });
    throw refused({ message: "(#100) Unsupported get request.", code: 100, error_subcode: 33 });
  });
  app.notFound((c) => {
    const message = `Unknown path components: ${new URL(c.req.url).pathname}`;
    return graphError(400, { message, code: 2500 });
  });

  return {
    id: "meta",
    about: "graph.facebook.com",
    serves: (host) => host === "graph.facebook.com",
    call: async (request) => app.fetch(request),
    refuse: graphRefusal,
    seed(seed) {
      const { account, secret, grants } = Seed.parse(seed);
      if (secret !== undefined) seededSecrets.set(account, secret);
      const granted_at = Math.floor(world.now() / 1000);
      for (const { user_id, permissions, token } of grants) {
        appOf(account).removed.delete(user_id);
        appOf(account).grants.set(user_id, {
          permissions: Object.fromEntries(permissions.map((name) => [name, "granted"])),
          token: token ?? derivedId("EAA", account, user_id),
          granted_at,
        });
      }
      return {
        grants: grants.map(({ user_id }) => ({ user_id, token: appOf(account).grants.get(user_id)?.token ?? null })),
      };
    },
    holdings: (): { grants: Json } => ({
      grants: Object.fromEntries([...apps].map(([id, { grants }]) => [id, Object.fromEntries(grants)])),
    }),
    reset() {
      apps.clear();
      seededSecrets.clear();
    },
  };
};

/** Unconfirmed: what a permission answers that was never granted; error 100 is the documented "invalid parameter". */
function decline(grant: Grant, permission: string): Response {
  if (grant.permissions[permission] === undefined)
    throw refused({ message: `(#100) Invalid parameter: permission ${permission}`, code: 100 });
  grant.permissions[permission] = "declined";
  return Response.json({ success: true });
}

type GraphError = { message: string; code: number; error_subcode?: number; type?: string };

function refused(error: GraphError): HTTPException {
  return new HTTPException(400, { res: graphError(400, error) });
}

function graphError(status: number, { message, type = "OAuthException", ...codes }: GraphError): Response {
  return Response.json({ error: { message, type, ...codes, fbtrace_id: derivedId("A", message) } }, { status });
}

function graphRefusal({ reason, status }: Refusal): Response {
  if (reason === "rate_limited")
    return graphError(status, { message: "(#4) Application request limit reached", code: 4 });
  if (reason === "server_error")
    return graphError(status, {
      message: "An unexpected error has occurred. Please retry your request later.",
      code: 2,
    });
  return graphError(status, { message: "Invalid OAuth access token - Cannot parse access token", code: 190 });
}
