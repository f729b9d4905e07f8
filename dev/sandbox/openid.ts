import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type Provider from "oidc-provider";
import type { Configuration } from "oidc-provider";
import { z } from "zod";
import { openidStore } from "./openid-store.ts";
import type { MakeVendor } from "./vendor.ts";

const HOST = "id.example.com";
const ISSUER = `https://${HOST}`;

/**
 * `{vendor: "openid", client_id, client_secret, redirect_uris, rotates?, dpop_bound?, pushes?}`; each seed begins with a new provider.
 * The last two are how the client is registered: `dpop_bound_access_tokens`, `require_pushed_authorization_requests`.
 */
const Seed = z.object({
  client_id: z.string(),
  client_secret: z.string(),
  redirect_uris: z.array(z.url()).min(1),
  rotates: z.boolean().default(true),
  dpop_bound: z.boolean().default(false),
  pushes: z.boolean().default(false),
});

/**
 * A real, certified OpenID provider (`oidc-provider`) at `https://id.example.com`: discovery, PKCE, issuer in the callback,
 * refresh rotation, revocation, introspection, pushed requests, and DPoP with nonces of its own. Anybody who names themselves is signed in.
 *
 * It keeps its own time: tokens that it has issued do not age with the clock that tests move.
 */
export const openid: MakeVendor = () => {
  let running: { readonly server: Server; readonly provider: Provider; readonly url: string } | undefined;
  let seeded: z.infer<typeof Seed> | undefined;
  let store = openidStore();
  let starting: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    const { default: make } = await import("oidc-provider");
    const provider = new make(ISSUER, { ...configurationOf(seeded), adapter: store.adapter });
    // Calls come through the sandbox, which stands for TLS.
    provider.proxy = true;
    const server = createServer(provider.callback());
    server.listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    // A TCP server has an AddressInfo once it listens.
    const { port } = server.address() as AddressInfo;
    running = { server, provider, url: `http://127.0.0.1:${port}` };
  };
  const stop = (): void => {
    running?.server.close();
    running?.server.closeAllConnections();
    running = undefined;
    starting = undefined;
    store = openidStore();
  };

  return {
    id: "openid",
    about: `A real OpenID provider at ${ISSUER}, where anybody who names themselves is signed in.`,
    serves: (host) => host === HOST,
    async call(request) {
      starting ??= start();
      await starting;
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set("x-forwarded-proto", "https");
      headers.set("x-forwarded-host", HOST);
      headers.delete("host");
      headers.delete("content-length");
      const body = request.method === "GET" || request.method === "HEAD" ? null : await request.arrayBuffer();
      const reply = await fetch(`${running?.url}${pathname}${search}`, {
        method: request.method,
        headers,
        body,
        redirect: "manual",
      });
      const answered = new Headers(reply.headers);
      // The body has been decoded and is of another length.
      for (const name of ["content-encoding", "content-length", "transfer-encoding"]) answered.delete(name);
      return new Response(reply.status === 204 ? null : await reply.arrayBuffer(), {
        status: reply.status,
        headers: answered,
      });
    },
    refuse: ({ status }) => Response.json({ error: status === 401 ? "invalid_client" : "server_error" }, { status }),
    seed(seed) {
      seeded = Seed.parse(seed);
      stop();
      return { issuer: ISSUER };
    },
    holdings: () => store.holdings(),
    reset() {
      seeded = undefined;
      stop();
    },
  };
};

const YEAR_S = 365 * 86_400;

const configurationOf = (seed: z.infer<typeof Seed> | undefined): Configuration => ({
  clients:
    seed === undefined
      ? []
      : [
          {
            client_id: seed.client_id,
            client_secret: seed.client_secret,
            redirect_uris: [...seed.redirect_uris],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "client_secret_basic",
            dpop_bound_access_tokens: seed.dpop_bound,
            require_pushed_authorization_requests: seed.pushes,
          },
        ],
  scopes: ["openid", "offline_access", "profile"],
  cookies: { keys: ["dev_openid_cookie_key"] },
  pkce: { required: () => true },
  rotateRefreshToken: seed?.rotates ?? true,
  issueRefreshToken: async () => true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    revocation: { enabled: true },
    introspection: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    pushedAuthorizationRequests: { enabled: true },
  },
  // The clock of whoever reads an ID token may have been moved.
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    IdToken: 10 * YEAR_S,
    RefreshToken: YEAR_S,
    Grant: YEAR_S,
    Session: 86_400,
    Interaction: 600,
  },
});
