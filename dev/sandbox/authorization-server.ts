import { createHash, randomBytes } from "node:crypto";
import type { Json } from "./vendor.ts";

/** How a vendor's authorization server behaves, as its documentation says. */
export type Behaviour = {
  readonly now: () => number;
  /** The names of what it is shown, where they are its own. */
  readonly names?: { readonly clientId?: string; readonly scope?: string };
  /** How a client proves itself at the token endpoint. */
  readonly by: "basic" | "post";
  readonly pkce: "required" | "optional" | "ignored";
  /** The token endpoint takes JSON, and no form. */
  readonly body?: "json";
  /** The token endpoint does not ask for the redirect address again, as RFC 6749 section 4.1.3 would. */
  readonly forgetsRedirect?: true;
  /** Seconds; without, its access tokens do not end by themselves. */
  readonly expiresIn?: number;
  /** Whether there are refresh tokens, and whether one can be used once only. */
  readonly refresh: "none" | "kept" | "rotated";
  /** What `iss` says in the callback, where it says it. */
  readonly issuer?: string;
  /** Its own word in the callback for a person who did not agree. */
  readonly declined?: string;
  /** Ending one token ends that grant, or all that the account has granted to the client. */
  readonly kills: "grant" | "account";
  /** Which clients are one, where several of a project are. */
  readonly sameClient?: (one: string, other: string) => boolean;
  /** The token endpoint's answer in the vendor's own shape; RFC 6749 section 5.1 without. */
  readonly answer?: (issued: Issued) => Response;
  /** A refusal in the vendor's own shape; RFC 6749 section 5.2 without. */
  readonly refuse?: (error: string) => Response;
};

export type Issued = {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly expiresIn?: number;
  readonly scopes: readonly string[];
  readonly account: string;
  readonly clientId: string;
  readonly nonce: string | undefined;
  /** Whether it came of a refresh token. */
  readonly isRenewal: boolean;
};

type Grant = {
  readonly clientId: string;
  readonly account: string;
  readonly scopes: readonly string[];
  readonly nonce: string | undefined;
  accessToken: string;
  refreshToken: string | undefined;
  until: number;
};

type Code = Omit<Grant, "accessToken" | "refreshToken" | "until"> & {
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly until: number;
};

/** Whoever has a valid access token. */
export type Holder = { readonly account: string; readonly clientId: string; readonly scopes: readonly string[] };

export type AuthorizationServer = {
  /** The page at which a person signs in and agrees; whoever calls themselves `deny` refuses. */
  authorize(request: Request): Promise<Response>;
  token(request: Request): Promise<Response>;
  /** RFC 7009. */
  revoke(request: Request): Promise<Response>;
  /** RFC 6749 section 2.3.1, for the vendor's other endpoints: the client's id. */
  clientOf(request: Request): string | undefined;
  holder(accessToken: string | null | undefined): Holder | undefined;
  /** The bearer of a request. */
  bearer(request: Request): Holder | undefined;
  /** Ends the grant of any of its tokens; false where there is none. */
  end(token: string): boolean;
  /** A person takes away at the vendor what they granted. */
  endAccount(account: string): void;
  holdings(): Json;
  reset(): void;
};

const CODE_MS = 60_000;

/**
 * An authorization server for stand-ins: the page for people, codes that can be used once, PKCE, refresh tokens, revocation. A client
 * is who it says it is with any secret; what is held against it is what it must hold to: its own codes, its redirect address, its verifier.
 */
