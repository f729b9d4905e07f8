import { Hono } from "hono";
import { z } from "zod";
import { Identity } from "../contract/identity.ts";
import { CONNECTION } from "../contract/oauth.ts";
import type { Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import { CLOCK_SKEW_MS } from "../request/generation.ts";
import { erasedAgain, link, rejoin } from "../request/link.ts";
import { openSubject } from "../request/subject.ts";
import { type Authorised, requires } from "./auth.ts";
import { known } from "./identities.ts";
import { input } from "./input.ts";

const Since = z.iso.datetime().optional();

export const Consent = z.strictObject({ at: z.iso.datetime(), reference: z.string().min(1).max(200) });

const SubjectInput = z.strictObject({
  /** `since`: when this identity's present connection or consent began; older signals about it are not obeyed. */
  identities: z
    .array(Identity.extend({ since: Since }))
    .min(1)
    .max(50),
  /** A fresh, explicit consent lifts the suppression of someone who was erased; it is kept, sealed, with their record. */
  consent: Consent.optional(),
});

const ObjectsInput = z.strictObject({
  objects: z
    .array(z.strictObject({ subprocessor: z.string().max(64), type: Identity.shape.type, id: Identity.shape.value }))
    .min(1)
    .max(200),
});

const CheckInput = z.strictObject({ identities: z.array(Identity).min(1).max(500) });

/** Who is who, and what vendors hold for whom. */
export const subjects = () => {
  const app = new Hono<Authorised>();

  app.put("/v1/subjects/:id", requires("request"), async (c) => {
    const body = await input(c, SubjectInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const fit = known(c.var.ports, body.value.identities);
    if (!fit.ok) return problemResponse(c, fit.problem);
    // Until then all that vendors tell of the person would count as older, and cause nothing.
    const ahead = body.value.identities.flatMap(({ since }, index) =>
      since !== undefined && Date.parse(since) > ports.now() + CLOCK_SKEW_MS
        ? [{ field: `identities.${index}.since`, expected: "a time that has passed" }]
        : [],
    );
    if (ahead.length > 0) return problemResponse(c, { reason: "invalid", errors: ahead });
    const entries = body.value.identities.map(({ since, ...identity }) => ({
      ...identity,
      ...(since !== undefined && { since: Date.parse(since) }),
    }));
    const subject = await context.keys.derive("subject", c.req.param("id"));
    const linked = await link(ports, context, subject, entries, body.value.consent);
    if (!linked.ok) return problemResponse(c, linked.problem);
    const { suppressed, requests, isNew } = linked.value;
    if (body.value.consent !== undefined) ports.log("consent_recorded", { tenant: context.tenant.slug });
    const missed = await rejoin(ports, context, requests);
    const isErased = missed || (suppressed.length > 0 && requests.length === 0);
    const erasure = isErased ? await erasedAgain(ports, context, subject, entries) : undefined;
    return c.json(
      {
        created: isNew,
        identities: entries.length,
        joins: requests,
        ...(suppressed.length > 0 && { suppressed: suppressed.map((index) => entries[index]?.type) }),
        ...(erasure !== undefined && { erasure }),
      },
      isNew ? 201 : 200,
    );
  });

  app.post("/v1/subjects/:id/objects", requires("request"), async (c) => {
    const body = await input(c, ObjectsInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const wrong = body.value.objects.flatMap(({ subprocessor, type }, index) =>
      expected(ports, context, subprocessor, type, index),
    );
    if (wrong.length > 0) return problemResponse(c, { reason: "invalid", errors: wrong });
    const subject = await context.keys.derive("subject", c.req.param("id"));
    const entries = body.value.objects.map(({ subprocessor, type, id }) => ({ subprocessor, type, value: id }));
    const linked = await link(ports, context, subject, entries, undefined);
    if (!linked.ok) return problemResponse(c, linked.problem);
    const missed = await rejoin(ports, context, linked.value.requests);
    const erasure = missed ? await erasedAgain(ports, context, subject, []) : undefined;
    return c.json(
      { registered: entries.length, joins: linked.value.requests, ...(erasure !== undefined && { erasure }) },
      201,
    );
  });

  /** What was registered for a person, so that whoever has to see to it by hand knows what it is. */
  app.get("/v1/subjects/:id/objects", requires("request"), async (c) => {
    const { ports, tenant: context } = c.var;
    const subject = await context.keys.derive("subject", c.req.param("id"));
    const [hash] = await ports.store.subjects([{ n: context.tenant.n, subject }]);
    if (hash?.k === undefined) return problemResponse(c, { reason: "not_found", what: "such subject" });
    const { known: all } = await openSubject(context.keys, subject, hash);
    c.header("cache-control", "no-store");
    return c.json({
      objects: all.flatMap(({ subprocessor, type, value }) =>
        subprocessor === undefined || type === CONNECTION ? [] : [{ subprocessor, type, id: value }],
      ),
    });
  });

  /** May this person's data be used now? */
  app.get("/v1/subjects/:id/gate", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const subject = await context.keys.derive("subject", c.req.param("id"));
    const gate = await ports.store.gate(context.tenant.n, subject);
    c.header("cache-control", "private, max-age=5");
    if (gate.requests.length > 0) return c.json({ allowed: false, reason: "under_erasure", requests: gate.requests });
    const [next] = gate.closing;
    if (next !== undefined)
      return c.json({
        allowed: false,
        reason: "closing",
        requests: gate.closing.map(({ request }) => request),
        start_at: rfc3339(next.startAt),
      });
    return gate.known ? c.json({ allowed: true }) : c.json({ allowed: false, reason: "unknown_subject" });
  });

  /** Which of these identities must not be collected again. */
  app.post("/v1/suppressions/check", requires("read"), async (c) => {
    const body = await input(c, CheckInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const pseudonyms = await Promise.all(
      body.value.identities.map((identity) => context.keys.pseudonym("suppression", identity)),
    );
    const entries = await ports.store.suppressed(context.tenant.n, pseudonyms);
    return c.json({ suppressed: entries.map((entry) => entry?.startsWith("erased ") === true) });
  });

  return app;
};

function expected(ports: Ports, { tenant }: Context, subprocessor: string, type: string, index: number) {
  const entry = tenant.subprocessors[subprocessor];
  if (entry === undefined)
    return [
      { field: `objects.${index}.subprocessor`, expected: `one of ${Object.keys(tenant.subprocessors).join(", ")}` },
    ];
  if (type === CONNECTION) return [{ field: `objects.${index}.type`, expected: "no connection: people make those" }];
  const types = Object.keys(ports.integrations.get(entry.integration)?.identities ?? {});
  return types.length === 0 || types.includes(type)
    ? []
    : [{ field: `objects.${index}.type`, expected: `one of ${types.join(", ")}` }];
}
