import { Hono } from "hono";
import { base64url } from "jose";
import { z } from "zod";
import type { App } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import { change } from "../registry/change.ts";
import { isReserved, SLUG, type Tenant } from "../registry/tenant.ts";
import { rfc3339 } from "../request/deadline.ts";
import { type Hold, HoldInput } from "../request/hold.ts";
import { misfits, Policy } from "../request/policy.ts";
import { ok } from "../result.ts";
import { type Authorised, bearerOf, hashOf, newApiKey, requires } from "./auth.ts";
import { input } from "./input.ts";

const NewTenant = z.strictObject({
  slug: z.string().regex(SLUG, "expected 3 to 41 lower-case letters, digits and hyphens, beginning with a letter"),
  name: z.string().min(1).max(200),
});
const NewKey = z.strictObject({ role: z.enum(["operate", "request", "read"]) });

/** Creates tenants: all that `ADMIN_KEY` is for. */
export const admin = (adminKey: string, local: boolean) => {
  const app = new Hono<App>();

  app.post("/v1/tenants", async (c) => {
    const { ports } = c.var;
    const token = bearerOf(c.req.header("authorization"));
    if (token === undefined || (await hashOf(token)) !== (await hashOf(adminKey)))
      return problemResponse(c, { reason: "unauthorized" });
    const body = await input(c, NewTenant);
    if (!body.ok) return problemResponse(c, body.problem);
    const { slug, name } = body.value;
    const taken = {
      reason: "conflict",
      detail: "This slug is reserved or was used before; slugs are never reused.",
    } as const;
    if (isReserved(slug)) return problemResponse(c, taken);
    const n = await ports.store.reserve(slug, base64url.encode(ports.random(12)));
    if (n === undefined) return problemResponse(c, taken);
    const now = rfc3339(ports.now());
    const { key, entry } = await newApiKey(n, "operate", ports.random, now, local);
    const tenant: Tenant = {
      n,
      slug,
      name,
      root: await ports.vault.newTenant(n),
      policy: Policy.parse({}),
      policyVersion: 1,
      subprocessors: {},
      apiKeys: [entry],
      holds: [],
      status: "active",
    };
    await ports.store.change(n, "", tenant, { at: now, by: "admin", what: "tenant created" });
    return c.json({ slug, api_key: key }, 201);
  });

  return app;
};

