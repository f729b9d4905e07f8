import { Hono } from "hono";
import { derivedId, fieldsOf, type Shelf, type Thing } from "./shelf.ts";
import {
  form,
  list,
  missing,
  refused,
  type StripeEnv,
  type StripeState,
  unknown,
  unrecognized,
} from "./stripe-wire.ts";
import type { Json } from "./vendor.ts";

const MOST_OBJECTS = 10;
const YOUNGEST_TRANSACTION_SECONDS = 90 * 86_400;
const LISTS = [
  "charges",
  "checkout_sessions",
  "customers",
  "identity_verification_sessions",
  "invoices",
  "issuing_cardholders",
  "issuing_cards",
  "payment_intents",
  "radar_value_list_items",
  "setup_intents",
] as const;

type Status = "created" | "validating" | "ready" | "failed" | "redacting" | "succeeded" | "canceling" | "canceled";
type Job = Thing & {
  created: number;
  status: Status;
  validation_behavior: string;
  objects: { [list: string]: string[] };
  validation_errors: { [field: string]: Json }[];
};
type Problem = { thing: Thing; message: string; code?: "invalid_state" | "locked_by_other_job"; fix?: () => void };
export type Pace = "per_read" | { readonly seconds: number };

/** What holds personal data, by `object`; the values then read `[redacted]`. Unconfirmed: that metadata values do too. */
const PERSONAL: Readonly<Record<string, readonly string[]>> = {
  customer: ["address", "description", "email", "metadata", "name", "phone", "shipping"],
  payment_intent: ["receipt_email"],
  charge: ["billing_details", "receipt_email"],
  invoice: ["customer_address", "customer_email", "customer_name", "customer_phone"],
  payment_method: ["billing_details"],
};

/**
 * Redaction jobs, in public preview: `created` → `validating` → `ready` or `failed`; run → `redacting` → `succeeded`;
 * cancel → `canceling` → `canceled`. A customer's job reaches its payments, charges, invoices, payment methods and events.
 *
 * Unconfirmed: the words and status of refusals; that a call without a preview version finds no such address; that a
 * deleted customer cannot be redacted; that a failed job still holds its objects against other jobs.
 *
 * @see https://docs.stripe.com/privacy/redaction and https://docs.stripe.com/privacy/redaction/example
 * @see https://docs.stripe.com/api/privacy/redaction-job
 * @see https://docs.stripe.com/changelog/dahlia/2026-04-22/redaction-job-validation-errors-property
 */
