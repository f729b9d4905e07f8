import * as oauth from "oauth4webapi";
import type { Binding, Call } from "../contract/call.ts";
import { type Identity, sameIdentity } from "../contract/identity.ts";
import type { Integration } from "../contract/integration.ts";
import { isAbsent } from "../contract/integration.ts";
import {
  basic,
  type Client,
  type FoundServer,
  type Grant,
  type OAuth,
  type SecretClient,
  type Server,
  type SignedSecret,
  type TokenAnswer,
} from "../contract/oauth.ts";
import { isPublicEndpoint, originOf, type Settings, type SettingValues } from "../contract/settings.ts";
import { isPublicLook, stepped } from "../lanes/call.ts";
import { clientSecretJwt } from "../platform/sign.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { fail, ok, type Result } from "../result.ts";
import { newBinding } from "./client.ts";
import { isSignedCallback } from "./signed-callback.ts";

/** What can go wrong between a vendor's authorization server and us. */
export type OAuthProblem =
  /** No answer, or the vendor's own trouble: the same may work later. */
  | { readonly reason: "unreachable" }
  /** RFC 6749 section 5.2: the error's own name. */
  | { readonly reason: "refused"; readonly error: string }
  | { readonly reason: "unreadable"; readonly what: string }
  /** What a person said of themselves leads to no account. */
  | { readonly reason: "unknown_account"; readonly what: string }
  | { readonly reason: "misconfigured"; readonly what: string };

/** A vendor's authorization server, as one tenant's subprocessor uses it. */
export type Party = {
  readonly integration: Integration;
  readonly subprocessor: string;
  readonly oauth: OAuth;
  readonly settings: SettingValues<Settings>;
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  /** The keys that the grant is bound to, where the client is a document. */
  readonly binding?: Binding;
  /** Whom the tokens have to be of, where the server was found by what the person said. */
  readonly expected?: Identity;
};

/**
 * What is known of one connection: its own value of the setting that says where the account lies, or what the person said; and from when
 * a person has left, what was found by it and which keys are its own.
 */
export type Where = {
  readonly site?: string | undefined;
  readonly server?: Grant["server"] | undefined;
  readonly binding?: Binding | undefined;
  readonly expected?: Identity | undefined;
};

/** Who is at the other end, by the registry; undefined where this subprocessor grants nothing. */
export async function partyOf(
  ports: Pick<Ports, "integrations" | "send" | "now" | "store" | "origin">,
  context: Context,
  subprocessor: string,
  where: Where,
): Promise<Result<Party, OAuthProblem> | undefined> {
  const entry = context.tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(entry?.integration ?? "");
  if (integration === undefined || isAbsent(integration.oauth)) return undefined;
  const { oauth: facts } = integration;
  const { site } = where;
  const entered = await settingsOf(context, subprocessor, integration.settings);
  const settings = { ...entered, ...(facts.site !== undefined && site !== undefined && { [facts.site]: site }) };
  const isDocument = facts.client.by === "document";
  const binding = isDocument ? (where.binding ?? (await newBinding(ports, context))) : undefined;
  const id = "id" in facts.client ? (settings[facts.client.id] ?? "") : (binding?.client.id ?? "");
  if (id === "")
    return fail({
      reason: "misconfigured",
      what: `${"id" in facts.client ? facts.client.id : "the client"} is not filled in`,
    });
  const known = { integration, subprocessor, oauth: facts, settings, client: { client_id: id } };
  const own = { ...known, ...(binding !== undefined && { binding }) };
  if ("find" in facts.server) {
    const found = await whereabouts(ports, integration, facts.server, where);
    if (!found.ok) return found;
    const { account, server } = found.value;
    return ok({ ...own, server: metadataOf(server), ...(account !== undefined && { expected: account }) });
  }
  const server = await serverOf(ports, context, subprocessor, integration, facts, settings);
  return server.ok ? ok({ ...own, server: server.value }) : server;
}

type Found = Result<{ readonly account: Identity | undefined; readonly server: FoundServer }, OAuthProblem>;

