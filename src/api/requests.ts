import { Hono } from "hono";
import { base64url } from "jose";
import { z } from "zod";
import { connectionsIn } from "../connections/connection.ts";
import { sharedAccounts } from "../connections/sibling.ts";
import { parseRequestId, type RequestId } from "../ids.ts";
import { laneName } from "../platform/keys.ts";
import { gatewayOf, orderId } from "../platform/store/lanes.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { identitiesOf } from "../request/close.ts";
import { endByHand } from "../request/complete.ts";
import { days, deadline, rfc3339 } from "../request/deadline.ts";
import { type Planned, plan } from "../request/plan.ts";
import { Ground } from "../request/policy.ts";
import { dueByTerms, type Intent, record } from "../request/record.ts";
import { RequestInput, type RequestRecord } from "../request/request.ts";
import { shortageOf, underQuota } from "../request/shortage.ts";
import { openSubject } from "../request/subject.ts";
import { type Task, tasksOf, taskView } from "../request/task.ts";
import { termsDue } from "../request/terms.ts";
import { isStatus, viewOf, viewOfEntry } from "../request/view.ts";
import { fail, ok, type Result } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { known } from "./identities.ts";
import { input } from "./input.ts";

/** It goes into a signed receipt that others read, so it must not name the person. */
const Said = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (text) => !/[^\s@]+@[^\s@]+\.[^\s@]+/.test(text),
    "expected no e-mail address or other personal data: it stands in the signed receipt",
  );

const Completion = z
  .strictObject({
    outcome: z.enum([
      "erased",
      "revoked",
      "not_found",
      "retained",
      "stopped",
      "informed",
      "refused",
      "manual_done",
      "unresolved",
    ]),
    until: z.iso.datetime().optional(),
    category: z
      .string()
      .regex(/^[a-z][a-z0-9_]{1,63}$/)
      .optional(),
    ground: Ground.optional(),
    evidence: Said.optional(),
    reason: Said,
  })
  .refine((body) => body.outcome !== "retained" || (body.until !== undefined && body.ground !== undefined), {
    path: ["until"],
    message: "what is retained needs `until` and `ground`",
  });

const Retry = z.strictObject({ task: z.string().max(200).optional() });

const PAGE = 50;

