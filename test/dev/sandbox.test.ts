import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ConnectionDropped,
  createSandbox,
  type Sandbox,
  serveSandbox,
  vendorListener,
} from "../../dev/sandbox/sandbox.ts";

const DAY_MS = 86_400_000;
const START = Date.parse("2026-11-21T12:00:00Z");
const KEY = "sk_test_shop";
const PREVIEW = "2026-07-29.preview";

let now: number;
let sandbox: Sandbox;
beforeEach(() => {
  now = START;
  sandbox = createSandbox({ now: () => now, random: () => 0.5 });
});

type Options = { headers?: Record<string, string>; form?: Record<string, string>; body?: string; signal?: AbortSignal };

function call(method: string, url: string, { headers, form, body, signal }: Options = {}): Promise<Response> {
  const sent = form ? new URLSearchParams(form).toString() : body;
  const type = form ? { "content-type": "application/x-www-form-urlencoded" } : undefined;
  return sandbox.fetch(
    new Request(url, {
      method,
      headers: { ...type, ...headers },
      ...(sent !== undefined && { body: sent }),
      ...(signal && { signal }),
    }),
  );
}

async function admin(method: string, path: string, body?: unknown): Promise<unknown> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await sandbox.admin(new Request(`http://sandbox${path}`, { method, ...sent }));
  expect(answer.ok, `${method} ${path} answered ${answer.status}`).toBe(true);
  return answer.status === 204 ? undefined : answer.json();
}

const seed = (body: object) => admin("POST", "/seed", body);
const stripe = (method: string, path: string, { headers, ...options }: Options = {}) =>
  call(method, `https://api.stripe.com/v1${path}`, {
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...options,
  });
const json = async (answer: Promise<Response>) => (await answer).json();

describe("routing and recording", () => {
  it("names a host that has no stand-in", async () => {
    const answer = await call("GET", "https://api.unknown.test/x");
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ host: "api.unknown.test" });
  });

  it("records what was asked, with headers, body and status, and lists it one request a line", async () => {
    await stripe("POST", "/customers/cus_1", { form: { name: "Ada" } });
    expect(sandbox.recorded()).toMatchObject([
      {
        vendor: "stripe",
        method: "POST",
        url: "https://api.stripe.com/v1/customers/cus_1",
        headers: { authorization: `Bearer ${KEY}` },
        body: "name=Ada",
        at: "2026-11-21T12:00:00.000Z",
        status: 404,
      },
    ]);
    const lines = await sandbox.admin(new Request("http://sandbox/requests.jsonl"));
    const [line = "", rest] = (await lines.text()).split("\n");
    expect(Object.keys(JSON.parse(line))).toEqual(["method", "url", "headers", "body"]);
    expect(rest).toBe("");
    await admin("DELETE", "/requests");
    expect(sandbox.recorded()).toEqual([]);
  });

  it("forgets everything on reset", async () => {
    await seed({ vendor: "stripe", customers: [{ id: "cus_1", email: "ada@example.com" }] });
    await admin("PUT", "/faults/stripe", { kind: "unforeseen" });
    await admin("POST", "/reset");
    expect(await admin("GET", "/holdings?text=ada@example.com")).toEqual([]);
    expect((await stripe("GET", "/customers")).status).toBe(200);
  });

  it("refuses a seed that does not fit, and one for an unknown vendor", async () => {
    const post = (body: string) => sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body }));
    expect((await post('{"vendor":"stripe","customers":[{}]}')).status).toBe(400);
    expect((await post('{"vendor":"acme"}')).status).toBe(404);
    expect((await post("{")).status).toBe(400);
  });

  it("shows an index page", async () => {
    const page = await sandbox.admin(new Request("http://sandbox/"));
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("PUT, DELETE /faults");
  });

  it("sets the clock", async () => {
    await admin("PUT", "/clock", { now: "2030-01-01T00:00:00Z" });
    expect(await admin("GET", "/clock")).toMatchObject({ now: expect.stringMatching(/^2030-01-01T00:00:0/) });
  });
});

