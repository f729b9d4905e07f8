import { z } from "zod";
import { at, bearer, byStatus, del, get, postForm, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import {
  type Answer,
  accepted,
  erased,
  found,
  notFound,
  notYet,
  retained,
  revoked,
  type Sight,
} from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, withinSecond } from "../src/contract/signal.ts";

/**
 * Stripe takes payments. It holds customers, found by id or e-mail, and the payments and invoices that hang off them.
 * It tells us when a customer was deleted or a connected account left; we delete customers, redact what hangs off them
 * once no law keeps it, and deauthorize accounts.
 */
const WEBHOOKS = "https://docs.stripe.com/webhooks";
const DEAUTHORIZE = "https://docs.stripe.com/connect/oauth-reference#post-deauthorize";

/** Redaction jobs are in public preview and exist only under a preview version. */
const PREVIEW = { "stripe-version": "2026-07-29.preview" };

/** "Transactions must be at least 90 days old"; https://docs.stripe.com/privacy/redaction */
const REDACTABLE_AFTER_SECONDS = 90 * 86_400;

const BILLING = "billing_records";

const Event = z.object({
  id: z.string().min(1),
  type: z.string(),
  created: z.union([z.number(), z.iso.datetime()]),
  account: z.string().optional(),
  data: z.object({ object: z.object({ id: z.string() }) }).optional(),
});

const Records = z.object({
  data: z.array(z.object({ id: z.string(), created: z.number().optional(), payment_intent: z.string().nullish() })),
  has_more: z.boolean(),
});
const Customer = z.object({
  deleted: z.literal(true).optional(),
  email: z.string().nullish(),
  name: z.string().nullish(),
});
const Problem = z.object({ error: z.object({ code: z.string().optional() }) });
const OAuthProblem = z.object({ error: z.string() });
const Job = z.object({
  id: z.string(),
  status: z.enum(["created", "validating", "ready", "failed", "redacting", "succeeded", "canceling", "canceled"]),
});
const Faults = z.object({ data: z.array(z.object({ code: z.string() })) });

const settings = {
  secretKey: secret("Secret key", /^(sk|rk)_(test|live)_/),
  webhookSecret: optional(secret("Webhook signing secret", /^whsec_/)),
  clientId: optional(text("Connect client id", /^ca_/)),
} satisfies Settings;