/** Requests: opening, following and steering them. */
export const requests = () => {
  const app = new Hono<Authorised>();

  app.post("/v1/requests", requires("request"), async (c) => {
    const body = await input(c, RequestInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const key = c.req.header("idempotency-key");
    if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key))
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: "Idempotency-Key", expected: "1 to 255 visible ASCII characters" }],
      });
    const { scope } = body.value;
    if (scope !== undefined && context.tenant.subprocessors[scope] === undefined)
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: "scope", expected: "the id of a subprocessor in your registry" }],
      });
    const fit = known(ports, body.value.identities ?? []);
    if (!fit.ok) return problemResponse(c, fit.problem);
    const intent = await intentOf(ports, context, body.value, key);
    if (intent.subject !== undefined && intent.identities.length === 0) {
      const standing = await ports.store.standing(context.tenant.n, intent.subject);
      const expected = "a subject that was linked with PUT /v1/subjects, or identities beside it";
      if (!standing.known && !standing.gone)
        return problemResponse(c, { reason: "invalid", errors: [{ field: "subject", expected }] });
    }
    if (body.value.dry_run === true) return c.json(await dryRun(ports, context, intent));

    const closing = (intent.graceDays ?? 0) > 0 ? await subjectOf(ports, context, intent) : undefined;
    const [entry] = await record(ports, context, () => [{ ...intent, ...(closing !== undefined && { closing }) }]);
    if (entry === undefined) return problemResponse(c, { reason: "internal" });
    if (entry.recorded.result === "conflict")
      return problemResponse(c, {
        reason: "conflict",
        detail: "This Idempotency-Key was used for a different request.",
      });
    const shown = await viewOfEntry(ports, context, entry);
    const location = `/v1/requests/${entry.id}`;
    return c.json(shown, entry.recorded.result === "duplicate" ? 200 : 202, { location });
  });

  app.get("/v1/requests", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const open = c.req.query("status") === "open";
    const from = /^(\d{1,15})\.(\d{1,9})$/.exec(c.req.query("from") ?? "");
    const cursor = from === null ? undefined : { score: Number(from[1]), skip: Number(from[2]) };
    const page = await ports.store.list(context.tenant.n, open, cursor, PAGE);
    const ids = page.flatMap(({ id }) => parseRequestId(id)?.id ?? []);
    const views = await Promise.all(ids.map((id) => viewOf(ports, context, id)));
    const last = page.at(-1)?.score;
    // Many requests may share a moment, so the cursor counts how many of the last one were given.
    const given =
      page.filter(({ score }) => score === last).length + (cursor?.score === last ? (cursor?.skip ?? 0) : 0);
    return c.json({
      requests: views.filter((view) => view !== undefined),
      ...(page.length === PAGE &&
        last !== undefined && { next: `/v1/requests?${open ? "status=open&" : ""}from=${last}.${given}` }),
    });
  });

  app.get("/v1/requests/:id", requires("read"), async (c) => {
    const own = ownId(c.var.tenant, c.req.param("id"));
    const shown = own === undefined ? undefined : await viewOf(c.var.ports, c.var.tenant, own);
    return shown === undefined ? problemResponse(c, { reason: "not_found", what: "such request" }) : c.json(shown);
  });

  app.post("/v1/requests/:id/cancel", requires("request"), async (c) => {
    const { ports, tenant: context } = c.var;
    const loaded = await load(ports, context, c.req.param("id"));
    if (!loaded.ok) return problemResponse(c, loaded.problem);
    const { id, record: request, hash } = loaded.value;
    if (request.type === "revocation" && (await endsConnection(context, id, hash)))
      return problemResponse(c, {
        reason: "conflict",
        detail: "The end of a connection is not taken back. Let the person connect again.",
      });
    const { closing, ...restored } = request;
    const now = ports.now();
    const document = JSON.stringify({ ...restored, cancelled_at: rfc3339(now) });
    const result = await ports.store.cancel(
      context.tenant.n,
      id,
      document,
      days(context.tenant.policy.receipt_days),
      now,
      closing,
    );
    if (result !== "cancelled")
      return problemResponse(c, {
        reason: "conflict",
        detail: "Only a request that has not started can be cancelled.",
      });
    return c.json(await viewOf(ports, context, id));
  });

  /** Lets a request go on that was held because its source passed its ceiling. */
  app.post("/v1/requests/:id/release", requires("operate"), async (c) => {
    const { ports, tenant: context } = c.var;
    const loaded = await load(ports, context, c.req.param("id"));
    if (!loaded.ok) return problemResponse(c, loaded.problem);
    const { id, record: request, hash } = loaded.value;
    if (hash.held === undefined) return problemResponse(c, { reason: "conflict", detail: "This request is not held." });
    await restart(ports, context, id, request, true);
    ports.log("request_released", { tenant: context.tenant.slug, request: id, by: c.var.actor });
    return c.json(await viewOf(ports, context, id));
  });

  app.post("/v1/requests/:id/retry", requires("request"), async (c) => {
    const body = await input(c, Retry);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const loaded = await load(ports, context, c.req.param("id"));
    if (!loaded.ok) return problemResponse(c, loaded.problem);
    const { id, record: request, hash } = loaded.value;
    const { task: asked } = body.value;
    if (asked !== undefined && !tasksOf(hash).some((task) => task.id === asked))
      return problemResponse(c, { reason: "not_found", what: "such task" });
    const now = ports.now();
    const woken = new Set<string>();
    for (const task of tasksOf(hash)) {
      if (task.state !== "stuck" || (asked !== undefined && asked !== task.id)) continue;
      const lane = laneName(context.tenant.n, task.subprocessor);
      const { reason: _, ...rest } = task;
      const settled = await ports.store.byHand(
        lane,
        {
          id: orderId(id, task.id),
          attempt: 0,
          task: { request: id, id: task.id, document: JSON.stringify({ ...rest, state: "queued" }) },
          deadline: Date.parse(request.due_at),
          what: "back",
          due: now,
          cursor: "",
        },
        now,
      );
      for (const each of settled.woken) woken.add(each);
      // It had no order, for want of an identity: plan again.
      if (settled.results[0] === "missing") await restart(ports, context, id, request, false);
    }
    if (woken.size > 0) await ports.wake([...woken]);
    return c.json(await viewOf(ports, context, id));
  });

  app.post("/v1/requests/:id/tasks/:task/complete", requires("request"), async (c) => {
    const body = await input(c, Completion);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context, actor } = c.var;
    const loaded = await load(ports, context, c.req.param("id"));
    if (!loaded.ok) return problemResponse(c, loaded.problem);
    const { id, record: request, hash } = loaded.value;
    const task = tasksOf(hash).find((each) => each.id === c.req.param("task"));
    if (task === undefined) return problemResponse(c, { reason: "not_found", what: "such task" });
    if (task.state === "ended")
      return problemResponse(c, { reason: "conflict", detail: `This task has ended already, as ${task.outcome}.` });
    const { outcome, until, category, ground, evidence, reason } = body.value;
    const wrong = unfitEnd(task, outcome, until, ports.now());
    if (wrong !== undefined) return problemResponse(c, wrong);
    const settled = await endByHand(ports, context, request, hash, task, {
      outcome,
      by: actor,
      reason: evidence === undefined ? reason : `${reason} (evidence: ${evidence})`,
      ...(until !== undefined &&
        ground !== undefined && { retained: [{ category: category ?? "all", until, ground }] }),
    });
    if (settled.results[0] === "late")
      return problemResponse(c, { reason: "conflict", detail: "This task has ended meanwhile." });
    if (settled.woken.length > 0) await ports.wake(settled.woken);
    return c.json(await viewOf(ports, context, id));
  });

  return app;
};