describe("faults", () => {
  const list = () => stripe("GET", "/customers");
  const fault = (body: unknown, vendor = "stripe") => admin("PUT", `/faults/${vendor}`, body);
  beforeEach(() => seed({ vendor: "stripe", customers: [{ id: "cus_1", email: "ada@example.com" }] }));
  const held = async () => Object(await admin("GET", "/holdings")).stripe.customers.cus_1;

  it("limits the rate, with and without Retry-After, in each vendor's shape", async () => {
    await fault([{ kind: "rate_limited", retry_after_seconds: 7 }, { kind: "rate_limited" }]);
    const [first, second, third] = [await list(), await list(), await list()];
    expect([first.status, first.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(await first.json()).toMatchObject({ error: { code: "rate_limit" } });
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, null]);
    expect(third.status).toBe(200);
    await fault({ kind: "rate_limited", status: 400 }, "meta");
    const graph = await call("GET", "https://graph.facebook.com/v24.0/1/permissions");
    expect(graph.status).toBe(400);
    expect(await graph.json()).toMatchObject({ error: { code: 4, type: "OAuthException" } });
  });

  it.each([500, 502, 503] as const)("fails with %i in the vendor's shape until cleared", async (status) => {
    await fault({ kind: "server_error", status });
    expect((await list()).status).toBe(status);
    expect(await json(list())).toMatchObject({ error: { type: "api_error" } });
    await admin("DELETE", "/faults/stripe");
    expect((await list()).status).toBe(200);
  });

  it("keeps a stored server error under its idempotency key, as Stripe does", async () => {
    await fault({ kind: "server_error", stored: true, count: 1 });
    const again = () =>
      stripe("POST", "/customers/cus_1", { form: { name: "A" }, headers: { "idempotency-key": "k" } });
    expect((await again()).status).toBe(500);
    const replayed = await again();
    expect([replayed.status, replayed.headers.get("idempotent-replayed")]).toEqual([500, "true"]);
    expect(await held()).toMatchObject({ name: null });
  });

  it("hangs until its time is over or the caller gives up, with the effect or without", async () => {
    await fault([
      { kind: "timeout", ms: 5 },
      { kind: "timeout", effect: true },
    ]);
    await expect(stripe("DELETE", "/customers/cus_1")).rejects.toThrow(ConnectionDropped);
    expect(await held()).toMatchObject({ email: "ada@example.com" });
    await expect(stripe("DELETE", "/customers/cus_1", { signal: AbortSignal.timeout(20) })).rejects.toThrow();
    expect(await held()).toMatchObject({ deleted: true });
    expect(sandbox.recorded()).toMatchObject([
      { status: null, fault: "timeout" },
      { status: null, fault: "timeout" },
    ]);
  });

  it("drops the connection before or after the effect", async () => {
    await fault([{ kind: "drop_before" }, { kind: "drop_after" }]);
    await expect(stripe("DELETE", "/customers/cus_1")).rejects.toThrow(ConnectionDropped);
    expect(await held()).toMatchObject({ email: "ada@example.com" });
    await expect(stripe("DELETE", "/customers/cus_1")).rejects.toThrow(ConnectionDropped);
    expect(await held()).toMatchObject({ deleted: true });
  });

  it("answers with half a body, or with a proxy's page", async () => {
    await fault([{ kind: "malformed" }, { kind: "malformed", body: "html" }]);
    const cut = await list();
    expect(cut.status).toBe(200);
    await expect(cut.json()).rejects.toThrow(SyntaxError);
    const page = await list();
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  });

  it("answers late", async () => {
    await fault({ kind: "slow", ms: 30 });
    const before = performance.now();
    expect((await list()).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(25);
  });

  it("refuses credentials in each vendor's shape", async () => {
    for (const vendor of ["stripe", "meta", "openai", "first-party"]) await fault({ kind: "unauthorized" }, vendor);
    const urls = ["https://api.stripe.com/v1/customers", "https://graph.facebook.com/v24.0/1/permissions"];
    const others = ["https://api.openai.com/v1/files", "https://shop.example/hooks"];
    for (const url of [...urls, ...others]) expect((await call("GET", url)).status).toBe(401);
  });

  it("answers what nobody foresaw", async () => {
    await fault({ kind: "unforeseen" });
    expect((await list()).status).toBe(418);
  });

  it("hits only what matches, by chance if so told, and never the admin API", async () => {
    await fault({ kind: "unforeseen", match: "DELETE /v1/customers" });
    expect((await list()).status).toBe(200);
    expect((await stripe("DELETE", "/customers/cus_1")).status).toBe(418);
    await fault({ kind: "unforeseen", probability: 0.4 });
    expect((await list()).status).toBe(200);
    await fault({ kind: "unforeseen", probability: 0.6 });
    expect((await list()).status).toBe(418);
    expect(await held()).toMatchObject({ id: "cus_1" });
  });

  it("refuses a fault that it does not know", async () => {
    const put = new Request("http://sandbox/faults/stripe", { method: "PUT", body: '{"kind":"flood"}' });
    expect((await sandbox.admin(put)).status).toBe(400);
  });

  it("keeps to a quota of requests a second", async () => {
    await admin("PUT", "/quotas/stripe", { per_second: 2, retry_after_seconds: 1 });
    const statuses = [await list(), await list(), await list()].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
    now += 1000;
    expect((await list()).status).toBe(200);
  });
});

describe("over HTTP", () => {
  let served: Awaited<ReturnType<typeof serveSandbox>>;
  beforeEach(async () => {
    served = await serveSandbox(sandbox, 0);
  });
  afterEach(() => served.stop());
  const vendorCall = (url: string, init: RequestInit = {}) =>
    fetch(served.url, { ...init, headers: { ...init.headers, "x-original-url": url } });

  it("serves the admin API on 127.0.0.1, and vendor calls by their original URL", async () => {
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const body = JSON.stringify({ vendor: "openai", files: [{ id: "file-1", filename: "ada.txt" }] });
    expect((await fetch(`${served.url}/seed`, { method: "POST", body })).status).toBe(200);
    const url = "https://api.openai.com/v1/files/file-1";
    const gone = await vendorCall(url, { method: "DELETE", headers: { authorization: "Bearer sk-1" } });
    expect(await gone.json()).toEqual({ id: "file-1", object: "file", deleted: true });
    expect(sandbox.recorded()).toMatchObject([{ method: "DELETE", url, headers: { authorization: "Bearer sk-1" } }]);
    expect(sandbox.recorded()[0]?.headers).not.toHaveProperty("x-original-url");
  });

  it("routes plain vendor calls by their Host, as Miniflare's outbound service passes them on", async () => {
    const server = createServer(vendorListener(sandbox));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const status = await new Promise((resolve) => {
      const headers = { host: "api.openai.com", authorization: "Bearer sk-1" };
      get({ host: "127.0.0.1", port, path: "/v1/files?limit=1", headers }, (reply) =>
        resolve(reply.resume().statusCode),
      );
    });
    server.closeAllConnections();
    server.close();
    expect(status).toBe(200);
    expect(sandbox.recorded()).toMatchObject([{ url: "https://api.openai.com/v1/files?limit=1", status: 200 }]);
  });

  it("destroys the socket where the connection is to die", async () => {
    await admin("PUT", "/faults/openai", { kind: "drop_before" });
    await expect(vendorCall("https://api.openai.com/v1/files")).rejects.toThrow("fetch failed");
  });
});

describe("Stripe", () => {
  const ada = {
    id: "cus_ada",
    email: "ada@example.com",
    name: "Ada",
    payments: 1,
    payment_methods: 1,
    subscriptions: 1,
  };
  const preview = { "stripe-version": PREVIEW };
  beforeEach(() => seed({ vendor: "stripe", account: KEY, customers: [ada] }));

  it("knows each secret key as an account of its own, and refuses other keys", async () => {
    expect((await json(stripe("GET", "/customers?email=ada@example.com"))).data).toHaveLength(1);
    const other = { authorization: "Bearer sk_test_other" };
    expect((await json(stripe("GET", "/customers", { headers: other }))).data).toEqual([]);
    expect((await stripe("GET", "/customers/cus_ada", { headers: other })).status).toBe(404);
    const refused = await stripe("GET", "/customers", { headers: { authorization: "Bearer pk_live_1234" } });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(refused.headers.get("request-id")).toMatch(/^req_/);
    const basic = { authorization: `Basic ${btoa(`${KEY}:`)}` };
    expect((await stripe("GET", "/customers/cus_ada", { headers: basic })).status).toBe(200);
  });

  it("pages a list, newest first", async () => {
    const people = ["b", "c"].map((name, nth) => ({ id: `cus_${name}`, email: `${name}@example.com`, age_days: nth }));
    await seed({ vendor: "stripe", account: KEY, customers: people });
    const first = await json(stripe("GET", "/customers?limit=2"));
    expect(first).toMatchObject({ object: "list", url: "/v1/customers", has_more: true });
    expect(first.data.map(({ id }: { id: string }) => id)).toEqual(["cus_b", "cus_c"]);
    const second = await json(stripe("GET", "/customers?limit=2&starting_after=cus_c"));
    expect(second).toMatchObject({ has_more: false, data: [{ id: "cus_ada" }] });
    expect((await stripe("GET", "/customers?limit=200")).status).toBe(400);
    expect(await json(stripe("GET", "/customers?mail=x"))).toMatchObject({ error: { code: "parameter_unknown" } });
  });

  it("searches by email, whatever its case", async () => {
    const search = (query: string) => json(stripe("GET", `/customers/search?query=${encodeURIComponent(query)}`));
    expect(await search("email:'ADA@example.com'")).toMatchObject({
      object: "search_result",
      data: [{ id: "cus_ada" }],
    });
    expect((await search('email~"example"')).data).toHaveLength(1);
    expect((await search("email:'b@example.com'")).data).toEqual([]);
  });

  it("deletes a customer and its subscriptions, and keeps the payments' personal data", async () => {
    expect(await json(stripe("DELETE", "/customers/cus_ada"))).toEqual({
      id: "cus_ada",
      object: "customer",
      deleted: true,
    });
    expect(await json(stripe("GET", "/customers/cus_ada"))).toEqual({
      id: "cus_ada",
      object: "customer",
      deleted: true,
    });
    const again = await stripe("DELETE", "/customers/cus_ada");
    expect([again.status, await again.json()]).toMatchObject([404, { error: { code: "resource_missing" } }]);
    expect((await json(stripe("GET", "/customers?email=ada@example.com"))).data).toEqual([]);
    expect((await json(stripe("GET", "/subscriptions?customer=cus_ada"))).data).toEqual([]);
    expect((await json(stripe("GET", "/subscriptions?customer=cus_ada&status=all"))).data).toMatchObject([
      { status: "canceled" },
    ]);
    expect((await json(stripe("GET", "/charges?customer=cus_ada"))).data).toMatchObject([
      { receipt_email: "ada@example.com", billing_details: { name: "Ada" } },
    ]);
    expect(await admin("GET", "/holdings?text=ADA@example.com")).toEqual([
      "/stripe/payment_intents/pi_ada_1/receipt_email",
      "/stripe/charges/ch_ada_1/receipt_email",
      "/stripe/charges/ch_ada_1/billing_details/email",
      "/stripe/invoices/in_ada_1/customer_email",
      "/stripe/payment_methods/pm_ada_1/billing_details/email",
    ]);
  });

  it("tells of the deletion in an event of Stripe's shape", async () => {
    const heard: unknown[] = [];
    const stop = sandbox.onEvent((vendor, event) => heard.push([vendor, event]));
    await stripe("DELETE", "/customers/cus_ada");
    stop();
    const events = await admin("GET", "/events?vendor=stripe");
    expect(events).toMatchObject([
      { type: "customer.subscription.deleted" },
      { object: "event", type: "customer.deleted", data: { object: { id: "cus_ada", email: "ada@example.com" } } },
    ]);
    expect(heard).toHaveLength(2);
  });

  it("updates a customer, and replays the first result of an idempotency key", async () => {
    const update = (name: string) =>
      stripe("POST", "/customers/cus_ada", { form: { name }, headers: { "idempotency-key": "key-1" } });
    expect(await json(update("Ada L."))).toMatchObject({ name: "Ada L." });
    expect((await update("Ada L.")).headers.get("idempotent-replayed")).toBe("true");
    const other = await update("Someone else");
    expect([other.status, await other.json()]).toMatchObject([400, { error: { type: "idempotency_error" } }]);
    now += DAY_MS;
    expect(await json(update("Someone else"))).toMatchObject({ name: "Someone else" });
  });

  it("lists what hangs off a customer", async () => {
    for (const kind of ["payment_intents", "charges", "invoices", "subscriptions"])
      expect((await json(stripe("GET", `/${kind}?customer=cus_ada`))).data, kind).toHaveLength(1);
    expect((await json(stripe("GET", "/customers/cus_ada/payment_methods"))).data).toHaveLength(1);
    expect((await stripe("GET", "/charges?customer=cus_none")).status).toBe(400);
    expect((await stripe("GET", "/nothing")).status).toBe(404);
  });

  describe("redaction jobs", () => {
    const jobs = (method: string, path = "", form?: Record<string, string>) =>
      stripe(method, `/privacy/redaction_jobs${path}`, { headers: preview, ...(form && { form }) });
    const create = async (customer: string, behavior = "fix") =>
      json(jobs("POST", "", { "objects[customers][]": customer, validation_behavior: behavior }));
    const read = async (id: string) => (await json(jobs("GET", `/${id}`))).status;

    it("redact a customer and all that hangs off it, one step each time they are read", async () => {
      const { id, status } = await create("cus_ada");
      expect([status, await read(id), await read(id), await read(id)]).toEqual([
        "created",
        "validating",
        "ready",
        "ready",
      ]);
      expect((await json(jobs("POST", `/${id}/run`))).status).toBe("redacting");
      expect(await read(id)).toBe("succeeded");
      expect(await admin("GET", "/holdings?text=ada@example.com")).toEqual([]);
      expect(await json(stripe("GET", "/customers/cus_ada"))).toMatchObject({
        email: "[redacted]",
        name: "[redacted]",
      });
      const expanded = await json(jobs("GET", `/${id}?expand[]=objects`));
      expect(expanded).toMatchObject({ objects: { customers: ["cus_ada"], charges: null } });
    });

    it("fail on a transaction of the last 90 days, and can be validated again later", async () => {
      const young = { id: "cus_young", email: "young@example.com", payments: [{ age_days: 10 }] };
      await seed({ vendor: "stripe", account: KEY, customers: [young] });
      const { id } = await create("cus_young");
      expect([await read(id), await read(id)]).toEqual(["validating", "failed"]);
      const job = await json(jobs("GET", `/${id}`));
      expect(job.validation_errors.data).toContainEqual(
        expect.objectContaining({
          code: "invalid_state",
          erroring_object: { id: "pi_young_1", object_type: "payment_intent" },
        }),
      );
      expect((await json(jobs("GET", `/${id}/validation_errors`))).data).toHaveLength(3);
      expect((await jobs("POST", `/${id}/run`)).status).toBe(400);
      now += 80 * DAY_MS;
      expect((await json(jobs("POST", `/${id}/validate`))).status).toBe("validating");
      expect(await read(id)).toBe("ready");
      expect((await jobs("POST", `/${id}/validate`)).status).toBe(400);
      expect((await json(jobs("POST", `/${id}/cancel`))).status).toBe("canceling");
      expect(await read(id)).toBe("canceled");
    });

    it("fail where something would need a fix and none was asked for", async () => {
      const { id } = await create("cus_ada", "error");
      expect([await read(id), await read(id)]).toEqual(["validating", "failed"]);
      await jobs("POST", `/${id}`, { validation_behavior: "fix" });
      await jobs("POST", `/${id}/validate`);
      expect(await read(id)).toBe("ready");
    });

    it("reach what was detached before", async () => {
      const method = await json(stripe("POST", "/payment_methods/pm_ada_1/detach"));
      expect(method).toMatchObject({ id: "pm_ada_1", customer: null });
      const { id } = await create("cus_ada");
      await read(id);
      await read(id);
      await jobs("POST", `/${id}/run`);
      await read(id);
      expect(await admin("GET", "/holdings?text=ada@example.com")).toEqual([]);
    });

    it("fail on objects that an earlier job holds, and on a deleted customer", async () => {
      await create("cus_ada");
      const second = await create("cus_ada");
      await read(second.id);
      expect(await read(second.id)).toBe("failed");
      await seed({ vendor: "stripe", account: KEY, customers: [{ id: "cus_gone", email: "gone@example.com" }] });
      await stripe("DELETE", "/customers/cus_gone");
      const third = await create("cus_gone");
      await read(third.id);
      expect(await read(third.id)).toBe("failed");
    });

    it("move with the clock when so set", async () => {
      await admin("PUT", "/stripe/settings", { pace: { seconds: 60 } });
      const { id } = await create("cus_ada");
      expect(await read(id)).toBe("created");
      now += 60_000;
      expect(await read(id)).toBe("validating");
      now += 60_000;
      expect((await json(jobs("GET", "?status=ready"))).data).toMatchObject([{ id }]);
      await jobs("POST", `/${id}/run`);
      now += 60_000;
      expect(await admin("GET", "/holdings?text=ada@example.com")).toEqual([]);
    });

    it("take at most ten objects that exist, and need a preview version", async () => {
      const many = Object.fromEntries(
        Array.from({ length: 11 }, (_, nth) => [`objects[customers][${nth}]`, "cus_ada"]),
      );
      expect((await jobs("POST", "", many)).status).toBe(400);
      expect((await jobs("POST", "", { "objects[customers][]": "cus_none" })).status).toBe(400);
      expect((await jobs("POST", "", {})).status).toBe(400);
      expect((await stripe("GET", "/privacy/redaction_jobs")).status).toBe(404);
    });
  });

  describe("Connect", () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const deauthorize = (form: Record<string, string>) =>
      call("POST", "https://connect.stripe.com/oauth/deauthorize", { headers, form });
    const form = { client_id: "ca_1", stripe_user_id: "acct_1" };
    beforeEach(() => seed({ vendor: "stripe", connected: [{ id: "acct_1", client_id: "ca_1", platform: KEY }] }));

    it("ends a connection once, and then says that there is none", async () => {
      expect(await json(deauthorize(form))).toEqual({ stripe_user_id: "acct_1" });
      const again = await deauthorize(form);
      expect([again.status, await again.json()]).toMatchObject([401, { error: "invalid_client" }]);
      expect(await admin("GET", "/events?vendor=stripe")).toMatchObject([
        { type: "account.application.deauthorized", account: "acct_1", data: { object: { id: "ca_1" } } },
      ]);
    });

    it("acts on a connected account only while it is connected", async () => {
      await seed({ vendor: "stripe", account: "acct_1", customers: [{ id: "cus_c", email: "c@example.com" }] });
      const there = { headers: { "stripe-account": "acct_1" } };
      expect((await stripe("GET", "/customers/cus_c", there)).status).toBe(200);
      expect((await stripe("GET", "/customers/cus_c")).status).toBe(404);
      await deauthorize(form);
      expect((await stripe("GET", "/customers/cus_c", there)).status).toBe(403);
    });
  });
});

