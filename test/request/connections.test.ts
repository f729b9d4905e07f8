import { expect, it } from "vitest";
import { openid } from "../../integrations/openid.ts";
import { confirmConnection } from "../../src/connections/confirm.ts";
import { connectionIdentity, digestOf, endingIn, sealGrant } from "../../src/connections/connection.ts";
import { unconfirmed } from "../../src/connections/end.ts";
import { freshGrant } from "../../src/connections/fresh.ts";
import { grantsFor, NoTokenNow, sparingOthers } from "../../src/connections/held.ts";
import { connectionView } from "../../src/connections/view.ts";
import type { Identity } from "../../src/contract/identity.ts";
import { absent, defineIntegration } from "../../src/contract/integration.ts";
import { accountIn, type Grant } from "../../src/contract/oauth.ts";
import { revoked } from "../../src/contract/outcome.ts";
import { text } from "../../src/contract/settings.ts";
import { firstCursor, type Target } from "../../src/lanes/order.ts";
import { StoreUnreachable } from "../../src/platform/redis.ts";
import type { Renewal } from "../../src/platform/store/connections.ts";
import type { Hash } from "../../src/platform/store/requests.ts";
import type { Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { ok } from "../../src/result.ts";
import { replyOf } from "../support/play.ts";
import { bench, NOW } from "./samples.ts";

const SOURCE = "https://grants.example/docs";
const ID = `con_11${"0".repeat(32)}`;

const grants = defineIntegration({
  id: "grants",
  name: "Grants",
  about: "Grants access.",
  origins: ["https://grants.example"],
  settings: { clientId: text("Client id"), clientSecret: text("Client secret") },
  identities: { "grants.user": "User id" },
  hooks: absent("none", SOURCE),
  oauth: {
    source: SOURCE,
    server: {
      issuer: "https://grants.example",
      authorize: "https://grants.example/authorize",
      token: "https://grants.example/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: "S256",
    scopes: { standard: [] },
    openid: true,
    account: ({ claims }) => accountIn("grants.user", claims, "sub"),
    refresh: { source: SOURCE },
    // biome-ignore lint/correctness/useYield: nothing is asked here.
    *alive() {
      return "alive";
    },
    kills: "account",
  },
  actions: {
    erase: absent("none", SOURCE),
    revoke: {
      source: SOURCE,
      by: ["connection"],
      each: "identity",
      // biome-ignore lint/correctness/useYield: nothing is asked here.
      *run() {
        return revoked;
      },
    },
  },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

/** One connection in a store that answers as it is told to. */
async function standing(more: { readonly grant?: Partial<Grant>; readonly hash?: Hash } = {}) {
  const base = await bench();
  const { context, ports } = base;
  const grant: Grant = {
    accessToken: "at_1",
    refreshToken: "rt_1",
    scopes: [],
    account: { type: "grants.user", value: "1" },
    expiresAt: NOW - 1,
    ...more.grant,
  };
  const { wrapped, sealed } = await sealGrant(context.keys, ID, grant);
  const stored: { hash: Hash } = {
    hash: {
      st: "active",
      p: "grants",
      a: "a",
      h: "h",
      d: '{"integration":"grants","scopes":[]}',
      k: wrapped,
      t: sealed,
      v: "1",
      f: "1",
      at: String(NOW),
      ...more.hash,
    },
  };
  const saved: Renewal[] = [];
  Object.assign(ports.store, {
    connections: async (all: readonly unknown[]) => all.map(() => stored.hash),
    ofAccounts: async (_: unknown, all: readonly unknown[]) => all.map(() => [`grants ${ID}`, "grants con_other"]),
    takeGrant: async () => ({
      result: "renew",
      wrapped,
      grant: sealed,
      version: "1",
      subprocessor: "grants",
      wasCutOff: false,
    }),
    renewed: async (renewal: Renewal) => {
      saved.push(renewal);
      return true;
    },
    letGo: async () => undefined,
  } satisfies Partial<Ports["store"]>);
  const integrations = new Map([[grants.id, grants]]);
  const entry = context.tenant.subprocessors.mail;
  if (entry === undefined) throw new Error("the bench has no mail");
  const settings = { clientId: "client", clientSecret: "secret" };
  const subprocessors = { grants: { ...entry, id: "grants", integration: "grants", settings } };
  const all = { ...context, tenant: { ...context.tenant, subprocessors } };
  return { ...base, stored, saved, grant, context: all, ports: { ...ports, integrations } };
}

const answering = (status: number, body: object) => async () =>
  ok(replyOf({ status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }));

it("[I2] revokes what nobody confirmed, though the store went away when the connection had been shut already", async () => {
  const { ports, context, run: _, recorded, stored, step } = await standing({ hash: { st: "unconfirmed" } });
  const record = ports.store.record;
  Object.assign(ports.store, {
    ending: async () => {
      stored.hash = { ...stored.hash, st: "ending" };
    },
    record: async () => {
      throw new StoreUnreachable("gone");
    },
  });
  const first = step("connection", ID);
  await expect(unconfirmed(ports, context, "token", [first])).rejects.toBeInstanceOf(StoreUnreachable);
  Object.assign(ports.store, { record });
  await unconfirmed(ports, context, "token", [{ ...first, order: { ...first.order, attempt: 2 } }]);
  expect(recorded).toHaveLength(1);
});

it("[I2] shuts no connection that its vendor ended before there is a request that ends it here", async () => {
  const { ports, context, stored } = await standing();
  let shut = 0;
  Object.assign(ports.store, {
    ending: async () => {
      shut++;
    },
    record: async () => {
      throw new StoreUnreachable("gone");
    },
  });
  const send = answering(400, { error: "invalid_grant" });
  await expect(freshGrant({ ...ports, send }, context, ID, "key_1")).rejects.toBeInstanceOf(StoreUnreachable);
  expect([shut, stored.hash.st]).toEqual([0, "active"]);
});

it("[I2] takes no connection into use before there is an order to look after it", async () => {
  const code = "11code";
  const { ports, context } = await standing({ hash: { st: "unconfirmed", c: await digestOf(code) } });
  const done: string[] = [];
  Object.assign(ports.store, {
    link: async () => ({ result: "linked", isNew: true, suppressed: [], requests: [] }),
    scheduleAt: async (_: string, order: string) => {
      done.push(order);
    },
    confirm: async () => {
      done.push("confirmed");
      return "confirmed";
    },
  });
  expect(await confirmConnection(ports, context, ID, code, "ada", undefined)).toMatchObject({ ok: true });
  expect(done).toEqual([`tend:${ID}`, "confirmed"]);
});

it("[I3] does not end a connection for a refresh token in whose place a newer one has come", async () => {
  const { ports, context, stored, recorded, grant } = await standing();
  const fresh: Grant = { ...grant, accessToken: "at_2", refreshToken: "rt_2", expiresAt: NOW + 3_600_000 };
  const { wrapped, sealed } = await sealGrant(context.keys, ID, fresh);
  const takeGrant = ports.store.takeGrant;
  Object.assign(ports.store, {
    takeGrant: async (take: Parameters<typeof takeGrant>[0]) =>
      stored.hash.v === "1"
        ? takeGrant(take)
        : { result: "held", wrapped, grant: sealed, version: "2", subprocessor: "grants", wasCutOff: false },
  });
  // While this runner waited for its answer, another one was given the lease, and has renewed.
  const send = async () => {
    stored.hash = { ...stored.hash, v: "2" };
    return answering(400, { error: "invalid_grant" })();
  };
  const got = await freshGrant({ ...ports, send }, context, ID, "key_1");
  expect(got).toMatchObject({ ok: true, value: { accessToken: "at_2" } });
  expect(recorded).toEqual([]);
});

const cursorWith = (state: Target["state"]) => {
  const cursor = firstCursor([connectionIdentity(ID, "grants")]);
  return { ...cursor, targets: cursor.targets.map((target) => ({ ...target, state })) };
};

it("[I4] revokes nothing while the vendor may be giving new tokens in place of those that are held", async () => {
  const { ports, context } = await standing({ hash: { l: `another ${NOW + 30_000}` } });
  const held = () => grantsFor(ports, context, "grants", grants, cursorWith({ at: "todo" }));
  await expect(held()).rejects.toBeInstanceOf(NoTokenNow);
});

it("[I4] leaves what the vendor has revoked as revoked, though the person has connected the account again since", async () => {
  const { ports, context, grant } = await standing();
  const state: Target["state"] = { at: "look", lookAt: NOW, was: "revoked" };
  const held = await grantsFor(ports, context, "grants", grants, cursorWith(state));
  expect(held.cursor.targets).toMatchObject([{ state }]);
  expect(held.grants.get(ID)).toEqual(grant);
});

it("[I3] ends no account by its id that somebody has connected since the revocation was planned", async () => {
  const { ports, context, stored } = await standing();
  const account = { type: "grants.user", value: "1" };
  const spared = async (own: readonly Identity[]) => {
    const cursor = await sparingOthers(ports, context, "grants", grants, firstCursor([account, ...own]));
    return cursor.targets[0]?.state;
  };
  expect(await spared([])).toMatchObject({ at: "done", answer: "stopped" });
  const known = [connectionIdentity(ID, "grants"), connectionIdentity("con_other", "grants")];
  expect(await spared(known)).toEqual({ at: "todo" });
  stored.hash = { ...stored.hash, st: "ended" };
  expect(await spared([])).toEqual({ at: "todo" });
});

it("[I5] takes no renewed tokens that are another account's", async () => {
  const { ports, context, saved } = await standing();
  const answered = (sub: string) => {
    const [iat, exp] = [Math.floor(Date.now() / 1000), Math.floor(Date.now() / 1000) + 60];
    const claims = { iss: "https://grants.example", aud: "client", sub, iat, exp };
    const token = [{ alg: "RS256" }, claims].map((part) => btoa(JSON.stringify(part)).replace(/=+$/, "")).join(".");
    return answering(200, { access_token: "at_2", token_type: "bearer", id_token: `${token}.c2ln` });
  };
  const send = answered("2");
  const got = await freshGrant({ ...ports, send }, context, ID, "key_1");
  expect(got).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
  expect(saved).toEqual([]);
  expect(await freshGrant({ ...ports, send: answered("1") }, context, ID, "key_1")).toMatchObject({ ok: true });
});

it("[I2] loses no grant to a provider that binds nothing, though the operator asks for it since", async () => {
  const { ports, context, saved, stored } = await standing({ grant: { issuer: "https://id.example.com/" } });
  const entry = context.tenant.subprocessors.grants;
  if (entry === undefined) throw new Error("there is no entry");
  const settings = { issuer: "https://id.example.com", clientId: "client", dpop: "required" };
  const subprocessors = { grants: { ...entry, integration: "openid", settings } };
  const asked: Context = { ...context, secrets: async () => ["s"], tenant: { ...context.tenant, subprocessors } };
  const send: Ports["send"] = async (call) => {
    const { origin } = new URL(call.at.url);
    const found = { issuer: origin, authorization_endpoint: `${origin}/auth`, token_endpoint: `${origin}/token` };
    const tokens = { access_token: "at_2", refresh_token: "rt_2", token_type: "Bearer", expires_in: 3600 };
    return answering(200, call.method === "GET" ? found : tokens)();
  };
  const all = { ...ports, send, integrations: new Map([[openid.id, openid]]) };
  const got = await freshGrant(all, asked, ID, "");
  expect(got).toMatchObject({ ok: true, value: { accessToken: "at_2", refreshToken: "rt_2" } });
  expect(got).not.toHaveProperty("value.binding");
  expect(saved).toHaveLength(1);
  expect(stored.hash.st).toBe("active");
});

it("[I13] shows nothing of a grant to another provider than the one that gave it", async () => {
  const server = { revocation: "https://old.example.com/revoke" };
  const { ports, context, grant } = await standing({ grant: { issuer: "https://old.example.com/", server } });
  const entry = context.tenant.subprocessors.grants;
  if (entry === undefined) throw new Error("there is no entry");
  const settings = { issuer: "https://new.example.com", clientId: "client" };
  const subprocessors = { grants: { ...entry, integration: "openid", settings } };
  const moved: Context = {
    ...context,
    secrets: async () => ["the new provider's secret"],
    tenant: { ...context.tenant, subprocessors },
  };
  const calls: string[] = [];
  const send: Ports["send"] = async (call) => {
    calls.push(JSON.stringify(call));
    const { origin } = new URL(call.at.url);
    const found = { issuer: origin, authorization_endpoint: `${origin}/auth`, token_endpoint: `${origin}/token` };
    return answering(call.method === "GET" ? 200 : 400, call.method === "GET" ? found : { error: "invalid_grant" })();
  };
  const all = { ...ports, send, integrations: new Map([[openid.id, openid]]) };
  expect(await freshGrant(all, moved, ID, "key_1")).toMatchObject({ ok: false, problem: { reason: "misconfigured" } });
  expect(calls.filter((call) => call.includes(grant.refreshToken))).toEqual([]);
  const held = () => grantsFor(all, moved, "grants", openid, cursorWith({ at: "todo" }));
  await expect(held()).rejects.toBeInstanceOf(NoTokenNow);
});

it.each([1e300, 1e12, -0, 3599.5])(
  "shows a connection whose vendor says that its token lasts %d seconds",
  async (seconds) => {
    const { ports, context, saved, stored } = await standing();
    const send = answering(200, { access_token: "at_2", token_type: "bearer", expires_in: seconds });
    const got = await freshGrant({ ...ports, send }, context, ID, "key_1");
    expect(got.ok).toBe(true);
    const [renewal] = saved;
    const { k = "" } = stored.hash;
    const hash: Hash = { ...stored.hash, k, t: renewal?.grant ?? "", e: String(renewal?.expiresAt ?? "") };
    const shown = await connectionView(context, ID, hash);
    expect(shown.status).toBe("active");
    expect(endingIn(hash)).toBeUndefined();
  },
);
