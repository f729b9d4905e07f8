import { generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { at, postForm } from "../../src/contract/call.ts";
import { signed } from "../../src/platform/sign.ts";

const NOW = Date.parse("2026-11-21T09:00:00.900Z");
const { privateKey, publicKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const revocation = (key = privateKey) =>
  postForm(at`https://id.example/revoke`, {}, [["token", "a token"]], {
    sign: {
      scheme: "client-secret-jwt",
      key,
      keyId: "key-1",
      issuer: "team-1",
      audience: "https://id.example",
      subject: "client-1",
    },
  });
const decoded = (part = ""): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

describe("a form with a client's secret of the moment", () => {
  it("gains a secret beside its fields, whose signature anybody can check with the public key", async () => {
    const { body = "", headers } = await signed(revocation(), NOW);
    const form = new URLSearchParams(body);
    expect([...form.keys()]).toEqual(["token", "client_secret"]);
    expect(headers).toEqual({ "content-type": "application/x-www-form-urlencoded" });
    const [head, claims, signature = ""] = (form.get("client_secret") ?? "").split(".");
    expect(decoded(head)).toEqual({ alg: "ES256", kid: "key-1" });
    const iat = Math.floor(NOW / 1000);
    expect(decoded(claims)).toEqual({
      iss: "team-1",
      aud: "https://id.example",
      sub: "client-1",
      iat,
      exp: iat + 300,
    });
    // RFC 7518 section 3.4: the two numbers, and not their ASN.1.
    const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("rejects where the key cannot sign, and does not say the key", async () => {
    for (const key of ["", "a secret", privateKey.replace(/\n[A-Za-z0-9+/]{10}/, "\n")]) {
      const error: unknown = await signed(revocation(key), NOW).catch((rejected: unknown) => rejected);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).not.toContain(key === "" ? "PRIVATE" : key);
    }
  });
});