describe("Meta", () => {
  const graph = (method: string, path: string, token = "app1|shh") =>
    call(method, `https://graph.facebook.com${path}`, { headers: { authorization: `Bearer ${token}` } });
  beforeEach(() =>
    seed({ vendor: "meta", account: "app1", secret: "shh", grants: [{ user_id: "1001", token: "EAAada" }] }),
  );

  it("revokes a grant once with the app's token", async () => {
    expect(await json(graph("DELETE", "/v24.0/1001/permissions"))).toEqual({ success: true });
    const again = await graph("DELETE", "/v24.0/1001/permissions");
    expect(again.status).toBe(400);
    expect(await again.json()).toEqual({
      error: {
        message: "Error validating access token: The user has not authorized application app1.",
        type: "OAuthException",
        code: 190,
        error_subcode: 458,
        fbtrace_id: expect.any(String),
      },
    });
    expect(await admin("GET", "/holdings")).toMatchObject({ meta: { grants: { app1: {} } } });
    expect(await json(graph("DELETE", "/v24.0/9/permissions"))).toMatchObject({
      error: { code: 100, error_subcode: 33 },
    });
  });

  it("revokes one permission and shows it as declined", async () => {
    expect(await json(graph("DELETE", "/v24.0/1001/permissions/email"))).toEqual({ success: true });
    expect(await json(graph("GET", "/v24.0/1001/permissions"))).toEqual({
      data: [
        { permission: "public_profile", status: "granted" },
        { permission: "email", status: "declined" },
      ],
    });
    expect((await graph("DELETE", "/v24.0/1001/permissions/user_posts")).status).toBe(400);
  });

  it("takes the token as a parameter too, a user's for that user only, and refuses others", async () => {
    expect((await call("GET", "https://graph.facebook.com/1001/permissions?access_token=app1%7Cshh")).status).toBe(200);
    expect((await graph("GET", "/v24.0/me/permissions", "EAAada")).status).toBe(200);
    for (const token of ["app1|wrong", "EAAnobody"])
      expect(await json(graph("GET", "/v24.0/1001/permissions", token))).toMatchObject({ error: { code: 190 } });
    expect(await json(call("GET", "https://graph.facebook.com/1001/permissions"))).toMatchObject({
      error: { code: 104 },
    });
  });

  it("inspects a token before and after the grant was removed", async () => {
    const inspect = async () => (await json(graph("GET", "/v24.0/debug_token?input_token=EAAada"))).data;
    expect(await inspect()).toMatchObject({
      app_id: "app1",
      user_id: "1001",
      is_valid: true,
      scopes: ["public_profile", "email"],
    });
    await graph("DELETE", "/v24.0/me/permissions", "EAAada");
    expect(await inspect()).toMatchObject({ is_valid: false, error: { code: 190, subcode: 458 } });
  });
});

