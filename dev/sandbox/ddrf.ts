import { Hono } from "hono";
import { CompactSign, createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, type JWK, jwtVerify } from "jose";
import { z } from "zod";
import type { MakeVendor, Refusal } from "./vendor.ts";

const HOST = "ddrf.example.com";

/** `{vendor: "ddrf", publishers: {"acme.example": [<public JWK>]}}`: what their dsrdelete.json would publish. */
const Seed = z.object({ publishers: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).default({}) });

const IDENTIFIERS = [{ id: 1, type: "email", format: "sha256" }];

const Claims = z.object({
  version: z.literal("1.0"),
  jti: z.string().min(1),
  iss: z.string().min(1),
  sub: z.object({ identifierValue: z.string(), identifierType: z.string(), identifierFormat: z.string() }),
  iat: z.int(),
});
const Outer = Claims.extend({ idJWT: z.string() });

/**
 * A partner in IAB Tech Lab's framework: it checks both tokens and acknowledges each request with a signed token. What it does
 * then, it tells nobody; so it shows what was asked of it.
 *
 * Unconfirmed: how tokens travel (as the body, `application/jwt`, here).
 *
 * @see https://github.com/InteractiveAdvertisingBureau/Data-Subject-Rights
 */
export const ddrf: MakeVendor = (world) => {
  const publishers = new Map<string, JWK[]>();
  let asked: string[] = [];
  let pair: Promise<{ readonly jwk: JWK; readonly privateKey: CryptoKey }> | undefined;
  const key = () => {
    pair ??= newKey();
    return pair;
  };
  const acknowledge = async (rqJWT: string, raResultCode: number) => {
    const { jwk, privateKey } = await key();
    const iat = Math.floor(world.now() / 1000);
    const claims = { version: "1.0", rqJWT, jti: crypto.randomUUID(), iss: HOST, iat, raResultCode };
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "ES256", kid: jwk.kid ?? "", typ: "JWT" })
      .sign(privateKey);
    return new Response(token, {
      status: raResultCode === 0 ? 202 : 400,
      headers: { "content-type": "application/jwt" },
    });
  };
  const isGenuine = async (token: string, iss: string) => {
    try {
      await jwtVerify(token, createLocalJWKSet({ keys: publishers.get(iss) ?? [] }), { currentDate: new Date(0) });
      return true;
    } catch {
      return false;
    }
  };

  const app = new Hono();
  app.get("/dsrdelete.json", async (c) =>
    c.json({
      endpoint: `https://${HOST}/api/delete`,
      identifiers: IDENTIFIERS,
      publicKey: [(await key()).jwk],
      vendorScriptRequirement: false,
    }),
  );
  app.post("/api/delete", async (c) => {
    const token = await c.req.text();
    const outer = Outer.safeParse(claimsOf(token));
    if (!outer.success) return acknowledge(token, 1);
    const inner = Claims.safeParse(claimsOf(outer.data.idJWT));
    if (!inner.success) return acknowledge(token, 3);
    const genuine = await Promise.all([isGenuine(token, outer.data.iss), isGenuine(outer.data.idJWT, inner.data.iss)]);
    if (genuine.includes(false)) return acknowledge(token, 2);
    const { identifierType, identifierFormat, identifierValue } = outer.data.sub;
    const known = IDENTIFIERS.filter(({ type }) => type === identifierType);
    if (known.length === 0) return acknowledge(token, 4);
    if (!known.some(({ format }) => format === identifierFormat)) return acknowledge(token, 5);
    if (Math.abs(world.now() / 1000 - outer.data.iat) > 86_400) return acknowledge(token, 6);
    asked.push(`${identifierType}:${identifierFormat}:${identifierValue}`);
    return acknowledge(token, 0);
  });

  return {
    id: "ddrf",
    about: HOST,
    serves: (host) => host === HOST,
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => new Response(reason, { status }),
    seed(body) {
      const seed = Seed.parse(body);
      for (const [iss, keys] of Object.entries(seed.publishers)) publishers.set(iss, keys);
      return { publishers: Object.keys(seed.publishers) };
    },
    holdings: () => ({ asked }),
    reset() {
      publishers.clear();
      asked = [];
    },
  };
};

function claimsOf(token: string): unknown {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { jwk: { ...(await exportJWK(publicKey)), kid: "partner-1", alg: "ES256" }, privateKey };
}
