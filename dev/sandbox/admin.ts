import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { Fault } from "./faults.ts";
import { holdings, whereIs } from "./holdings.ts";
import { Quota } from "./quotas.ts";
import type { Inside } from "./sandbox.ts";
import type { Vendor } from "./vendor.ts";

const ROUTES = [
  ["GET /", "this page"],
  ["POST /seed", '{"vendor": …, …}: what the vendor is to hold; the shapes stand in each vendor\'s file'],
  ["GET /holdings", "everything held, by vendor; ?text=… lists every path where that text stands"],
  ["GET /requests, /requests.jsonl", "the vendor calls that came; DELETE /requests forgets them"],
  ["GET /events", "webhooks that the vendors would have sent; ?vendor=…"],
  ["GET, PUT, DELETE /faults[/{vendor}]", '{"kind": …} or a list: what is to go wrong'],
  ["GET, PUT, DELETE /quotas[/{vendor}]", '{"per_second": n, "retry_after_seconds"?: n}'],
  ["GET, PUT /clock", '{"now": "2027-01-01T00:00:00Z"}; it runs on from there'],
  ["POST /reset", "back to empty: holdings, requests, events, faults, quotas"],
] as const;

/** The admin API: JSON in and out, problems as `{error, …}`. */
export function adminRoutes(inside: Inside): Hono {
  const app = new Hono();
  const vendorOf = (id: string): Vendor => {
    const vendor = inside.vendors.find((known) => known.id === id.replaceAll("_", "-"));
    if (vendor) return vendor;
    throw problem(404, { error: "unknown vendor", vendor: id, known: inside.vendors.map((known) => known.id) });
  };

  app.get("/", (c) => c.html(indexPage(inside)));

  app.post("/seed", async (c) => {
    const seed = await read(c, z.looseObject({ vendor: z.string() }));
    return c.json({ seeded: vendorOf(seed.vendor).seed(seed) });
  });
  app.get("/holdings", (c) => {
    const text = c.req.query("text");
    const held = holdings(inside.vendors);
    return c.json(text === undefined ? held : whereIs(text, held));
  });

  app.get("/requests", (c) => c.json(inside.requests));
  app.get("/requests.jsonl", (c) => {
    const lines = inside.requests.map(
      ({ method, url, headers, body }) => `${JSON.stringify({ method, url, headers, body })}\n`,
    );
    return c.text(lines.join(""), 200, { "content-type": "application/jsonl; charset=utf-8" });
  });
  app.delete("/requests", (c) => {
    inside.requests.length = 0;
    return c.body(null, 204);
  });
  app.get("/events", (c) => {
    const vendor = c.req.query("vendor");
    const asked = vendor === undefined ? inside.vendors : [vendorOf(vendor)];
    return c.json(asked.flatMap(({ events }) => events?.() ?? []));
  });

  app.get("/faults", (c) => c.json(inside.faults.shown()));
  app.put("/faults/:vendor", async (c) => {
    const fault = await read(c, z.union([Fault, z.array(Fault)]));
    inside.faults.set(vendorOf(c.req.param("vendor")).id, [fault].flat());
    return c.json(inside.faults.shown());
  });
  app.delete("/faults/:vendor?", (c) => {
    const vendor = c.req.param("vendor");
    inside.faults.clear(vendor === undefined ? undefined : vendorOf(vendor).id);
    return c.body(null, 204);
  });

  app.get("/quotas", (c) => c.json(inside.quotas.shown()));
  app.put("/quotas/:vendor", async (c) => {
    inside.quotas.set(vendorOf(c.req.param("vendor")).id, await read(c, Quota));
    return c.json(inside.quotas.shown());
  });
  app.delete("/quotas/:vendor?", (c) => {
    const vendor = c.req.param("vendor");
    inside.quotas.clear(vendor === undefined ? undefined : vendorOf(vendor).id);
    return c.body(null, 204);
  });

  app.get("/clock", (c) => c.json({ now: new Date(inside.now()).toISOString() }));
  app.put("/clock", async (c) => {
    const { now } = await read(c, z.strictObject({ now: z.iso.datetime({ offset: true }) }));
    const ahead = Date.parse(now) - Date.now();
    inside.setNow(() => Date.now() + ahead);
    return c.json({ now: new Date(inside.now()).toISOString() });
  });
  app.post("/reset", (c) => {
    for (const vendor of inside.vendors) vendor.reset();
    inside.faults.clear();
    inside.quotas.clear();
    inside.requests.length = 0;
    return c.body(null, 204);
  });

  for (const { admin } of inside.vendors) if (admin) app.route("/", admin);
  app.notFound((c) => c.json({ error: "no such route", routes: ROUTES.map(([route]) => route) }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof z.ZodError) return c.json({ error: "does not fit", issues: error.issues }, 400);
    return c.json({ error: error.message }, 400);
  });
  return app;
}

/** The body as the schema has it; throws what becomes a 400. */
export async function read<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw problem(400, { error: "not JSON" });
    throw error;
  }
}

function problem(status: 400 | 404, body: object): HTTPException {
  return new HTTPException(status, { res: Response.json(body, { status }) });
}

function indexPage({ vendors, faults, quotas, requests, now }: Inside) {
  const counts = ({ holdings }: Vendor) =>
    Object.entries(holdings())
      .map(([kind, held]) => `${kind}: ${Object.keys(held ?? {}).length}`)
      .join(", ");
  return html`<!doctype html>
<html lang="en">
<title>Vendor sandbox</title>
<meta name="color-scheme" content="light dark">
<style>body { font: 1rem/1.5 system-ui; max-width: 60rem; margin: 2rem auto; padding: 0 1rem } td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }</style>
<h1>Vendor sandbox</h1>
<p>Local stand-ins for the vendors. It is ${new Date(now()).toISOString()} here; ${requests.length} calls came.
See <a href="/holdings">holdings</a>, <a href="/requests">requests</a>, <a href="/events">events</a>.</p>
<table><tr><th>Vendor<th>Stands in for<th>Holds</tr>
${vendors.map((vendor) => html`<tr><td>${vendor.id}<td>${vendor.about}<td>${counts(vendor)}</tr>`)}</table>
<h2>Faults and quotas</h2>
<pre>${JSON.stringify({ faults: faults.shown(), quotas: quotas.shown() }, null, 2)}</pre>
<h2>Routes</h2>
<table>${ROUTES.map(([route, what]) => html`<tr><td><code>${route}</code><td>${what}</tr>`)}
${vendors.map(({ id, admin }) =>
  admin?.routes.map(({ method, path }) => html`<tr><td><code>${method} ${path}</code><td>see ${id}.ts</tr>`),
)}</table>
</html>`;
}
