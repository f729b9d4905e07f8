import { CompactSign, importJWK, type JWK } from "jose";
import type { NestedJwt } from "../contract/call.ts";

/** A JWT within a JWT. The outer one's time is this attempt's; its claims are otherwise every attempt's. */
export async function nestedJwt({ key, inside, inner, outer }: NestedJwt, now: number): Promise<string> {
  // The operator's own setting, which the library checks as it imports it.
  const jwk = JSON.parse(key) as JWK;
  const { alg = "", kid = "" } = jwk;
  const signer = await importJWK(jwk, alg);
  const jwt = (claims: Readonly<Record<string, unknown>>) =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg, kid, typ: "JWT" })
      .sign(signer);
  return jwt({ ...outer, iat: Math.floor(now / 1000), [inside]: await jwt(inner) });
}
