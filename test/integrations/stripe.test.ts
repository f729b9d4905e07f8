import { describe, expect, it } from "vitest";
import { stripe } from "../../integrations/stripe.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound, notYet, retained, revoked } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { proven } from "../support/proven.ts";

const { erase, revoke } = stripe.actions;
if (isAbsent(erase) || isBulk(erase) || isAbsent(revoke) || isBulk(revoke))
  throw new Error("Stripe can erase and revoke");
const { check, look } = erase;
if (check === undefined || look === undefined) throw new Error("Stripe's jobs and customers can be looked at");

const settings = { secretKey: "sk_test_1", webhookSecret: "whsec_1", clientId: "ca_1" };
const order = (type: string, value: string, keeps: readonly string[] = []) =>
  orderFor(settings, { type, value }, { keeps: new Set(keeps) });
const customer = { type: "stripe.customer", value: "cus_1" };
const RECENT = Date.parse("2026-11-01T12:00:00Z") / 1000;
const OLD = Date.parse("2026-01-01T12:00:00Z") / 1000;

const list = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { data: ids.map((id) => ({ id })), has_more: false },
});
const made = (...created: readonly number[]): Played => ({
  status: 200,
  body: { data: created.map((at, index) => ({ id: `pi_${index}`, created: at })), has_more: false },
});
const job = (status: string): Played => ({
  status: 200,
  body: { id: "prj_1", object: "privacy.redaction_job", status },
});
const missing: Played = { status: 404, body: { error: { type: "invalid_request_error", code: "resource_missing" } } };
const ok: Played = { status: 200, body: { id: "x", object: "x" } };
const gone: Played = { status: 200, body: { id: "cus_1", object: "customer", deleted: true } };
const lines = (calls: readonly Call[]) =>
  calls.map(({ method, at }) => `${method} ${at.url.replace("https://api.stripe.com/v1", "")}`);
const form = (call: Call | undefined) => Object.fromEntries(new URLSearchParams(call?.body ?? ""));