/** What a tenant has decided: its policy, its keys, its legal holds. */
export const tenants = (local: boolean) => {
  const app = new Hono<Authorised>();

  app.get("/v1/policy", requires("read"), (c) => {
    const { policy, policyVersion } = c.var.tenant.tenant;
    return c.json({ version: policyVersion, ...policy });
  });

  app.put("/v1/policy", requires("operate"), async (c) => {
    const body = await input(c, Policy);
    if (!body.ok) return problemResponse(c, body.problem);
    const { errors, warnings } = misfits(body.value, c.var.tenant.tenant, c.var.ports.integrations);
    if (errors.length > 0) return problemResponse(c, { reason: "invalid", errors });
    const changed = await change(
      c.var.ports,
      c.var.tenant,
      { by: c.var.actor, what: "policy changed" },
      async (tenant) =>
        ok({ tenant: { ...tenant, policy: body.value, policyVersion: tenant.policyVersion + 1 }, shown: body.value }),
    );
    if (!changed.ok) return problemResponse(c, changed.problem);
    return c.json({
      version: changed.value.policyVersion,
      ...changed.value.policy,
      ...(warnings.length > 0 && { warnings }),
    });
  });

  app.get("/v1/keys", requires("operate"), (c) =>
    c.json({
      keys: c.var.tenant.tenant.apiKeys.map(({ id, role, createdAt }) => ({ id, role, created_at: createdAt })),
    }),
  );

  app.post("/v1/keys", requires("operate"), async (c) => {
    const body = await input(c, NewKey);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context, actor } = c.var;
    const made = await newApiKey(context.tenant.n, body.value.role, ports.random, rfc3339(ports.now()), local);
    const { id, role } = made.entry;
    const changed = await change(ports, context, { by: actor, what: "key created", id }, async (tenant) =>
      ok({ tenant: { ...tenant, apiKeys: [...tenant.apiKeys, made.entry] } }),
    );
    return changed.ok ? c.json({ id, role, api_key: made.key }, 201) : problemResponse(c, changed.problem);
  });

  app.delete("/v1/keys/:id", requires("operate"), async (c) => {
    const id = c.req.param("id");
    if (!c.var.tenant.tenant.apiKeys.some((key) => key.id === id))
      return problemResponse(c, { reason: "not_found", what: "such key" });
    const changed = await change(
      c.var.ports,
      c.var.tenant,
      { by: c.var.actor, what: "key revoked", id },
      async (tenant) => ok({ tenant: { ...tenant, apiKeys: tenant.apiKeys.filter((key) => key.id !== id) } }),
    );
    return changed.ok ? c.body(null, 204) : problemResponse(c, changed.problem);
  });

  app.get("/v1/holds", requires("read"), (c) => c.json({ holds: c.var.tenant.tenant.holds.map(holdView) }));

  app.post("/v1/holds", requires("operate"), async (c) => {
    const body = await input(c, HoldInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context, actor } = c.var;
    const { identity, subprocessors, reason, review_at } = body.value;
    const own = context.tenant.subprocessors;
    const wrong = (subprocessors ?? []).flatMap((id, index) =>
      own[id] === undefined
        ? [{ field: `subprocessors.${index}`, expected: `one of ${Object.keys(own).join(", ")}` }]
        : [],
    );
    if (Date.parse(review_at) <= ports.now())
      wrong.push({ field: "review_at", expected: "a time that is still to come" });
    if (wrong.length > 0) return problemResponse(c, { reason: "invalid", errors: wrong });
    const [subject] =
      identity === undefined
        ? [undefined]
        : await ports.store.subjectsOf([
            { n: context.tenant.n, pseudonym: await context.keys.pseudonym("index", identity) },
          ]);
    if (identity !== undefined && subject === undefined)
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: "identity", expected: "an identity of a known subject" }],
      });
    const hold: Hold = {
      id: `hold_${Array.from(ports.random(8), (byte) => byte.toString(16).padStart(2, "0")).join("")}`,
      ...(subject !== undefined && { subject }),
      ...(subprocessors !== undefined && { subprocessors }),
      reason,
      reviewAt: review_at,
      placedAt: rfc3339(ports.now()),
      placedBy: actor,
    };
    const changed = await change(ports, context, { by: actor, what: "hold placed", id: hold.id }, async (tenant) =>
      ok({ tenant: { ...tenant, holds: [...tenant.holds, hold] }, shown: holdView(hold) }),
    );
    return changed.ok ? c.json(holdView(hold), 201) : problemResponse(c, changed.problem);
  });

  app.delete("/v1/holds/:id", requires("operate"), async (c) => {
    const id = c.req.param("id");
    if (!c.var.tenant.tenant.holds.some((hold) => hold.id === id))
      return problemResponse(c, { reason: "not_found", what: "such hold" });
    const changed = await change(
      c.var.ports,
      c.var.tenant,
      { by: c.var.actor, what: "hold lifted", id },
      async (tenant) => ok({ tenant: { ...tenant, holds: tenant.holds.filter((hold) => hold.id !== id) } }),
    );
    return changed.ok ? c.body(null, 204) : problemResponse(c, changed.problem);
  });

  app.get("/v1/history", requires("read"), async (c) => {
    const from = Math.max(0, Math.floor(Number(c.req.query("from")) || 0));
    return c.json({ changes: await c.var.ports.store.history(c.var.tenant.tenant.n, from, 100) });
  });

  return app;
};

const holdView = ({ id, subprocessors, reason, reviewAt, placedAt, placedBy, subject }: Hold) => ({
  id,
  about: subject === undefined ? "everyone" : "one subject",
  ...(subprocessors !== undefined && { subprocessors }),
  reason,
  review_at: reviewAt,
  placed_at: placedAt,
  placed_by: placedBy,
});
