import { createHash, randomBytes } from "node:crypto";
import { calculateJwkThumbprint, createLocalJWKSet, EmbeddedJWK, type JWK, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";

/** The server at which accounts sign in, wherever they lie. */
export const SIGN_IN = "bsky.social";
const ISSUER = `https://${SIGN_IN}`;

/** What the profile demands: https://atproto.com/specs/oauth */
const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/oauth/authorize`,
  token_endpoint: `${ISSUER}/oauth/token`,
  pushed_authorization_request_endpoint: `${ISSUER}/oauth/par`,
  revocation_endpoint: `${ISSUER}/oauth/revoke`,
  require_pushed_authorization_requests: true,
  authorization_response_iss_parameter_supported: true,
  client_id_metadata_document_supported: true,
  scopes_supported: ["atproto", "transition:email", "transition:generic", "transition:chat.bsky"],
  response_types_supported: ["code"],
  grant_types_supported: ["authorization_code", "refresh_token"],
  code_challenge_methods_supported: ["S256"],
  token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
  token_endpoint_auth_signing_alg_values_supported: ["ES256"],
  dpop_signing_alg_values_supported: ["ES256"],
};

const Document = z.object({
  client_id: z.string(),
  redirect_uris: z.array(z.string()),
  scope: z.string(),
  dpop_bound_access_tokens: z.literal(true),
  token_endpoint_auth_method: z.literal("private_key_jwt"),
  jwks_uri: z.string(),
});

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** Exactly 200 and exactly this type, or nothing. */
async function readAt(address: string): Promise<unknown> {
  const reply = await fetch(address, { redirect: "error" }).catch(() => undefined);
  if (reply?.status !== 200 || reply.headers.get("content-type") !== "application/json") return undefined;
  return reply.json();
}

/** A nonce is taken for so long; the profile allows five minutes. */
const NONCE_MS = 180_000;
const PUSHED_MS = 300_000;
const ACCESS_S = 900;

class Refused extends Error {
  readonly error: string;
  constructor(error: string) {
    super(error);
    this.error = error;
  }
}

/**
 * An authorization server of the AT Protocol as the reference server is one, and the same proofs at the host where an account lies.
 * It reads the client's document and keys where they lie, as it would, and wants for each call a proof with a nonce of its own.
 */
export function signIn(now: () => number, isKnown: (did: string) => boolean) {
  const server = authorizationServer({
    now,
    by: "post",
    pkce: "required",
    expiresIn: ACCESS_S,
    refresh: "rotated",
    issuer: ISSUER,
    kills: "grant",
    answer: (issued) =>
      Response.json(
        { ...rfc6749(issued), token_type: "DPoP", sub: issued.account },
        { headers: { "cache-control": "no-store" } },
      ),
  });
  const pushed = new Map<string, { readonly query: string; readonly jkt: string; readonly until: number }>();
  /** The key that each state, code and token is bound to. */
  const bound = new Map<string, string>();
  const seen = new Set<string>();
  const secret = randomBytes(16);
  const nonceAt = (host: string, at: number): string =>
    createHash("sha256")
      .update(`${secret.toString("hex")} ${host} ${Math.floor(at / NONCE_MS)}`)
      .digest("base64url");

  const once = ({ jti }: JWTPayload): void => {
    if (jti === undefined || seen.has(jti)) throw new Refused("invalid_dpop_proof");
    seen.add(jti);
  };

  /** RFC 9449 section 4.3: the thumbprint of the key, or why the proof is none. */
  async function proven(request: Request, accessToken?: string): Promise<string> {
    const { host, origin, pathname } = new URL(request.url);
    const proof = request.headers.get("dpop") ?? "";
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: "dpop+jwt",
      algorithms: ["ES256"],
      currentDate: new Date(now()),
      maxTokenAge: 60,
    }).catch(() => {
      throw new Refused("invalid_dpop_proof");
    });
    if (payload.htm !== request.method || payload.htu !== origin + pathname) throw new Refused("invalid_dpop_proof");
    if (payload.nonce !== nonceAt(host, now()) && payload.nonce !== nonceAt(host, now() - NONCE_MS))
      throw new Refused("use_dpop_nonce");
    once(payload);
    const ath = accessToken && createHash("sha256").update(accessToken).digest("base64url");
    if (payload.ath !== ath) throw new Refused("invalid_dpop_proof");
    // The key has verified its own proof, so it is there and whole.
    return calculateJwkThumbprint(protectedHeader.jwk as JWK);
  }

  /** RFC 7523 section 3, by the keys that the client's own document names. */
  async function clientIn(form: URLSearchParams): Promise<z.infer<typeof Document>> {
    const id = form.get("client_id") ?? "";
    const document = Document.safeParse(await readAt(id)).data;
    if (document === undefined || document.client_id !== id) throw new Refused("invalid_client_metadata");
    const named = KeySet.safeParse(await readAt(document.jwks_uri)).data;
    if (named === undefined) throw new Refused("invalid_client_metadata");
    const keys = createLocalJWKSet(named);
    const { payload } = await jwtVerify(form.get("client_assertion") ?? "", keys, {
      issuer: id,
      subject: id,
      audience: ISSUER,
      algorithms: ["ES256"],
      currentDate: new Date(now()),
      maxTokenAge: 60,
    }).catch(() => {
      throw new Refused("invalid_client");
    });
    once(payload);
    return document;
  }

  /** With the nonce for next time, as each answer has it. */
  const answered = async (request: Request, make: () => Promise<Response>): Promise<Response> => {
    const reply = await make().catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      return Response.json({ error: error.error }, { status: error.error === "invalid_client" ? 401 : 400 });
    });
    const headers = new Headers(reply.headers);
    headers.set("dpop-nonce", nonceAt(new URL(request.url).host, now()));
    return new Response(reply.body, { status: reply.status, headers });
  };

  const push = async (request: Request): Promise<Response> => {
    const form = new URLSearchParams(await request.clone().text());
    const jkt = await proven(request);
    const { redirect_uris, scope } = await clientIn(form);
    if (!redirect_uris.includes(form.get("redirect_uri") ?? "")) throw new Refused("invalid_request");
    const asked = (form.get("scope") ?? "").split(" ");
    if (!asked.includes("atproto") || asked.some((each) => !scope.split(" ").includes(each)))
      throw new Refused("invalid_scope");
    for (const name of ["client_assertion", "client_assertion_type"]) form.delete(name);
    const uri = `urn:ietf:params:oauth:request_uri:req-${randomBytes(12).toString("hex")}`;
    pushed.set(uri, { query: form.toString(), jkt, until: now() + PUSHED_MS });
    return Response.json({ request_uri: uri, expires_in: PUSHED_MS / 1000 }, { status: 201 });
  };

  const authorize = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const asked = pushed.get(url.searchParams.get("request_uri") ?? "");
    // The page's own form comes back with all that was pushed.
    const jkt = asked?.jkt ?? bound.get(`state ${url.searchParams.get("state")}`);
    if (jkt === undefined || (asked !== undefined && asked.until <= now()))
      return new Response("Unknown", { status: 400 });
    if (asked !== undefined) {
      pushed.delete(url.searchParams.get("request_uri") ?? "");
      url.search = asked.query;
      bound.set(`state ${url.searchParams.get("state")}`, jkt);
    }
    const init = { method: request.method, headers: request.headers };
    const body = request.method === "POST" ? await request.text() : undefined;
    const account = new URLSearchParams(body).get("login");
    if (account !== null && account !== "deny" && !isKnown(account)) return new Response("Nobody", { status: 400 });
    const reply = await server.authorize(new Request(url, { ...init, ...(body !== undefined && { body }) }));
    const code = new URL(reply.headers.get("location") ?? ISSUER).searchParams.get("code");
    if (code !== null) bound.set(code, jkt);
    return reply;
  };

  const token = async (request: Request): Promise<Response> => {
    const jkt = await proven(request);
    const form = new URLSearchParams(await request.text());
    await clientIn(form);
    const shown = form.get("code") ?? form.get("refresh_token") ?? "";
    if (bound.has(shown) && bound.get(shown) !== jkt) throw new Refused("invalid_grant");
    form.set("client_secret", "proven by its key");
    const reply = await server.token(new Request(request.url, { method: "POST", body: form }));
    if (reply.status === 200) {
      const tokens = z
        .object({ access_token: z.string(), refresh_token: z.string() })
        .parse(await reply.clone().json());
      bound.set(tokens.access_token, jkt);
      bound.set(tokens.refresh_token, jkt);
    }
    return reply;
  };

  /** As the reference server does it: once the proof is good, the answer is the same whatever came of it. */
  const revoke = async (request: Request): Promise<Response> => {
    const form = new URLSearchParams(await request.clone().text());
    const jkt = request.headers.has("dpop") ? await proven(request) : undefined;
    const client = await clientIn(form).catch(() => undefined);
    const shown = form.get("token") ?? "";
    if (client !== undefined && jkt !== undefined && bound.get(shown) === jkt) server.end(shown);
    return Response.json({});
  };

  return {
    async call(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url);
      const isPost = request.method === "POST";
      if (pathname === "/.well-known/oauth-authorization-server") return Response.json(METADATA);
      if (pathname === "/oauth/authorize") return authorize(request);
      if (pathname === "/oauth/par" && isPost) return answered(request, () => push(request));
      if (pathname === "/oauth/token" && isPost) return answered(request, () => token(request));
      if (pathname === "/oauth/revoke" && isPost) return answered(request, () => revoke(request));
      return new Response("Not Found", { status: 404 });
    },

    /** The account of whoever calls its host with a token and the proof that goes with it, and what they were granted. */
    async session(
      request: Request,
      of: (did: string, scopes: readonly string[]) => Response | Promise<Response>,
    ): Promise<Response> {
      const [, shown = ""] = /^DPoP (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
      const nonce = nonceAt(new URL(request.url).host, now());
      const refused = (error: string) =>
        Response.json(
          { error, message: "refused" },
          {
            status: 401,
            headers: { "www-authenticate": `DPoP algs="ES256", error="${error}"`, "dpop-nonce": nonce },
          },
        );
      try {
        const jkt = await proven(request, shown);
        const holder = server.holder(shown);
        if (holder === undefined || bound.get(shown) !== jkt) return refused("invalid_token");
        const told = await of(holder.account, holder.scopes);
        told.headers.set("dpop-nonce", nonce);
        return told;
      } catch (error) {
        if (error instanceof Refused) return refused(error.error);
        throw error;
      }
    },

    endAccount: server.endAccount,
    holdings: server.holdings,
    reset(): void {
      server.reset();
      pushed.clear();
      bound.clear();
      seen.clear();
    },
  };
}
