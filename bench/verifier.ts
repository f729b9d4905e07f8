/**
 * Verifies one genuine delivery of each scheme, as often as it is asked to, with keys imported and published ones at hand, as
 * they are when all is warm. Beside them the floor: the platform's own check of a keyed hash over the same body.
 */
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import Stripe from "stripe";
import type { Verification } from "../src/contract/verification.ts";
import { importCertificate } from "../src/intake/schemes/certificate.ts";
import { importKey } from "../src/intake/schemes/key.ts";
import type { Delivery, Means } from "../src/intake/schemes/scheme.ts";
import { verify } from "../src/intake/verify.ts";
import { ok } from "../src/result.ts";
import { newCertificate } from "../test/support/certificate.ts";

const NOW = Date.now();
const SECONDS = Math.floor(NOW / 1000);
const KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const URL = "https://gateway.example.com/hooks/acme/vendor/events";

/** About a kilobyte, as most deliveries are. */
const BODY = JSON.stringify({
  id: "evt_1",
  type: "user.deleted",
  data: { user: "1000000000001", note: "x".repeat(900) },
});

type Signed = {
  readonly scheme: Verification;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
};
type Run = () => Promise<boolean>;

const encoder = new TextEncoder();
const bytes = (text: string) => new Uint8Array(encoder.encode(text));
const imported = (key: Uint8Array<ArrayBuffer>) =>
  crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
const mac = async (text: string, key = bytes(KEY)) =>
  Buffer.from(await crypto.subtle.sign("HMAC", await imported(key), bytes(text)));

