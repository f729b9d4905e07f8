import { Hono } from "hono";
import { released } from "../intake/quarantine.ts";
import { find, understand } from "../intake/understand.ts";
import { problemResponse } from "../problem.ts";
import { type Authorised, requires } from "./auth.ts";

/** At most so many are listed, newest first. */
const LISTED = 100;

/** For how many days it is shown what came and was of no concern. */
const COUNTED_DAYS = 30;

const MISSING = { reason: "not_found", what: "such delivery" } as const;

/** What vendors told us that was not understood, or was of no concern. */
export const deliveries = () => {
  const app = new Hono<Authorised>();

  app.get("/v1/deliveries", requires("operate"), async (c) => {
    const { ports, tenant: context } = c.var;
    const kept = await ports.store.quarantined(context.tenant.n, LISTED, ports.now());
    return c.json({ deliveries: kept.map(([id, facts]) => ({ id, ...facts })) });
  });

  /** Events that were understood and cause nothing, by source and name, over the last thirty days. */
  app.get("/v1/deliveries/ignored", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const totals = new Map<string, number>();
    for (const day of await ports.store.ignored(context.tenant.n, COUNTED_DAYS, ports.now()))
      for (const [event, count] of Object.entries(day)) totals.set(event, (totals.get(event) ?? 0) + Number(count));
    const events = [...totals]
      .map(([event, count]) => ({ source: before(event), event: after(event), count }))
      .sort((a, b) => b.count - a.count);
    return c.json({ days: COUNTED_DAYS, events });
  });

  /** Opens one; who looked is logged, because it may name a person. */
  app.get("/v1/deliveries/:id", requires("operate"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const id = c.req.param("id");
    const found = await released(ports, context, id);
    if (found === undefined) return problemResponse(c, MISSING);
    ports.log("delivery_opened", { tenant: context.tenant.slug, delivery: id, by: actor });
    c.header("cache-control", "no-store");
    return c.json({ id, ...found.facts, text: found.proven.text });
  });

  /** Reads it again, as this version reads; what it causes is recorded once, however often that is done. */
  app.post("/v1/deliveries/:id/replay", requires("operate"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const id = c.req.param("id");
    const kept = await released(ports, context, id);
    if (kept === undefined) return problemResponse(c, MISSING);
    const found = find(ports, context, kept.facts);
    if (found === undefined) {
      const detail = `There is no hook ${kept.facts.subprocessor}/${kept.facts.endpoint} any more. Drop this delivery, or enter the subprocessor again.`;
      return problemResponse(c, { reason: "conflict", detail });
    }
    const understood = await understand(ports, found, kept.proven);
    if (!understood.ok) {
      const { at } = understood.problem;
      const detail = `It is still not understood: ${at} does not fit what the vendor documents. Nothing was recorded.`;
      return problemResponse(c, { reason: "conflict", detail });
    }
    await ports.store.dropDelivery(context.tenant.n, id);
    ports.log("delivery_replayed", { tenant: context.tenant.slug, delivery: id, by: actor });
    return c.json({
      requests: understood.value.map(({ id: request, recorded }) => ({ id: request, result: recorded.result })),
    });
  });

  app.delete("/v1/deliveries/:id", requires("operate"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const id = c.req.param("id");
    if ((await ports.store.delivery(context.tenant.n, id)) === undefined) return problemResponse(c, MISSING);
    await ports.store.dropDelivery(context.tenant.n, id);
    ports.log("delivery_dropped", { tenant: context.tenant.slug, delivery: id, by: actor });
    return c.body(null, 204);
  });

  return app;
};

const before = (text: string): string => text.slice(0, text.indexOf(" "));
const after = (text: string): string => text.slice(text.indexOf(" ") + 1);
