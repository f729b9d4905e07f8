import { Hono } from "hono";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { z } from "zod";
import { authorizationServer, idToken, rfc6749 } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

const ISSUER = "https://appleid.apple.com";

/** Whoever signs in is the account whose `sub` they give. `{vendor: "apple", end: "0000…"}`: that account stops using the app. */
const Seed = z.object({ end: z.string().optional() });

/** Six months, the most that a client's secret may live. */
const LONGEST_S = 15_777_000;
const Claims = z.object({ iss: z.string().length(10), aud: z.literal(ISSUER), iat: z.number(), exp: z.number() });

/**
 * Sign in with Apple: a secret that the client signs (its signature is not checked here), a callback that is a form with an ID token
 * and a name in it, and revocations that are always answered with 200.
 *
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 */
export const apple: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 3600,
    refresh: "kept",
    declined: "user_cancelled_authorize",
    kills: "account",
    // A refresh brings no refresh token.
    answer: (issued) => {
      const { scopes: _, refreshToken, ...renewed } = issued;
      const { scope: __, ...body } = rfc6749({ ...(issued.isRenewal ? renewed : issued), scopes: [] });
      return Response.json({ ...body, id_token: idToken(issued, ISSUER) });
    },
  });
  const isClient = (form: URLSearchParams): boolean => {
    const secret = form.get("client_secret") ?? "";
    try {
      const { alg, kid = "" } = decodeProtectedHeader(secret);
      const { iss, aud, iat, exp, sub } = decodeJwt(secret);
      const claims = Claims.safeParse({ iss, aud, iat, exp });
      // An ES256 signature is two numbers of 32 bytes.
      const isSigned = Buffer.from(secret.split(".")[2] ?? "", "base64url").length === 64;
      const now = world.now() / 1000;
      return (
        alg === "ES256" &&
        kid.length === 10 &&
        isSigned &&
        claims.success &&
        claims.data.exp > now &&
        claims.data.exp - now <= LONGEST_S &&
        sub === form.get("client_id")
      );
    } catch {
      return false;
    }
  };
  const refusal = () => Response.json({ error: "invalid_client" }, { status: 400 });
  const app = new Hono();
  app.all("/auth/authorize", async (c) => {
    const page = await server.authorize(c.req.raw);
    if (c.req.method === "GET" || page.status !== 200) return page;
    // The first time, what the person is called comes along.
    const user =
      "{&quot;name&quot;:{&quot;firstName&quot;:&quot;Ada&quot;},&quot;email&quot;:&quot;ada@example.com&quot;}";
    const more = `<input type="hidden" name="id_token" value="of.no.interest"><input type="hidden" name="user" value="${user}"></form>`;
    return new Response((await page.text()).replace("</form>", more), page);
  });
  app.post("/auth/token", async (c) => {
    const form = new URLSearchParams(await c.req.raw.clone().text());
    return isClient(form) ? server.token(c.req.raw) : refusal();
  });
  app.post("/auth/revoke", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    if (!isClient(form)) return refusal();
    server.end(form.get("token") ?? "");
    return c.body(null, 200);
  });
  return {
    id: "apple",
    about: "appleid.apple.com: what people have granted with Sign in with Apple",
    serves: (host) => host === "appleid.apple.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) =>
      Response.json(
        { error: status === 401 ? "invalid_client" : "server_error" },
        { status: status === 401 ? 400 : status },
      ),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
