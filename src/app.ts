import { Hono } from "hono";
import { connections } from "./api/connections.ts";
import { contentDeletions } from "./api/content-deletions.ts";
import { deliveries } from "./api/deliveries.ts";
import { receipts } from "./api/receipts.ts";
import { requests } from "./api/requests.ts";
import { signals } from "./api/signals.ts";
import { streams } from "./api/streams.ts";
import { subjects } from "./api/subjects.ts";
import { subprocessors } from "./api/subprocessors.ts";
import { admin, tenants } from "./api/tenants.ts";
import { hooks } from "./intake/hooks.ts";
import { home } from "./pages/home.tsx";
import { oauth } from "./pages/oauth.tsx";
import { status } from "./pages/status.tsx";
import { StoreUnreachable } from "./platform/redis.ts";
import type { App, Ports } from "./ports.ts";
import { problemResponse } from "./problem.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { health } from "./streams/health.ts";

export type Mounting = { readonly adminKey: string; readonly local: boolean };

/** Every route of the gateway, with one set of security headers and one place where failures become answers. */
export function createApp(portsOf: (execution: ExecutionContext) => Ports, { adminKey, local }: Mounting) {
  const app = new Hono<App>();

  app.use(async (c, next) => {
    // Hono's type of the execution context is older than the platform's.
    c.set("ports", portsOf(c.executionCtx as ExecutionContext));
    await next();
    // Setting them one by one is dear in workerd: an accepted delivery's answer is made with them.
    if (c.res.headers.has("x-frame-options")) return;
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });

  app.get("/healthz", async (c) => {
    const { ports } = c.var;
    const [, streams] = await Promise.all([ports.store.ping(), health(ports)]);
    return c.json({ status: "ok", ...(Object.keys(streams).length > 0 && { streams }) });
  });
  app.get("/.well-known/jwks.json", async (c) =>
    c.json(await c.var.ports.signing.jwks(), 200, {
      "content-type": "application/jwk-set+json",
      "cache-control": "public, max-age=3600",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
    }),
  );

  app.route("/", hooks());
  app.route("/", home());
  app.route("/", status());
  app.route("/", oauth());
  app.route("/", admin(adminKey, local));
  app.route("/", tenants(local));
  app.route("/", subprocessors(local));
  app.route("/", signals());
  app.route("/", streams());
  app.route("/", subjects());
  app.route("/", connections());
  app.route("/", requests());
  app.route("/", receipts());
  app.route("/", deliveries());
  app.route("/", contentDeletions());

  app.notFound((c) =>
    problemResponse(c, { reason: "not_found", what: c.req.path.startsWith("/v1/") ? "such route" : "such page" }),
  );
  app.onError((error, c) => {
    if (error instanceof StoreUnreachable) {
      c.var.ports.log("store_unreachable", { what: error.message });
      return problemResponse(c, { reason: "store_unreachable" });
    }
    c.var.ports.log("failed", { route: c.req.routePath, error: error.name, message: error.message.slice(0, 200) });
    return problemResponse(c, { reason: "internal" });
  });

  return app;
}
