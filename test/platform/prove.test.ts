import { CompactSign, exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import { isProven } from "../../src/platform/prove.ts";
import { newCertificate } from "../support/certificate.ts";

const NOW = Date.parse("2026-11-21T09:00:00Z");
const answer = (text: string, headers: Readonly<Record<string, string>> = {}) => ({
  text,
  header: (name: string) => headers[name],
});

describe("an answer signed by the key of a certificate", async () => {
  const { pem, sign } = await newCertificate({ commonName: "processor.example" });
  const proof = { scheme: "certificate", certificate: pem, headers: ["x-new-signature", "x-signature"] } as const;
  const body = '{"request_status":"completed"}';
  const signature = await sign(body);

  it("is proven, under either header", async () => {
    expect(await isProven(proof, answer(body, { "x-signature": signature }), "", NOW)).toBe(true);
    expect(await isProven(proof, answer(body, { "x-new-signature": signature }), "", NOW)).toBe(true);
  });

  it("is not where the body, the signature or the certificate is another", async () => {
    const other = await newCertificate({ commonName: "processor.example" });
    const old = await newCertificate({ until: "2026-01-01T00:00:00Z" });
    expect(await isProven(proof, answer(`${body} `, { "x-signature": signature }), "", NOW)).toBe(false);
    expect(await isProven(proof, answer(body), "", NOW)).toBe(false);
    expect(await isProven(proof, answer(body, { "x-signature": "no base64!" }), "", NOW)).toBe(false);
    expect(await isProven(proof, answer(body, { "x-signature": await other.sign(body) }), "", NOW)).toBe(false);
    expect(await isProven({ ...proof, certificate: "none" }, answer(body, { "x-signature": signature }), "", NOW)).toBe(
      false,
    );
    const expired = answer(body, { "x-signature": await old.sign(body) });
    expect(await isProven({ ...proof, certificate: old.pem }, expired, "", NOW)).toBe(false);
  });
});

describe("a signed receipt", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = JSON.stringify([{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }]);
  const receipt = (claims: unknown, kid = "k1") =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "ES256", kid })
      .sign(privateKey);
  const proof = { scheme: "jws-receipt", keys, repeats: "rqJWT" } as const;

  it("is one where it repeats the very body that was sent", async () => {
    const text = await receipt({ rqJWT: "a.b.c", raResultCode: 0 });
    expect(await isProven(proof, answer(text), "a.b.c", NOW)).toBe(true);
    expect(await isProven(proof, answer(`${text}\n`), "a.b.c", NOW)).toBe(true);
  });

  it("is none where it repeats another, is by an unknown key, or is no receipt", async () => {
    expect(await isProven(proof, answer(await receipt({ rqJWT: "x.y.z" })), "a.b.c", NOW)).toBe(false);
    expect(await isProven(proof, answer(await receipt(null)), "a.b.c", NOW)).toBe(false);
    expect(await isProven(proof, answer(await receipt({ rqJWT: "a.b.c" }, "k2")), "a.b.c", NOW)).toBe(false);
    expect(await isProven(proof, answer("{}"), "a.b.c", NOW)).toBe(false);
    expect(await isProven({ ...proof, keys: "none" }, answer(await receipt({})), "a.b.c", NOW)).toBe(false);
    const unsigned = `${btoa('{"alg":"none"}').replace(/=+$/, "")}.${btoa('{"rqJWT":"a.b.c"}').replace(/=+$/, "")}.`;
    expect(await isProven(proof, answer(unsigned), "a.b.c", NOW)).toBe(false);
  });

  it("is none under a secret that both sides would have", async () => {
    const secret = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
    const text = await new CompactSign(new TextEncoder().encode('{"rqJWT":"a.b.c"}'))
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .sign(secret);
    const k = btoa("0123456789abcdef0123456789abcdef").replace(/=+$/, "");
    const shared = { ...proof, keys: JSON.stringify([{ kty: "oct", k, kid: "k1" }]) };
    expect(await isProven(shared, answer(text), "a.b.c", NOW)).toBe(false);
  });
});
