import { z } from "zod";
import { fail, ok, type Result } from "../result.ts";
import {
  type Address,
  type Binding,
  bearer,
  type Call,
  get,
  noCall,
  postForm,
  type Reply,
  type Sign,
  unforeseen,
} from "./call.ts";
import type { Identity } from "./identity.ts";
import type { Absent, Order, Steps } from "./integration.ts";
import {
  type Answer,
  notFound,
  revoked,
  type Sight,
  type SlowDown,
  type Unauthorized,
  type Unforeseen,
} from "./outcome.ts";
import type { Setting, Settings, SettingValues } from "./settings.ts";

/**
 * The identity type of a connection: a grant that a person gave at a platform, under the gateway's own id of it. Its tokens
 * never stand in an order; the driver hands them to the action that is run for it.
 */
export const CONNECTION = "connection";

/**
 * How a vendor's authorization code grant is used. Facts; the protocol is the core's (RFC 6749, RFC 9700). Settings are named
 * by plain text here; the contract's test holds each name against the settings.
 */
export type OAuth<S extends Settings = Settings> = {
  /** The page that describes it. */
  readonly source: string;
  readonly server: Server;
  readonly client: Client;
  /** RFC 7636, always with S256; absent only where the vendor says, or is known, to refuse it. */
  readonly pkce: "S256" | Absent;
  readonly scopes: {
    /** What is asked for where the product names none. */
    readonly standard: readonly string[];
    /** RFC 6749 section 3.3 says a space. */
    readonly separator?: "," | " ";
    /** `scope`, unless the vendor has another name for it. */
    readonly parameter?: string;
  };
  /** Further parameters of the authorization address, such as `access_type=offline`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The callback is a cross-site POST of a form, so its cookie needs SameSite=None. */
  readonly formPost?: true;
  /** The vendor's own word in the callback for a person who did not agree, where it is not `access_denied`. */
  readonly declined?: string;
  /**
   * The callback is signed with the client's secret: under this parameter, in hex, HMAC-SHA256 over all the others, sorted by name
   * and written as a form writes them, but a space as %20. A code that comes without is shown to nobody.
   */
  readonly signedCallback?: { readonly parameter: string; readonly source: string };
  /** An ID token has to come with the tokens: it is asked for with a nonce, and its claims are checked. OpenID Connect Core section 3.1.3.7. */
  readonly openid?: true;
  /** The setting, a `text`, of which each connection may have its own value: the shop, the subdomain that the account lies at. */
  readonly site?: string;
  /**
   * Makes of the token endpoint's answer what RFC 6749 sections 5.1 and 5.2 say that it is, where a vendor deviates: an error
   * inside 200, comma-separated scopes, no `token_type`. Undefined: it cannot be understood. Without: taken as it is.
   */
  readonly adapt?: (answer: TokenAnswer) => TokenAnswer | undefined;
  /** Whose grant it is: from what came with the tokens, or by asking. */
  account(fresh: FreshGrant<S>): Whose | Steps<Whose>;
  /**
   * The call that makes a token which lasts of the short one that a code gave, where the vendor has such a step of its own. It is
   * answered as by the token endpoint, goes through `adapt` too, and what it leaves out stays as the first answer said it.
   */
  lengthen?(fresh: { readonly settings: SettingValues<S>; readonly accessToken: string }): Call;
  readonly refresh: Refresh<S> | Absent;
  /**
   * A cheap read that tells whether the grant still works; asked daily where the vendor has no event for its end, or where its
   * token has to be renewed long before its end.
   */
  alive?(held: { readonly settings: SettingValues<S>; readonly grant: Grant }): Steps<Alive>;
  /**
   * What revoking one token ends: that grant, or all that this client was granted by that account. Then a connection is not
   * revoked for itself alone while another one of the same account is in use.
   */
  readonly kills: "grant" | "account";
  /** Where that reaches beyond this integration: all of a family whose clients are of one project, for one value of account. */
  readonly family?: { readonly name: string; readonly project: (clientId: string) => string };
  /** Revoking is done with an access token that works, so one that has expired is refreshed first. */
  readonly revokesWithAccess?: true;
};

