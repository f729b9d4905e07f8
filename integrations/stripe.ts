import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  del,
  get,
  noCall,
  postForm,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, type Looks, lacksScope, NOBODY, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf } from "../src/contract/oauth.ts";
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
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Stripe takes payments. It holds customers, found by id or e-mail, and the payments and invoices that hang off them.
 * It tells us when a customer was deleted or a connected account left; we delete customers, redact what hangs off them
 * once no law keeps it, and deauthorize accounts.
 */
const WEBHOOKS = "https://docs.stripe.com/webhooks";
const OAUTH = "https://docs.stripe.com/connect/oauth-reference";
const DEAUTHORIZE = `${OAUTH}#post-deauthorize`;

/** Redaction jobs are in public preview and exist only under a preview version. */
const PREVIEW = { "stripe-version": "2026-07-29.preview" };

/** "Transactions must be at least 90 days old"; https://docs.stripe.com/privacy/redaction */
const REDACTABLE_AFTER_SECONDS = 90 * 86_400;

const BILLING = "billing_records";

/** What an event is about may have no id, as a balance has none; but a customer that was deleted has one. */
const Event = z
  .object({
    id: z.string().min(1),
    type: z.string(),
    created: z.union([UnixSeconds, z.iso.datetime()]),
    account: z.string().min(1).optional(),
    data: z.object({ object: z.object({ id: z.string().min(1).nullish() }).optional() }).optional(),
  })
  .refine(({ type, data }) => type !== "customer.deleted" || data?.object?.id != null, {
    path: ["data", "object", "id"],
  });

