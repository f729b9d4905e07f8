import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { type Party, partyOf } from "../../src/connections/party.ts";
import { authorizationAddress, newDeparture, renew } from "../../src/connections/protocol.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { basic, type OAuth, possession } from "../../src/contract/oauth.ts";
import type { Ports, SendProblem } from "../../src/ports.ts";
import { fail, ok, type Result } from "../../src/result.ts";
import type { Asked, Sample } from "../integrations/samples/kit.ts";
import { type Played, play } from "../support/play.ts";
import { granting, NOW, REDIRECT, waysOf } from "./oauth-ways.ts";

/** The protocol runs as in the product; only the vendor's answers are given. */
describe.each(granting)("OAuth of $id", (one) => {
  const { id, integration, oauth, sample } = one;
  const { said, vendor, words, context, partyWith, signatureOf, sentIn, asked, way, isOwn, tokenAddress } = waysOf(one);
  /** [I13] What a vendor asks about tokens beside its token endpoint, it asks where its calls may go. */
  const expectOwnOrigins = (calls: readonly Call[], tokenEndpoint: string) => {
    for (const { at } of calls.filter((call) => call.at.url !== tokenEndpoint))
      expect(integration.origins).toContain(new URL(at.url).origin);
  };
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
    if (grant.binding === undefined) throw new Error("its sample's grant is bound to no key");
    expect(calls.map((call) => call.sign)).toEqual([possession(grant.binding, party.server.issuer)]);
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