export type Refresh<S extends Settings = Settings> = {
  /** The page that says that tokens are refreshed (RFC 6749 section 6), whether or not the refresh token changes with it. */
  readonly source: string;
  /** The vendor's own call for it, where an access token is renewed by itself and there is no refresh token. Answered as `lengthen` is. */
  call?(held: { readonly settings: SettingValues<S>; readonly grant: Grant }): Call;
  /** What has ended cannot be renewed, so that it is done at the daily look within so many days of its end. */
  readonly aheadDays?: number;
};

export type Server =
  | Addresses
  /** One for each value of a setting: the vendor's test environment, its regions. They share a callback, so all are one vendor's. */
  | { readonly by: string; readonly servers: Readonly<Record<string, Addresses>> }
  /** The setting, an `endpoint`, that is an OpenID provider's issuer; the rest is discovered there, at that origin alone. */
  | { readonly discovered: string }
  /** Found by what a person says of themselves, which each connection then says as its site. */
  | {
      readonly asks: Setting;
      /** Looks without credentials, at declared origins and at whatever public hosts the answers name. */
      find(said: string): Steps<Whereabouts>;
    };

/** Whom the tokens have to be of, and the server that may give them. */
export type Whereabouts = Result<{ readonly account: Identity; readonly server: FoundServer }, Unforeseen>;

export const foundAt = (server: FoundServer, account: Identity): Whereabouts => ok({ account, server });

/** Why what came is of no account: said for people who run the gateway, with nothing of the person in it. */
export const ofNobody = (what: string, status = 200): Result<never, Unforeseen> => fail(unforeseen({ status }, what));

/** Addresses of one server, checked by whoever found it. */
export type FoundServer = {
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  /** RFC 9126: what is asked for is pushed there first. Section 5: that it is named is enough to do so. */
  readonly pushed?: string;
  readonly revocation?: string;
  /** Where an access token tells whose it is; what else it is good for lies at the same origin. */
  readonly userinfo?: string;
};

export type Addresses = {
  /** Compared to the letter with `iss` of the callback and of ID tokens (RFC 9207). */
  readonly issuer: string;
  /** Addresses, which may name a setting that is a DNS label: `https://{subdomain}.vendor.example/oauth/token`. */
  readonly authorize: string;
  readonly token: string;
  /** The callback always names the issuer (RFC 9207); where it may, what it names has to be right anyway. */
  readonly namesIssuer?: true;
};

export type Client = SecretClient | DocumentClient;

export type SecretClient = {
  /** The settings with the client's id and secret. */
  readonly id: string;
  readonly secret: string;
  /** RFC 6749 section 2.3.1: by HTTP Basic, or in the form; or by a JWT in the form, which the secret is the key of. */
  readonly by: "basic" | "post" | SignedSecret;
  /** The vendor's name for `client_id`, where it has its own. */
  readonly idName?: string;
  /** The token endpoint wants JSON where RFC 6749 sends a form. */
  readonly body?: "json";
  /**
   * What the form that makes tokens of a code says beside RFC 6749 section 4.1.3, and which of its parameters it leaves out because
   * the vendor does not list them. Renewals are as in section 6.
   */
  readonly exchange?: {
    readonly adds?: Readonly<Record<string, string>>;
    readonly omits?: readonly ("grant_type" | "redirect_uri")[];
  };
  /** The setting, an optional `text`, with the User-Agent by which a vendor wants to know its clients. */
  readonly userAgent?: string;
  /**
   * The setting, an optional `text`, that is filled in where tokens have to be bound to a key of their grant's own, as a client is then
   * registered (`dpop_bound_access_tokens`, RFC 9449 section 5.2). Beside a server that is discovered: its metadata says which proofs
   * it takes.
   */
  readonly dpop?: string;
};

/**
 * Nobody registers it: its id is the address of a document that this gateway serves for the tenant. It proves itself with the tenant's
 * key, and each grant is bound to a key of its own (RFC 9449).
 */
export type DocumentClient = {
  readonly by: "document";
  /** The setting, a `text`, with all scopes that the document says may be asked for beside the standard ones. */
  readonly scopes: string;
};
/** As in `ClientSecretJwt`: the settings with the key's id and with who issues it, and for whom it is. */
export type SignedSecret = { readonly keyId: string; readonly issuer: string; readonly audience: string };

export type TokenAnswer = { readonly status: number; readonly json: Readonly<Record<string, unknown>> };

/** What is known when a code has been exchanged. */
export type FreshGrant<S extends Settings = Settings> = {
  readonly settings: SettingValues<S>;
  readonly accessToken: string;
  /** The token endpoint's whole answer, as adapted. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** The checked claims of the ID token; none where there is none. */
  readonly claims: Readonly<Record<string, unknown>>;
};