/** As it was found when the person left: whatever their name leads to later, these tokens are of this server. */
async function whereabouts(
  ports: Pick<Ports, "send" | "now">,
  { origins }: Integration,
  { find }: Extract<Server, { find: unknown }>,
  { site = "", server, expected }: Where,
): Promise<Found> {
  if (server !== undefined) {
    const { issuer, authorize, token } = server;
    if (issuer === undefined || authorize === undefined || token === undefined)
      return fail({ reason: "misconfigured", what: "this connection was made in another way" });
    return ok({ account: expected, server: { ...server, issuer, authorize, token } });
  }
  const until = ports.now() + FINDING_MS;
  let calls = 0;
  const looked = await stepped(find(site), async (call) => {
    if (!isPublicLook(call, origins)) return { problem: { reason: "forbidden_address", host: "" } };
    if (++calls > MOST_LOOKS || ports.now() >= until) return { problem: { reason: "out_of_time" } };
    const sent = await ports.send(call);
    return sent.ok ? { reply: sent.value } : { problem: sent.problem };
  });
  if ("problem" in looked) {
    const isOdd = looked.problem.reason === "forbidden_address" || looked.problem.reason === "broken";
    return fail(isOdd ? { reason: "unreadable", what: looked.problem.reason } : { reason: "unreachable" });
  }
  const { answer } = looked;
  return answer.ok ? answer : fail({ reason: "unknown_account", what: answer.problem.what });
}

/** A person waits. */
const FINDING_MS = 20_000;
const MOST_LOOKS = 6;

const metadataOf = ({
  issuer,
  authorize,
  token,
  pushed,
  revocation,
  userinfo,
}: FoundServer): oauth.AuthorizationServer => ({
  issuer,
  authorization_endpoint: authorize,
  token_endpoint: token,
  ...(pushed !== undefined && { pushed_authorization_request_endpoint: pushed }),
  ...(revocation !== undefined && { revocation_endpoint: revocation }),
  ...(userinfo !== undefined && { userinfo_endpoint: userinfo }),
  authorization_response_iss_parameter_supported: true,
});

async function serverOf(
  ports: Pick<Ports, "send">,
  context: Context,
  subprocessor: string,
  integration: Integration,
  { server }: OAuth,
  settings: SettingValues<Settings>,
): Promise<Result<oauth.AuthorizationServer, OAuthProblem>> {
  if ("find" in server) return fail({ reason: "misconfigured", what: "the server is found by what a person says" });
  if ("discovered" in server) {
    const issuer = settings[server.discovered] ?? "";
    return attempt(() => context.once(`oauth server ${subprocessor} ${issuer}`, () => discovered(ports, issuer)));
  }
  const chosen = "by" in server ? new Map(Object.entries(server.servers)).get(settings[server.by] ?? "") : server;
  if (chosen === undefined) return fail({ reason: "misconfigured", what: "no server is known for these settings" });
  const filled = (address: string) => addressOf(address, integration.settings, settings);
  const [issuer, authorize, token] = [filled(chosen.issuer), filled(chosen.authorize), filled(chosen.token)];
  if (issuer === undefined || authorize === undefined || token === undefined)
    return fail({ reason: "misconfigured", what: "the address of the account is not filled in" });
  return ok({
    issuer,
    authorization_endpoint: authorize,
    token_endpoint: token,
    ...(chosen.namesIssuer === true && { authorization_response_iss_parameter_supported: true }),
  });
}

/** An address whose host may hold settings; no setting stands in its path. */
function addressOf(declared: string, settings: Settings, values: SettingValues<Settings>): string | undefined {
  const [, origin = "", rest = ""] = /^(https:\/\/[^/]+)(.*)$/.exec(declared) ?? [];
  const filled = originOf(origin, settings, values);
  return filled === undefined ? undefined : filled + rest;
}