const Detail = z.string().nullish();
const Thing = z.object({
  id: z.string(),
  created: z.number().optional(),
  payment_intent: z.string().nullish(),
  billing_details: z
    .object({ email: Detail, name: Detail, phone: Detail, address: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
});
type Thing = z.infer<typeof Thing>;
const Page = z.object({ data: z.array(Thing), has_more: z.boolean(), next_page: z.string().nullish() });
const Customer = z.object({
  id: z.string(),
  object: z.literal("customer"),
  deleted: z.boolean().optional(),
  name: z.string().nullish(),
  email: z.string().nullish(),
  phone: z.string().nullish(),
});
const Deleted = z.object({ deleted: z.literal(true) });
const Deauthorized = z.object({ stripe_user_id: z.string() });
const Problem = z.object({ error: z.object({ code: z.string().optional() }) });
const OAuthProblem = z.object({ error: z.string(), error_description: z.string().optional() });
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
      contentTypes: ["application/json"],
      read: json(Event, ({ id, type, created, account, data }) => {
        const at = typeof created === "number" ? withinSecond(created) : Date.parse(created);
        const about = data?.object?.id;
        // Two events may describe one change, so a deletion, which happens once, is known by the customer's id.
        if (type === "customer.deleted" && about != null) {
          const identity = { type: "stripe.customer", value: about };
          return [{ id: `${type}:${about}`, name: type, signals: [{ type: "account_deleted", identity, at }] }];
        }
        if (type === "account.application.deauthorized" && account !== undefined) {
          const identity = { type: "stripe.account", value: account };
          return [{ id, name: type, signals: [{ type: "deauthorized", identity, at }] }];
        }
        return [{ id, name: type, signals: [] }];
      }),
      authority: { account_deleted: "here", deauthorized: "here" },
      // Live mode: "up to three days"; by hand up to 30 days after creation.
      retriesForHours: 72,
      events: ["customer.deleted", "account.application.deauthorized"],
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://connect.stripe.com",
      authorize: "https://connect.stripe.com/oauth/authorize",
      token: "https://connect.stripe.com/oauth/token",
    },
    // The platform proves itself with its secret key. The reference's list of parameters has no `redirect_uri`.
    client: { id: "clientId", secret: "secretKey", by: "post", exchange: { omits: ["redirect_uri"] } },
    pkce: absent("Connect's reference has no parameters for it", OAUTH),
    // What is asked for where nothing is said depends on who asks, so it is always said.
    scopes: { standard: ["read_write"] },
    account({ answer }) {
      return accountIn("stripe.account", answer, "stripe_user_id");
    },
    refresh: absent("access tokens do not expire; refresh tokens only make ones of less scope or another mode", OAUTH),
    // An account is connected to a platform once, or not at all.
    kills: "account",
  },

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
      by: [CONNECTION, "stripe.account"],
      each: "identity",
      *run(order) {
        const { settings } = order;
        const identity = order.grant?.account ?? order.identity;
        if (settings.clientId === "") return unauthorized(noCall, "no Connect client id is set");
        const reply = yield postForm(
          at`https://connect.stripe.com/oauth/deauthorize`,
          bearer(settings.secretKey),
          [
            ["client_id", settings.clientId],
            ["stripe_user_id", identity.value],
          ],
          { expects: [401] },
        );
        return deauthorized(reply, identity.value);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          // Only a connection's own token shows it: what the platform's key sees of other accounts is not documented.
          if (order.identity.type !== CONNECTION) return "no_view";
          const key = bearer(grantOf(order).accessToken);
          const reply = yield get(at`https://api.stripe.com/v1/account`, key, { expects: [401] });
          if (reply.status === 401) return "absent";
          return reply.status === 200 ? "present" : unforeseen(reply);
        },
      },
    },
  },

  check: {
    source: "https://docs.stripe.com/keys/restricted-api-keys",
    shows:
      "the key reads customers, payments, invoices and charges; the rights to write and to redact are not shown before they are used",
    *run({ secretKey }) {
      const none = { customer: "cus_quittance_check" };
      for (const [address, right] of [
        [at`https://api.stripe.com/v1/customers?email=${{ email: NOBODY }}&limit=1`, "Customers"],
        [at`https://api.stripe.com/v1/payment_intents?customer=${none}&limit=1`, "Payment Intents"],
        [at`https://api.stripe.com/v1/invoices?customer=${none}&limit=1`, "Invoices"],
        [at`https://api.stripe.com/v1/charges?customer=${none}&limit=1`, "Charges"],
      ] as const) {
        const seen = yield* mayRead(address, right, bearer(secretKey));
        if (seen.finding !== "fine") return seen;
      }
      return fine;
    },
  },

  residuals: [],
  retainable: [BILLING],
  limits: { perSecond: 80, connections: 3 },
});

type StripeOrder = Order<typeof settings>;
const auth = ({ settings }: StripeOrder) => bearer(settings.secretKey);
const preview = (order: StripeOrder) => ({ ...auth(order), ...PREVIEW });

/**
 * Customers with this e-mail. The list is up to date but compares letter by letter; the search ignores case but may lag
 * a minute; so both are asked. https://docs.stripe.com/api/customers/list, https://docs.stripe.com/search#search-query-language
 */
function* customersOf(email: string, order: StripeOrder): Steps<Answer> {
  const ids = new Set<string>();
  const query = `email:'${email.replace(/[\\']/g, "\\$&")}'`;
  for (const list of [
    at`https://api.stripe.com/v1/customers?email=${{ email }}&limit=100`,
    at`https://api.stripe.com/v1/customers/search?query=${{ query }}&limit=100`,
  ]) {
    const customers = yield* toItsEnd(list, yield get(list, auth(order)), order, MAX_PAGES);
    if ("outcome" in customers) return customers;
    for (const { id } of customers) ids.add(id);
  }
  return found([...ids].map((value) => ({ type: "stripe.customer", value })));
}

/** Three lists of this many pages leave room within the calls that one run may make. */
const MAX_PAGES = 50;

/**
 * All that a list holds, from its first page on. A list goes on after its last object, a search at the page that it
 * names. What is longer than `mostPages` is for a person, because every attempt would begin at the top again.
 */
