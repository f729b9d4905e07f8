import { verify } from "node:crypto";
import { z } from "zod";
import { googleRefusal, tokenFor } from "./google-access.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "google-token", service_accounts: [{email, public_key}]}`; an account that is not seeded may sign with any key. */
const Seed = z.object({
  service_accounts: z.array(z.strictObject({ email: z.string(), public_key: z.string() })).default([]),
});
const Head = z.object({ alg: z.literal("RS256"), kid: z.string() });
const Claims = z.object({ iss: z.string(), scope: z.string(), aud: z.string(), iat: z.number(), exp: z.number() });

const TOKEN = "https://oauth2.googleapis.com/token";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const HOUR = 3600;
/** Unconfirmed: how far Google lets clocks differ. */
const SKEW = 300;

/**
 * Access tokens for service accounts.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/service-account
 */
export const googleToken: MakeVendor = (world) => {
  const keys = new Map<string, string>();
  const refused = (error: string, error_description: string, status = 400) =>
    Response.json({ error, error_description }, { status });

  return {
    id: "google-token",
    about: "oauth2.googleapis.com: access tokens of service accounts",
    // People's grants are exchanged at the same address, by another kind of form.
    serves: () => false,
    standsAt: ({ host, pathname }, _, body) =>
      host === "oauth2.googleapis.com" &&
      pathname === "/token" &&
      new URLSearchParams(body).get("grant_type") === GRANT,
    async call(request) {
      const form = new URLSearchParams(await request.text());
      const [head = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
      const read = Head.safeParse(decoded(head));
      const said = Claims.safeParse(decoded(claims));
      if (!read.success || !said.success) return refused("invalid_grant", "Bad Request");
      const { iss, scope, aud, iat, exp } = said.data;
      const now = world.now() / 1000;
      if (aud !== TOKEN) return refused("invalid_grant", "Invalid JWT: Failed audience check.");
      if (exp <= now || iat > now + SKEW || exp - iat > HOUR)
        return refused("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).");
      const proof = Buffer.from(signature, "base64url");
      const key = keys.get(iss);
      const isSigned =
        key === undefined ? proof.length >= 256 : verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), key, proof);
      if (!isSigned) return refused("invalid_grant", "Invalid JWT Signature.");
      const until = world.now() + HOUR * 1000;
      const access_token = tokenFor({ email: iss, scopes: scope.split(" "), until });
      return Response.json({ access_token, expires_in: HOUR - 1, token_type: "Bearer" });
    },
    refuse: googleRefusal,
    seed(body) {
      const { service_accounts } = Seed.parse(body);
      for (const { email, public_key } of service_accounts) keys.set(email, public_key);
      return { service_accounts: service_accounts.map(({ email }) => email) };
    },
    holdings: () => ({}),
    reset: () => keys.clear(),
  };
};

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