/** OpenID Connect Discovery 1.0 section 4, and RFC 8414. What it names beyond its own origin is not used. */
async function discovered(ports: Pick<Ports, "send">, issuer: string): Promise<oauth.AuthorizationServer> {
  if (!isPublicEndpoint(issuer)) throw new oauth.OperationProcessingError("the issuer is no public address");
  const url = new URL(issuer);
  const found = await oauth.processDiscoveryResponse(
    url,
    await oauth.discoveryRequest(url, { algorithm: "oidc", [oauth.customFetch]: over(ports) }),
  );
  const { origin } = url;
  const own = (address: string | undefined) =>
    address !== undefined && URL.canParse(address) && new URL(address).origin === origin ? address : undefined;
  const [authorize, token] = [own(found.authorization_endpoint), own(found.token_endpoint)];
  if (authorize === undefined || token === undefined)
    throw new oauth.OperationProcessingError("the provider's endpoints are not at its own origin");
  const [revocation, introspection] = [own(found.revocation_endpoint), own(found.introspection_endpoint)];
  const userinfo = own(found.userinfo_endpoint);
  return {
    issuer: found.issuer,
    authorization_endpoint: authorize,
    token_endpoint: token,
    ...(revocation !== undefined && { revocation_endpoint: revocation }),
    ...(introspection !== undefined && { introspection_endpoint: introspection }),
    ...(userinfo !== undefined && { userinfo_endpoint: userinfo }),
    // Without it, RS256 alone would do.
    ...(found.id_token_signing_alg_values_supported !== undefined && {
      id_token_signing_alg_values_supported: found.id_token_signing_alg_values_supported,
    }),
    ...(found.authorization_response_iss_parameter_supported === true && {
      authorization_response_iss_parameter_supported: true,
    }),
  };
}

/** What a person's browser carries to the vendor, and what is kept here to know them by when they come back. */
export type Departure = { readonly state: string; readonly verifier: string; readonly nonce: string };

export const newDeparture = (state: string): Departure => ({
  state,
  verifier: oauth.generateRandomCodeVerifier(),
  nonce: oauth.generateRandomNonce(),
});

/**
 * Where a person's browser goes: with all that is asked for (RFC 6749 section 4.1.1, RFC 7636 section 4.3), or with a reference to it
 * where the server wants it pushed (RFC 9126). `hint`: what the person said of themselves.
 */
export async function authorizationAddress(
  ports: Pick<Ports, "send" | "now">,
  party: Party,
  departure: Departure,
  redirectUri: string,
  scopes: readonly string[],
  hint?: string,
): Promise<Result<string, OAuthProblem>> {
  const { oauth: facts, server, client } = party;
  const asked = await parametersOf(party, departure, redirectUri, scopes);
  // `serverOf` gives none without it.
  const url = new URL(server.authorization_endpoint ?? server.issuer);
  if (server.pushed_authorization_request_endpoint === undefined) {
    for (const [name, value] of asked) url.searchParams.set(name, value);
    return ok(url.href);
  }
  if (hint !== undefined) asked.set("login_hint", hint);
  return attempt(async () => {
    const reply = await oauth.pushedAuthorizationRequest(server, client, proofOf(ports, party), asked, {
      [oauth.customFetch]: over(ports, party),
    });
    const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, reply);
    url.searchParams.set(idNameOf(facts), client.client_id);
    url.searchParams.set("request_uri", request_uri);
    return url.href;
  });
}

async function parametersOf(
  { oauth: facts, client }: Party,
  { state, verifier, nonce }: Departure,
  redirectUri: string,
  scopes: readonly string[],
): Promise<URLSearchParams> {
  const parameters = new URLSearchParams({ ...facts.parameters });
  const set = (name: string, value: string) => parameters.set(name, value);
  set("response_type", "code");
  set(idNameOf(facts), client.client_id);
  set("redirect_uri", redirectUri);
  if (scopes.length > 0) set(facts.scopes.parameter ?? "scope", scopes.join(facts.scopes.separator ?? " "));
  set("state", state);
  if (facts.pkce === "S256") {
    set("code_challenge", await oauth.calculatePKCECodeChallenge(verifier));
    set("code_challenge_method", "S256");
  }
  if (facts.openid === true) set("nonce", nonce);
  if (facts.formPost === true) set("response_mode", "form_post");
  return parameters;
}

const idNameOf = ({ client }: OAuth): string => ("idName" in client ? client.idName : undefined) ?? "client_id";

export type Exchanged = {
  readonly tokens: Omit<Grant, "account">;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
};

/**
 * Makes tokens of a code: once, and never again, since a server that sees a code twice takes back what it gave for it (RFC 6749
 * section 4.1.2). The issuer is checked before anything that the answer says (RFC 9207 section 2.4).
 */
