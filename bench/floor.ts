/**
 * The floor: a bare Hono route that does what no intake of this delivery can do without, and nothing else. It verifies the
 * signature, derives the request's id, the two pseudonyms (two halves of one HMAC) and the status code (four HMACs in all),
 * makes and wraps the request's key and seals the identities (two encryptions), and makes that durable in one round trip
 * through the same client.
 *
 * No registry, no policy, no deadline, no schema, no duplicates beyond the id, no log line, no security headers.
 */
import { Hono } from "hono";
import { base64url } from "jose";
import { redisClient } from "../src/platform/redis.ts";

type Env = {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
  readonly APP_SECRET: string;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const app = new Hono<{ Bindings: Env }>();

app.post("/floor/:tenant", async (c) => answer(c.env, c.req.param("tenant"), await c.req.text(), true));
app.post("/floor-without-encryption/:tenant", async (c) =>
  answer(c.env, c.req.param("tenant"), await c.req.text(), false),
);

export default app;

async function answer(env: Env, tenant: string, body: string, encrypts: boolean): Promise<Response> {
  known ??= await prepare(env);
  const { keys, redis } = known;
  const [signature = "", payload = ""] = (new URLSearchParams(body).get("signed_request") ?? "").split(".");
  const genuine = await crypto.subtle.verify(
    "HMAC",
    keys.secret,
    base64url.decode(signature).slice(),
    encoder.encode(payload),
  );
  if (!genuine) return Response.json({}, { status: 401 });
  const { user_id, issued_at } = JSON.parse(decoder.decode(base64url.decode(payload)));
  const now = Date.now();
  const [id, pseudonyms, sealed] = await Promise.all([
    derived(keys.request, `facebook/data-deletion\u0000${user_id}:${issued_at}#0`),
    sign(keys.pseudonym, `facebook.user_id\u0000${user_id}`),
    encrypts ? seal(keys.wrap, user_id) : { k: "", s: user_id },
  ]);
  const lane = `l:${tenant}:gateway`;
  const [stored] = await redis.run([
    {
      script: WRITE,
      keys: [
        `r:${tenant}:${id}`,
        `q:${tenant}`,
        `z:${tenant}`,
        lane,
        `o:${tenant}:gateway`,
        `c:${tenant}`,
        `i:${tenant}:${base64url.encode(pseudonyms.subarray(0, 16))}`,
        `p:${tenant}:${base64url.encode(pseudonyms.subarray(16))}`,
      ],
      args: [id, now, now + 2_592_000_000, RECORD, sealed.k, sealed.s],
    },
  ]);
  if (stored !== "recorded") return Response.json({}, { status: 503 });
  const code = `${id}${await derived(keys.status, id)}`;
  return Response.json({ url: `https://gateway.example.com/status/${code}`, confirmation_code: code });
}

/** As much as the gateway keeps of a request in the clear. */
const RECORD = JSON.stringify({
  type: "erasure",
  source: "facebook/data-deletion",
  authority: "everywhere",
  received_at: "2026-11-01T12:00:00.000Z",
  start_at: "2026-11-01T12:00:00.000Z",
  due_at: "2026-12-01T23:59:59.999Z",
  policy_version: 2,
  registry_version: 6,
});

/** The request, its two listings, its two lane entries, and the source's count. */
const WRITE = `#!lua flags=allow-key-locking
local id, now, deadline = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', KEYS[1]) == 1 then return 'duplicate' end
if redis.call('EXISTS', KEYS[7], KEYS[8]) == 2 then return 'superseded' end
redis.call('HSET', KEYS[1], 'st', 'scheduled', 'd', ARGV[4], 'k', ARGV[5], 's', ARGV[6])
redis.call('ZADD', KEYS[2], deadline, id)
redis.call('ZADD', KEYS[3], now, id)
redis.call('HSET', KEYS[5], 'watch:' .. id, '', 'watch:' .. id .. ':d', deadline)
redis.call('ZADD', KEYS[4], deadline, 'watch:' .. id)
redis.call('HSET', KEYS[5], 'start:' .. id, '', 'start:' .. id .. ':d', deadline)
redis.call('ZADD', KEYS[4], now, 'start:' .. id)
if redis.call('INCR', KEYS[6]) == 1 then redis.call('PEXPIRE', KEYS[6], 7200000) end
return 'recorded'
`;

async function prepare(env: Env) {
  const key = async (raw: Uint8Array<ArrayBuffer>, usage: "sign" | "verify") =>
    crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
  const fresh = () => crypto.getRandomValues(new Uint8Array(32));
  return {
    redis: redisClient(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN),
    keys: {
      secret: await key(encoder.encode(env.APP_SECRET), "verify"),
      request: await key(fresh(), "sign"),
      pseudonym: await key(fresh(), "sign"),
      status: await key(fresh(), "sign"),
      wrap: await aesKey(fresh()),
    },
  };
}

let known: Awaited<ReturnType<typeof prepare>> | undefined;

const sign = async (key: CryptoKey, text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));

const derived = async (key: CryptoKey, text: string): Promise<string> =>
  base64url.encode((await sign(key, text)).subarray(0, 16));

const aesKey = (bytes: Uint8Array<ArrayBuffer>) =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

/** A new key of the request's own, wrapped; and what it seals. */
async function seal(wrap: CryptoKey, user: string): Promise<{ readonly k: string; readonly s: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const [k, s] = await Promise.all([
    encrypt(wrap, "key", bytes),
    aesKey(bytes).then((key) =>
      encrypt(key, "identities", encoder.encode(JSON.stringify([{ type: "facebook.user_id", value: user }]))),
    ),
  ]);
  return { k, s };
}

async function encrypt(key: CryptoKey, place: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: encoder.encode(place) },
    key,
    bytes,
  );
  return `v1.${base64url.encode(iv)}.${base64url.encode(new Uint8Array(sealed))}`;
}