describe("finding a person's customers at Stripe", () => {
  it("asks the list, which is current, and the search, which ignores case, and finds each once", () => {
    const { calls, outcome } = play(erase.run(order("email", "Ada@example.com")), [
      list("cus_1", "cus_2"),
      list("cus_2", "cus_3"),
    ]);
    expect(calls.map(({ at }) => new URL(at.url).pathname)).toEqual(["/v1/customers", "/v1/customers/search"]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["cus_1", "cus_2", "cus_3"].map((value) => ({ type: "stripe.customer", value })),
    });
  });

  it("[I4] changes nothing while it searches", () => {
    const { calls } = play(erase.run(order("email", "ada@example.com")), [list("cus_1"), list()]);
    expect(calls.every(({ method }) => method === "GET")).toBe(true);
  });

  it("reads the list to its end", () => {
    const more: Played = { status: 200, body: { data: [{ id: "cus_1" }], has_more: true } };
    const { calls, outcome } = play(erase.run(order("email", "ada@example.com")), [more, list("cus_2"), list()]);
    expect(new URL(calls[1]?.at.url ?? "").searchParams.get("starting_after")).toBe("cus_1");
    expect(outcome).toMatchObject({ identities: [{ value: "cus_1" }, { value: "cus_2" }] });
  });

  it.each([
    ["o'brien@example.com", "email:'o\\'brien@example.com'"],
    ["a\\b@example.com", "email:'a\\\\b@example.com'"],
    ["x' OR email:'y@example.com", "email:'x\\' OR email:\\'y@example.com'"],
  ])("escapes %s in the search", (email, query) => {
    const { calls } = play(erase.run(order("email", email)), [list(), list()]);
    expect(new URL(calls[1]?.at.url ?? "").searchParams.get("query")).toBe(query);
  });

  it("reads the search to its end, by the pages that it names", () => {
    const more: Played = { status: 200, body: { data: [{ id: "cus_1" }], has_more: true, next_page: "p/2" } };
    const { calls, outcome } = play(erase.run(order("email", "ada@example.com")), [list(), more, list("cus_2")]);
    expect(new URL(calls[2]?.at.url ?? "").searchParams.get("page")).toBe("p/2");
    expect(calls[2]?.at.template).toContain("page={page}");
    expect(outcome).toMatchObject({ identities: [{ value: "cus_1" }, { value: "cus_2" }] });
  });

  it("[I4] says nothing when a list goes on for ever, or does not say where it goes on", () => {
    const endless: Played = { status: 200, body: { data: [{ id: "cus_1" }], has_more: true } };
    const { calls, outcome } = play(erase.run(order("email", "ada@example.com")), () => endless);
    expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("more than 5000") });
    expect(calls.length).toBeLessThan(400);
    const lost: Played = { status: 200, body: { data: [], has_more: true } };
    expect(play(erase.run(order("email", "ada@example.com")), [lost]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("says not found only when both find none", () => {
    expect(play(erase.run(order("email", "ada@example.com")), [list(), list()]).outcome).toEqual(notFound);
  });

  it("[I4] says nothing when the search is refused", () => {
    const { outcome } = play(erase.run(order("email", "ada@example.com")), [
      list(),
      { status: 400, body: { error: {} } },
    ]);
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("erasing a customer at Stripe", () => {
  const erasing = (keeps: readonly string[] = []) => erase.run(order("stripe.customer", "cus_1", keeps));

  it("deletes a customer without payments, and that is all", () => {
    const { calls, outcome } = play(erasing(), [list(), list(), list(), list(), gone]);
    expect(lines(calls)).toEqual([
      "GET /payment_intents?customer=cus_1&limit=100",
      "GET /invoices?customer=cus_1&limit=100",
      "GET /charges?customer=cus_1&limit=100",
      "GET /customers/cus_1/payment_methods?limit=100",
      "DELETE /customers/cus_1",
    ]);
    expect(outcome).toEqual(erased);
  });

  it("finds a customer that does not exist by the 404 of its deletion", () => {
    expect(play(erasing(), [missing, missing, missing, missing, missing]).outcome).toEqual(notFound);
  });

  it("[I9] deletes the customer and keeps the payments that the policy keeps, with what finds them on their day", () => {
    for (const created of [RECENT, OLD]) {
      const { calls, outcome } = play(erasing(["billing_records"]), [made(created), list(), list(), list(), gone]);
      expect(lines(calls).at(-1)).toBe("DELETE /customers/cus_1");
      expect(outcome).toEqual(retained("billing_records", [customer]));
    }
  });

  it("[I9] still owes the payments of a customer that was deleted before", () => {
    expect(play(erasing(["billing_records"]), [made(OLD), list(), list(), list(), missing]).outcome).toEqual(
      retained("billing_records", [customer]),
    );
  });

  it("[I9] puts recent payments off until the last is ninety days old", () => {
    const { calls, outcome } = play(erasing(), [made(RECENT, OLD), list(), list(), list(), gone]);
    expect(lines(calls).at(-1)).toBe("DELETE /customers/cus_1");
    expect(outcome).toEqual(
      notYet(
        "recent_payments",
        [customer],
        new Date((RECENT + 90 * 86_400) * 1000).toISOString(),
        "Stripe redacts payments only when the last is 90 days old",
      ),
    );
  });

  it("counts from the newest of payments, invoices and charges", () => {
    for (const lists of [
      [made(RECENT), made(OLD), made(OLD)],
      [made(OLD), made(RECENT), made(OLD)],
      [made(OLD), made(OLD), made(RECENT)],
    ])
      expect(play(erasing(), [...lists, list(), gone]).outcome).toMatchObject({
        notBefore: { until: new Date((RECENT + 90 * 86_400) * 1000).toISOString() },
      });
  });

  it("redacts from the very second in which the last payment is ninety days old", () => {
    const attemptedAt = new Date((OLD + 90 * 86_400) * 1000).toISOString();
    const before = new Date((OLD + 90 * 86_400) * 1000 - 1).toISOString();
    const on = { ...order("stripe.customer", "cus_1"), attemptedAt };
    expect(play(erase.run(on), [made(OLD), list(), list(), job("created")]).outcome).toEqual(accepted("prj_1", 30));
    expect(
      play(erase.run({ ...on, attemptedAt: before }), [made(OLD), list(), list(), list(), gone]).outcome,
    ).toMatchObject({
      category: "recent_payments",
    });
  });

  it("redacts old payments by a job under the preview version, while the customer is still there", () => {
    const { calls, outcome } = play(erasing(), [made(OLD), list(), list(), job("created")]);
    expect(lines(calls).at(-1)).toBe("POST /privacy/redaction_jobs");
    expect(calls.at(-1)?.headers).toMatchObject({
      "stripe-version": "2026-07-29.preview",
      "idempotency-key": "key redact cus_1",
    });
    expect(form(calls.at(-1))).toEqual({ "objects[customers][]": "cus_1", validation_behavior: "fix" });
    expect(outcome).toEqual(accepted("prj_1", 30));
  });

  it("empties saved payment methods first, because they outlive their customer", () => {
    const { calls, outcome } = play(erasing(), [list(), list(), list(), list("pm_1", "pm_2"), ok, ok, gone]);
    expect(lines(calls).slice(-3)).toEqual([
      "POST /payment_methods/pm_1",
      "POST /payment_methods/pm_2",
      "DELETE /customers/cus_1",
    ]);
    expect(form(calls[4])).toEqual({
      "billing_details[email]": "",
      "billing_details[name]": "",
      "billing_details[phone]": "",
      "billing_details[address]": "",
    });
    expect(calls[4]?.headers).toMatchObject({ "idempotency-key": "key empty pm_1" });
    expect(outcome).toEqual(erased);
  });

  it("[I10] leaves more saved payment methods than one run can empty to a person, before it empties any", () => {
    const ids = Array.from({ length: 100 }, (_, index) => ({ id: `pm_${index}` }));
    const { calls, outcome } = play(erasing(), ({ at }) =>
      at.url.includes("payment_methods") ? { status: 200, body: { data: ids, has_more: true } } : list(),
    );
    expect(calls.every(({ method }) => method === "GET")).toBe(true);
    expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("more than 400") });
  });

  it("[I4] takes only a deletion that says so, and only the vendor's own word for a customer that is gone", () => {
    for (const reply of [ok, { status: 404, body: { error: { message: "Unrecognized request URL" } } }])
      expect(play(erasing(), [list(), list(), list(), list(), reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I3] leaves the payment methods alone that an earlier attempt has emptied", () => {
    const empty = { email: null, name: null, phone: null, address: null };
    const data = [
      { id: "pm_1", billing_details: empty },
      { id: "pm_2", billing_details: { ...empty, name: "Ada" } },
    ];
    const methods: Played = { status: 200, body: { data, has_more: false } };
    const { calls } = play(erasing(), [list(), list(), list(), methods, ok, gone]);
    expect(lines(calls).slice(-2)).toEqual(["POST /payment_methods/pm_2", "DELETE /customers/cus_1"]);
  });

  it("goes on past a payment method that is gone", () => {
    expect(play(erasing(), [list(), list(), list(), list("pm_1"), missing, gone]).outcome).toEqual(erased);
  });

  it("[I4] does not delete a customer whose payment methods could not be emptied", () => {
    const { calls, outcome } = play(erasing(), [
      list(),
      list(),
      list(),
      list("pm_1"),
      { status: 402, body: { error: {} } },
    ]);
    expect(calls.some(({ method }) => method === "DELETE")).toBe(false);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 402 });
  });

  it("[I4] does not leave the payment methods beyond the first page as they are", () => {
    const many: Played = { status: 200, body: { data: [{ id: "pm_1" }], has_more: true } };
    const { calls, outcome } = play(erasing(), ({ method, at }) => {
      if (method === "DELETE") return gone;
      if (method === "POST") return ok;
      if (!at.url.includes("payment_methods")) return list();
      return at.url.includes("starting_after=pm_1") ? list("pm_2") : many;
    });
    const emptied = lines(calls).filter((line) => line.startsWith("POST"));
    expect({ emptied: emptied.length, outcome }).not.toEqual({ emptied: 1, outcome: erased });
  });

  it("names what hangs off a deleted customer in jobs of at most ten, when a job does not take the customer", () => {
    const payments = Array.from({ length: 11 }, (_, index) => `pi_${index}`);
    const charges: Played = {
      status: 200,
      body: {
        data: [
          { id: "ch_1", payment_intent: "pi_1" },
          { id: "ch_2", payment_intent: null },
        ],
        has_more: false,
      },
    };
    const { outcome } = play(erasing(), [made(OLD), list(), list(), missing, list(...payments), list("in_1"), charges]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: [
        { type: "stripe.records", value: payments.slice(0, 10).join(",") },
        { type: "stripe.records", value: "pi_10,in_1,ch_2" },
      ],
    });
  });

  it("[I4] does not lose the later pages of what hangs off a deleted customer", () => {
    const first: Played = { status: 200, body: { data: [{ id: "pi_1" }], has_more: true } };
    const { outcome } = play(erasing(), ({ method, at }, index) => {
      if (method === "POST") return missing;
      if (index < 3) return made(OLD);
      if (!at.url.includes("payment_intents")) return list();
      return at.url.includes("starting_after=pi_1") ? list("pi_2") : first;
    });
    expect(outcome).toMatchObject({ identities: [{ value: "pi_1,pi_2" }] });
  });

  it("redacts records by a job that names each in its own list", () => {
    const { calls, outcome } = play(erase.run(order("stripe.records", "pi_1,in_1,ch_1")), [job("validating")]);
    expect([...new URLSearchParams(calls[0]?.body ?? "")]).toEqual([
      ["objects[payment_intents][]", "pi_1"],
      ["objects[invoices][]", "in_1"],
      ["objects[charges][]", "ch_1"],
      ["validation_behavior", "fix"],
    ]);
    expect(outcome).toEqual(accepted("prj_1", 30));
  });

  it("[I4] does not call ten records not found because one of them is missing", () => {
    const several = play(erase.run(order("stripe.records", "pi_1,in_2")), () => missing);
    expect(several.outcome).toEqual({
      outcome: "found",
      identities: ["pi_1", "in_2"].map((value) => ({ type: "stripe.records", value })),
    });
    const one = play(erase.run(order("stripe.records", "pi_1")), [missing]);
    expect(one.outcome).toEqual(notFound);
    const keys = [several, one].map(({ calls }) => calls[0]?.headers["idempotency-key"]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it("[I4] names no record of which it does not know the kind", () => {
    for (const value of ["evt_1", "pi_1,ada@example.com", "pi_1,", ","]) {
      const { outcome } = play(erase.run(order("stripe.records", value)), []);
      expect(outcome).toMatchObject({ outcome: "unforeseen", status: 0, what: expect.not.stringContaining("ada") });
    }
  });

  it("takes a bank payment for the charge that it is", () => {
    const { calls } = play(erase.run(order("stripe.records", "py_1")), [job("created")]);
    expect(form(calls[0])).toMatchObject({ "objects[charges][]": "py_1" });
  });

  it("[I4] does not delete a customer whose payments it could not list", () => {
    const { calls, outcome } = play(erasing(), [{ status: 403, body: { error: { message: "no permission" } } }]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 403 });
  });
});

describe("following a redaction job at Stripe", () => {
  const checking = (...replies: readonly Played[]) =>
    play(check.call(erase, "prj_1", order("stripe.customer", "cus_1")), replies);

  it.each([
    ["created", 30],
    ["validating", 30],
    ["redacting", 300],
  ])("asks again about one that is %s", (status, seconds) => {
    expect(checking(job(status)).outcome).toEqual(accepted("prj_1", seconds));
  });

  it("runs one that is ready, once, and asks again", () => {
    const { calls, outcome } = checking(job("ready"), job("redacting"));
    expect(lines(calls)).toEqual(["GET /privacy/redaction_jobs/prj_1", "POST /privacy/redaction_jobs/prj_1/run"]);
    expect(calls[1]?.headers).toMatchObject({
      "idempotency-key": "key run prj_1",
      "stripe-version": "2026-07-29.preview",
    });
    expect(outcome).toEqual(accepted("prj_1", 300));
  });

  it("is done when it has succeeded, and not before", () => {
    expect(checking(job("succeeded")).outcome).toEqual(erased);
  });

  const failed = (...codes: readonly string[]): Played => ({
    status: 200,
    body: { data: codes.map((code) => ({ code })) },
  });

  it("says why one has failed", () => {
    const { outcome } = checking(job("failed"), failed("invalid_state", "too_many_objects", "invalid_state"), ok);
    expect(outcome).toMatchObject({
      outcome: "unforeseen",
      what: "Stripe could not validate the redaction: invalid_state, too_many_objects",
    });
  });

  it("validates again one whose objects another job has locked", () => {
    const { calls, outcome } = checking(job("failed"), failed("locked_by_other_job"), job("validating"));
    expect(lines(calls).at(-1)).toBe("POST /privacy/redaction_jobs/prj_1/validate");
    expect(outcome).toEqual(accepted("prj_1", 300));
  });

  it("cancels one that failed on a deleted customer, and names the records themselves", () => {
    const { calls, outcome } = checking(
      job("failed"),
      failed("invalid_state"),
      gone,
      job("canceled"),
      list("pi_1"),
      list(),
      list(),
    );
    expect(lines(calls)).toContain("POST /privacy/redaction_jobs/prj_1/cancel");
    expect(outcome).toEqual({ outcome: "found", identities: [{ type: "stripe.records", value: "pi_1" }] });
  });

  it.each(["canceled", "canceling"])("says that one was %s", (status) => {
    expect(checking(job(status)).outcome).toMatchObject({
      outcome: "unforeseen",
      what: expect.stringContaining("canceled"),
    });
  });

  it("[I4] claims nothing on a state that is not documented, or of a job that is gone", () => {
    expect(checking(job("done")).outcome).toMatchObject({ outcome: "unforeseen" });
    expect(checking(missing).outcome).toMatchObject({ outcome: "unforeseen", status: 404 });
  });
});

describe("looking again at Stripe", () => {
  const seen = (reply: Played) => play(look.run(order("stripe.customer", "cus_1")), [reply]).outcome;
  const shown = (fields: object): Played => ({ status: 200, body: { id: "cus_1", object: "customer", ...fields } });

  it("finds a deleted customer absent, although it answers 200", () => {
    expect(seen(gone)).toBe("absent");
  });

  it("finds a redacted customer absent", () => {
    expect(seen(shown({ email: "[redacted]", name: "[redacted]", phone: "[redacted]" }))).toBe("absent");
  });

  it.each([{ email: "ada@example.com" }, { name: "Ada", email: null }, { email: "[redacted]", name: "Ada" }])(
    "finds a customer with %o present",
    (fields) => {
      expect(seen(shown(fields))).toBe("present");
    },
  );

  it("[I4] finds a customer that is there and is not deleted present, even if it has neither name nor e-mail", () => {
    expect(seen(shown({ email: null, name: null, phone: "+442079460000" }))).toBe("present");
    expect(seen(shown({ email: null, name: null, phone: null }))).toBe("present");
    expect(seen(shown({}))).toBe("present");
  });

  it("finds a customer absent whose fields are redacted as far as it has any", () => {
    expect(seen(shown({ email: "[redacted]", name: null }))).toBe("absent");
    expect(seen(shown({ email: "[redacted]", name: "[redacted] " }))).toBe("present");
  });

  it("finds a customer that Stripe does not know absent, by Stripe's own word only", () => {
    expect(seen(missing)).toBe("absent");
    for (const reply of [
      { status: 404, body: { error: { message: "Unrecognized request URL" } } },
      { ...missing, status: 400 },
      { status: 200, body: { deleted: true } },
      { status: 200, body: { id: "acct_1", object: "account", deleted: true } },
      { ...gone, status: 202 },
    ])
      expect(seen(reply)).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] sees nothing in a refusal", () => {
    expect(seen({ status: 403, body: { error: { type: "invalid_request_error" } } })).toMatchObject({
      outcome: "unforeseen",
    });
  });

  it("cannot look at payments and invoices", () => {
    expect(play(look.run(order("stripe.records", "pi_1,in_1")), []).outcome).toBe("no_view");
  });
});

describe("revoking a connected account at Stripe", () => {
  const revoking = (reply: Played, clientId = "ca_1") =>
    play(revoke.run(orderFor({ ...settings, clientId }, { type: "stripe.account", value: "acct_1" })), [reply]);

  it("deauthorizes it with the platform's key", () => {
    const { calls, outcome } = revoking({ status: 200, body: { stripe_user_id: "acct_1" } });
    expect(calls[0]).toMatchObject({ method: "POST", at: { url: "https://connect.stripe.com/oauth/deauthorize" } });
    expect(form(calls[0])).toEqual({ client_id: "ca_1", stripe_user_id: "acct_1" });
    expect(outcome).toEqual(revoked);
  });

  it("takes an account that is not connected for no grant", () => {
    const body = {
      error: "invalid_client",
      error_description: "This application is not connected to stripe account acct_1, or that account does not exist.",
    };
    expect(revoking({ status: 401, body }).outcome).toEqual(notFound);
  });

  it("[I4] does not take a wrong client id for an absent grant", () => {
    const body = { error: "invalid_client", error_description: "No such application: 'ca_1'" };
    expect(revoking({ status: 401, body }).outcome).not.toEqual(notFound);
  });

  it("[I4] does not take a client id that was never set for an absent grant", () => {
    const steps = revoke.run(orderFor({ ...settings, clientId: "" }, { type: "stripe.account", value: "acct_1" }));
    expect(play(steps, []).outcome).toEqual({
      outcome: "unauthorized",
      status: 0,
      what: "no Connect client id is set",
    });
  });

  it("[I4] does not take a 200 that names no account, or another, for a revocation", () => {
    for (const body of ["<html>OK</html>", {}, { stripe_user_id: "acct_2" }])
      expect(revoking({ status: 200, body }).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] claims nothing on any other refusal", () => {
    expect(revoking({ status: 400, body: { error: "invalid_request" } }).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });
});

describe("what Stripe tells us", () => {
  const { hooks } = stripe;
  if (isAbsent(hooks)) throw new Error("Stripe has hooks");
  const read = (event: object) =>
    hooks.events?.read(proven(JSON.stringify({ id: "evt_1", created: 1_700_000_000, ...event })));

  it("[I3] knows the deletion of a customer by the customer, because two events may tell of it", () => {
    const event = { type: "customer.deleted", data: { object: { id: "cus_1" } } };
    const first = read(event);
    const second = read({ ...event, id: "evt_2", created: 1_700_000_001 });
    expect(first).toMatchObject({ ok: true, value: [{ id: "customer.deleted:cus_1" }] });
    expect(second).toMatchObject({ ok: true, value: [{ id: "customer.deleted:cus_1" }] });
  });

  it("takes the account that left from the event, not from its object", () => {
    expect(
      read({ type: "account.application.deauthorized", account: "acct_1", data: { object: { id: "ca_1" } } }),
    ).toEqual({
      ok: true,
      value: [
        {
          id: "evt_1",
          name: "account.application.deauthorized",
          signals: [
            { type: "deauthorized", identity: { type: "stripe.account", value: "acct_1" }, at: 1_700_000_000_999 },
          ],
        },
      ],
    });
  });

  it("reads the time of a thin event, which is text", () => {
    const event = { type: "customer.deleted", created: "2026-01-01T00:00:00.000Z", data: { object: { id: "cus_1" } } };
    expect(read(event)).toMatchObject({ value: [{ signals: [{ at: Date.parse("2026-01-01T00:00:00Z") }] }] });
  });

  it("hears other events without a signal", () => {
    expect(read({ type: "invoice.paid", data: { object: { id: "in_1" } } })).toEqual({
      ok: true,
      value: [{ id: "evt_1", name: "invoice.paid", signals: [] }],
    });
  });

  it("hears an event about something without an id, such as a thin one, without a signal", () => {
    expect(read({ type: "balance.available", data: { object: { object: "balance" } } })).toEqual({
      ok: true,
      value: [{ id: "evt_1", name: "balance.available", signals: [] }],
    });
  });

  it("[I5] does not read the deletion of a customer without an id, nor a time beyond all dates", () => {
    const refused = (at: string) => ({ ok: false, problem: { reason: "unreadable", at } });
    for (const data of [undefined, {}, { object: {} }, { object: { id: null } }])
      expect(read({ type: "customer.deleted", data })).toEqual(refused("data.object.id"));
    for (const created of [8_640_000_000_000, 1e300, -1, 1.5])
      expect(read({ type: "invoice.paid", created })).toEqual(refused("created"));
    expect(read({ type: "v2.core.event_destination.ping", data: {} })).toMatchObject({ value: [{ signals: [] }] });
  });

  it("reports a redaction job's events under their own ids, without a signal", () => {
    expect(read({ type: "privacy.redaction_job.ready", data: { object: { id: "prj_1" } } })).toMatchObject({
      value: [{ id: "evt_1", signals: [] }],
    });
  });
});

describe("connections", () => {
  it("deauthorizes the account that was connected, with the platform's own key", () => {
    const settings = { secretKey: "sk_test_0123456789", webhookSecret: "", clientId: "ca_0123456789" };
    const account = { type: "stripe.account", value: "acct_7" };
    const grant = { accessToken: "sk_test_ofacct7", refreshToken: "rt_7", scopes: [], account };
    const order = orderFor(settings, { type: "connection", value: "con_1" }, { grant });
    const { calls, outcome } = play(revoke.run(order), [{ status: 200, body: { stripe_user_id: "acct_7" } }]);
    expect(outcome).toEqual(revoked);
    expect(new URLSearchParams(calls[0]?.body).get("stripe_user_id")).toBe("acct_7");
    expect(calls[0]?.headers.authorization).toBe("Bearer sk_test_0123456789");
  });
});