export async function exchange(
  ports: Pick<Ports, "send" | "now">,
  party: Party,
  parameters: URLSearchParams,
  { state, verifier, nonce }: Departure,
  redirectUri: string,
  asked: readonly string[],
): Promise<Result<Exchanged, OAuthProblem>> {
  const { oauth: facts, server, client, settings } = party;
  const { signedCallback } = facts;
  // An error brings no code, and need not be proven to be believed: it gives nothing.
  if (signedCallback !== undefined && !parameters.has("error")) {
    const isSigned = await isSignedCallback(
      signedCallback,
      parameters,
      settings[wordsOf(facts.client).secret ?? ""] ?? "",
    );
    if (!isSigned) return fail({ reason: "unreadable", what: "the callback is not signed with the client's secret" });
  }
  return attempt(async () => {
    const checked = oauth.validateAuthResponse(server, client, plainly(parameters, facts), state);
    const reply = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      inItsWords(proofOf(ports, party), wordsOf(facts.client)),
      checked,
      redirectUri,
      facts.pkce === "S256" ? verifier : oauth.nopkce,
      { [oauth.customFetch]: over(ports, party) },
    );
    const first = await oauth.processAuthorizationCodeResponse(server, client, reply, {
      ...(facts.openid === true && { expectedNonce: nonce, requireIdToken: true }),
    });
    bound(party, first);
    const claims = { ...oauth.getValidatedIdTokenClaims(first) };
    const longer = facts.lengthen?.({ settings: party.settings, accessToken: first.access_token });
    // Where this fails there is no connection, and the short token ends by itself.
    const answer = longer === undefined ? first : { ...first, ...(await answered(ports, party, longer)) };
    return { tokens: tokensOf(ports, party, answer, { scopes: asked, refreshToken: "" }), answer, claims };
  });
}

/**
 * A callback in the words of RFC 6749 section 4.1.2. One that comes as a form may bring an ID token beside the code, which nobody
 * asked for and nobody reads: the one that counts comes from the token endpoint.
 */
function plainly(parameters: URLSearchParams, { formPost, declined }: OAuth): URLSearchParams {
  const plain = new URLSearchParams(parameters);
  if (formPost === true) plain.delete("id_token");
  if (declined !== undefined && plain.get("error") === declined) plain.set("error", "access_denied");
  return plain;
}

/** RFC 6749 section 6. What the answer leaves out stays as it was. */
export async function renew(
  ports: Pick<Ports, "send" | "now">,
  party: Party,
  grant: Grant,
): Promise<Result<Grant, OAuthProblem>> {
  const { oauth: facts, settings } = party;
  if (isOfAnother(facts, grant, settings)) return fail({ reason: "misconfigured", what: OF_ANOTHER });
  return attempt(async () => {
    const own = isAbsent(facts.refresh) ? undefined : facts.refresh.call?.({ settings, grant });
    const answer = own === undefined ? await refreshed(ports, party, grant) : await answered(ports, party, own);
    const claims = { ...oauth.getValidatedIdTokenClaims(answer) };
    // OpenID Connect Core section 12.2: a new ID token is the same person's.
    if (facts.openid === true && claims.sub !== undefined && !isOf(party, answer, claims, grant))
      throw new oauth.OperationProcessingError("the renewed tokens are of another account");
    const { expiresAt: _, ...kept } = grant;
    return { ...kept, ...tokensOf(ports, party, answer, grant) };
  });
}

/** A token that anybody could use is not what was asked for. RFC 9449 section 5. */
function bound({ binding }: Party, { token_type }: oauth.TokenEndpointResponse): void {
  if (binding !== undefined && token_type !== "dpop")
    throw new oauth.OperationProcessingError("the tokens are bound to no key");
}

/** Whether a grant can be renewed: by its refresh token, or where the vendor renews access tokens by themselves. */
export const isRenewable = ({ refresh }: OAuth, { refreshToken }: Pick<Grant, "refreshToken">): boolean =>
  !isAbsent(refresh) && (refreshToken !== "" || refresh.call !== undefined);

async function refreshed(
  ports: Pick<Ports, "send" | "now">,
  party: Party,
  { refreshToken }: Grant,
): Promise<oauth.TokenEndpointResponse> {
  const { server, client } = party;
  const reply = await oauth.refreshTokenGrantRequest(server, client, proofOf(ports, party), refreshToken, {
    [oauth.customFetch]: over(ports, party),
  });
  const answer = await oauth.processRefreshTokenResponse(server, client, reply);
  bound(party, answer);
  return answer;
}

/** A call of the vendor's own that is answered as its token endpoint answers. */
async function answered(ports: Pick<Ports, "send">, party: Party, call: Call): Promise<oauth.TokenEndpointResponse> {
  const reply = await sent(ports, party, call);
  return oauth.processGenericTokenEndpointResponse(party.server, party.client, reply);
}