export type Whose = Result<Identity, Unforeseen | Unauthorized>;

/** What a connection holds, for as long as it is not revoked. */
export type Grant = {
  readonly accessToken: string;
  /** "" where there is none. */
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  /** Whose it is at the vendor. */
  readonly account: Identity;
  /** Epoch milliseconds; absent where the vendor does not say. */
  readonly expiresAt?: number;
  /** The connection's own value of the setting that `site` names. */
  readonly site?: string;
  /** Who gave it, where the issuer is a setting: to another one nothing of it is ever shown. */
  readonly issuer?: string;
  /** Addresses that were discovered, where the server is; all of them where it was found by what the person said. */
  readonly server?: Partial<FoundServer> & { readonly introspection?: string };
  /** Where the tokens are of no use without these keys. */
  readonly binding?: Binding;
};

/** `ended`: the vendor itself refuses the token as one that is no longer good. */
export type Alive = "alive" | "ended" | SlowDown | Unforeseen | Unauthorized;

/** The grant of the connection that an action is run for. Orders without one are of other identity types. */
export function grantOf({ grant }: Pick<Order, "grant">): Grant {
  if (grant === undefined) throw new RangeError("this order is not for a connection");
  return grant;
}

/** Where a grant's access token is good, where that was discovered with its server: where it tells whose it is, or the issuer's origin. */
export function homeOf({ server, issuer }: Pick<Grant, "server" | "issuer">): string | undefined {
  const address = server?.userinfo ?? issuer;
  return address === undefined ? undefined : new URL(address).origin;
}

/** Why this grant is not the one to do it with: another account published it, or the vendor does not take its token. */
export type NotByThis = { readonly notByThis: string };

export const notByThis = (why: string): NotByThis => ({ notByThis: why });

/**
 * Tries each of a person's grants: what was published is of one account, and nobody has noted of which. That it is not there says
 * something only where each grant says so, and none is missing, because vendors show nothing of one account's to another.
 */
export function* byOneOf(
  { grants = [], grantsMissing }: Pick<Order, "grants" | "grantsMissing">,
  act: (grant: Grant) => Steps<Answer | NotByThis>,
): Steps<Answer> {
  const others: string[] = [];
  let missing = 0;
  for (const grant of grants) {
    const answer = yield* act(grant);
    if ("notByThis" in answer) others.push(answer.notByThis);
    else if (answer.outcome === "not_found") missing++;
    else return answer;
  }
  if (missing > 0 && missing === grants.length && grantsMissing !== true) return notFound;
  if (grantsMissing === true) others.push("another grant of theirs has ended, by which it may have been published");
  return unforeseen(noCall, `no grant of this person's here can delete it: ${[...new Set(others)].join("; ")}`);
}

/**
 * What a person's grants still show of it. Where the one that cannot look, or is missing, may be its author's, nobody has seen that it
 * is gone: what the others are not shown may be there. Whichever is known not to be its author's is not counted.
 */
export function* seenByAny(
  { grants = [], grantsMissing }: Pick<Order, "grants" | "grantsMissing">,
  look: (grant: Grant) => Steps<Sight | NotByThis>,
): Steps<Sight> {
  let absent = 0;
  let blind = grantsMissing === true ? 1 : 0;
  for (const grant of grants) {
    const sight = yield* look(grant);
    if (sight === "absent") absent++;
    else if (sight === "no_view") blind++;
    else if (typeof sight === "string" || "outcome" in sight) return sight;
  }
  return absent > 0 && blind === 0 ? "absent" : "no_view";
}

/** An account's id as a member of an answer or of claims; unforeseen where it is not there. */
export function accountIn(type: string, values: Readonly<Record<string, unknown>>, name: string): Whose {
  const id = z.union([z.string().min(1).max(255), z.int().transform(String)]).safeParse(values[name]);
  return id.success
    ? ok({ type, value: id.data })
    : fail(unforeseen({ status: 200 }, `the answer has no usable ${name}`));
}

/** What a client proves itself with at the endpoints beside the token endpoint. */
export type ClientProof =
  | { readonly id: string; readonly secret: string; readonly by: "basic" | "post" }
  /** The server is one of many: a refusal is its own, and says nothing of the others. */
  | { readonly by: "document"; readonly sign: Sign };