export const stripe = defineIntegration({
  id: "stripe",
  name: "Stripe",
  about: "Takes payments and keeps their records.",
  origins: ["https://api.stripe.com", "https://connect.stripe.com"],
  settings,
  identities: {
    "stripe.customer": "Customer id",
    "stripe.account": "Connected account id",
    "stripe.records": "Ids of payments and invoices, separated by commas, that one redaction job takes",
  },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: { scheme: "stripe", key: "webhookSecret", withinSeconds: 300 },
      contentType: "application/json",
      read: json(Event, ({ id, type, created, account, data }) => {
        const at = typeof created === "number" ? withinSecond(created) : Date.parse(created);
        // Two events may describe one change, so a deletion, which happens once, is known by the customer's id.
        if (type === "customer.deleted" && data !== undefined)
          return {
            deliveryId: `${type}:${data.object.id}`,
            signals: [{ type: "account_deleted", identity: { type: "stripe.customer", value: data.object.id }, at }],
          };
        if (type === "account.application.deauthorized" && account !== undefined)
          return {
            deliveryId: id,
            signals: [{ type: "deauthorized", identity: { type: "stripe.account", value: account }, at }],
          };
        return { deliveryId: id, signals: [] };
      }),
      authority: { account_deleted: "here", deauthorized: "here" },
      // Live mode: "up to three days"; by hand up to 30 days after creation.
      retriesForHours: 72,
      events: ["customer.deleted", "account.application.deauthorized"],
    },
  },

  oauth: absent("not yet connected by Quittance", "https://docs.stripe.com/connect/oauth-reference"),

  actions: {
    erase: {
      source: "https://docs.stripe.com/api/customers/delete",
      by: ["stripe.customer", "email", "stripe.records"],
      each: "identity",
      learns: ["stripe.customer"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* customersOf(value, order);
        if (type === "stripe.customer") return yield* eraseCustomer(value, order);
        return yield* redact(value.split(","), order);
      },
      *check(job, order) {
        return yield* followed(
          yield get(at`https://api.stripe.com/v1/privacy/redaction_jobs/${{ job }}`, preview(order)),
          order,
        );
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const { type, value } = order.identity;
          if (type === "stripe.customer")
            return seen(yield get(at`https://api.stripe.com/v1/customers/${{ customer: value }}`, auth(order)));
          if (type !== "email") return "no_view";
          const left = yield* customersOf(value, order);
          if (left.outcome === "unforeseen" || left.outcome === "unauthorized") return left;
          return left.outcome === "not_found" ? "absent" : "present";
        },
      },
    },
    revoke: {
      source: DEAUTHORIZE,
      by: ["stripe.account"],
      each: "identity",
      *run({ identity, settings }) {
        const reply = yield postForm(
          at`https://connect.stripe.com/oauth/deauthorize`,
          bearer(settings.secretKey),
          [
            ["client_id", settings.clientId],
            ["stripe_user_id", identity.value],
          ],
          { expects: [401] },
        );
        if (reply.status === 200) return revoked;
        // Unconfirmed: an account that is not connected is answered with `invalid_client`; a wrong client id may be too, so
        // it is never taken for a revocation of ours.
        const problem = read(reply, OAuthProblem);
        return problem.ok && problem.value.error === "invalid_client" ? notFound : unforeseen(reply);
      },
    },
  },

  residuals: [],
  retainable: [BILLING],
  limits: { perSecond: 80, connections: 3 },
});

type StripeOrder = Order<typeof settings>;
const auth = ({ settings }: StripeOrder) => bearer(settings.secretKey);
const preview = (order: StripeOrder) => ({ ...auth(order), ...PREVIEW });

const MAX_PAGES = 10;

/**
 * Customers with this e-mail. The list is up to date but compares letter by letter; the search ignores case but may lag
 * a minute; so both are asked. https://docs.stripe.com/api/customers/list, https://docs.stripe.com/search#search-query-language
 */
function* customersOf(email: string, order: StripeOrder): Steps<Answer> {
  const ids = new Set<string>();
  for (let page = 0, after = ""; page < MAX_PAGES; page++) {
    const address =
      after === ""
        ? at`https://api.stripe.com/v1/customers?email=${{ email }}&limit=100`
        : at`https://api.stripe.com/v1/customers?email=${{ email }}&limit=100&starting_after=${{ after }}`;
    const list = read(yield get(address, auth(order)), Records);
    if (!list.ok) return list.problem;
    for (const { id } of list.value.data) ids.add(id);
    after = list.value.data.at(-1)?.id ?? "";
    if (!list.value.has_more || after === "") break;
  }
  const query = `email:'${email.replace(/[\\']/g, "\\$&")}'`;
  const search = read(
    yield get(at`https://api.stripe.com/v1/customers/search?query=${{ query }}&limit=100`, auth(order)),
    Records,
  );
  if (!search.ok) return search.problem;
  for (const { id } of search.value.data) ids.add(id);
  return found([...ids].map((value) => ({ type: "stripe.customer", value })));
}

/**
 * A customer without payments is deleted, and that is all there is. Payments and invoices outlive their customer: where
 * the tenant must keep them, the customer goes now and they wait for their day; otherwise a redaction job, which wants
 * the customer still there, takes everything, as soon as the last payment is 90 days old.
 */
