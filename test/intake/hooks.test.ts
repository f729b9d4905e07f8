import { createHmac } from "node:crypto";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { absent, defineIntegration, type Hook, type Integration } from "../../src/contract/integration.ts";
import { secret, text } from "../../src/contract/settings.ts";
import { hooks } from "../../src/intake/hooks.ts";
import type { App, Ports } from "../../src/ports.ts";
import { problemResponse } from "../../src/problem.ts";
import type { Context } from "../../src/registry/load.ts";
import { fail, ok } from "../../src/result.ts";

const SOURCE = "https://vendor.example.com/docs";
const ORIGIN = "https://gateway.example.com";
const NONE = absent("none", SOURCE);

const keyed: Hook = {
  source: SOURCE,
  verify: {
    scheme: "hmac",
    key: "secret",
    hash: "SHA-256",
    signature: { header: "x-signature", encoding: "hex" },
    over: ["body"],
  },
  contentTypes: ["application/json"],
  read: () => ok([]),
  authority: {},
  retriesForHours: 1,
  events: ["event"],
};

const integrationOf = (id: string, declared: Readonly<Record<string, Hook>>): Integration =>
  defineIntegration({
    id,
    name: id,
    about: "A vendor that is made up.",
    origins: [],
    settings: { secret: secret("Secret"), topics: text("Topics") },
    identities: {},
    hooks: declared,
    oauth: NONE,
    actions: { erase: NONE, revoke: NONE },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
  });

const market = integrationOf("market", {
  events: {
    ...keyed,
    refusal: { status: 412, source: SOURCE },
    answer: 204,
    challenges: [
      { ask: "presence", method: "HEAD", source: SOURCE },
      {
        ask: "query",
        name: "challenge",
        shape: /^\d{1,10}$/,
        token: { name: "token", key: "secret" },
        answer: { give: "value" },
        source: SOURCE,
      },
    ],
  },
});
/** One that wants to be called before it sends anything, and says when it stops. */
const topic = integrationOf("topic", {
  events: {
    ...keyed,
    read: ({ text: name }) => ok([{ id: name, name, signals: [], ...(name === "end" && { alarm: true }) }]),
    handshake: {
      source: SOURCE,
      find: ({ text: asked }) => (asked === "begin" ? "token" : undefined),
      run: () => {
        throw new Error("intake calls nobody");
      },
      withinHours: 48,
    },
  },
});
/** One that makes up its key, and tells it first. */
const teller = integrationOf("teller", {
  events: {
    ...keyed,
    offer: {
      source: SOURCE,
      verify: { scheme: "shared-secret", key: "setup", at: { query: "setup" } },
      tells: ({ text: told }) => told.startsWith("key "),
    },
  },
});
const security = integrationOf("security", {
  push: {
    ...keyed,
    contentTypes: ["application/secevent+jwt"],
    refusal: { status: "secevent", source: SOURCE },
    verify: {
      scheme: "jwt",
      at: "body",
      keys: "https://keys.example.com/jwks",
      algorithms: ["RS256"],
      issuer: ["https://issuer.example.com"],
      audience: { setting: "topics" },
      expires: false,
    },
  },
});

/** A gateway with one tenant, in whose registry the names are not always those of the integrations. */
function gateway() {
  const state = {
    now: 1_700_000_000_000,
    loads: [] as (number | undefined)[],
    logged: [] as string[],
    secrets: ["s3cret"],
    asked: [] as string[],
    woken: [] as string[],
    isDown: false,
    kept: [] as string[],
    isFull: false,
  };
  let version = 0;
  const contextOf = (): Context => {
    const subprocessors = Object.assign(Object.create(null), {
      market: { id: "market", integration: "market", settings: {} },
      shop: { id: "shop", integration: "market", settings: {} },
      topic: { id: "topic", integration: "topic", settings: {} },
      teller: { id: "teller", integration: "teller", settings: { setup: "our-own" } },
      security: { id: "security", integration: "security", settings: { topics: "ours" } },
    });
    const tenant = { n: "1", slug: "acme", status: "active", subprocessors, policy: { authority: {}, widen: {} } };
    const now = String(version);
    return {
      version: now,
      tenant,
      loadedAt: state.now,
      keys: {
        derive: async (_: string, of: string) => `${of.length}`.padEnd(32, "a"),
        newKey: async () => ({ key: { seal: async () => "sealed" }, wrapped: "wrapped" }),
      },
      secrets: async (_: string, setting: string) => (setting === "secret" ? state.secrets : []),
      once: async <T>(_: string, make: () => Promise<T>) => make(),
      // What a hook looks at before anything is recorded; the rest of a context is not reached here.
    } as unknown as Context;
  };
  const ports = {
    now: () => state.now,
    origin: ORIGIN,
    log: (event: string, facts: object) => void state.logged.push(`${event} ${JSON.stringify(facts)}`),
    integrations: new Map([market, security, teller, topic].map((each) => [each.id, each])),
    keySets: { keys: async () => undefined, text: async () => fail("unavailable") },
    tenants: {
      bySlug: async (slug: string, maxAgeMs?: number) => {
        state.loads.push(maxAgeMs);
        return slug === "acme" ? contextOf() : undefined;
      },
    },
    store: {
      askFor: async (_: string, subprocessor: string, { order }: { readonly order: string }) => {
        if (state.isDown) throw new Error("the store cannot be reached");
        state.asked.push(`${subprocessor} ${order}`);
        return true;
      },
      countIgnored: async () => undefined,
      quarantine: async (_: string, id: string, { facts }: { readonly facts: string }) => {
        if (!state.isFull) state.kept.push(`${id.slice(0, 4)} ${facts}`);
        return !state.isFull;
      },
    },
    wake: async (lanes: readonly string[]) => void state.woken.push(...lanes),
    later: () => undefined,
    // Nothing else here gets as far as the store.
  } as unknown as Ports;
  const app = new Hono<App>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/", hooks());
  app.notFound((c) => problemResponse(c, { reason: "not_found", what: "such page" }));
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await app.request(`${ORIGIN}/hooks/${path}`, init);
    return { status: response.status, text: await response.text(), headers: [...response.headers].sort() };
  };
  const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
    send(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  return {
    state,
    send,
    post,
    rotate: (...secrets: string[]) => {
      state.secrets = secrets;
      version++;
    },
  };
}

