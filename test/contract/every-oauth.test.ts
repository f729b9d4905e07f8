import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import * as all from "../../integrations/index.ts";
import { type Party, partyOf } from "../../src/connections/party.ts";
import { authorizationAddress, exchange, newDeparture, renew } from "../../src/connections/protocol.ts";
import type { Call } from "../../src/contract/call.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import { basic, type OAuth, type SecretClient } from "../../src/contract/oauth.ts";
import type { Ports, SendProblem } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { fail, ok, type Result } from "../../src/result.ts";
import type { Asked, OAuthSample, Sample } from "../integrations/samples/kit.ts";
import { entry } from "../lanes/samples.ts";
import { type Played, play, replyOf } from "../support/play.ts";

const NOW = Date.parse("2026-11-22T09:00:00Z");
const REDIRECT = "https://gateway.example.com/oauth/vendor/callback";
const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });

const granting = Object.values<Integration>(all).flatMap((integration) => {
  const { id, oauth } = integration;
  const sample = samples[`../integrations/samples/${id}.ts`]?.sample;
  return isAbsent(oauth) ? [] : [{ id, integration, oauth, sample: sample ?? { settings: {}, hooks: {}, ways: [] } }];
});

/** The protocol runs as in the product; only the vendor's answers are given. */
describe.each(granting)("OAuth of $id", ({ id, integration, oauth, sample }) => {
  const said = (): OAuthSample => {
    if (sample.oauth === undefined) throw new Error(`${integration.id} has no OAuth in its sample`);
    return sample.oauth;
  };
  /** [I13] What a vendor asks about tokens beside its token endpoint, it asks where its calls may go. */
  const expectOwnOrigins = (calls: readonly Call[], tokenEndpoint: string) => {
    for (const { at } of calls.filter((call) => call.at.url !== tokenEndpoint))
      expect(integration.origins).toContain(new URL(at.url).origin);
  };
  const tokenAddress = (party: Party) => party.server.token_endpoint ?? "";

  /** Whether it is the call that makes of a short token one that lasts, and not the exchange. */
  const isOwn = (party: Party, { at, body }: Call) =>
    oauth.lengthen !== undefined && !(at.url === tokenAddress(party) && new URLSearchParams(body).has("code"));

  /** A vendor that answers at its token endpoint and at its discovery, and what it was asked. */
  function vendor(answer: (call: Call) => Result<Played, SendProblem>) {
    const calls: Call[] = [];
    const send = async (call: Call) => {
      const isDiscovery = call.at.url.endsWith("/.well-known/openid-configuration");
      const given = isDiscovery ? ok(said().discovery ?? { status: 404 }) : answer(call);
      if (!isDiscovery) calls.push(call);
      return given.ok ? ok(replyOf({ headers: { "content-type": "application/json" }, ...given.value })) : given;
    };
    return { calls, send, now: () => NOW };
  }

  /** What a vendor has its own words for; a client that is a document is of a standard. */
  const words: Partial<SecretClient> = oauth.client.by === "document" ? {} : oauth.client;

  const context = (settings = sample.settings): Context => {
    const secrets = Object.entries(integration.settings).filter(([, { kind }]) => kind === "secret");
    const plain = Object.entries(settings).filter(([name]) => !secrets.some(([secret]) => secret === name));
    const subprocessors = {
      vendor: { ...entry("vendor", { integration: integration.id }), settings: Object.fromEntries(plain) },
    };
    const read: Pick<Context, "secrets" | "once"> = {
      secrets: async (_, name) => (settings[name] === undefined ? [] : [settings[name]]),
      once: (_, make) => make(),
    };
    // Only these members of a context are asked for here.
    return { ...read, tenant: { n: "1", subprocessors } } as unknown as Context;
  };

  async function partyWith(ports: ReturnType<typeof vendor>): Promise<Party> {
    const integrations = new Map([[integration.id, integration]]);
    const { grant } = said();
    // A server that was found, and the keys that a grant is bound to, are those of the sample's grant: nothing is asked of a store.
    const where = "find" in oauth.server ? { ...grant, expected: grant.account } : { site: grant.site };
    const rest = { store: {} as Ports["store"], origin: new URL(REDIRECT).origin };
    const found = await partyOf({ ...ports, ...rest, integrations }, context(), "vendor", where);
    if (found?.ok !== true) throw new Error(JSON.stringify(found?.problem));
    return found.value;
  }

  /** As the vendor would, with its own code: the parameters are few and sorted by hand. */
  async function signatureOf(parameters: URLSearchParams): Promise<string> {
    const text = [...parameters.keys()]
      .sort()
      .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(parameters.get(name) ?? "")}`)
      .join("&");
    const raw = new TextEncoder().encode(sample.settings[words.secret ?? ""]);
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** A form, or JSON where the vendor wants that. */
  function sentIn(call: Call | undefined): URLSearchParams {
    const type = call?.headers["content-type"]?.split(";")[0];
    expect(type).toBe(words.body === "json" ? "application/json" : "application/x-www-form-urlencoded");
    return new URLSearchParams(type === "application/json" ? JSON.parse(call?.body ?? "{}") : call?.body);
  }

  const asked = (party: Party, nonce: string): Asked => ({
    nonce,
    issuer: party.server.issuer,
    clientId: party.client.client_id,
    now: NOW,
  });

  /** The way of a code: what leaves for the vendor, what comes back, and what is made of it. */
  async function way(
    answer: (asked: Asked) => Result<Played, SendProblem>,
    more: Readonly<Record<string, string>> = {},
    longer: () => Result<Played, SendProblem> = () => ok(said().longer ?? { status: 599 }),
  ) {
    const departure = newDeparture("11state");
    let known: Asked | undefined;
    let own: Party | undefined;
    const ports = vendor((call) => {
      if (known === undefined || own === undefined) return fail({ reason: "connection_failed" });
      return isOwn(own, call) ? longer() : answer(known);
    });
    const party = await partyWith(ports);
    own = party;
    known = asked(party, departure.nonce);
    const isNamed = party.server.authorization_response_iss_parameter_supported === true;
    const parameters = new URLSearchParams({
      code: "the-code",
      state: departure.state,
      ...(isNamed && { iss: party.server.issuer }),
      ...more,
    });
    const signed = oauth.signedCallback?.parameter;
    if (signed !== undefined && !parameters.has(signed)) parameters.set(signed, await signatureOf(parameters));
    const result = await exchange(ports, party, parameters, departure, REDIRECT, oauth.scopes.standard);
    return { result, party, departure, calls: ports.calls };
  }

  it("sends a person to the vendor with a state, PKCE where it is taken, and the very address to come back to", async () => {
    const ports = vendor(() => ok({ status: 201, body: { request_uri: "urn:example:1", expires_in: 60 } }));
    const party = await partyWith(ports);
    const departure = newDeparture("11state");
    const address = await authorizationAddress(
      ports,
      party,
      departure,
      REDIRECT,
      oauth.scopes.standard,
      "ada.example.com",
    );
    if (!address.ok) throw new Error(JSON.stringify(address.problem));
    const url = new URL(address.value);
    expect(url.protocol).toBe("https:");
    const [pushed] = ports.calls;
    expect(pushed === undefined).toBe(party.server.pushed_authorization_request_endpoint === undefined);
    const asked = pushed === undefined ? url.searchParams : new URLSearchParams(pushed.body);
    if (pushed !== undefined)
      expect(Object.fromEntries(url.searchParams)).toEqual({
        client_id: party.client.client_id,
        request_uri: "urn:example:1",
      });
    expect(asked.get("login_hint")).toBe(pushed === undefined ? null : "ada.example.com");
    expect(asked.get("state")).toBe("11state");
    expect(asked.get("redirect_uri")).toBe(REDIRECT);
    expect(asked.get("response_type")).toBe("code");
    const { client } = oauth;
    const name = (client.by === "document" ? undefined : client.idName) ?? "client_id";
    expect(asked.get(name)).toBe(client.by === "document" ? party.client.client_id : sample.settings[client.id]);
    expect(asked.has("code_challenge")).toBe(oauth.pkce === "S256");
    for (const [name, { kind }] of Object.entries(integration.settings))
      if (kind === "secret") expect(url.href).not.toContain(sample.settings[name] ?? "no secret");
    expect(url.href).not.toContain(departure.verifier);
  });

  it("goes to the servers that a setting chooses, and to none where it chooses none", async () => {
    const { server } = oauth;
    if (!("by" in server)) return;
    const ports = {
      ...vendor(() => fail({ reason: "connection_failed" })),
      integrations: new Map([[id, integration]]),
      store: {} as Ports["store"],
      origin: new URL(REDIRECT).origin,
    };
    const partyAt = (value: string) =>
      partyOf(ports, context({ ...sample.settings, [server.by]: value }), "vendor", {});
    for (const [value, { token }] of Object.entries(server.servers)) {
      const party = await partyAt(value);
      expect(party?.ok === true && party.value.server.token_endpoint).toBe(token);
    }
    for (const value of ["", "toString", "__proto__"])
      expect(await partyAt(value)).toMatchObject({ ok: false, problem: { reason: "misconfigured" } });
  });

  it("makes a grant of the vendor's documented answer, and learns whose it is", async () => {
    const { token, asks, grant, lastsSeconds } = said();
    const { result, party, calls, departure } = await way((about) => ok(token(about)));
    if (!result.ok) throw new Error(JSON.stringify(result.problem));
    expect(calls.filter((call) => !isOwn(party, call)).map(({ at }) => at.url)).toEqual([tokenAddress(party)]);
    expect(calls).toHaveLength(oauth.lengthen === undefined ? 1 : 2);
    expectOwnOrigins(calls, tokenAddress(party));
    const agent = sample.settings[words.userAgent ?? ""];
    for (const { headers } of calls) expect(headers["user-agent"]).toBe(agent);
    const sent = sentIn(calls[0]);
    expect(sent.get("code")).toBe("the-code");
    const { adds = {}, omits = [] } = words.exchange ?? {};
    const listed: Readonly<Record<string, string>> = { grant_type: "authorization_code", redirect_uri: REDIRECT };
    for (const [name, value] of Object.entries(listed))
      expect(sent.get(name), name).toBe(omits.some((omitted) => omitted === name) ? null : value);
    for (const [name, value] of Object.entries(adds)) expect(sent.get(name), name).toBe(value);
    const secret = sample.settings[words.secret ?? ""] ?? "";
    if (oauth.client.by === "post") expect(sent.get("client_secret")).toBe(secret);
    // With no more escapes than a form has to have: some vendors undo none.
    if (oauth.client.by === "basic")
      expect(calls[0]?.headers.authorization).toBe(basic(party.client.client_id, secret));
    if (oauth.pkce === "S256") expect(sent.get("code_verifier")).toBe(departure.verifier);
    const { tokens, answer, claims } = result.value;
    const { settings } = party;
    const whose = oauth.account({ settings, accessToken: tokens.accessToken, answer, claims });
    const replies = asks.map(({ reply }) => reply);
    const { calls: made, outcome } = "ok" in whose ? { calls: [], outcome: whose } : play(whose, replies);
    expect(made.map(({ at }) => new URL(at.url).protocol)).toEqual(made.map(() => "https:"));
    expect(outcome).toEqual(ok(grant.account));
    const expiresAt = lastsSeconds === undefined ? {} : { expiresAt: NOW + lastsSeconds * 1000 };
    expect({ ...tokens, account: grant.account }).toEqual({ ...grant, ...expiresAt });
    expect(Object.keys(integration.identities)).toContain(grant.account.type);
  });

  it("shows possession of the grant's key at each endpoint, and takes no token that is bound to none", async () => {
    const { grant, token } = said();
    if (oauth.client.by !== "document") return expect(grant.binding).toBeUndefined();
    const { calls, party } = await way((about) => ok(token(about)));
    const sign = { scheme: "dpop", binding: grant.binding, audience: party.server.issuer };
    expect(calls.map((call) => call.sign)).toEqual([sign]);
    const { result } = await way((about) => {
      const played = token(about);
      return ok({ ...played, body: { ...(played.body as object), token_type: "Bearer" } });
    });
    expect(result).toEqual(fail({ reason: "unreadable", what: "the tokens are bound to no key" }));
  });

  it("shows the vendor a secret of the moment where it wants one that is signed, and never the key", async () => {
    const { client } = oauth;
    if (client.by === "document" || typeof client.by === "string") return;
    const { by } = client;
    const { calls, party } = await way((about) => ok(said().token(about)));
    const sent = sentIn(calls[0]);
    const secret = sent.get("client_secret") ?? "";
    const key = sample.settings[client.secret] ?? "";
    expect(calls[0]?.body).not.toContain(encodeURIComponent(key.slice(30, 60)));
    expect(decodeProtectedHeader(secret)).toEqual({ alg: "ES256", kid: sample.settings[by.keyId] });
    const iat = Math.floor(NOW / 1000);
    const [iss, sub] = [sample.settings[by.issuer], party.client.client_id];
    expect(decodeJwt(secret)).toEqual({ iss, aud: by.audience, sub, iat, exp: iat + 300 });
  });

  it("asks nobody where the key that was entered cannot sign", async () => {
    const { client } = oauth;
    if (client.by === "document" || typeof client.by === "string") return;
    for (const key of ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]) {
      const ports = vendor(() => fail({ reason: "connection_failed" }));
      const party = await partyWith(ports);
      const broken = { ...party, settings: { ...party.settings, [client.secret]: key } };
      const renewal = await renew(ports, broken, said().grant);
      expect(renewal).toMatchObject({ ok: false, problem: { reason: "misconfigured" } });
      expect(ports.calls).toEqual([]);
    }
  });

  it("understands a callback in the vendor's own words", async () => {
    const { declined, formPost } = oauth;
    if (formPost === true) {
      const form = { id_token: "of.no.interest", user: '{"name":{"firstName":"Ada"}}' };
      const { result } = await way((about) => ok(said().token(about)), form);
      expect(result.ok).toBe(true);
      expect(JSON.stringify(result)).not.toContain("Ada");
    }
    if (declined !== undefined) {
      const { result } = await way((about) => ok(said().token(about)), { error: declined });
      expect(result).toEqual(fail({ reason: "refused", error: "access_denied" }));
    }
  });

  it("makes no account of a status that is not documented", async () => {
    const { token, asks } = said();
    const { result, party } = await way((about) => ok(token(about)));
    if (!result.ok) throw new Error(JSON.stringify(result.problem));
    const { tokens, answer, claims } = result.value;
    asks.forEach(({ documented }, odd) => {
      for (const status of [201, 204, 302, 400, 403, 404, 418].filter((each) => !documented(each))) {
        const whose = oauth.account({ settings: party.settings, accessToken: tokens.accessToken, answer, claims });
        if ("ok" in whose) continue;
        const { outcome } = play(whose, (_, at) => ({
          ...(asks[at]?.reply ?? { status: 599 }),
          ...(at === odd && { status }),
        }));
        expect(outcome.ok, `call ${odd} with ${status}`).toBe(false);
      }
    });
  });

  it("takes a refused code for refused, in the vendor's own words", async () => {
    const { result } = await way(() => ok(said().invalidGrant));
    expect(result).toEqual(fail({ reason: "refused", error: expect.stringMatching(/^[a-zA-Z_]+$/) }));
  });

  it("stores nothing of an answer that redirects, is a page, is cut short, hangs, or is the vendor's own trouble", async () => {
    const odd: readonly (readonly [Result<Played, SendProblem>, string])[] = [
      [ok({ status: 302, headers: { location: "https://evil.example/token" } }), "unreadable"],
      [ok({ status: 200, body: "<!doctype html><p>Sign in", headers: { "content-type": "text/html" } }), "unreadable"],
      [ok({ status: 200, body: '{"access_token": "a' }), "unreadable"],
      [ok({ status: 200, body: [] }), "unreadable"],
      [ok({ status: 200, body: {} }), "unreadable"],
      [ok({ status: 503, body: "busy" }), "unreachable"],
      [ok({ status: 429, body: "busy" }), "unreachable"],
      [fail({ reason: "timed_out", afterMs: 10_000 }), "unreachable"],
      [fail({ reason: "too_large", maxBytes: 1_048_576 }), "unreachable"],
    ];
    for (const [answer, reason] of odd) {
      const { result } = await way(() => answer);
      // An empty answer may be an error in a vendor's own words; it is never a grant.
      expect(result.ok, JSON.stringify(answer)).toBe(false);
      if (!result.ok && result.problem.reason !== "refused") expect(result.problem.reason).toBe(reason);
      if (oauth.lengthen === undefined) continue;
      const { result: unlengthened } = await way(
        (about) => ok(said().token(about)),
        {},
        () => answer,
      );
      expect(unlengthened.ok, `a short token is kept after ${JSON.stringify(answer)}`).toBe(false);
    }
  });

  it("shows the code to nobody where the callback names another issuer, or brings an error", async () => {
    const genuine = (about: Asked) => ok(said().token(about));
    for (const more of [{ iss: "https://evil.example" }, { error: "access_denied" }, { state: "11other" }]) {
      const { result, calls } = await way(genuine, more);
      expect(result.ok).toBe(false);
      expect(calls).toEqual([]);
    }
  });

  it("shows the code to nobody where the vendor signs its callbacks, and has not signed this one", async () => {
    const signed = oauth.signedCallback;
    if (signed === undefined) return;
    expect(new URL(signed.source).protocol).toBe("https:");
    const genuine = (about: Asked) => ok(said().token(about));
    const good = await signatureOf(new URLSearchParams({ code: "another-code", state: "11state" }));
    for (const signature of ["", "00", good, good.toUpperCase(), `${good}00`]) {
      const { result, calls } = await way(genuine, { [signed.parameter]: signature });
      expect(result, signature).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
      expect(calls).toEqual([]);
    }
    const { result } = await way(genuine, { shop: "a b.example", timestamp: "1", host: "YWRtaW4=" });
    expect(result.ok).toBe(true);
  });

  it("renews a grant, keeps what the answer leaves out, and knows when there is none any more", async () => {
    const { grant, renewed, invalidGrant } = said();
    if (isAbsent(oauth.refresh)) return expect(renewed).toBeUndefined();
    if (renewed === undefined) throw new Error("a sample of a renewal is missing");
    const renewing = async (answer: (party: Party) => Played) => {
      let found: Party | undefined;
      const ports = vendor(() => (found === undefined ? fail({ reason: "connection_failed" }) : ok(answer(found))));
      found = await partyWith(ports);
      return { got: await renew(ports, found, grant), calls: ports.calls };
    };
    const { got, calls } = await renewing((party) => renewed.reply(asked(party, "")));
    if (!got.ok) throw new Error(JSON.stringify(got.problem));
    const { expiresAt: _, ...rest } = got.value;
    expect(rest).toEqual(renewed.grant);
    const { call, aheadDays } = oauth.refresh;
    if (call === undefined) {
      const sent = sentIn(calls[0]);
      expect([sent.get("grant_type"), sent.get("refresh_token")]).toEqual(["refresh_token", grant.refreshToken]);
    } else expect(JSON.stringify(calls[0])).toContain(grant.accessToken);
    expect(calls).toHaveLength(1);
    if (call !== undefined) expectOwnOrigins(calls, "");
    // It is done at the daily look.
    if (aheadDays !== undefined) expect(oauth.alive).toBeDefined();
    const { got: over } = await renewing(() => invalidGrant);
    expect(over).toEqual(fail({ reason: "refused", error: "invalid_grant" }));
  });

  it.each((sample.oauth?.alive ?? []).map((each) => ({ ...each })))(
    "tells that a grant is $name",
    ({ steps, outcome }) => {
      const alive = oauth.alive?.bind(oauth);
      if (alive === undefined) throw new Error("it is not asked");
      const ask = () => alive({ settings: settingsWith(oauth, sample), grant: said().grant });
      const replies = steps.map(({ reply }) => reply);
      expect(play(ask(), replies).outcome).toEqual(outcome);
      steps.forEach(({ documented }, odd) => {
        for (const status of [201, 204, 302, 400, 403, 404, 410, 418].filter((each) => !documented(each))) {
          const { outcome: told } = play(ask(), (_, at) => ({
            ...(replies[at] ?? { status: 599 }),
            ...(at === odd && { status }),
          }));
          expect(told, `a grant ended by ${status}`).not.toBe("ended");
        }
      });
    },
  );
});

const settingsWith = ({ site }: OAuth, { settings, oauth }: Sample) => ({
  ...settings,
  ...(site !== undefined && oauth?.grant.site !== undefined && { [site]: oauth.grant.site }),
});