function* eraseCustomer(customer: string, order: StripeOrder): Steps<Answer> {
  const records = yield* recordsOf(customer, order);
  if ("outcome" in records) return records;
  if (records.count > 0 && !order.keeps.has(BILLING)) {
    const redactableAt = records.newest + REDACTABLE_AFTER_SECONDS;
    if (redactableAt * 1000 <= Date.parse(order.attemptedAt)) return yield* redact([customer], order);
  }
  const emptied = yield* emptyPaymentMethods(customer, order);
  if (emptied !== undefined) return emptied;
  const gone = byStatus(yield del(at`https://api.stripe.com/v1/customers/${{ customer }}`, auth(order)), {
    200: erased,
    404: notFound,
  });
  if ((gone.outcome !== "erased" && gone.outcome !== "not_found") || records.count === 0) return gone;
  const residue = [{ type: "stripe.customer", value: customer }];
  if (order.keeps.has(BILLING)) return retained(BILLING, residue);
  const until = new Date((records.newest + REDACTABLE_AFTER_SECONDS) * 1000).toISOString();
  return notYet("recent_payments", residue, until, "Stripe redacts payments only when the last is 90 days old");
}

/**
 * Saved payment methods outlive their customer, with the name and address on them, and are no record that a law keeps.
 * An empty value unsets a billing detail. https://docs.stripe.com/api/payment_methods/update
 */
function* emptyPaymentMethods(customer: string, order: StripeOrder): Steps<Answer | undefined> {
  const reply = yield get(
    at`https://api.stripe.com/v1/customers/${{ customer }}/payment_methods?limit=100`,
    auth(order),
  );
  if (isMissing(reply)) return undefined;
  const methods = read(reply, Records);
  if (!methods.ok) return methods.problem;
  for (const { id } of methods.value.data) {
    const address = at`https://api.stripe.com/v1/payment_methods/${{ method: id }}`;
    const blank = ["email", "name", "phone"].map((field): [string, string] => [`billing_details[${field}]`, ""]);
    const headers = { ...auth(order), "idempotency-key": order.idempotencyKey(`empty ${id}`) };
    const updated = yield postForm(address, headers, blank);
    if (updated.status !== 200 && !isMissing(updated)) return unforeseen(updated);
  }
  return undefined;
}

/** How many payments and invoices hang off a customer, and when the newest was made (seconds). */
function* recordsOf(customer: string, order: StripeOrder): Steps<{ count: number; newest: number } | Answer> {
  let count = 0;
  let newest = 0;
  for (const list of listsOf(customer)) {
    const reply = yield get(list, auth(order));
    if (isMissing(reply)) continue;
    const page = read(reply, Records);
    if (!page.ok) return page.problem;
    // Lists come newest first, so the first page is enough for both answers.
    count += page.value.data.length;
    newest = Math.max(newest, page.value.data[0]?.created ?? 0);
  }
  return { count, newest };
}

/** The lists of a redaction job, by how Stripe's ids begin. */
const LISTS: Readonly<Record<string, string>> = {
  cus: "customers",
  pi: "payment_intents",
  ch: "charges",
  in: "invoices",
};

function* redact(ids: readonly string[], order: StripeOrder): Steps<Answer> {
  const objects = ids.map((id): [string, string] => [`objects[${LISTS[id.split("_")[0] ?? ""] ?? "customers"}][]`, id]);
  const reply = yield postForm(
    at`https://api.stripe.com/v1/privacy/redaction_jobs`,
    { ...preview(order), "idempotency-key": order.idempotencyKey(`redact ${ids[0]}`) },
    [...objects, ["validation_behavior", "fix"]],
  );
  // Unconfirmed: whether a job takes a customer that was deleted before. If not, what hangs off it is named itself.
  if (isMissing(reply))
    return order.identity.type === "stripe.customer" ? yield* recordsAlone(ids[0] ?? "", order) : notFound;
  return yield* followed(reply, order);
}

/** A redaction job takes at most ten objects. https://docs.stripe.com/privacy/redaction */
const MAX_OBJECTS = 10;