export function authorizationServer(behaviour: Behaviour): AuthorizationServer {
  const { now, names = {}, refresh, kills } = behaviour;
  const sameClient = behaviour.sameClient ?? ((one: string, other: string) => one === other);
  const codes = new Map<string, Code>();
  const used = new Map<string, string>();
  const grants = new Map<string, Grant>();
  const refuse =
    behaviour.refuse ??
    ((error) => Response.json({ error }, { status: error === "invalid_client" ? 401 : 400, headers: NO_STORE }));
  const answer = behaviour.answer ?? plain;

  const grantOf = (token: string): [string, Grant] | undefined =>
    [...grants].find(([, each]) => each.accessToken === token || each.refreshToken === token);
  const remove = ([id, grant]: [string, Grant]) => {
    grants.delete(id);
    if (kills === "account")
      for (const [other, each] of grants)
        if (each.account === grant.account && sameClient(each.clientId, grant.clientId)) grants.delete(other);
  };
  const issue = (grant: Grant, isRenewal: boolean): Response => {
    grant.accessToken = opaque("at");
    grant.until = behaviour.expiresIn === undefined ? Number.POSITIVE_INFINITY : now() + behaviour.expiresIn * 1000;
    if (refresh === "rotated" || (refresh === "kept" && !isRenewal)) grant.refreshToken = opaque("rt");
    const { accessToken, refreshToken, scopes, account, clientId, nonce } = grant;
    return answer({
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(behaviour.expiresIn !== undefined && { expiresIn: behaviour.expiresIn }),
      scopes,
      account,
      clientId,
      nonce,
      isRenewal,
    });
  };

  const server: AuthorizationServer = {
    async authorize(request) {
      const url = new URL(request.url);
      const asked = (name: string) => url.searchParams.get(name) ?? undefined;
      const clientId = asked(names.clientId ?? "client_id");
      const redirectUri = asked("redirect_uri");
      if (clientId === undefined || redirectUri === undefined) return page("This application is not known.", 400);
      if (asked("response_type") !== "code") return page("Only codes are given here.", 400);
      const challenge = behaviour.pkce === "ignored" ? undefined : asked("code_challenge");
      if (behaviour.pkce === "required" && (challenge === undefined || asked("code_challenge_method") !== "S256"))
        return page("This application has to use PKCE.", 400);
      if (request.method === "GET")
        return page(
          `<form method="post" action="${escaped(url.pathname + url.search)}">
<input type="hidden" name="prompt" value="login"><input name="login"><input name="password"><button>Agree</button></form>`,
        );
      const account = new URLSearchParams(await request.text()).get("login") ?? "";
      const state = asked("state");
      const back: Record<string, string> = {
        ...(state !== undefined && { state }),
        ...(behaviour.issuer !== undefined && { iss: behaviour.issuer }),
      };
      if (account === "deny")
        Object.assign(back, { error: behaviour.declined ?? "access_denied", error_description: "<b>no</b>" });
      else {
        const code = opaque("code");
        const scopes = (asked(names.scope ?? "scope") ?? "").split(/[ ,]/).filter((scope) => scope !== "");
        codes.set(code, {
          clientId,
          redirectUri,
          account,
          scopes,
          challenge,
          nonce: asked("nonce"),
          until: now() + CODE_MS,
        });
        Object.assign(back, { code });
      }
      if (asked("response_mode") === "form_post") return posted(redirectUri, back);
      const to = new URL(redirectUri);
      for (const [name, value] of Object.entries(back)) to.searchParams.set(name, value);
      return new Response(null, { status: 302, headers: { location: to.href } });
    },

    async token(request) {
      const text = await request.clone().text();
      const form = new URLSearchParams(behaviour.body === "json" ? members(text) : text);
      const clientId = clientIn(request, form);
      if (clientId === undefined) return refuse("invalid_client");
      if (form.get("grant_type") === "refresh_token") {
        const held = refresh === "none" ? undefined : grantOf(form.get("refresh_token") ?? "");
        if (held === undefined || held[1].clientId !== clientId || held[1].refreshToken !== form.get("refresh_token"))
          return refuse("invalid_grant");
        return issue(held[1], true);
      }
      const given = form.get("code") ?? "";
      const code = codes.get(given);
      // RFC 6749 section 4.1.2: a code that comes twice takes back what was given for it.
      const before = used.get(given);
      if (before !== undefined) grants.delete(before);
      codes.delete(given);
      if (code === undefined || code.clientId !== clientId) return refuse("invalid_grant");
      if (behaviour.forgetsRedirect !== true && code.redirectUri !== form.get("redirect_uri"))
        return refuse("invalid_grant");
      if (
        code.until <= now() ||
        (code.challenge !== undefined && code.challenge !== hashed(form.get("code_verifier") ?? ""))
      )
        return refuse("invalid_grant");
      const id = opaque("grant");
      used.set(given, id);
      const { account, scopes, nonce } = code;
      const grant: Grant = { clientId, account, scopes, nonce, accessToken: "", refreshToken: undefined, until: 0 };
      grants.set(id, grant);
      return issue(grant, false);
    },

    async revoke(request) {
      const form = new URLSearchParams(await request.clone().text());
      if (clientIn(request, form) === undefined) return refuse("invalid_client");
      const token = form.get("token");
      if (token === null) return refuse("invalid_request");
      server.end(token);
      return new Response(null, { status: 200 });
    },

    clientOf: (request) => basicOf(request),
    holder(accessToken) {
      const [, grant] = [...grants].find(([, each]) => each.accessToken === accessToken) ?? [];
      return grant === undefined || grant.until <= now() ? undefined : grant;
    },
    bearer: (request) => server.holder(/^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]),
    end(token) {
      const held = grantOf(token);
      if (held !== undefined) remove(held);
      return held !== undefined;
    },
    endAccount(account) {
      for (const [id, grant] of grants) if (grant.account === account) grants.delete(id);
    },
    holdings: () => [...grants.values()].map(({ account, scopes }) => ({ account, scopes: [...scopes] })),
    reset() {
      codes.clear();
      used.clear();
      grants.clear();
    },
  };
  return server;

  function clientIn(request: Request, form: URLSearchParams): string | undefined {
    if (behaviour.by === "basic") return basicOf(request);
    const id = form.get(names.clientId ?? "client_id");
    return id !== null && (form.get("client_secret") ?? "") !== "" ? id : undefined;
  }
}