/** The proof of a client that is a document, to the server that the grant came from. */
export function documentProof({ binding, server }: Grant): Extract<ClientProof, { by: "document" }> {
  if (binding?.client === undefined || server?.issuer === undefined)
    throw new RangeError("this grant is no document client's");
  return { by: "document", sign: possession(binding, server.issuer) };
}

/** What is shown to an authorization server where a grant is bound: its key; and the client, where a secret does not. */
export const possession = ({ key, client }: Binding, issuer: string): Sign => ({
  scheme: "dpop",
  key,
  ...(client !== undefined && { client: { ...client, audience: issuer } }),
});

/** RFC 7009 section 2.1 and RFC 7662 section 2.1 have one form: a token, a hint, and the client's proof. */
export function tokenCall(
  address: string,
  token: string,
  hint: "access_token" | "refresh_token",
  client: ClientProof,
): Call {
  const at = { url: address, template: address };
  const headers = { accept: "application/json" };
  const fields = [["token", token] as const, ["token_type_hint", hint] as const];
  switch (client.by) {
    case "document":
      return postForm(at, headers, fields, { expects: [401], sign: client.sign });
    case "basic":
      return postForm(at, { ...headers, authorization: basic(client.id, client.secret) }, fields);
    case "post":
      return postForm(at, headers, [...fields, ["client_id", client.id], ["client_secret", client.secret]]);
  }
}

/** RFC 6749 section 2.3.1: each half is form-encoded before they are joined. */
export const basic = (id: string, secret: string): string => `Basic ${btoa(`${formed(id)}:${formed(secret)}`)}`;
const formed = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);

/**
 * RFC 7009 section 2.2: 200 says that the token is revoked, or was not valid any more, and either is the end of it. The
 * refresh token first, since the server should end with it what came of it; then the access token.
 */
export function* revokeTokens(address: string, grant: Grant, client: ClientProof): Steps<Answer> {
  if (grant.refreshToken !== "") {
    const reply = yield tokenCall(address, grant.refreshToken, "refresh_token", client);
    if (reply.status !== 200) return unforeseen(reply, refusalIn(reply));
  }
  const reply = yield tokenCall(address, grant.accessToken, "access_token", client);
  // Section 2.2.1: this server revokes refresh tokens only, which has been done; a later look says what came of the other.
  const isRefreshOnly = reply.status === 400 && errorIn(reply) === "unsupported_token_type";
  return reply.status === 200 || (isRefreshOnly && grant.refreshToken !== "")
    ? revoked
    : unforeseen(reply, refusalIn(reply));
}

/** RFC 7662 section 2.2: whether a token is still good, asked of the server itself. */
export function* introspect(address: string, token: string, client: ClientProof): Steps<Sight> {
  const reply = yield tokenCall(address, token, "access_token", client);
  const body = z.object({ active: z.boolean() }).safeParse(parsed(reply.text));
  if (reply.status !== 200 || !body.success) return unforeseen(reply);
  return body.data.active ? "present" : "absent";
}

/**
 * Whether what a token is for still takes it. A token that is bound to a key goes with its proof (RFC 9449 section 7); then only the
 * word that the token itself is no good ends it, since a proof may be refused too (section 7.1, RFC 6750 section 3.1).
 */
export function* tokenSight(at: Address, { accessToken, binding }: Grant): Steps<Sight> {
  if (binding === undefined) {
    const reply = yield get(at, bearer(accessToken), { expects: [401] });
    if (reply.status === 401) return "absent";
    return reply.status === 200 ? "present" : unforeseen(reply);
  }
  const sign = { scheme: "dpop", key: binding.key, accessToken } as const;
  const reply = yield get(at, { accept: "application/json" }, { expects: [401], sign });
  if (reply.status === 401 && /\berror="invalid_token"/.test(reply.header("www-authenticate") ?? "")) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

/** RFC 6749 section 5.2: the error that a token or revocation endpoint names, if it does, in its own few words. */
export function errorIn({ text }: Pick<Reply, "text">): string | undefined {
  const body = z.object({ error: z.string().regex(/^[a-zA-Z_]{1,64}$/) }).safeParse(parsed(text));
  return body.success ? body.data.error : undefined;
}

const refusalIn = (reply: Reply): string => {
  const error = errorIn(reply);
  return error === undefined
    ? "a status that RFC 7009 does not give for a revocation"
    : `the revocation was refused: ${error}`;
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