function* recordsAlone(customer: string, order: StripeOrder): Steps<Answer> {
  const ids: string[] = [];
  for (const list of listsOf(customer)) {
    const page = read(yield get(list, auth(order)), Records);
    if (!page.ok) return page.problem;
    // A charge of a payment intent goes with it.
    ids.push(
      ...page.value.data
        .filter(({ id, payment_intent }) => !id.startsWith("ch_") || payment_intent == null)
        .map(({ id }) => id),
    );
  }
  const jobs = Array.from({ length: Math.ceil(ids.length / MAX_OBJECTS) }, (_, nth) =>
    ids.slice(nth * MAX_OBJECTS, (nth + 1) * MAX_OBJECTS),
  );
  return found(jobs.map((each) => ({ type: "stripe.records", value: each.join(",") })));
}

/** What outlives a deleted customer, newest first. */
const listsOf = (customer: string) => [
  at`https://api.stripe.com/v1/payment_intents?customer=${{ customer }}&limit=100`,
  at`https://api.stripe.com/v1/invoices?customer=${{ customer }}&limit=100`,
  at`https://api.stripe.com/v1/charges?customer=${{ customer }}&limit=100`,
];

/** Where a job stands and what that asks of us. Running it is irreversible and allowed from `ready` only. */
function* followed(reply: Reply, order: StripeOrder): Steps<Answer> {
  const job = read(reply, Job);
  if (!job.ok) return job.problem;
  const { id, status } = job.value;
  if (status === "succeeded") return erased;
  if (status === "ready") {
    const run = read(
      yield postForm(
        at`https://api.stripe.com/v1/privacy/redaction_jobs/${{ job: id }}/run`,
        { ...preview(order), "idempotency-key": order.idempotencyKey(`run ${id}`) },
        [],
      ),
      Job,
    );
    return run.ok ? accepted(id, 300) : run.problem;
  }
  if (status === "failed") return yield* mended(id, reply, order);
  if (status === "canceled" || status === "canceling")
    return unforeseen(reply, "the redaction job was canceled at Stripe");
  return accepted(id, status === "redacting" ? 300 : 30);
}

/** Why a job failed, and what can be done about it: wait for another job, or go around a customer that is deleted. */
function* mended(job: string, reply: Reply, order: StripeOrder): Steps<Answer> {
  const address = at`https://api.stripe.com/v1/privacy/redaction_jobs/${{ job }}/validation_errors`;
  const faults = read(yield get(address, preview(order)), Faults);
  if (!faults.ok) return faults.problem;
  const codes = [...new Set(faults.value.data.map(({ code }) => code))];
  if (codes.length > 0 && codes.every((code) => code === "locked_by_other_job")) {
    const again = read(
      yield postForm(at`https://api.stripe.com/v1/privacy/redaction_jobs/${{ job }}/validate`, preview(order), []),
      Job,
    );
    return again.ok ? accepted(job, 300) : again.problem;
  }
  const { type, value } = order.identity;
  if (type === "stripe.customer") {
    const customer = read(
      yield get(at`https://api.stripe.com/v1/customers/${{ customer: value }}`, auth(order)),
      Customer,
    );
    if (customer.ok && customer.value.deleted === true) {
      // A failed job keeps its objects locked until it is canceled.
      const cancel = at`https://api.stripe.com/v1/privacy/redaction_jobs/${{ job }}/cancel`;
      const canceled = read(yield postForm(cancel, preview(order), []), Job);
      return canceled.ok ? yield* recordsAlone(value, order) : canceled.problem;
    }
  }
  return unforeseen(reply, `Stripe could not validate the redaction: ${codes.join(", ")}`);
}

/** A deleted customer still answers 200, with `deleted: true`; a redacted one with `[redacted]` for what was personal. */
function seen(reply: Reply): Sight {
  if (reply.status === 404) return "absent";
  const customer = read(reply, Customer);
  if (!customer.ok) return customer.problem;
  const { deleted, email, name } = customer.value;
  const empty = [email, name].every((field) => (field ?? "[redacted]") === "[redacted]");
  return deleted === true || empty ? "absent" : "present";
}

function isMissing(reply: Reply): boolean {
  if (reply.status !== 404 && reply.status !== 400) return false;
  const problem = read(reply, Problem);
  return problem.ok && problem.value.error.code === "resource_missing";
}
