import { Hono, type Context as Http } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { clientDocument, clientKeySet } from "../connections/client.ts";
import { type Landed, land, leave } from "../connections/flow.ts";
import { limited } from "../intake/body.ts";
import type { App } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import { BrokenWayPage } from "./broken-way-page.tsx";

/** A vendor's callback as a form: a code, a state, and at Apple a name. */
const MAX_FORM_BYTES = 16_384;

/** Where a person's browser leaves for a vendor, and where it comes back. */
export const oauth = () => {
  const app = new Hono<App>();

  app.get("/oauth/start/:ticket", async (c) => {
    // Whatever looks ahead is not the person, and must not use the ticket up.
    if (c.req.method !== "GET" || c.req.header("sec-purpose")?.includes("prefetch") === true) return c.body(null, 204);
    const leaving = await leave(c.var.ports, c.req.param("ticket"));
    unkept(c);
    if (leaving === undefined) return c.html(<BrokenWayPage why="unknown_ticket" />, 400);
    if ("back" in leaving) return c.redirect(leaving.back, 303);
    const { name, value, maxAge, isCrossSite } = leaving.cookie;
    setCookie(c, name, value, {
      path: "/",
      secure: true,
      httpOnly: true,
      sameSite: isCrossSite ? "None" : "Lax",
      maxAge,
    });
    return c.redirect(leaving.address, 303);
  });

  /** What servers read that know a client by its address: exactly 200, and nothing of a tenant that has no use for it. */
  const served = async (c: Http<App>, make: typeof clientDocument | typeof clientKeySet) => {
    const [, slug] = /^([a-z0-9-]{1,64})\.json$/.exec(c.req.param("file") ?? "") ?? [];
    const { ports } = c.var;
    const context = slug === undefined ? undefined : await ports.tenants.bySlug(slug);
    const document = context?.tenant.status === "active" ? await make(ports, context) : undefined;
    if (document === undefined) return problemResponse(c, { reason: "not_found", what: "such client" });
    // The reference server takes no other type than this, for keys neither.
    return c.json(document, 200, { "content-type": "application/json", "cache-control": "public, max-age=300" });
  };
  app.get("/oauth/client-metadata/:file", (c) => served(c, clientDocument));
  app.get("/oauth/jwks/:file", (c) => served(c, clientKeySet));

  const back = async (c: Http<App>, parameters: URLSearchParams) => {
    const landed: Landed = await land(c.var.ports, c.req.path, parameters, (name) => getCookie(c, name));
    unkept(c);
    if ("refused" in landed) {
      c.var.ports.log("oauth_callback_refused", { why: landed.refused });
      return c.html(<BrokenWayPage why={landed.refused} />, 400);
    }
    deleteCookie(c, landed.cookie, { path: "/", secure: true });
    return c.redirect(landed.to, 303);
  };
  for (const path of ["/oauth/:integration/callback", "/oauth/:integration/callback/:key"]) {
    // Whatever only looks ahead is not the person, and must not use the state up.
    app.get(path, async (c) => (c.req.method === "GET" ? back(c, new URL(c.req.url).searchParams) : c.body(null, 204)));
    app.post(path, async (c) => {
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
      if (type !== "application/x-www-form-urlencoded")
        return problemResponse(c, {
          reason: "unsupported_media_type",
          expected: "application/x-www-form-urlencoded",
        });
      const body = await limited(c.req.raw, MAX_FORM_BYTES);
      if (!body.ok) return problemResponse(c, body.problem);
      return back(c, new URLSearchParams(new TextDecoder().decode(body.value)));
    });
  }
  return app;
};

/** The address holds a code: nothing keeps it and no other site hears of it. */
function unkept(c: Http<App>): void {
  c.header("cache-control", "no-store");
  c.header("referrer-policy", "no-referrer");
}