function* toItsEnd(
  list: Address,
  first: Reply,
  order: StripeOrder,
  mostPages: number,
): Steps<readonly Thing[] | Unforeseen> {
  const things: Thing[] = [];
  let reply = first;
  for (let pages = 1; ; pages++) {
    const page = read(reply, Page);
    if (!page.ok) return page.problem;
    const { data, has_more, next_page } = page.value;
    things.push(...data);
    if (!has_more) return things;
    if (pages === mostPages)
      return unforeseen(
        reply,
        `more than ${mostPages * 100} in one list: redact some in Stripe's Dashboard, then retry`,
      );
    const last = data.at(-1)?.id;
    if (next_page != null) reply = yield get(and(list, at`&page=${{ page: next_page }}`), auth(order));
    else if (last !== undefined) reply = yield get(and(list, at`&starting_after=${{ object: last }}`), auth(order));
    else return unforeseen(reply, "a list that says it goes on, but not where");
  }
}

const and = (list: Address, more: Address): Address => ({
  url: list.url + more.url,
  template: list.template + more.template,
});

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
  const gone = deleted(yield del(at`https://api.stripe.com/v1/customers/${{ customer }}`, auth(order)));
  if ((gone.outcome !== "erased" && gone.outcome !== "not_found") || records.count === 0) return gone;
  const residue = [{ type: "stripe.customer", value: customer }];
  if (order.keeps.has(BILLING)) return retained(BILLING, residue);
  const until = new Date((records.newest + REDACTABLE_AFTER_SECONDS) * 1000).toISOString();
  return notYet("recent_payments", residue, until, "Stripe redacts payments only when the last is 90 days old");
}

/** A 200 must say `deleted: true`. Unconfirmed: what a second deletion is answered with; the reference suggests this. */
function deleted(reply: Reply): Answer {
  if (isGone(reply)) return notFound;
  const gone = read(reply, Deleted);
  return gone.ok ? erased : gone.problem;
}

/** Each method that still says something is a call of its own, and all of them have to fit into one run. */
const MAX_METHOD_PAGES = 4;

/** An address that was emptied may come back as none, or as one whose every line is. What is missing is not known to be blank. */
const isBlank = (detail: string | Readonly<Record<string, unknown>> | null | undefined): boolean =>
  detail === null || (typeof detail === "object" && Object.values(detail).every((line) => line === null));

const BILLING_DETAILS = ["email", "name", "phone", "address"] as const;

/**
 * Saved payment methods outlive their customer, with the name and address on them, and are no record that a law keeps.
 * An empty value unsets a billing detail. https://docs.stripe.com/api/payment_methods/update
 */
function* emptyPaymentMethods(customer: string, order: StripeOrder): Steps<Answer | undefined> {
  const list = at`https://api.stripe.com/v1/customers/${{ customer }}/payment_methods?limit=100`;
  const reply = yield get(list, auth(order));
  if (isMissing(reply)) return undefined;
  const methods = yield* toItsEnd(list, reply, order, MAX_METHOD_PAGES);
  if ("outcome" in methods) return methods;
  for (const { id, billing_details } of methods) {
    // What an earlier attempt has emptied is done.
    if (BILLING_DETAILS.every((detail) => isBlank(billing_details?.[detail]))) continue;
    const address = at`https://api.stripe.com/v1/payment_methods/${{ method: id }}`;
    const blank = BILLING_DETAILS.map((detail): [string, string] => [`billing_details[${detail}]`, ""]);
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
    const page = read(reply, Page);
    if (!page.ok) return page.problem;
    // Lists come newest first, so the first page is enough for both answers.
    count += page.value.data.length;
    newest = Math.max(newest, page.value.data[0]?.created ?? 0);
  }
  return { count, newest };
}

/** The lists of a redaction job, by how Stripe's ids begin. Bank payments among the charges begin with `py_`. */
const LISTS: Readonly<Record<string, string>> = { pi: "payment_intents", ch: "charges", py: "charges", in: "invoices" };

