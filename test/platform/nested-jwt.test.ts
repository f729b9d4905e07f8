import { compactVerify, decodeJwt, exportJWK, generateKeyPair } from "jose";
import { expect, it } from "vitest";
import { nestedJwt } from "../../src/platform/nested-jwt.ts";

it("puts a JWT into a JWT, both signed with one key, and stamps the outer one as it leaves", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const key = JSON.stringify({ ...(await exportJWK(privateKey)), alg: "ES256", kid: "k1" });
  const token = await nestedJwt(
    { scheme: "nested-jwt", key, inside: "idJWT", inner: { jti: "in", iat: 1 }, outer: { jti: "out" } },
    1_760_000_000_999,
  );
  const { protectedHeader } = await compactVerify(token, publicKey);
  expect(protectedHeader).toEqual({ alg: "ES256", kid: "k1", typ: "JWT" });
  const { idJWT, ...outer } = decodeJwt(token);
  expect(outer).toEqual({ jti: "out", iat: 1_760_000_000 });
  await compactVerify(String(idJWT), publicKey);
  expect(decodeJwt(String(idJWT))).toEqual({ jti: "in", iat: 1 });
});