function isOf(
  { oauth: facts, settings }: Party,
  answer: oauth.TokenEndpointResponse,
  claims: Readonly<Record<string, unknown>>,
  { account }: Pick<Grant, "account">,
): boolean {
  const whose = facts.account({ settings, accessToken: answer.access_token, answer, claims });
  // Where the vendor has to be asked whose it is, the ID token alone does not say it.
  return !("ok" in whose) || (whose.ok && sameIdentity(whose.value, account));
}

/** Ten years: what is said to last longer has no end that could be waited for, or be written as a time. */
const LONGEST_S = 10 * 366 * 86_400;

function tokensOf(
  ports: Pick<Ports, "now">,
  { server, oauth: facts, settings, binding }: Party,
  answer: oauth.TokenEndpointResponse,
  before: Pick<Grant, "scopes" | "refreshToken">,
): Omit<Grant, "account"> {
  const site = facts.site === undefined ? undefined : settings[facts.site];
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? before.refreshToken,
    // RFC 6749 section 5.1: left out where it is what was asked for.
    scopes: answer.scope === undefined ? before.scopes : answer.scope.split(" ").filter((scope) => scope !== ""),
    ...(answer.expires_in !== undefined &&
      answer.expires_in <= LONGEST_S && { expiresAt: ports.now() + Math.floor(answer.expires_in * 1000) }),
    ...(site !== undefined && site !== "" && { site }),
    ...("discovered" in facts.server && { issuer: issuerIn(settings[facts.server.discovered]) }),
    ...(("discovered" in facts.server || "find" in facts.server) && { server: beside(server, facts) }),
    ...(binding !== undefined && { binding }),
  };
}

/** One spelling, so that a slash at its end makes no other issuer of it. */
const issuerIn = (setting = ""): string => (URL.canParse(setting) ? new URL(setting).href : setting);

/** Whether a grant was given by another provider than the one that is entered now: neither is told the other's secrets. */
export function isOfAnother(
  { server }: Pick<OAuth, "server">,
  grant: Pick<Grant, "issuer">,
  settings: Readonly<Record<string, string>>,
): boolean {
  if (!("discovered" in server) || grant.issuer === undefined) return false;
  return grant.issuer !== issuerIn(settings[server.discovered]);
}

export const OF_ANOTHER = "the connection is of another issuer than the one that is entered now";

/** The endpoints beside the token endpoint, where they were discovered; with all others where the server was found. */
export const beside = (server: oauth.AuthorizationServer, { server: stated }: OAuth): NonNullable<Grant["server"]> => ({
  ...("find" in stated && {
    issuer: server.issuer,
    ...(server.authorization_endpoint !== undefined && { authorize: server.authorization_endpoint }),
    ...(server.token_endpoint !== undefined && { token: server.token_endpoint }),
    ...(server.pushed_authorization_request_endpoint !== undefined && {
      pushed: server.pushed_authorization_request_endpoint,
    }),
  }),
  ...(server.revocation_endpoint !== undefined && { revocation: server.revocation_endpoint }),
  ...(server.introspection_endpoint !== undefined && { introspection: server.introspection_endpoint }),
  ...(server.userinfo_endpoint !== undefined && { userinfo: server.userinfo_endpoint }),
});

function proofOf(ports: Pick<Ports, "now">, { oauth: { client: facts }, settings, client }: Party): oauth.ClientAuth {
  // The proof is made when the call leaves (`over`), anew where the server asks for a nonce.
  if (facts.by === "document") return oauth.None();
  const { by, idName = "client_id" } = facts;
  const secret = settings[facts.secret] ?? "";
  // The library escapes every hyphen and underscore too, as the standard allows; vendors that undo nothing then know no such client.
  if (by === "basic") return (_, __, ___, headers) => headers.set("authorization", basic(client.client_id, secret));
  return async (_, __, body) => {
    body.set(idName, client.client_id);
    body.set("client_secret", by === "post" ? secret : await signedSecret(by));
  };

  async function signedSecret({ keyId, issuer, audience }: SignedSecret): Promise<string> {
    const [kid, iss] = [settings[keyId] ?? "", settings[issuer] ?? ""];
    const subject = client.client_id;
    try {
      const facts = { scheme: "client-secret-jwt", key: secret, keyId: kid, issuer: iss, audience, subject } as const;
      return await clientSecretJwt(facts, ports.now());
    } catch {
      // Whatever it rejects with, it is the key: nothing else of what is signed can fail. Its message may name the key.
      throw new CannotSign();
    }
  }
}