function* redact(ids: readonly string[], order: StripeOrder): Steps<Answer> {
  const isCustomer = order.identity.type === "stripe.customer";
  const fields: [string, string][] = [];
  for (const id of ids) {
    const list = isCustomer ? "customers" : LISTS[id.split("_")[0] ?? ""];
    if (list === undefined) return unforeseen(noCall, "only ids of payments, charges and invoices can be named here");
    fields.push([`objects[${list}][]`, id]);
  }
  const step = ids.length === 1 ? `redact ${ids[0]}` : `redact ${ids.length} from ${ids[0]}`;
  const reply = yield postForm(
    at`https://api.stripe.com/v1/privacy/redaction_jobs`,
    { ...preview(order), "idempotency-key": order.idempotencyKey(step) },
    [...fields, ["validation_behavior", "fix"]],
  );
  if (!isMissing(reply)) return yield* followed(reply, order);
  // Unconfirmed: whether a job takes a customer that was deleted before. If not, what hangs off it is named itself.
  if (isCustomer) return yield* recordsAlone(ids[0] ?? "", order);
  // Which of several is missing is not said, so each gets a job of its own.
  return ids.length === 1 ? notFound : found(ids.map((value) => ({ type: "stripe.records", value })));
}

/** A redaction job takes at most ten objects. https://docs.stripe.com/privacy/redaction */
const MAX_OBJECTS = 10;

function* recordsAlone(customer: string, order: StripeOrder): Steps<Answer> {
  const ids: string[] = [];
  for (const list of listsOf(customer)) {
    const things = yield* toItsEnd(list, yield get(list, auth(order)), order, MAX_PAGES);
    if ("outcome" in things) return things;
    // A charge of a payment intent goes with it.
    const own = things.filter(({ id, payment_intent }) => !/^(ch|py)_/.test(id) || payment_intent == null);
    ids.push(...own.map(({ id }) => id));
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
  if (isGone(reply)) return "absent";
  const customer = read(reply, Customer);
  if (!customer.ok) return customer.problem;
  const { deleted, name, email, phone } = customer.value;
  const personal = [name, email, phone].filter((field) => field != null);
  const isRedacted = personal.length > 0 && personal.every((field) => field === "[redacted]");
  return deleted === true || isRedacted ? "absent" : "present";
}

/** An account that is not connected is answered with `invalid_client`, and so is a wrong client id: the text tells. */
function deauthorized(reply: Reply, account: string): Answer {
  if (reply.status === 200) {
    const said = read(reply, Deauthorized);
    if (!said.ok) return said.problem;
    return said.value.stripe_user_id === account ? revoked : unforeseen(reply, "another account was deauthorized");
  }
  const problem = readRefusal(reply, OAuthProblem);
  if (!problem.ok) return problem.problem;
  const { error, error_description = "" } = problem.value;
  return error === "invalid_client" && error_description.includes("not connected to stripe account")
    ? notFound
    : unforeseen(reply, "Stripe refused to deauthorize the account; check the Connect client id and the secret key");
}

const isGone = (reply: Reply): boolean => reply.status === 404 && isMissing(reply);

/** What a parameter names is missing with 400, what the path names with 404. */
function isMissing(reply: Reply): boolean {
  if (reply.status !== 404 && reply.status !== 400) return false;
  const problem = readRefusal(reply, Problem);
  return problem.ok && problem.value.error.code === "resource_missing";
}

/** A customer that is not there is no objection: what is asked is whether the key may ask. */
function* mayRead(address: Address, right: string, auth: ReturnType<typeof bearer>): Looks {
  const reply = yield get(address, auth);
  if (reply.status === 403) return lacksScope(reply, `the restricted key lacks: ${right}, read and write`);
  if (isMissing(reply)) return fine;
  const page = read(reply, Page);
  return page.ok ? fine : unclear(page.problem);
}
