import { calculateJwkThumbprint } from "jose";
import * as oauth from "oauth4webapi";
import type { Call } from "../contract/call.ts";
import { sameIdentity } from "../contract/identity.ts";
import { isAbsent } from "../contract/integration.ts";
import { basic, type Grant, type OAuth, type SecretClient, type SignedSecret } from "../contract/oauth.ts";
import { clientSecretJwt } from "../platform/sign.ts";
import type { Ports } from "../ports.ts";
import { fail, ok, type Result } from "../result.ts";
import { beside, isOfAnother, issuerIn, OF_ANOTHER, type Party } from "./party.ts";
import { isSignedCallback } from "./signed-callback.ts";
import { attempt, CannotSign, type OAuthProblem, over, sent, wordsOf } from "./wire.ts";

/** What a person's browser carries to the vendor, and what is kept here to know them by when they come back. */
export type Departure = { readonly state: string; readonly verifier: string; readonly nonce: string };

export const newDeparture = (state: string): Departure => ({
  state,
  verifier: oauth.generateRandomCodeVerifier(),
  nonce: oauth.generateRandomNonce(),
});

/**
 * Where a person's browser goes: with all that is asked for (RFC 6749 section 4.1.1, RFC 7636 section 4.3); or, wherever the server takes
 * it beforehand (RFC 9126 section 5), with a reference to it, so that nothing of it stands in an address or can be changed on the way. A
 * refused push is the end of the way: what can be prevented would otherwise not protect. `hint`: what the person said of themselves.
 */
export async function authorizationAddress(
  ports: Pick<Ports, "send" | "now">,
  party: Party,
  departure: Departure,
  redirectUri: string,
  scopes: readonly string[],
  hint?: string,
): Promise<Result<string, OAuthProblem>> {
  const { oauth: facts, server, client, binding } = party;
  const asked = await parametersOf(party, departure, redirectUri, scopes);
  const url = new URL(server.authorization_endpoint);
  if (server.pushed_authorization_request_endpoint === undefined) {
    // RFC 9449 section 10; what is pushed goes with a proof of the key itself (section 10.1).
    if (binding !== undefined) asked.set("dpop_jkt", await calculateJwkThumbprint(binding.key));
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

type Exchanged = {
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
    // What was for whoever has it before, and is so still, is kept as it is: the token that it was made of is used up.
    const { binding, ...rest } = party;
    const bearer = binding !== undefined && grant.binding === undefined && answer.token_type !== "dpop";
    return { ...kept, ...tokensOf(ports, bearer ? rest : party, answer, grant) };
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
  { refreshToken, binding }: Grant,
): Promise<oauth.TokenEndpointResponse> {
  const { server, client } = party;
  const reply = await oauth.refreshTokenGrantRequest(server, client, proofOf(ports, party), refreshToken, {
    [oauth.customFetch]: over(ports, party),
  });
  const answer = await oauth.processRefreshTokenResponse(server, client, reply);
  if (binding !== undefined) bound(party, answer);
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

/** The form that makes tokens of a code, as the vendor lists it: the last hand on it is the client's proof. */
const inItsWords =
  (proof: oauth.ClientAuth, { exchange: { adds = {}, omits = [] } = {} }: Partial<SecretClient>): oauth.ClientAuth =>
  (server, client, body, headers) => {
    for (const name of omits) body.delete(name);
    for (const [name, value] of Object.entries(adds)) body.set(name, value);
    return proof(server, client, body, headers);
  };
