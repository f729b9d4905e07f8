import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway } from "../../dev/gateway.ts";
import { dump } from "../support/dump.ts";
import {
  customerDeleted,
  metaCallback,
  type RequestShape,
  signedRequest,
  startWorld,
  stripeDelivery,
  type World,
} from "../support/world.ts";

const SLUG = "cloutmetrics";

/** What must be refused changes nothing, loses nothing and tells nothing. */
describe("bad input and bad weather, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  const form = (body: string, headers: Record<string, string> = {}, path = `/hooks/${SLUG}/facebook/data-deletion`) =>
    fetch(`${world.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body,
    });
  const secret = () => world.setting(SLUG, "facebook", "appSecret");
  const genuine = (user = "1000000009999") => signedRequest(secret(), user, world.gateway.now());

  /** The store, when the work of earlier tests has come to rest: four looks in a row see the same. */
  const quiet = async (): Promise<ReadonlyMap<string, string>> => {
    let before = await dump(world);
    for (let same = 0; same < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      const now = await dump(world);
      same = JSON.stringify([...now]) === JSON.stringify([...before]) ? same + 1 : 0;
      before = now;
    }
    return before;
  };

  /** Runs it, and shows that the store is to the letter what it was. */
  const unchanged = async (act: () => Promise<Response>): Promise<{ status: number; text: string }> => {
    const before = await quiet();
    const reply = await act();
    const text = await reply.text();
    expect(await dump(world)).toEqual(before);
    return { status: reply.status, text };
  };

  it("[I5] answers unknown tenant, unknown subprocessor, unknown endpoint and wrong signature alike", async () => {
    const body = `signed_request=${genuine()}`;
    const wrong = `signed_request=${signedRequest("0".repeat(32), "1", world.gateway.now())}`;
    const replies = [
      await unchanged(() => form(wrong)),
      await unchanged(() => form(body, {}, "/hooks/nobody/facebook/data-deletion")),
      await unchanged(() => form(body, {}, `/hooks/${SLUG}/nothing/data-deletion`)),
      await unchanged(() => form(body, {}, `/hooks/${SLUG}/facebook/nothing`)),
      await unchanged(() => form(body, {}, `/hooks/${SLUG}/product`)),
      await unchanged(() => form(body, {}, `/hooks/${SLUG}/__proto__/data-deletion`)),
      await unchanged(() => form(body, {}, `/hooks/${SLUG}/constructor`)),
    ];
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(replies[0]?.status).toBe(401);
  });

  it("carries the same security headers at every answer, whoever makes it", async () => {
    const names = ["content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options"];
    const answers = [
      await fetch(`${world.url}/healthz`),
      await fetch(`${world.url}/nothing/here`),
      await form("signed_request="),
      await form(`signed_request=${genuine()}`, {}, `/hooks/${SLUG}/facebook/deauthorize`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401, 200]);
    const seen = answers.map(({ headers }) => names.map((name) => headers.get(name)).join("\n"));
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toContain("nosniff");
  });

  it.each([
    ["no field", ""],
    ["an empty field", "signed_request="],
    ["no dot", "signed_request=abc"],
    ["a signature that is not base64url", "signed_request=%2B%2B.e30"],
    ["two of them", "signed_request=a.b&signed_request=c.d"],
    ["bytes that are not UTF-8", "signed_request=%ff%fe.%ff"],
  ])("[I5] refuses a form with %s", async (_, body) => {
    expect((await unchanged(() => form(body))).status).toBe(401);
  });

  it("[I5] refuses signed rubbish with what was expected, keeps it sealed for an operator, and replays it once understood", async () => {
    const key = world.key(SLUG);
    const odd = signedRequest(secret(), "", world.gateway.now(), { secretly: "ada@example.com" });
    const replies = [await form(`signed_request=${odd}`), await form(`signed_request=${odd}`)];
    for (const reply of replies) {
      expect(reply.status).toBe(422);
      const text = await reply.text();
      expect(text).toContain("user_id");
      expect(text).not.toContain("ada@example.com");
    }
    const listed = await world.api("GET", "/v1/deliveries", key);
    const kept = (listed.body as { deliveries: { id: string; at: string; endpoint: string }[] }).deliveries;
    expect(kept).toMatchObject([{ subprocessor: "facebook", endpoint: "data-deletion", at: "user_id" }]);
    expect(JSON.stringify([...(await dump(world))])).not.toContain("ada@example.com");
    const [{ id } = { id: "" }] = kept;
    const opened = await world.api("GET", `/v1/deliveries/${id}`, key);
    expect(JSON.stringify(opened.body)).toContain("ada@example.com");
    expect((await world.api("POST", `/v1/deliveries/${id}/replay`, key)).status).toBe(409);
    const other = world.key("isocial-track");
    expect((await world.api("GET", `/v1/deliveries/${id}`, other)).status).toBe(404);
    expect((await world.api("DELETE", `/v1/deliveries/${id}`, other)).status).toBe(404);
    expect((await world.api("DELETE", `/v1/deliveries/${id}`, key)).status).toBe(204);
    expect((await world.api("GET", `/v1/deliveries/${id}`, key)).status).toBe(404);
  });

  it("[I5] refuses another algorithm, whatever it is signed with", async () => {
    const odd = signedRequest(secret(), "77", world.gateway.now(), { algorithm: "none" });
    expect((await unchanged(() => form(`signed_request=${odd}`))).status).toBe(401);
  });

  it("[I10] refuses what is too large, whatever length it claims", async () => {
    const { status, text } = await unchanged(() => form(`signed_request=${"a".repeat(1_100_000)}`));
    expect(status).toBe(413);
    expect(text).toContain("1048576");
  });

  it("refuses other methods and content types by name", async () => {
    expect((await unchanged(() => fetch(`${world.url}/hooks/${SLUG}/facebook/data-deletion`))).status).toBe(405);
    expect((await unchanged(() => form("x", { "content-type": "text/html" }))).status).toBe(415);
  });

  it("[I5] refuses a Stripe delivery that is stale, from the future, or signed with another secret", async () => {
    const event = customerDeleted("evt_x", "cus_x", world.gateway.now());
    const now = world.gateway.now();
    expect((await unchanged(() => stripeDelivery(world, SLUG, event, { at: now - 301_000 }))).status).toBe(401);
    expect((await unchanged(() => stripeDelivery(world, SLUG, event, { at: now + 310_000 }))).status).toBe(401);
    expect((await unchanged(() => stripeDelivery(world, SLUG, event, { secret: "whsec_other" }))).status).toBe(401);
  });

  it("acknowledges a genuine event that means nothing here, opens nothing, and counts it", async () => {
    const event = { ...customerDeleted("evt_y", "cus_y", world.gateway.now()), type: "invoice.paid" };
    const key = world.key(SLUG);
    const requests = async () => (await world.api("GET", "/v1/requests", key)).body;
    const before = await requests();
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    expect((await stripeDelivery(world, SLUG, { ...event, id: "evt_z" })).status).toBe(202);
    await quiet();
    expect(await requests()).toEqual(before);
    expect((await world.api("GET", "/v1/deliveries/ignored", key)).body).toEqual({
      days: 30,
      events: [{ source: "stripe/events", event: "invoice.paid", count: 2 }],
    });
  });

  it("[I3] opens one request for a delivery that comes ten times at once", async () => {
    const signed = genuine("1000000008888");
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => metaCallback(world, SLUG, "data-deletion", signed)),
    );
    const answers = await Promise.all(replies.map((reply) => reply.text()));
    expect(new Set(answers).size).toBe(1);
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    expect(
      (body as { requests: { source: string }[] }).requests.filter(({ source }) => source === "facebook/data-deletion"),
    ).toHaveLength(1);
  });

  it("[I1] answers 503 at every way in while the store is away, and the same delivery later succeeds once", async () => {
    const user = "1000000007777";
    const signed = genuine(user);
    const event = customerDeleted("evt_outage", "cus_outage", world.gateway.now());
    const key = world.key(SLUG);
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "idempotency-key": "outage-1",
    };
    const post = () =>
      fetch(`${world.url}/v1/requests`, {
        method: "POST",
        headers,
        body: JSON.stringify({ type: "erasure", identities: [{ type: "email", value: "nia@example.com" }] }),
      });
    world.redis.outage(true);
    const during = [
      await metaCallback(world, SLUG, "data-deletion", signed),
      await stripeDelivery(world, SLUG, event),
      await post(),
      await fetch(`${world.url}/healthz`),
    ];
    world.redis.outage(false);
    expect(during.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(during[0]?.headers.get("retry-after")).toBe("30");
    expect((await metaCallback(world, SLUG, "data-deletion", signed)).status).toBe(200);
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    expect((await post()).status).toBe(202);
    expect((await post()).status, "and not twice").toBe(200);
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });

  it("names each member of a document that does not fit, and changes nothing", async () => {
    const key = world.key(SLUG);
    const put = (path: string, body: unknown) =>
      unchanged(() =>
        fetch(`${world.url}${path}`, {
          method: "PUT",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      );
    const misspelt = await put("/v1/subprocessors/stripe", {
      integration: "stripe",
      settings: { secretKey: "sk_test_1", webhookSekret: "whsec_1" },
    });
    expect(misspelt.status).toBe(422);
    expect(JSON.parse(misspelt.text).errors[0]).toMatchObject({
      field: "settings",
      expected: expect.stringContaining("webhookSekret"),
    });
    expect(misspelt.text).not.toContain("sk_test_1");
    expect((await put("/v1/subprocessors/stripe", { integration: "stripee", settings: {} })).text).toContain("one of");
    expect((await put("/v1/policy", { zone: "Mars/Olympus" })).text).toContain("IANA");
    expect((await put("/v1/polizy", {})).text).toContain("There is no such route here.");
    expect((await put("/v1/policy", { grace: 3 })).text).toContain("grace");
    expect((await put("/v1/subjects/x", { identities: [{ type: "email" }] })).text).toContain("identities.0.value");
  });

  it("refuses what would be taken and do nothing, or something else than it says", async () => {
    const call = (method: string, path: string, body: unknown) => world.api(method, path, world.key(SLUG), body);
    const known = { type: "email", value: "ada@example.com" };
    const hold = { reason: "a claim", review_at: "2099-01-01T00:00:00Z" };
    const retention = { category: "billing_records", keep: { years: 7 }, ground: "legal_obligation", law: "a law" };
    const cases: readonly (readonly [string, string, object, string])[] = [
      ["POST", "/v1/requests", { type: "erasure", identities: [known], scope: "stripe" }, "scope"],
      ["POST", "/v1/requests", { type: "erasure", identities: [known], grace_days: 14 }, "grace_days"],
      ["POST", "/v1/holds", { ...hold, subprocessors: ["strpe"] }, "subprocessors.0"],
      ["POST", "/v1/holds", { ...hold, review_at: "2020-01-01T00:00:00Z" }, "review_at"],
      ["PUT", "/v1/policy", { retention: [{ ...retention, category: "bling_records" }] }, "retention.0.category"],
      ["PUT", "/v1/subjects/fut", { identities: [{ ...known, since: "2099-01-01T00:00:00Z" }] }, "identities.0.since"],
    ];
    for (const [method, path, body, field] of cases) {
      const { status, body: said } = await call(method, path, body);
      expect(status, path).toBe(422);
      expect(said, path).toMatchObject({ errors: [{ field }] });
    }
    const { version: _, ...before } = (await call("GET", "/v1/policy", undefined)).body as Record<string, unknown>;
    const odd = { retention: [{ ...retention, subprocessors: ["strippe"] }], authority: { "stripe/nope": {} } };
    const taken = await call("PUT", "/v1/policy", { ...before, ...odd });
    expect(taken.body).toMatchObject({
      warnings: [{ field: "retention.0.subprocessors.0" }, { field: "authority.stripe/nope" }],
    });
    expect((await call("PUT", "/v1/policy", before)).body).not.toHaveProperty("warnings");
  });

  it("refuses identities that nobody could look with, and a subject that nobody has named", async () => {
    const key = world.key(SLUG);
    const ask = async (body: object) => {
      const { status, body: answer } = await world.api("POST", "/v1/requests", key, { type: "erasure", ...body });
      return { status, field: (answer as { errors?: { field: string }[] }).errors?.[0]?.field };
    };
    expect(await ask({ identities: [{ type: "e-mail", value: "gil@example.com" }] })).toEqual({
      status: 422,
      field: "identities.0.type",
    });
    expect(await ask({ identities: [{ type: "email", value: "gil" }] })).toEqual({
      status: 422,
      field: "identities.0.value",
    });
    expect(await ask({ subject: "nobody" })).toEqual({ status: 422, field: "subject" });
  });

  it("[I13] refuses an endpoint that is not public, or that does not answer the signed challenge", async () => {
    const key = world.key(SLUG);
    const secretOf = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const put = async (url: string) =>
      world.api("PUT", "/v1/subprocessors/shadow", key, {
        integration: "first-party",
        settings: { url, secret: secretOf },
      });
    for (const url of [
      "http://a.example/x",
      "https://127.0.0.1/x",
      "https://[::1]/x",
      "https://localhost/x",
      "https://a.example:8443/x",
      "https://2130706433/x",
      "https://x.internal/",
      "https://u:p@a.example/",
    ])
      expect((await put(url)).status, url).toBe(422);
    const refused = await put("https://unknown.example/x");
    expect(refused.status).toBe(422);
    expect((refused.body as { type: string }).type).toContain("endpoint_refused");
    expect((await world.api("GET", "/v1/subprocessors/shadow", key)).status).toBe(404);
  });

  it("[I6] keeps tenants apart: keys, requests, receipts and status codes of one are nothing to another", async () => {
    const ann = await world.person(SLUG, "ann");
    const opened = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: ann.id });
    const closed = await world.closed(SLUG, (opened.body as RequestShape).id);
    const other = world.key("socra");
    for (const path of [`/v1/requests/${closed.id}`, `/v1/receipts/${closed.id}`, `/v1/log/proofs/${closed.id}`])
      expect((await world.api("GET", path, other)).status, path).toBe(404);
    const steering = {
      cancel: {},
      retry: {},
      release: {},
      "tasks/stripe.erase/complete": { outcome: "erased", reason: "x" },
    };
    for (const [path, body] of Object.entries(steering))
      expect((await world.api("POST", `/v1/requests/${closed.id}/${path}`, other, body)).status, path).toBe(404);
    const code = closed.status_url.split("/").at(-1) ?? "";
    expect((await fetch(`${world.url}/status/${code}`)).status).toBe(200);
    for (const guess of [
      `${code.slice(0, -1)}a`,
      code.slice(0, -16),
      closed.id.slice(4),
      `14${code.slice(2)}`,
      "x",
      "a".repeat(300),
    ])
      if (guess !== code) expect((await fetch(`${world.url}/status/${guess}`)).status, guess).toBe(404);
    const forged = world.key("socra").replace(/qk_\w+?_/, "qk_1_");
    expect((await world.api("GET", "/v1/policy", forged)).status).toBe(401);
    expect((await world.api("POST", "/v1/tenants", world.key(SLUG), { slug: "mine", name: "x" })).status).toBe(401);
  });

  it("[I6] lets a key do no more than its role", async () => {
    const made = await world.api("POST", "/v1/keys", world.key(SLUG), { role: "read" });
    const reader = (made.body as { api_key: string }).api_key;
    expect((await world.api("GET", "/v1/requests", reader)).status).toBe(200);
    expect((await world.api("POST", "/v1/requests", reader, { type: "erasure", subject: "x" })).status).toBe(403);
    expect((await world.api("PUT", "/v1/policy", reader, {})).status).toBe(403);
    await world.api("DELETE", `/v1/keys/${(made.body as { id: string }).id}`, world.key(SLUG));
    expect((await world.api("GET", "/v1/requests", reader)).status).toBe(401);
  });

  it("shows with a dry run the very plan, and writes nothing", async () => {
    const ben = await world.person(SLUG, "ben");
    const before = await quiet();
    const dry = await world.api("POST", "/v1/requests", world.key(SLUG), {
      type: "erasure",
      subject: ben.id,
      dry_run: true,
    });
    expect(await dump(world)).toEqual(before);
    const opened = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: ben.id });
    const closed = await world.closed(SLUG, (opened.body as RequestShape).id);
    const ids = ({ tasks }: Pick<RequestShape, "tasks">) => tasks.map(({ id }) => id).sort();
    expect(ids(dry.body as RequestShape)).toEqual(ids(closed));
  });

  it("[I7] writes no identity in plain text anywhere, while a request is open or after", async () => {
    const cat = await world.person(SLUG, "catherine");
    await world.admin("/faults/openai", { kind: "server_error", status: 503 }, "PUT");
    const opened = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: cat.id });
    const { id } = opened.body as RequestShape;
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(({ state }) => state === "ended").length >= 3);
    const words = [cat.email, cat.facebookId, "catherine", "cus_cloutmetricscatherine", "file-cloutmetrics-catherine"];
    const found = async () => {
      const all = [...(await dump(world))]
        .map(([name, value]) => `${name} ${value}`)
        .join("\n")
        .toLowerCase();
      return words.filter(
        (word) =>
          all.includes(word.toLowerCase()) || all.includes(Buffer.from(word).toString("base64url").toLowerCase()),
      );
    };
    expect(await found()).toEqual([]);
    await world.admin("/faults/openai", undefined, "DELETE");
    await world.closed(SLUG, id);
    expect(await found()).toEqual([]);
    const left = [...(await dump(world))].filter(([name]) => name.includes(id)).map(([name]) => name);
    expect(
      left.filter((name) => !name.startsWith("x:")),
      "its record and the residue that Stripe's billing records need",
    ).toEqual([`r:1:${id}`]);
  });

  it("names everything that is missing or malformed in the bindings, all at once, and no value", async () => {
    const gateway = await startGateway({
      redis: world.redis,
      redisToken: "dev_test_redis_token",
      sandbox: world.sandbox,
      secrets: { MASTER_KEY: "nonsense", SIGNING_KEY: "{}", ADMIN_KEY: "" },
      quiet: true,
    });
    const reply = await fetch(`${gateway.url}/healthz`);
    const text = await reply.text();
    await gateway.stop();
    expect(reply.status).toBe(503);
    for (const name of ["MASTER_KEY", "SIGNING_KEY", "ADMIN_KEY"]) expect(text).toContain(name);
    expect(text).not.toContain("nonsense");
  });

  it("refuses development keys where it is deployed", async () => {
    const gateway = await startGateway({
      redis: world.redis,
      redisToken: "dev_test_redis_token",
      sandbox: world.sandbox,
      secrets: world.secrets,
      bindings: { QUITTANCE_LOCAL: "" },
      quiet: true,
    });
    const text = await (await fetch(`${gateway.url}/healthz`)).text();
    await gateway.stop();
    expect(text).toContain("development key");
  });
});