const NO_STORE = { "cache-control": "no-store" };

/** RFC 6749 section 5.1. */
export const rfc6749 = ({ accessToken, refreshToken, expiresIn, scopes }: Issued) => ({
  access_token: accessToken,
  token_type: "Bearer",
  ...(expiresIn !== undefined && { expires_in: expiresIn }),
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  scope: scopes.join(" "),
});

/** An ID token that comes straight from the token endpoint, whose signature nobody has to check. Times are real ones, and long. */
export function idToken({ account, clientId, nonce }: Issued, issuer: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: clientId, sub: account, iat, exp: iat + TEN_YEARS_S };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part({ ...claims, ...(nonce !== undefined && { nonce }) })}.c2ln`;
}
const TEN_YEARS_S = 315_360_000;

const plain = (issued: Issued): Response => Response.json(rfc6749(issued), { headers: NO_STORE });

/** What a JSON object says in text; nothing of what is none. */
function members(text: string): Record<string, string> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return {};
    return Object.fromEntries(
      Object.entries(json).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    );
  } catch {
    return {};
  }
}

const opaque = (kind: string): string => `${kind}_${randomBytes(18).toString("base64url")}`;
const hashed = (verifier: string): string => createHash("sha256").update(verifier).digest("base64url");

function basicOf(request: Request): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  const [id = "", secret = ""] = encoded === undefined ? [] : Buffer.from(encoded, "base64").toString().split(":");
  return id === "" || secret === "" ? undefined : decodeURIComponent(id.replaceAll("+", " "));
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

const page = (content: string, status = 200): Response =>
  new Response(`<!doctype html><title>Sign in</title>${content}`, {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
  });

/** OAuth 2.0 Form Post Response Mode: the browser itself posts it. */
const posted = (to: string, fields: Readonly<Record<string, string>>): Response =>
  page(
    `<form method="post" action="${escaped(to)}">${Object.entries(fields)
      .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`)
      .join("")}</form>`,
  );
