import { Hono } from "hono";
import { z } from "zod";
import { Identity } from "../contract/identity.ts";
import { parseRequestId, statusCode } from "../ids.ts";
import { gatewayOf } from "../platform/store/lanes.ts";
import type { Link, Linked } from "../platform/store/registry.ts";
import type { Ports } from "../ports.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import type { KnownIdentity } from "../request/plan.ts";
import { record } from "../request/record.ts";
import { ENTRY } from "../request/subject.ts";
import { fail, ok, type Result } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { known } from "./identities.ts";
import { input } from "./input.ts";

const Since = z.iso.datetime().optional();

const Consent = z.strictObject({ at: z.iso.datetime(), reference: z.string().min(1).max(200) });
type Consent = z.infer<typeof Consent>;

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
  const types = Object.keys(ports.integrations.get(entry.integration)?.identities ?? {});
  return types.length === 0 || types.includes(type)
    ? []
    : [{ field: `objects.${index}.type`, expected: `one of ${types.join(", ")}` }];
}

const TRIES = 3;

/** Seals and writes; an identity of somebody else is refused, and then nothing is written. */
async function link(
  ports: Ports,
  context: Context,
  subject: string,
  entries: readonly (KnownIdentity & { readonly since?: number })[],
  consent: Consent | undefined,
): Promise<Result<Extract<Linked, { result: "linked" }>, Problem>> {
  const { keys, tenant } = context;
  const pseudonyms = await Promise.all(
    entries.map(async (entry) => ({
      ...(await keys.pseudonyms(entry)),
      ...(entry.since !== undefined && { since: entry.since }),
    })),
  );
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [hash] = await ports.store.subjects([{ n: tenant.n, subject }]);
    const made = hash?.k === undefined ? await keys.newKey(`subject ${subject}`) : undefined;
    const key = made?.key ?? (await keys.unwrap(`subject ${subject}`, hash?.k ?? ""));
    const fields = await Promise.all(
      entries.map(async ({ since: _, ...entry }, index) => {
        const name = `${ENTRY}${pseudonyms[index]?.index ?? ""}`;
        return [name, await key.seal(`subject ${subject} ${name}`, JSON.stringify(entry))];
      }),
    );
    const request: Link = {
      n: tenant.n,
      subject,
      now: ports.now(),
      wrapped: made?.wrapped ?? "",
      lifts: consent !== undefined,
      identities: pseudonyms,
      fields: {
        ...Object.fromEntries(fields),
        ...(consent !== undefined && { c: await key.seal(`subject ${subject} consent`, JSON.stringify(consent)) }),
      },
    };
    const linked = await ports.store.link(request);
    if (linked.result === "linked") return ok(linked);
    if (linked.result === "under_erasure")
      return fail({
        reason: "conflict",
        detail: "This subject is under erasure. A new consent counts from its close on: repeat this when it is closed.",
      });
    if (linked.result === "taken")
      return fail({
        reason: "conflict",
        detail: `Identity ${linked.identity + 1} of your list belongs to another subject. Nothing was changed.`,
      });
  }
  return fail({ reason: "conflict", detail: "This subject is being changed by somebody else. Repeat your request." });
}

/** What becomes known of a person under erasure joins the erasure. True when one of them closed meanwhile and cannot be joined. */
async function rejoin(ports: Ports, context: Context, requests: readonly string[]): Promise<boolean> {
  if (requests.length === 0) return false;
  const now = ports.now();
  const ids = requests.flatMap((id) => parseRequestId(id) ?? []);
  const queued = await ports.store.restart(
    ids.map(({ n, id }) => ({ n, id, due: now, deadline: now, release: false })),
    now,
  );
  if (queued.some(({ wake }) => wake)) await ports.wake([gatewayOf(context.tenant.n)]);
  return queued.some(({ result }) => result === "ended");
}

/** Someone who was erased has come in again without a new consent: their erasure is opened anew, and said so. */
async function erasedAgain(ports: Ports, context: Context, subject: string, identities: readonly KnownIdentity[]) {
  const [entry] = await record(ports, context, () => [
    {
      type: "erasure",
      source: "suppression",
      delivery: `${subject}:${ports.now()}`,
      authority: "everywhere",
      identities: identities.map(({ type, value }) => ({ type, value })),
      subject,
    },
  ]);
  if (entry === undefined) return undefined;
  return { id: entry.id, status_url: `${ports.origin}/status/${await statusCode(context.keys, entry.id)}` };
}