const makers: Readonly<Record<string, () => Promise<Signed>>> = {
  "signed-request": async () => {
    const payload = Buffer.from(JSON.stringify({ algorithm: "HMAC-SHA256", ...JSON.parse(BODY) })).toString(
      "base64url",
    );
    return {
      scheme: { scheme: "signed-request", key: "key" },
      body: `signed_request=${(await mac(payload)).toString("base64url")}.${payload}`,
    };
  },
  stripe: async () => ({
    scheme: { scheme: "stripe", key: "key", withinSeconds: 300 },
    headers: {
      "stripe-signature": await Stripe.webhooks.generateTestHeaderStringAsync({
        payload: BODY,
        secret: KEY,
        timestamp: SECONDS,
        scheme: "v1",
        signature: "",
        cryptoProvider: Stripe.createSubtleCryptoProvider(),
      }),
    },
  }),
  hmac: async () => ({
    scheme: {
      scheme: "hmac",
      key: "key",
      hash: "SHA-256",
      signature: { header: "x-signature", encoding: "hex", prefix: "v0=" },
      over: [{ text: "v0:" }, { header: "x-time" }, { text: ":" }, "body"],
      fresh: { at: { header: "x-time" }, unit: "seconds", withinSeconds: 300 },
    },
    headers: {
      "x-time": String(SECONDS),
      "x-signature": `v0=${(await mac(`v0:${SECONDS}:${BODY}`)).toString("hex")}`,
    },
  }),
  ed25519: async () => {
    // The platform gives a pair where the algorithm is asymmetric, and bytes where they are asked for.
    const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const raw = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
    const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, bytes(BODY));
    return {
      scheme: { scheme: "ed25519", key: "key", signature: { header: "x-signature", encoding: "hex" }, over: ["body"] },
      headers: { "x-signature": Buffer.from(signature).toString("hex") },
      settings: { key: Buffer.from(raw).toString("hex") },
    };
  },
  "ecdsa-p256": async () => {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    // As above.
    const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
    const spki = (await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer;
    const raw = await crypto.subtle.sign({ ...algorithm, hash: "SHA-256" }, pair.privateKey, bytes(BODY));
    return {
      scheme: {
        scheme: "ecdsa-p256",
        key: "key",
        signature: { header: "x-signature", encoding: "base64" },
        over: ["body"],
      },
      headers: { "x-signature": der(Buffer.from(raw)).toString("base64") },
      settings: { key: Buffer.from(spki).toString("base64") },
    };
  },
  "standard-webhooks": async () => ({
    scheme: { scheme: "standard-webhooks", key: "key", withinSeconds: 300 },
    headers: {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(SECONDS),
      "webhook-signature": `v1,${(await mac(`msg_1.${SECONDS}.${BODY}`, new Uint8Array(Buffer.from(KEY, "base64")))).toString("base64")}`,
    },
    settings: { key: `whsec_${KEY}` },
  }),
  jwt: async () => {
    const claims = { iss: "https://issuer.example.com", aud: "ours", iat: SECONDS, said: BODY };
    const header = { alg: "RS256", kid: "one" };
    return {
      scheme: {
        scheme: "jwt",
        at: "body",
        keys: "https://issuer.example.com/jwks",
        algorithms: ["RS256"],
        issuer: [claims.iss],
        audience: { setting: "audience" },
        expires: false,
      },
      body: await new SignJWT(claims).setProtectedHeader(header).sign(vendor.privateKey),
      settings: { audience: "ours" },
    };
  },
  "shared-secret": async () => ({
    scheme: { scheme: "shared-secret", key: "key", at: { header: "x-token" } },
    headers: { "x-token": KEY },
  }),
  sns: async () => {
    const message = {
      Message: BODY,
      MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
      Timestamp: new Date(NOW).toISOString(),
      TopicArn: "arn:aws:sns:us-west-2:123456789012:topic",
      Type: "Notification",
    };
    const text = Object.entries(message).map(([name, value]) => `${name}\n${value}\n`);
    return {
      scheme: { scheme: "sns", topics: { setting: "topics" } },
      body: JSON.stringify({
        ...message,
        SignatureVersion: "2",
        Signature: await certificate.sign(text.join("")),
        SigningCertURL: "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0a.pem",
      }),
      settings: { topics: message.TopicArn },
    };
  },
  paypal: async () => {
    const time = new Date(NOW).toISOString();
    const { crc32 } = await import("node:zlib");
    return {
      scheme: { scheme: "paypal", webhookId: { setting: "webhook" }, withinSeconds: 300 },
      headers: {
        "paypal-transmission-id": "1",
        "paypal-transmission-time": time,
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "paypal-transmission-sig": await certificate.sign(`1|${time}|WEBHOOK|${crc32(BODY)}`),
      },
      settings: { webhook: "WEBHOOK" },
    };
  },
  ebay: async () => {
    // As above.
    const pair = (await crypto.subtle.generateKey(P256, true, ["sign", "verify"])) as CryptoKeyPair;
    const spki = Buffer.from((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer);
    const key = `-----BEGIN PUBLIC KEY-----${spki.toString("base64")}-----END PUBLIC KEY-----`;
    ebayKey = JSON.stringify({ key, algorithm: "ECDSA", digest: "SHA1" });
    const raw = await crypto.subtle.sign({ ...P256, hash: "SHA-1" }, pair.privateKey, bytes(BODY));
    const signature = der(Buffer.from(raw)).toString("base64");
    const said = { alg: "ecdsa", kid: "9936261a-7d7b-4621-a0f1-96ccb428af49", signature, digest: "SHA1" };
    return {
      scheme: {
        scheme: "ebay",
        client: { id: { setting: "id" }, secret: { setting: "secret" } },
        environment: { setting: "environment" },
      },
      headers: { "x-ebay-signature": Buffer.from(JSON.stringify(said)).toString("base64") },
    };
  },
};

const P256 = { name: "ECDSA", namedCurve: "P-256" };
let ebayKey: string;

let vendor: Awaited<ReturnType<typeof generateKeyPair>>;
let published: JSONWebKeySet;
let certificate: Awaited<ReturnType<typeof newCertificate>>;
let runs: ReadonlyMap<string, Run> | undefined;

async function prepare(): Promise<ReadonlyMap<string, Run>> {
  vendor = await generateKeyPair("RS256", { extractable: true });
  published = { keys: [{ ...(await exportJWK(vendor.publicKey)), kid: "one" }] };
  certificate = await newCertificate({ commonName: "messageverificationcerts.paypal.com" });
  const key = await imported(bytes(KEY));
  const [text, signature] = [bytes(BODY), new Uint8Array(await mac(BODY))];
  const made = new Map<string, Run>([["floor", () => crypto.subtle.verify("HMAC", key, signature, text)]]);
  for (const [name, make] of Object.entries(makers)) made.set(name, runOf(await make()));
  return made;
}

function runOf({ scheme, body = BODY, headers = {}, settings = {} }: Signed): Run {
  const raw = bytes(body);
  const delivery: Delivery = { method: "POST", url: URL, body: raw, header: (name) => headers[name] };
  const kept = new Map<string, unknown>();
  const once = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (!kept.has(name)) kept.set(name, await make());
    // What stands under a name was made by a `make` of that name.
    return kept.get(name) as T;
  };
  const means: Means = {
    values: async (setting) => [settings[setting] ?? KEY],
    key: (kind, value) => once(`${kind} ${value}`, () => importKey(kind, value)),
    certificate: (pem, hash) => once(`${hash} ${pem}`, () => importCertificate(pem, hash)),
    keySets: {
      keys: async () => published,
      text: async (_, behind) => ok(behind === undefined ? certificate.pem : ebayKey),
    },
    now: NOW,
  };
  return async () => (await verify(scheme, delivery, means)).ok;
}

/** The platform gives r and s; vendors send them in DER. */
function der(raw: Buffer): Buffer {
  const integer = (half: Buffer) => {
    const bare = half.subarray(half.findIndex((byte) => byte !== 0));
    const value = (bare[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bare]) : bare;
    return Buffer.concat([Buffer.from([0x02, value.length]), value]);
  };
  const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}

export default {
  /** `/` names the schemes, `/<scheme>?times=<n>` verifies; a delivery that is refused is no answer. */
  async fetch(request: Request): Promise<Response> {
    runs ??= await prepare();
    const { pathname, searchParams } = new globalThis.URL(request.url);
    const run = runs.get(pathname.slice(1));
    if (run === undefined) return Response.json([...runs.keys()]);
    for (let left = Number(searchParams.get("times")); left > 0; left--)
      if (!(await run())) return new Response("refused", { status: 500 });
    return new Response("ok");
  },
};