/** Why a task cannot be said to have ended like that: a receipt would state what cannot be. */
function unfitEnd(task: Task, outcome: string, until: string | undefined, now: number): Problem | undefined {
  const invalid = (field: string, expected: string): Problem => ({ reason: "invalid", errors: [{ field, expected }] });
  const isRevocation = task.id.split(".")[1] === "revoke";
  if (isRevocation && task.state === "waiting")
    return {
      reason: "conflict",
      detail: `The gateway revokes this grant itself when what it waits for has ended: ${task.reason ?? ""}. Complete that first.`,
    };
  if (isRevocation && (outcome === "erased" || outcome === "retained"))
    return invalid(
      "outcome",
      "revoked, stopped, not_found, manual_done, refused or unresolved: this task ends a grant",
    );
  if (!isRevocation && outcome === "revoked")
    return invalid("outcome", "another than revoked: this task deletes data, and ends no grant");
  if (until !== undefined && Date.parse(until) <= now) return invalid("until", "a time that is still to come");
  return undefined;
}

/** Whether it was asked for to end a connection: nobody is given its tokens any more from that moment on. */
async function endsConnection({ keys }: Context, id: RequestId, hash: Hash): Promise<boolean> {
  if (hash.k === undefined || hash.s === undefined) return false;
  return connectionsIn(await identitiesOf(await keys.unwrap(`request ${id}`, hash.k), { id }, hash)).length > 0;
}

const ownId = ({ tenant }: Context, text: string): RequestId | undefined => {
  const parsed = parseRequestId(text);
  return parsed?.n === tenant.n ? parsed.id : undefined;
};

async function load(
  ports: Ports,
  context: Context,
  text: string,
): Promise<Result<{ readonly id: RequestId; readonly record: RequestRecord; readonly hash: Hash }, Problem>> {
  const missing = fail({ reason: "not_found", what: "such request" } as const);
  const id = ownId(context, text);
  if (id === undefined) return missing;
  const [hash] = await ports.store.load([{ n: context.tenant.n, id }]);
  if (hash?.st === "closed") return fail({ reason: "conflict", detail: "This request is closed; see its receipt." });
  if (hash?.d === undefined || !isStatus(hash.st)) return missing;
  // Written by `record` and `start`, and by nobody else.
  return ok({ id, record: JSON.parse(hash.d) as RequestRecord, hash });
}