export function redactionJobs(stripe: {
  readonly state: StripeState;
  readonly events: readonly Thing[];
  now(): number;
  happened(type: string, object: Json): void;
}) {
  const { state, now, happened } = stripe;
  // Only this file puts jobs on the shelf, so that it holds nothing but jobs.
  const shelf = state.redaction_jobs as Shelf as Shelf<Job>;
  const standard = { pace: "per_read" as Pace, redacts_deleted_customers: false };
  let settings = standard;
  /** When each job last moved, and whose it is. */
  const moved = new Map<string, { account: string; at: number }>();
  /** Whose a payment method was before it was detached. Unconfirmed: that a customer's job still reaches it. */
  const formerly = new WeakMap<Thing, Json>();
  let made = 0;

  const detach = (method: Thing): Thing => {
    formerly.set(method, method.customer ?? null);
    return Object.assign(method, { customer: null });
  };
  const move = (job: Job, status: Status, event?: string) => {
    job.status = status;
    if (event !== undefined) happened(`privacy.redaction_job.${event}`, wire(job, false));
  };
  /** Answers whether there was a step to take. */
  const step = (job: Job, account: string): boolean => {
    switch (job.status) {
      case "created":
        move(job, "validating");
        return true;
      case "validating": {
        const problems = problemsOf(job, account).filter(({ fix }) => !fix || job.validation_behavior === "error");
        job.validation_errors = problems.map((problem, nth) => validationError(job, problem, nth));
        if (problems.length > 0) move(job, "failed", "validation_error");
        else move(job, "ready", "ready");
        return true;
      }
      case "redacting":
        redact(job, account);
        move(job, "succeeded", "succeeded");
        return true;
      case "canceling":
        move(job, "canceled", "canceled");
        return true;
      case "ready":
      case "failed":
      case "succeeded":
      case "canceled":
        return false;
    }
  };
  /** Lets the time that went by take its steps; a reading is one step where that is the pace. */
  const look = (job: Job, reading: boolean): Job => {
    const last = moved.get(job.id);
    if (!last) return job;
    if (settings.pace === "per_read") {
      if (reading) step(job, last.account);
      return job;
    }
    const stepMs = settings.pace.seconds * 1000;
    while (now() - last.at >= stepMs && step(job, last.account)) last.at += stepMs;
    return job;
  };

  /** Everything that redacting the job's objects reaches, the objects themselves first. */
  const reach = (job: Job, account: string): Thing[] => {
    const named = new Set(Object.values(job.objects).flat());
    const all = [
      state.customers,
      state.payment_intents,
      state.charges,
      state.invoices,
      state.payment_methods,
      state.subscriptions,
    ].flatMap((kind) => kind.list(account));
    return all.filter((thing) =>
      [thing.id, thing.customer, formerly.get(thing), thing.payment_intent].some(
        (one) => typeof one === "string" && named.has(one),
      ),
    );
  };
  const problemsOf = (job: Job, account: string): Problem[] => {
    const jobs = shelf.list(account);
    const before = jobs
      .slice(0, jobs.indexOf(job))
      // Time has gone by for an older job too, whether or not anyone has asked about it.
      .map((other) => look(other, false))
      .filter(({ status }) => status !== "succeeded" && status !== "canceled");
    const locked = new Set(before.flatMap((other) => reach(other, account)));
    return reach(job, account).flatMap((thing): Problem[] => {
      if (locked.has(thing))
        return [{ thing, message: "Another redaction job uses this object.", code: "locked_by_other_job" }];
      if (thing.object === "customer" && thing.deleted === true)
        return settings.redacts_deleted_customers ? [] : [{ thing, message: "The customer is deleted." }];
      if (thing.object === "subscription")
        return thing.status === "active"
          ? [{ thing, message: "The subscription is active.", fix: () => Object.assign(thing, { status: "canceled" }) }]
          : [];
      if (thing.object === "payment_method")
        return thing.customer !== null
          ? [{ thing, message: "The payment method is attached.", fix: () => void detach(thing) }]
          : [];
      if (thing.object === "payment_intent" && thing.status === "requires_payment_method")
        return [
          { thing, message: "The payment is incomplete.", fix: () => Object.assign(thing, { status: "canceled" }) },
        ];
      if (thing.object === "customer" || thing.status === "canceled") return [];
      const young = now() / 1000 - Number(thing.created) < YOUNGEST_TRANSACTION_SECONDS;
      return young ? [{ thing, message: "The transaction is less than 90 days old." }] : [];
    });
  };
  const redact = (job: Job, account: string) => {
    for (const { fix } of problemsOf(job, account)) fix?.();
    const things = reach(job, account);
    const ids = new Set(things.map(({ id }) => id));
    const inEvents = stripe.events.flatMap(({ data }) => {
      // Only Stripe's objects stand in its events.
      const object = fieldsOf(data).object as Thing | undefined;
      return object && ids.has(object.id) ? [object] : [];
    });
    for (const thing of [...things, ...inEvents])
      for (const field of PERSONAL[String(thing.object)] ?? [])
        if (thing[field] !== undefined) thing[field] = blank(thing[field]);
  };

  const routes = new Hono<StripeEnv>();
  routes.use(async (c, next) => {
    if (!c.req.header("stripe-version")?.endsWith(".preview")) throw refused(404, unrecognized(c));
    await next();
  });
  routes.post("/", async (c) => {
    const account = c.get("account");
    const objects: Record<string, string[]> = {};
    let behavior = "error";
    for (const [field, value] of await form(c)) {
      const kind = /^objects\[(\w+)\]\[\d*\]$/.exec(field)?.[1];
      if (kind !== undefined && LISTS.some((known) => known === kind))
        objects[kind] = [...(objects[kind] ?? []), value];
      else if (field === "validation_behavior" && (value === "error" || value === "fix")) behavior = value;
      else if (!field.startsWith("expand[")) throw unknown(field);
    }
    const ids = Object.entries(objects).flatMap(([kind, some]) => some.map((id) => ({ kind, id })));
    if (ids.length === 0)
      throw refused(400, { code: "parameter_missing", message: "Missing required param: objects.", param: "objects" });
    if (ids.length > MOST_OBJECTS)
      throw refused(400, {
        code: "parameter_invalid",
        message: `A redaction job takes at most ${MOST_OBJECTS} object identifiers.`,
        param: "objects",
      });
    for (const { kind, id } of ids)
      if (!state[kind as keyof StripeState]?.get(account, id)) throw missing(kind, id, `objects[${kind}]`, 400);
    made += 1;
    const job: Job = {
      id: derivedId("prj_", account, made),
      object: "privacy.redaction_job",
      created: Math.floor(now() / 1000),
      livemode: false,
      objects,
      status: "created",
      validation_behavior: behavior,
      validation_errors: [],
    };
    shelf.put(account, job);
    moved.set(job.id, { account, at: now() });
    happened("privacy.redaction_job.created", wire(job, false));
    return c.json(wire(job, false));
  });
  routes.get("/", (c) => {
    const status = c.req.query("status");
    const jobs = shelf
      .list(c.get("account"))
      .filter((job) => status === undefined || look(job, false).status === status);
    return list(
      c,
      "privacy/redaction_jobs",
      jobs.map((job) => wire(job, false)),
    );
  });

  const found = (account: string, id: string): Job => {
    const job = shelf.get(account, id);
    if (job) return look(job, false);
    throw missing("redaction_jobs", id, "job", 404);
  };
  routes.get("/:id", (c) => {
    const job = look(found(c.get("account"), c.req.param("id")), true);
    return c.json(wire(job, (c.req.queries("expand[]") ?? []).includes("objects")));
  });
  routes.get("/:id/validation_errors", (c) => {
    const job = found(c.get("account"), c.req.param("id"));
    return list(c, `privacy/redaction_jobs/${job.id}/validation_errors`, job.validation_errors as Thing[]);
  });
  routes.post("/:id", async (c) => {
    const job = found(c.get("account"), c.req.param("id"));
    for (const [field, value] of await form(c)) {
      if (field !== "validation_behavior") throw unknown(field);
      job.validation_behavior = value;
    }
    return c.json(wire(job, false));
  });
  const MOVES = {
    run: [["ready"], "redacting"],
    validate: [["failed"], "validating"],
    cancel: [["ready", "failed"], "canceling"],
  } as const;
  for (const [verb, [from, to]] of Object.entries(MOVES))
    routes.post(`/:id/${verb}`, (c) => {
      const job = found(c.get("account"), c.req.param("id"));
      if (!from.some((status) => status === job.status))
        throw refused(400, {
          message: `You can ${verb} a redaction job when it is ${from.join(" or ")}; this one is ${job.status}.`,
        });
      moved.set(job.id, { account: c.get("account"), at: now() });
      if (to === "validating") job.validation_errors = [];
      move(job, to);
      return c.json(wire(job, false));
    });

  const settle = () => {
    for (const [id, { account }] of moved) {
      const job = shelf.get(account, id);
      if (job) look(job, false);
    }
  };
  return {
    routes,
    detach,
    settle,
    set(wanted: { pace?: Pace | undefined; redacts_deleted_customers?: boolean | undefined }) {
      settle();
      settings = {
        pace: wanted.pace ?? settings.pace,
        redacts_deleted_customers: wanted.redacts_deleted_customers ?? settings.redacts_deleted_customers,
      };
      return settings;
    },
    reset() {
      moved.clear();
      settings = standard;
    },
  };
}

/** The objects are shown only when expanded; the first ten validation errors always. */
function wire(job: Job, expanded: boolean): Thing {
  const { objects, validation_errors, ...rest } = job;
  const url = `/v1/privacy/redaction_jobs/${job.id}/validation_errors`;
  const first = { object: "list", data: validation_errors.slice(0, 10), has_more: validation_errors.length > 10, url };
  const lists = Object.fromEntries(LISTS.map((name) => [name, objects[name] ?? null]));
  return { ...rest, id: job.id, validation_errors: first, ...(expanded && { objects: lists }) };
}

function validationError(job: Job, { thing, message, code = "invalid_state" }: Problem, nth: number) {
  const erroring_object = { id: thing.id, object_type: String(thing.object) };
  return {
    id: derivedId("prjve_", job.id, nth),
    object: "privacy.redaction_job_validation_error",
    code,
    message,
    erroring_object,
  };
}

function blank(value: Json): Json {
  if (typeof value === "string") return "[redacted]";
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, blank(inner)]));
}
