import { expect } from "vitest";
import * as all from "../../integrations/index.ts";
import { type Party, partyOf } from "../../src/connections/party.ts";
import { exchange, newDeparture } from "../../src/connections/protocol.ts";
import type { Call } from "../../src/contract/call.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import type { SecretClient } from "../../src/contract/oauth.ts";
import type { Ports, SendProblem } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { fail, ok, type Result } from "../../src/result.ts";
import type { Asked, OAuthSample, Sample } from "../integrations/samples/kit.ts";
import { entry } from "../lanes/samples.ts";
import { type Played, replyOf } from "../support/play.ts";

export const NOW = Date.parse("2026-11-22T09:00:00Z");
export const REDIRECT = "https://gateway.example.com/oauth/vendor/callback";
const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });

/** Every integration that connects accounts. */
export const granting = Object.values<Integration>(all).flatMap((integration) => {
  const { id, oauth } = integration;
  const sample = samples[`../integrations/samples/${id}.ts`]?.sample;
  return isAbsent(oauth) ? [] : [{ id, integration, oauth, sample: sample ?? { settings: {}, hooks: {}, ways: [] } }];
});

/** The protocol runs as in the product; only the vendor's answers are given. */
export function waysOf({ integration, oauth, sample }: (typeof granting)[number]) {
  const said = (): OAuthSample => {
    if (sample.oauth === undefined) throw new Error(`${integration.id} has no OAuth in its sample`);
    return sample.oauth;
  };
  const tokenAddress = (party: Party) => party.server.token_endpoint;

  /** Whether it is the call that makes of a short token one that lasts, and not the exchange. */
  const isOwn = (party: Party, { at, body }: Call) =>
    oauth.lengthen !== undefined && !(at.url === tokenAddress(party) && new URLSearchParams(body).has("code"));

  /** A vendor that answers at its token endpoint and at its discovery, and what it was asked. */
  function vendor(
    answer: (call: Call) => Result<Played, SendProblem>,
    discovery: () => Played | undefined = () => said().discovery,
  ) {
    const calls: Call[] = [];
    const send = async (call: Call) => {
      const isDiscovery = call.at.url.endsWith("/.well-known/openid-configuration");
      const given = isDiscovery ? ok(discovery() ?? { status: 404 }) : answer(call);
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

  async function partyWith(ports: ReturnType<typeof vendor>, settings = sample.settings): Promise<Party> {
    const integrations = new Map([[integration.id, integration]]);
    const { grant } = said();
    // A server that was found, and the keys that a grant is bound to, are those of the sample's grant: nothing is asked of a store.
    const where = "find" in oauth.server ? { ...grant, expected: grant.account } : { site: grant.site };
    const rest = { store: {} as Ports["store"], origin: new URL(REDIRECT).origin };
    const found = await partyOf({ ...ports, ...rest, integrations }, context(settings), "vendor", where);
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
    settings = sample.settings,
  ) {
    const departure = newDeparture("11state");
    let known: Asked | undefined;
    let own: Party | undefined;
    const ports = vendor((call) => {
      if (known === undefined || own === undefined) return fail({ reason: "connection_failed" });
      return isOwn(own, call) ? longer() : answer(known);
    });
    const party = await partyWith(ports, settings);
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

  return { said, vendor, words, context, partyWith, signatureOf, sentIn, asked, way, isOwn, tokenAddress };
}
