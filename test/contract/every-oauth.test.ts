import { describe, expect, it } from "vitest";
import * as all from "../../integrations/index.ts";
import {
  authorizationAddress,
  exchange,
  newDeparture,
  type Party,
  partyOf,
  renew,
} from "../../src/connections/protocol.ts";
import type { Call } from "../../src/contract/call.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import type { OAuth } from "../../src/contract/oauth.ts";
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
describe.each(granting)("OAuth of $id", ({ integration, oauth, sample }) => {
  const said = (): OAuthSample => {
    if (sample.oauth === undefined) throw new Error(`${integration.id} has no OAuth in its sample`);
    return sample.oauth;
  };
  const tokenAddress = (party: Party) => party.server.token_endpoint ?? "";

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
  ) {
    const departure = newDeparture("11state");
    let known: Asked | undefined;
    const ports = vendor(() => (known === undefined ? fail({ reason: "connection_failed" }) : answer(known)));
    const party = await partyWith(ports);
    known = asked(party, departure.nonce);
    const { namesIssuer } = oauth.server as { readonly namesIssuer?: true };
    const isNamed = namesIssuer === true || party.server.authorization_response_iss_parameter_supported === true;
    const parameters = new URLSearchParams({
      code: "the-code",
      state: departure.state,
      ...(isNamed && { iss: party.server.issuer }),
      ...more,
    });
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

  it("makes a grant of the vendor's documented answer, and learns whose it is", async () => {
    const { token, asks, grant, lastsSeconds } = said();
    const { result, party, calls, departure } = await way((about) => ok(token(about)));
    if (!result.ok) throw new Error(JSON.stringify(result.problem));
    expect(calls.map(({ at }) => at.url)).toEqual([tokenAddress(party)]);
    const sent = new URLSearchParams(calls[0]?.body);
    expect(sent.get("code")).toBe("the-code");
    expect(sent.get("redirect_uri")).toBe(REDIRECT);
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
    expect(new URLSearchParams(calls[0]?.body).get("refresh_token")).toBe(grant.refreshToken);
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
