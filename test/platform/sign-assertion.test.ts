import { generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { at, postForm, type Sign } from "../../src/contract/call.ts";
import { sender } from "../../src/platform/send.ts";
import { signed } from "../../src/platform/sign.ts";

const NOW = Date.parse("2026-11-21T09:00:00.900Z");
const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const sign = (key = privateKey): Sign => ({
  scheme: "jwt-bearer",
  key,
  keyId: "key-1",
  claims: { iss: "app@example.com", scope: "one two", aud: "https://token.example/token" },
  forSeconds: 3600,
});
const exchange = (key?: string) =>
  postForm(at`https://token.example/token`, {}, [["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"]], {
    sign: sign(key),
  });
const decoded = (part = ""): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

describe("a form that is exchanged for an access token", () => {
  it("gains an assertion beside its fields, whose signature anybody can check with the public key", async () => {
    const { body = "", headers } = await signed(exchange(), NOW);
    const form = new URLSearchParams(body);
    expect([...form.keys()]).toEqual(["grant_type", "assertion"]);
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    expect(headers).toEqual({ "content-type": "application/x-www-form-urlencoded" });
    const [head, claims, signature = ""] = (form.get("assertion") ?? "").split(".");
    expect(decoded(head)).toEqual({ alg: "RS256", typ: "JWT", kid: "key-1" });
    const iat = Math.floor(NOW / 1000);
    expect(decoded(claims)).toEqual({
      iss: "app@example.com",
      scope: "one two",
      aud: "https://token.example/token",
      iat,
      exp: iat + 3600,
    });
    const text = Buffer.from(`${head}.${claims}`);
    expect(verify("RSA-SHA256", text, publicKey, Buffer.from(signature, "base64url"))).toBe(true);
  });
});

describe("a key that cannot sign", () => {
  const broken = privateKey.replace(/\n[A-Za-z0-9+/]{10}/, "\n");
  const { privateKey: curve } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

  it.each([
    ["no PEM", "secret"],
    ["damaged", broken],
    ["of another kind", curve],
    ["empty", ""],
  ])("is a problem of its own, and nothing is sent: %s", async (_, key) => {
    let sent = 0;
    const send = sender(
      () => {
        sent++;
        return Promise.resolve(new Response("{}"));
      },
      () => NOW,
      [],
    );
    expect(await send(exchange(key))).toEqual({ ok: false, problem: { reason: "cannot_sign" } });
    expect(sent).toBe(0);
  });

  it("is one for a webhook secret that is none, too", async () => {
    const send = sender(
      () => Promise.resolve(new Response("{}")),
      () => NOW,
      [],
    );
    const webhook = { scheme: "standard-webhooks", secret: "whsec_%%%", id: "1" } as const;
    expect(await send({ ...exchange(), sign: webhook })).toEqual({ ok: false, problem: { reason: "cannot_sign" } });
  });
});