/** The key that was entered does not sign. */
class CannotSign extends Error {
  override readonly name = "CannotSign";
}

type Words = Partial<SecretClient>;

/** What a vendor has its own words for; a client that is a document is of a standard. */
const wordsOf = (client: Client): Words => (client.by === "document" ? {} : client);

/** The form that makes tokens of a code, as the vendor lists it: the last hand on it is the client's proof. */
const inItsWords =
  (proof: oauth.ClientAuth, { exchange: { adds = {}, omits = [] } = {} }: Words): oauth.ClientAuth =>
  (server, client, body, headers) => {
    for (const name of omits) body.delete(name);
    for (const [name, value] of Object.entries(adds)) body.set(name, value);
    return proof(server, client, body, headers);
  };

/** No answer came that could be gone on with; it never says more. */
class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The library's calls go the way of all calls: bounded in time and size, no redirect followed, no forbidden host. */
function over(ports: Pick<Ports, "send">, party?: Pick<Party, "oauth" | "settings" | "binding" | "server">) {
  const { binding, server } = party ?? {};
  const sign = binding !== undefined &&
    server !== undefined && { scheme: "dpop" as const, binding, audience: server.issuer };
  return (
    url: string,
    {
      method,
      headers,
      body,
    }: { method: "GET" | "POST"; headers: Record<string, string>; body?: URLSearchParams | undefined },
  ): Promise<Response> => {
    // The library names itself; the gateway does where nothing is said.
    const { "user-agent": _, ...own } = headers;
    const isJson = party !== undefined && wordsOf(party.oauth.client).body === "json";
    return sent(ports, party, {
      method,
      at: { url, template: url },
      headers: isJson ? { ...own, "content-type": "application/json" } : own,
      ...(body !== undefined && { body: isJson ? JSON.stringify(Object.fromEntries(body)) : body.toString() }),
      ...(sign !== false && { sign }),
    });
  };
}

async function sent(
  ports: Pick<Ports, "send">,
  party: Pick<Party, "oauth" | "settings"> | undefined,
  call: Call,
): Promise<Response> {
  const { adapt, client } = party?.oauth ?? {};
  const agent = party?.settings[(client === undefined ? {} : wordsOf(client)).userAgent ?? ""] ?? "";
  const got = await ports.send({ ...call, headers: { ...call.headers, ...(agent !== "" && { "user-agent": agent }) } });
  if (!got.ok) throw new NoAnswer(got.problem.reason);
  const { status, header, text } = got.value;
  if (status >= 500 || status === 429) throw new NoAnswer(`status ${status}`);
  const adapted = adapt === undefined ? undefined : adaptedBy(adapt, status, text);
  if (adapted !== undefined) return Response.json(adapted.json, { status: adapted.status });
  const type = header("content-type") ?? "";
  // These statuses may have no body, by the standard that makes responses.
  const isBare = status < 200 || status > 599 || [204, 205, 304].includes(status);
  return new Response(isBare ? null : text, { status: isBare ? 204 : status, headers: { "content-type": type } });
}

function adaptedBy(adapt: NonNullable<OAuth["adapt"]>, status: number, text: string): TokenAnswer | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return adapt({ status, json: { ...json } });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The library says by its exceptions what does not fit; none of them leaves this file. */
async function attempt<T>(make: () => Promise<T>): Promise<Result<T, OAuthProblem>> {
  try {
    return ok(await make());
  } catch (error) {
    if (error instanceof CannotSign) return fail({ reason: "misconfigured", what: "the client's key does not sign" });
    if (error instanceof NoAnswer) return fail({ reason: "unreachable" });
    if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError)
      return fail({ reason: "refused", error: /^[a-zA-Z_]{1,64}$/.test(error.error) ? error.error : "unknown" });
    if (error instanceof oauth.WWWAuthenticateChallengeError)
      return fail({ reason: "refused", error: "invalid_client" });
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
      return fail({ reason: "unreadable", what: error.message.slice(0, 120) });
    throw error;
  }
}