const sign = (body: string, key = "s3cret") => ({
  "x-signature": createHmac("sha256", key).update(body).digest("hex"),
});

describe("what is refused", () => {
  it("[I5] looks alike, whether tenant, subprocessor, endpoint or signature is wrong, and as the vendor wants it", async () => {
    const { post } = gateway();
    const wrong = await post("acme/market/events", "{}", sign("{}", "other"));
    expect(wrong.status).toBe(412);
    for (const path of [
      "nobody/market/events",
      "acme/market-two/events",
      "acme/market/nothing",
      "acme/market",
      "__proto__/market/events",
    ])
      expect(await post(path, "{}", path === "acme/market" ? sign("{}", "other") : sign("{}")), path).toEqual(wrong);
    for (const headers of [{}, { "x-signature": "zz" }, { ...sign("{}"), "content-type": "text/plain" }] as const)
      expect(await post("acme/market/events", "{}", headers)).toEqual(wrong);
  });

  it("[I5] looks alike where a subprocessor's name does not tell what it is", async () => {
    const { post } = gateway();
    const wrong = await post("acme/shop/events", "{}", sign("{}", "other"));
    expect(wrong.status).toBe(401);
    for (const path of ["nobody/shop/events", "acme/shop-two/events", "acme/shop/nothing", "acme/constructor/x"])
      expect(await post(path, "{}", sign("{}")), path).toEqual(wrong);
  });

  it("[I5] is what RFC 8935 says for security events, without saying why", async () => {
    const { post } = gateway();
    const type = { "content-type": "application/secevent+jwt" };
    const forOthers = ["e30", btoa('{"iss":"https://issuer.example.com","aud":"x"}').replaceAll("=", ""), "AA"].join(
      ".",
    );
    const wrong = await post("acme/security/push", forOthers, type);
    expect(wrong.status).toBe(400);
    expect(JSON.parse(wrong.text).err).toBe("authentication_failed");
    expect(wrong.headers).toContainEqual(["content-language", "en"]);
    expect(await post("nobody/security/push", forOthers, type)).toEqual(wrong);
    expect(await post("acme/security/push", "x", type)).toEqual(wrong);
    // The content type tells the protocol, where the address does not.
    for (const address of ["acme/shop", "acme/nothing", "nobody/nothing"])
      expect(await post(address, forOthers, type), address).toEqual(wrong);
  });

  it("is to be sent again while the vendor's keys cannot be had", async () => {
    const { post } = gateway();
    const claims = btoa('{"iss":"https://issuer.example.com","aud":"ours"}').replaceAll("=", "");
    const answer = await post("acme/security/push", `e30.${claims}.AA`, { "content-type": "application/secevent+jwt" });
    expect(answer.status).toBe(503);
    expect(answer.headers).toContainEqual(["retry-after", "30"]);
  });

  it("looks at the registry once more, and logs ids and the check alone", async () => {
    const { state, post } = gateway();
    await post("acme/market/events", '{"email":"ada@example.com"}', sign("x", "hunter2"));
    expect(state.loads).toEqual([undefined, 10_000]);
    expect(state.logged).toEqual([
      'delivery_refused {"tenant":"acme","subprocessor":"market","scheme":"hmac","check":"bad_signature"}',
    ]);
    state.logged = [];
    await post("ada@example.com/market/events", "{}");
    expect(state.logged).toEqual([]);
  });
});