describe("OpenAI", () => {
  const openai = (method: string, path: string) =>
    call(method, `https://api.openai.com/v1${path}`, { headers: { authorization: "Bearer sk-proj-1" } });
  const held = async () => Object(await admin("GET", "/holdings")).openai;
  beforeEach(() =>
    seed({
      vendor: "openai",
      account: "sk-proj-1",
      files: [1, 2, 3].map((nth) => ({ id: `file-${nth}`, filename: `${nth}.txt`, content: "ada@example.com" })),
      vector_stores: [{ id: "vs_1", name: "notes", files: ["file-1", "file-2"] }],
      responses: [{ id: "resp_1", content: "Hello Ada" }],
      conversations: [{ id: "conv_1", items: ["one", "two", "three"] }],
      chat_completions: [{ id: "chatcmpl-1", metadata: { subject: "u1" } }, { id: "chatcmpl-2" }],
    }),
  );

  it.each([
    ["/files/file-3", "file"],
    ["/vector_stores/vs_1", "vector_store.deleted"],
    ["/responses/resp_1", "response"],
    ["/conversations/conv_1", "conversation.deleted"],
    ["/chat/completions/chatcmpl-1", "chat.completion.deleted"],
  ])("deletes %s once", async (path, object) => {
    const id = path.split("/").at(-1);
    expect(await json(openai("GET", path))).toMatchObject({ id });
    expect(await json(openai("DELETE", path))).toEqual({ id, object, deleted: true });
    for (const method of ["GET", "DELETE"]) {
      const answer = await openai(method, path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
      expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error", code: null } });
    }
  });

  it("takes a deleted file out of every vector store, and leaves the files of a deleted store", async () => {
    await openai("DELETE", "/files/file-1");
    expect((await json(openai("GET", "/vector_stores/vs_1/files"))).data).toMatchObject([{ id: "file-2" }]);
    await openai("DELETE", "/vector_stores/vs_1");
    expect((await openai("GET", "/files/file-2")).status).toBe(200);
  });

  it("detaches a file from a store and leaves it", async () => {
    const detached = await json(openai("DELETE", "/vector_stores/vs_1/files/file-2"));
    expect(detached).toEqual({ id: "file-2", object: "vector_store.file.deleted", deleted: true });
    expect((await openai("DELETE", "/vector_stores/vs_1/files/file-2")).status).toBe(404);
    expect((await openai("GET", "/files/file-2")).status).toBe(200);
  });

  it("keeps the items of a deleted conversation, unless they were deleted first", async () => {
    const { data, first_id } = await json(openai("GET", "/conversations/conv_1/items?order=asc"));
    expect([data.length, data[0].id]).toEqual([3, first_id]);
    expect(await json(openai("DELETE", `/conversations/conv_1/items/${first_id}`))).toMatchObject({
      id: "conv_1",
      object: "conversation",
    });
    await openai("DELETE", "/conversations/conv_1");
    expect((await openai("GET", "/conversations/conv_1/items")).status).toBe(404);
    expect(Object.keys((await held()).conversation_items)).toHaveLength(2);
  });

  it("pages with `after`, and filters completions by metadata", async () => {
    const first = await json(openai("GET", "/files?limit=2"));
    expect(first).toMatchObject({ object: "list", has_more: true, first_id: "file-3", last_id: "file-2" });
    expect(first.data[0]).not.toHaveProperty("content");
    expect(await json(openai("GET", "/files?limit=2&after=file-2"))).toMatchObject({
      has_more: false,
      last_id: "file-1",
    });
    const mine = await json(openai("GET", "/chat/completions?metadata[subject]=u1"));
    expect(mine.data).toMatchObject([{ id: "chatcmpl-1" }]);
    expect((await openai("GET", "/responses")).status).toBe(404);
  });

  it("lets a response go after 30 days, unless a conversation holds it", async () => {
    const account = "sk-proj-1";
    await seed({ vendor: "openai", account, responses: [{ id: "resp_2", conversation: "conv_1" }] });
    now += 30 * DAY_MS;
    expect(Object.keys((await held()).responses)).toEqual(["resp_2"]);
  });

  it("refuses a missing key and one of the wrong form", async () => {
    expect((await call("GET", "https://api.openai.com/v1/files")).status).toBe(401);
    const wrong = call("GET", "https://api.openai.com/v1/files", { headers: { authorization: "Bearer nope" } });
    expect(await json(wrong)).toMatchObject({ error: { code: "invalid_api_key" } });
  });
});

describe("Mixpanel", () => {
  const TOKEN = "591b3354bb2bdd96f72f23bf56911673";
  const mixpanel = (method: string, path: string, body?: object, { host = "eu.mixpanel.com", token = TOKEN } = {}) =>
    call(method, `https://${host}/api/app/data-deletions/v3.0${path}?token=${token}`, {
      headers: { authorization: "Bearer oauth-1", "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
  const begin = async (...distinct_ids: string[]) =>
    String((await json(mixpanel("POST", "/", { distinct_ids, compliance_type: "GDPR" }))).results.task_id);
  const status = async (job: string) => (await json(mixpanel("GET", `/${job}`))).results.status;
  const held = () => admin("GET", "/holdings?text=ada@example.com");
  const set = (settings: object) => admin("PUT", "/mixpanel/settings", settings);
  beforeEach(() =>
    seed({
      vendor: "mixpanel",
      account: TOKEN,
      residency: "EU",
      oauth_token: "oauth-1",
      users: [
        { distinct_id: "u-1", profile: { $email: "ada@example.com" }, events: ["Signed in", "Signed out"] },
        { distinct_id: "$device:d-1", events: ["Page viewed"] },
      ],
    }),
  );

  it("deletes events and profile of each id that a job names, a day a step", async () => {
    const job = await begin("u-1", "nobody");
    for (const expected of ["PENDING", "STAGING", "STARTED", "SUCCESS", "SUCCESS"]) {
      expect(await status(job)).toBe(expected);
      expect(await held()).toHaveLength(expected === "SUCCESS" ? 0 : 1);
      now += DAY_MS;
    }
    expect(Object(await admin("GET", "/holdings")).mixpanel.events[TOKEN]).toEqual([
      { event: "Page viewed", properties: { distinct_id: "$device:d-1" } },
    ]);
  });

  it("tells of a job as the description does, with its time in UTC", async () => {
    const job = await begin("u-1");
    expect(await json(mixpanel("GET", `/${job}`))).toEqual({
      status: "ok",
      results: {
        tracking_id: job,
        status: "PENDING",
        requesting_user: expect.any(String),
        compliance_type: "gdpr",
        project_id: 1,
        date_requested: "2026-11-21T12:00:00.000000",
        distinct_ids: ["u-1"],
      },
    });
  });

  it("moves with each reading when so set, fails when so set, and tells of a new job in the guide's shape", async () => {
    await set({ pace: "per_read", ends: "FAILURE", created: "tracking_id" });
    const made = await mixpanel("POST", "/", { distinct_ids: ["u-1"] });
    expect(made.status).toBe(201);
    const { results } = (await made.json()) as { results: { tracking_id: string; status: string }[] };
    expect(results).toMatchObject([{ status: "PENDING" }]);
    const job = results[0]?.tracking_id ?? "";
    expect([await status(job), await status(job), await status(job)]).toEqual(["STAGING", "STARTED", "FAILURE"]);
    expect(await held()).not.toEqual([]);
  });

  it("refuses ids whose job is not over, and names ids and jobs", async () => {
    const job = await begin("u-1");
    const again = await mixpanel("POST", "/", { distinct_ids: ["u-1", "u-2"] });
    expect([again.status, await again.json()]).toMatchObject([
      409,
      { status: "error", error: { conflicting_distinct_ids: ["u-1"], conflicting_task_ids: [job] } },
    ]);
    now += 3 * DAY_MS;
    expect(await begin("u-1", "u-2")).not.toBe(job);
  });

  it("cancels a job until it has started", async () => {
    const [early, late] = [await begin("u-1"), await begin("u-2")];
    expect((await mixpanel("DELETE", `/${early}`)).status).toBe(204);
    expect(await status(early)).toBe("REVOKED");
    now += 2 * DAY_MS;
    expect((await mixpanel("DELETE", `/${late}`)).status).toBe(405);
  });

  it("knows no job of another project, and no project of another region or with another token", async () => {
    await seed({ vendor: "mixpanel", account: "0".repeat(32), residency: "EU" });
    const job = await begin("u-1");
    const other = await json(mixpanel("GET", `/${job}`, undefined, { token: "0".repeat(32) }));
    expect(other.results.status).toBe("NOT_FOUND");
    expect((await mixpanel("GET", `/${job}`, undefined, { host: "mixpanel.com" })).status).toBe(403);
    expect((await mixpanel("GET", `/${job}`, undefined, { token: "1".repeat(32) })).status).toBe(403);
    await seed({ vendor: "mixpanel", account: TOKEN, residency: "EU", oauth_token: "oauth-2" });
    const refused = await mixpanel("GET", `/${job}`);
    expect([refused.status, await refused.json()]).toMatchObject([401, { status: "error", error: expect.any(String) }]);
  });

  it("refuses what is no list of ids, and more than one call takes", async () => {
    expect((await mixpanel("POST", "/", { distinct_ids: "u-1" })).status).toBe(400);
    const many = Array.from({ length: 2000 }, (_, index) => `u-${index}`);
    expect((await mixpanel("POST", "/", { distinct_ids: many })).status).toBe(400);
    expect((await mixpanel("POST", "/", { distinct_ids: many.slice(1) })).status).toBe(201);
  });
});

describe("the Gemini API", () => {
  const KEY_OF_A_PROJECT = "AIza-dev-0123456789abcdef";
  const gemini = (method: string, path: string, key = KEY_OF_A_PROJECT) =>
    call(method, `https://generativelanguage.googleapis.com/v1beta${path}`, { headers: { "x-goog-api-key": key } });
  beforeEach(() =>
    seed({
      vendor: "gemini",
      account: KEY_OF_A_PROJECT,
      files: [{ id: "f-1", display_name: "ada.txt" }],
      cached_contents: [{ id: "c-1", display_name: "ada" }],
      file_search_stores: [{ id: "s-1", display_name: "notes", documents: ["d-1", "d-2"] }],
      interactions: [{ id: "v1_1", output: "Hello Ada" }],
    }),
  );

  it.each([
    ["/files/f-1", 403, "PERMISSION_DENIED"],
    ["/cachedContents/c-1", 403, "PERMISSION_DENIED"],
    ["/fileSearchStores/s-1/documents/d-1", 404, "NOT_FOUND"],
    ["/interactions/v1_1", 404, "NOT_FOUND"],
  ])("deletes %s once, and then knows nothing of it: %i", async (path, status, code) => {
    expect((await gemini("GET", path)).status).toBe(200);
    expect(await json(gemini("DELETE", path))).toEqual({});
    for (const method of ["GET", "DELETE"]) {
      const answer = await gemini(method, path);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ error: { code: status, status: code } });
    }
  });

  it("deletes a store with documents only by force, and the documents with it", async () => {
    expect(await json(gemini("DELETE", "/fileSearchStores/s-1"))).toMatchObject({
      error: { status: "FAILED_PRECONDITION" },
    });
    expect((await json(gemini("GET", "/fileSearchStores/s-1/documents?pageSize=1"))).documents).toHaveLength(1);
    expect(await json(gemini("DELETE", "/fileSearchStores/s-1?force=true"))).toEqual({});
    expect(Object((await admin("GET", "/holdings")) ?? {}).gemini.documents).toEqual({});
  });

  it("lets a cached content go after an hour and a file after 48", async () => {
    now += 3_600_000;
    expect([(await gemini("GET", "/cachedContents/c-1")).status, (await gemini("GET", "/files/f-1")).status]).toEqual([
      403, 200,
    ]);
    now += 47 * 3_600_000;
    expect(await json(gemini("GET", "/files"))).toEqual({});
  });

  it("shows another project nothing, and refuses a missing key and one of the wrong form", async () => {
    expect((await gemini("GET", "/files/f-1", "AIza-dev-another-project-1")).status).toBe(403);
    expect((await gemini("GET", "/files/f-1", "nope")).status).toBe(400);
    expect((await call("GET", "https://generativelanguage.googleapis.com/v1beta/files")).status).toBe(403);
  });
});

describe("a customer's own endpoint", () => {
  const secret = `whsec_${btoa("a secret of twenty-four bytes")}`;
  const data = { request: "req_1", task: "task_1", identities: [{ type: "email", value: "ada@example.com" }] };
  const erasure = { type: "erasure.requested", timestamp: "2026-11-21T12:00:00Z", data };
  const people = [
    { id: "u1", identities: [{ type: "email", value: "ada@example.com" }], data: { name: "Ada" } },
    { id: "u2", identities: [], objects: [{ type: "order", id: "o-7" }] },
    { id: "u3", identities: [{ type: "email", value: "bob@example.com" }] },
  ];
  beforeEach(() => seed({ vendor: "first-party", host: "api.shop.example", secret, people }));

  const deliver = (id: string, body: object, signedAt = now, key = secret) => {
    const text = JSON.stringify(body);
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(signedAt / 1000)),
      "webhook-signature": `v1a,ignored v1,AAAA ${new Webhook(key).sign(id, new Date(signedAt), text)}`,
    };
    return call("POST", "https://api.shop.example/quittance", { headers, body: text });
  };
  const held = async (): Promise<string[]> =>
    Object.keys(Object(await admin("GET", "/holdings")).first_party["api.shop.example"].people);

  it("echoes a signed challenge", async () => {
    const answer = await deliver("msg_1", { type: "endpoint.verification", timestamp: "", data: { challenge: "c-1" } });
    expect([answer.status, await answer.json()]).toEqual([200, { challenge: "c-1" }]);
  });

  it("refuses another key, an old or future timestamp, and a host without a secret", async () => {
    const other = `whsec_${btoa("another secret of many bytes")}`;
    expect((await deliver("msg_1", erasure, now, other)).status).toBe(401);
    for (const off of [-301_000, 301_000]) expect((await deliver("msg_1", erasure, now + off)).status).toBe(401);
    expect((await call("POST", "https://unseeded.example/", { body: "{}" })).status).toBe(401);
    expect(await held()).toEqual(["u1", "u2", "u3"]);
  });

  it("erases who matches by identity or object, once a webhook id", async () => {
    const answer = await deliver("msg_1", erasure);
    expect([answer.status, await answer.json()]).toEqual([200, { status: "done" }]);
    expect(await held()).toEqual(["u2", "u3"]);
    await seed({ vendor: "first-party", host: "api.shop.example", people: people.slice(0, 1) });
    expect((await deliver("msg_1", erasure)).status).toBe(200);
    expect(await held()).toContain("u1");
    await deliver("msg_2", {
      ...erasure,
      type: "closure.requested",
      data: { objects: [{ type: "order", id: "o-7" }] },
    });
    expect(await held()).not.toContain("u2");
    expect(await admin("GET", "/holdings?text=ada@example.com")).toEqual([
      "/first_party/api.shop.example/people/u1/identities/0/value",
    ]);
  });

  it("accepts now and erases later", async () => {
    await admin("PUT", "/first-party/api.shop.example", { mode: "accept" });
    const answer = await deliver("msg_1", erasure);
    expect([answer.status, await answer.json()]).toEqual([202, { status: "accepted" }]);
    expect(await held()).toContain("u1");
    expect(await admin("POST", "/first-party/api.shop.example/complete")).toEqual({
      completed: [{ webhook_id: "msg_1", request: "req_1", task: "task_1" }],
    });
    expect(await held()).not.toContain("u1");
    expect(await json(deliver("msg_1", erasure))).toEqual({ status: "done" });
  });

  it.each([
    ["gone", 410],
    ["refuse", 422],
  ])("answers in mode %s and erases nothing", async (mode, status) => {
    await admin("PUT", "/first-party/api.shop.example", { mode });
    expect((await deliver("msg_1", erasure)).status).toBe(status);
    expect(await held()).toHaveLength(3);
  });

  const items = ["p-1", "p-2"].map((id) => ({
    type: "post",
    id,
    source: "x/events",
    deleted_at: "2026-11-21T12:00:00Z",
  }));
  const deleted = { type: "content.deleted", timestamp: "2026-11-21T12:00:00Z", data: { batch: "ctb_1", items } };
  const copies = async (): Promise<string[]> =>
    Object(await admin("GET", "/holdings")).first_party["api.shop.example"].content;
  const content = ["p-1", "p-2", "p-3"].map((id) => ({ type: "post", id }));

  it("erases the copies of deleted content that a batch names, once", async () => {
    await seed({ vendor: "first-party", host: "api.shop.example", content });
    expect((await deliver("msg_ctb_1", deleted)).status).toBe(200);
    expect(await copies()).toEqual(["post p-3"]);
    await seed({ vendor: "first-party", host: "api.shop.example", content: content.slice(0, 1) });
    expect((await deliver("msg_ctb_1", deleted)).status).toBe(200);
    expect(await copies()).toEqual(["post p-3", "post p-1"]);
    expect(await held()).toHaveLength(3);
    const { received } = Object(await admin("GET", "/holdings")).first_party["api.shop.example"];
    expect(received[0]).toMatchObject({ type: "content.deleted", batch: "ctb_1", items: 2, status: 200 });
  });

  it.each([
    ["refuse", 422],
    ["gone", 410],
    ["accept", 202],
  ])("keeps its copies in mode %s", async (mode, status) => {
    await seed({ vendor: "first-party", host: "api.shop.example", mode, content });
    expect((await deliver("msg_ctb_1", deleted)).status).toBe(status);
    expect(await copies()).toHaveLength(3);
  });

  it("refuses a batch without an id, without items, or with more than a thousand", async () => {
    const many = Array.from({ length: 1001 }, () => items[0]);
    for (const data of [{ items }, { batch: "ctb_1" }, { batch: "ctb_1", items: many }])
      expect((await deliver("msg_ctb_1", { ...deleted, data })).status).toBe(400);
  });

  it("takes note of other events", async () => {
    expect((await deliver("msg_9", { type: "receipt.issued", timestamp: "", data: {} })).status).toBe(200);
    expect(await admin("GET", "/holdings")).toMatchObject({
      first_party: { "api.shop.example": { received: [{ webhook_id: "msg_9", type: "receipt.issued", status: 200 }] } },
    });
  });
});