async function restart(
  ports: Ports,
  context: Context,
  id: RequestId,
  request: RequestRecord,
  release: boolean,
): Promise<void> {
  const now = ports.now();
  const due = Math.max(now, Date.parse(request.start_at));
  const [queued] = await ports.store.restart(
    [{ n: context.tenant.n, id, due, deadline: Date.parse(request.due_at), release }],
    now,
  );
  if (queued?.wake === true) await ports.wake([gatewayOf(context.tenant.n)]);
}

async function intentOf(ports: Ports, context: Context, body: RequestInput, key: string | undefined): Promise<Intent> {
  const subject = body.subject === undefined ? undefined : await context.keys.derive("subject", body.subject);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(body)));
  const grace =
    body.type === "closure" && body.underage !== true ? (body.grace_days ?? context.tenant.policy.grace_days) : 0;
  return {
    type: body.type,
    source: "api",
    delivery: key === undefined ? `random ${base64url.encode(ports.random(16))}` : `key ${key}`,
    authority: "everywhere",
    identities: body.identities ?? [],
    graceDays: grace,
    // A digest of identities under no key could be guessed back, so it is keyed like every pseudonym.
    digest: await context.keys.derive("request", base64url.encode(new Uint8Array(digest))),
    ...(subject !== undefined && { subject }),
    ...(body.scope !== undefined && { scope: body.scope }),
    ...(body.type === "revocation" && body.scope !== undefined && dueByTerms(ports, context, body.scope)),
    ...(body.unpublish === true && { unpublish: true as const }),
  };
}

/** Whose data it is, as the start will find it: the subject that is named, else the first that an identity belongs to. */
async function subjectOf(ports: Ports, { tenant: { n }, keys }: Context, intent: Intent): Promise<string | undefined> {
  if (intent.subject !== undefined) return intent.subject;
  const pseudonyms = await Promise.all(intent.identities.map((identity) => keys.pseudonym("index", identity)));
  const found = await ports.store.subjectsOf(pseudonyms.map((pseudonym) => ({ n, pseudonym })));
  return found.find((each) => each !== undefined);
}

/** The very plan that would be recorded now; nothing is written. */
async function dryRun(ports: Ports, context: Context, intent: Intent) {
  const { n, policy } = context.tenant;
  const now = ports.now();
  const startAt = now + days(intent.graceDays ?? 0);
  const subject = await subjectOf(ports, context, intent);
  const [hash] = subject === undefined ? [] : await ports.store.subjects([{ n, subject }]);
  const known =
    subject === undefined || hash === undefined ? [] : (await openSubject(context.keys, subject, hash)).known;
  const all = [...intent.identities, ...known];
  const terms = termsDue(startAt, all, context.tenant, ports.integrations) ?? Number.POSITIVE_INFINITY;
  const dueAt = Math.min(deadline(startAt, policy), terms, startAt + (intent.dueWithinMs ?? Number.POSITIVE_INFINITY));
  const [shared = []] = await sharedAccounts(ports, context, [all]);
  const planned = plan(
    {
      type: intent.type,
      authority: "everywhere",
      received_at: rfc3339(now),
      due_at: rfc3339(dueAt),
      ...(intent.scope !== undefined && { scope: intent.scope }),
      ...(intent.unpublish === true && { unpublish: true as const }),
      ...(subject !== undefined && { subject }),
    },
    context.tenant,
    ports.integrations,
    all,
    now,
    { shared },
  );
  const limited = underQuota(planned, context.tenant, ports.integrations, now);
  const ahead = await ports.store.ahead(
    n,
    limited.map(({ subprocessor }) => subprocessor),
    dueAt,
  );
  // This one would come on top.
  const warnings = limited.flatMap((each, at) => shortageOf(each, (ahead[at] ?? 0) + 1, dueAt) ?? []);
  return {
    dry_run: true,
    type: intent.type,
    start_at: rfc3339(startAt),
    due_at: rfc3339(dueAt),
    ...(warnings.length > 0 && { warnings }),
    tasks: planned.map(previewOf),
  };
}

/** What a planned task would do: with how many identities, after what, and what the policy would let stay. */
const previewOf = (planned: Planned) => ({
  ...taskView(planned.task),
  ...("identities" in planned && {
    identities: planned.identities.length,
    ...(planned.after.length > 0 && { after: planned.after }),
    may_keep: Object.entries(planned.keeps).map(([category, kept]) => ({ category, ...kept })),
  }),
});