describe("what is accepted", () => {
  it("is answered with the status that the vendor wants", async () => {
    expect((await gateway().post("acme/market/events", "{}", sign("{}"))).status).toBe(204);
    expect((await gateway().post("acme/market", "{}", sign("{}"))).status).toBe(204);
    expect((await gateway().post("acme/shop/events", "{}", sign("{}"))).status).toBe(204);
  });
});

describe("a key that is told by a delivery", () => {
  const facts = '"subprocessor":"teller","endpoint":"events","at":"key"';

  it("is kept for an operator, whoever signed it, and used for nothing", async () => {
    const { state, post } = gateway();
    for (const headers of [{}, sign("key k1", "k1")])
      expect(await post("acme/teller/events?setup=our-own", "key k1", headers)).toMatchObject({
        status: 200,
        text: "",
      });
    expect(state.kept).toEqual([expect.stringContaining(facts), expect.stringContaining(facts)]);
    expect(state.logged).toHaveLength(2);
    expect(state.logged.join()).toContain("delivery_quarantined");
    expect((await post("acme/teller/events?setup=our-own", "{}", sign("{}", "k1"))).status).toBe(401);
  });

  it("[I5] is nobody's without the secret of the address, nor is any other delivery with it", async () => {
    const { state, post } = gateway();
    for (const query of ["", "?setup=", "?setup=other", "?setup=our-own&setup=our-own", "?Setup=our-own"])
      expect((await post(`acme/teller/events${query}`, "key k1", sign("key k1", "k1"))).status, query).toBe(401);
    expect((await post("acme/teller/events?setup=our-own", "event")).status).toBe(401);
    expect((await post("acme/market/events?setup=our-own", "key k1")).status).toBe(412);
    expect(state.kept).toEqual([]);
  });

  it("is a delivery like any other once it is proven", async () => {
    const { state, post } = gateway();
    expect((await post("acme/teller/events?setup=our-own", "key k1", sign("key k1"))).status).toBe(202);
    expect(state.kept).toEqual([]);
  });

  it("[I1] is to be told again where it cannot be kept", async () => {
    const { state, post } = gateway();
    state.isFull = true;
    expect((await post("acme/teller/events?setup=our-own", "key k1")).status).toBe(503);
  });
});

describe("what asks to be called back", () => {
  it("[I1] is accepted once the call is durable, and else to be sent again", async () => {
    const { state, post } = gateway();
    expect((await post("acme/topic/events", "begin", sign("begin"))).status).toBe(202);
    expect(state.asked).toEqual([expect.stringMatching(/^topic confirm:events:/)]);
    expect(state.woken).toEqual(["1:topic"]);
    state.isDown = true;
    expect((await post("acme/topic/events", "begin", sign("begin"))).status).toBeGreaterThanOrEqual(500);
  });

  it("[I5] asks for nothing unless it is proven", async () => {
    const { state, post } = gateway();
    expect((await post("acme/topic/events", "begin", sign("begin", "other"))).status).toBe(401);
    expect(state.asked).toEqual([]);
  });

  it("raises an alarm where it ends, and calls nobody then", async () => {
    const { state, post } = gateway();
    expect((await post("acme/topic/events", "end", sign("end"))).status).toBe(202);
    expect(state.asked).toEqual([]);
    expect(state.logged).toEqual([
      'hook_alarm {"tenant":"acme","subprocessor":"topic","endpoint":"events","name":"end"}',
    ]);
  });
});

describe("what asks by GET or HEAD", () => {
  const head = { method: "HEAD" };

  it("[I5] hears that somebody is there, at an address that is not there too", async () => {
    const { state, send } = gateway();
    const there = await send("acme/market/events", head);
    expect(there).toMatchObject({ status: 200, text: "" });
    for (const path of ["acme/market", "nobody/market/events", "acme/market-two/events"])
      expect(await send(path, head), path).toEqual(there);
    expect(state.loads, "and nothing is looked up").toEqual([]);
    expect((await send("acme/shop/events", head)).status).toBe(200);
    expect((await send("acme/security/push", head)).status).toBe(405);
  });

  it("[I5] hears the challenge with the token, and else what an address that is not there answers", async () => {
    const { send } = gateway();
    expect(await send("acme/market/events?challenge=42&token=s3cret")).toMatchObject({ status: 200, text: "42" });
    const wrong = await send("acme/market/events?challenge=42&token=x");
    expect(wrong.status).toBe(405);
    for (const path of ["nobody/market/events", "acme/none/events", "acme/market/none", "acme/security/push"])
      expect(await send(`${path}?challenge=42&token=s3cret`), path).toEqual(wrong);
  });

  it("looks at the registry once more before it says no, because a hook is set up in minutes", async () => {
    const { state, send } = gateway();
    await send("acme/shop/events?challenge=42&token=x");
    expect(state.loads).toEqual([undefined, 10_000]);
  });

  it("says no to every other method", async () => {
    const { state, send } = gateway();
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"])
      expect((await send("acme/market/events?challenge=42&token=s3cret", { method })).status).toBe(405);
    expect(state.loads).toEqual([]);
  });
});
