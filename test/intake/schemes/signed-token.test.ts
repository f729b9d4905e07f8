import fc from "fast-check";
import { base64url, compactVerify, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { SignedToken } from "../../../src/contract/verification.ts";
import type { KeySets } from "../../../src/ports.ts";
import { fail } from "../../../src/result.ts";
import { bytes, checked, type Posted } from "../../support/proven.ts";
import { proves, refuses } from "../../support/schemes.ts";

const KEYS = "https://keys.example.com/jwks";
const NOW = Date.parse("2026-11-21T09:00:00Z");
const SECONDS = NOW / 1000;

const SET: SignedToken = {
  scheme: "jwt",
  at: "body",
  keys: KEYS,
  algorithms: ["RS256", "ES256"],
  typ: "secevent+jwt",
  issuer: ["https://issuer.example.com"],
  audience: { setting: "audience" },
  expires: false,
};
const CLAIMS = { iss: "https://issuer.example.com", aud: "ours", iat: SECONDS, jti: "1", events: {} };
const HEADER = { alg: "RS256", kid: "one", typ: "secevent+jwt" };
const settings = { audience: "theirs, ours,", email: "push@project.example.com" };

const one = await generateKeyPair("RS256", { extractable: true });
const two = await generateKeyPair("RS256", { extractable: true });
const elliptic = await generateKeyPair("ES256", { extractable: true });
const jwkOne: JWK = { ...(await exportJWK(one.publicKey)), kid: "one", alg: "RS256", use: "sig" };
const jwkTwo: JWK = { ...(await exportJWK(two.publicKey)), kid: "two" };
const jwkElliptic: JWK = { ...(await exportJWK(elliptic.publicKey)), kid: "ec" };

const published = (...keys: readonly JWK[]): KeySets => ({
  keys: async (address) => (address === KEYS ? { keys: [...keys] } : undefined),
  text: async () => fail("unavailable"),
});
const all = published(jwkOne, jwkTwo, jwkElliptic);

const token = (
  claims: object = CLAIMS,
  header: object = HEADER,
  key: Parameters<SignJWT["sign"]>[0] = one.privateKey,
): Promise<string> =>
  // A test may put in what no type allows.
  new SignJWT(claims as Record<string, unknown>).setProtectedHeader(header as typeof HEADER).sign(key);

const opened = (
  body: string,
  {
    scheme = SET,
    keySets = all,
    now = NOW,
    ...posted
  }: Posted & {
    readonly scheme?: SignedToken;
    readonly keySets?: KeySets;
    readonly now?: number;
  } = {},
) => checked(scheme, { body, ...posted }, settings, { now, keySets });

describe("known answers", () => {
  /** OpenID Connect Core 1.0, appendices A.6 and A.7. */
  it("proves the id token of OpenID Connect Core's examples", async () => {
    const jwk = {
      kty: "RSA",
      kid: "1e9gdk7",
      n: "w7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b-X84BfC8hmCTOj2b2eHT7NsZegFPKRUQzJ9wW8ipn_aDJWMGDuB1XyqT1E7DYqjUCEOD1b4FLpy_xPn6oV_TYOfQ9fZdbE5HGxJUzekuGcOKqOQ8M7wfYHhHHLxGpQVgL0apWuP2gDDOdTtpuld4D2LK1MZK99s9gaSjRHE8JDb1Z4IGhEcEyzkxswVdPndUWzfvWBBWXWxtSUvQGBRkuy1BHOa4sP6FKjWEeeF7gm7UMs2Nm2QUgNZw6xvEDGaLk4KASdIxRQ",
      e: "AQAB",
    };
    const a6 =
      "eyJraWQiOiIxZTlnZGs3IiwiYWxnIjoiUlMyNTYifQ.ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiwKICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAiY19oYXNoIjogIkxEa3RLZG9RYWszUGswY25YeENsdEEiCn0.XW6uhdrkBgcGx6zVIrCiROpWURs-4goO1sKA4m9jhJIImiGg5muPUcNegx6sSv43c5DSn37sxCRrDZZm4ZPBKKgtYASMcE20SDgvYJdJS0cyuFw7Ijp_7WnIjcrl6B5cmoM6ylCvsLMwkoQAxVublMwH10oAxjzD6NEFsu9nipkszWhsPePf_rM4eMpkmCbTzume-fzZIi5VjdWGGEmzTg32h3jiex-r5WTHbj-u5HL7u_KP3rmbdYNzlzd1xWRYTUs4E8nOTgzAUwvwXkIQhOh5TPcSMBYy6X3E7-_gr9Ue6n4ND7hTFhtjYs3cjNKIA08qm5cpVYFMFMG6PkhzLQ";
    const { typ: _, ...plain } = SET;
    const scheme: SignedToken = {
      ...plain,
      algorithms: ["RS256"],
      issuer: ["http://server.example.com"],
      expires: true,
    };
    const at = (now: number) =>
      checked(scheme, { body: a6 }, { audience: "s6BhdRkqt3" }, { now: now * 1000, keySets: published(jwk) });
    expect(await at(1311281000)).toEqual(
      proves(
        '{\n "iss": "http://server.example.com",\n "sub": "248289761001",\n "aud": "s6BhdRkqt3",\n "nonce": "n-0S6_WzA2Mj",\n "exp": 1311281970,\n "iat": 1311280970,\n "c_hash": "LDktKdoQak3Pk0cnXxCltA"\n}',
      ),
    );
    expect(await at(1311281970 + 301)).toEqual(refuses("stale"));
    expect(await at(1311280970 - 301)).toEqual(refuses("stale"));
  });

  /** RFC 7515, appendix A.3; its claims name no audience, so only the signature is checked. */
  it("has a library that knows RFC 7515's ES256", async () => {
    const key = {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    };
    const jws =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    await expect(compactVerify(jws, key, { algorithms: ["ES256"] })).resolves.toMatchObject({
      protectedHeader: { alg: "ES256" },
    });
    expect((await opened(jws, { keySets: published(key) })).ok).toBe(false);
  });
});

describe("a token as the body", () => {
  it("proves what it says, to the letter, under any of the published keys", async () => {
    const text = JSON.stringify(CLAIMS);
    expect(await opened(await token())).toEqual(proves(text));
    expect(await opened(`${await token()}\r\n`)).toEqual(proves(text));
    expect(await opened(await token(CLAIMS, { ...HEADER, kid: "two" }, two.privateKey))).toEqual(proves(text));
    const es256 = await token(CLAIMS, { ...HEADER, alg: "ES256", kid: "ec" }, elliptic.privateKey);
    expect(await opened(es256)).toEqual(proves(text));
  });

  it("[I5] refuses any character changed, added or left out", async () => {
    const genuine = await token();
    await fc.assert(
      fc.asyncProperty(fc.nat(genuine.length - 1), fc.stringMatching(/^[\w.=+-]$/), async (at, other) => {
        fc.pre(other !== genuine[at]);
        for (const end of [at, at + 1])
          expect((await opened(genuine.slice(0, at) + other + genuine.slice(end))).ok).toBe(false);
        expect((await opened(genuine.slice(0, at) + genuine.slice(at + 1))).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
    expect((await opened(`${genuine}.`)).ok).toBe(false);
    expect((await opened(`${genuine}.${genuine}`)).ok).toBe(false);
    expect((await opened(`${genuine} ${genuine}`)).ok).toBe(false);
  });

  it("[I5] takes the algorithm from the declaration and the key, never from the token alone", async () => {
    const [head, payload, signature] = (await token()).split(".");
    const under = (header: object) => `${base64url.encode(JSON.stringify(header))}.${payload}`;
    expect((await opened(`${under({ ...HEADER, alg: "none" })}.${signature}`)).ok).toBe(false);
    expect((await opened(`${under({ ...HEADER, alg: "none" })}.`)).ok).toBe(false);
    // The public key as the secret of a keyed hash, in the forms that libraries have fallen for.
    for (const secret of [JSON.stringify(jwkOne), jwkOne.n ?? ""]) {
      const header = { ...HEADER, alg: "HS256" };
      expect((await opened(await token(CLAIMS, header, bytes(secret)))).ok).toBe(false);
    }
    const stronger = await generateKeyPair("RS512");
    expect((await opened(await token(CLAIMS, { ...HEADER, alg: "RS512" }, stronger.privateKey))).ok).toBe(false);
    expect((await opened(await token(CLAIMS, { ...HEADER, alg: "ES256", kid: "one" }, elliptic.privateKey))).ok).toBe(
      false,
    );
    expect((await opened(`${head}..${signature}`)).ok).toBe(false);
  });

  it("[I5] takes no key from the token, and none for what it was not published for", async () => {
    const mine = await generateKeyPair("RS256", { extractable: true });
    const jwk = await exportJWK(mine.publicKey);
    for (const header of [
      { ...HEADER, jwk },
      { ...HEADER, jku: "https://evil.example/jwks" },
      { ...HEADER, x5u: "https://evil.example/cert", x5c: ["AAAA"] },
      { ...HEADER, kid: "../one" },
      { ...HEADER, kid: "__proto__" },
      { ...HEADER, kid: "" },
    ])
      expect((await opened(await token(CLAIMS, header, mine.privateKey))).ok).toBe(false);
    const genuine = await token();
    for (const odd of [
      { use: "enc" },
      { alg: "PS256" },
      { key_ops: ["encrypt"] },
      { kid: "other" },
      { kty: "oct", k: "AAAA" },
    ])
      expect(await opened(genuine, { keySets: published({ ...jwkOne, ...odd }) })).toEqual(refuses("bad_signature"));
  });

  it("[I5] refuses a critical header that it does not know, and an encoding that hides the claims", async () => {
    const key = one.privateKey;
    const [, payload] = (await token()).split(".");
    for (const more of [
      { crit: ["exp"], exp: 1 },
      { crit: [] },
      { crit: ["b64"], b64: false },
      { crit: ["__proto__"] },
    ]) {
      const head = base64url.encode(JSON.stringify({ ...HEADER, ...more }));
      const raw = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, bytes(`${head}.${payload}`));
      expect(
        (await opened(`${head}.${payload}.${base64url.encode(new Uint8Array(raw))}`)).ok,
        JSON.stringify(more),
      ).toBe(false);
    }
  });

  it("[I5] refuses another type, so that no token for another purpose passes", async () => {
    for (const typ of ["JWT", "at+jwt", "secevent+jwtx", ""])
      expect(await opened(await token(CLAIMS, { ...HEADER, typ })), typ).toEqual(refuses("malformed"));
    const { typ: _, ...untyped } = HEADER;
    expect(await opened(await token(CLAIMS, untyped))).toEqual(refuses("malformed"));
    for (const typ of ["secevent+jwt", "application/secevent+jwt", "SecEvent+JWT"])
      expect((await opened(await token(CLAIMS, { ...HEADER, typ }))).ok, typ).toBe(true);
  });

  it.each([
    { iss: "https://issuer.example.com/" },
    { iss: "https://ISSUER.example.com" },
    { iss: "" },
    { aud: "OURS" },
    { aud: "" },
    { aud: "theirs, ours" },
    { aud: [] },
    { aud: ["a", ""] },
  ])("[I5] refuses what is for others: %j", async (odd) => {
    expect(await opened(await token({ ...CLAIMS, ...odd }))).toEqual(refuses("not_for_us"));
  });

  it.each([{ iss: undefined }, { iss: 1 }, { aud: undefined }, { aud: { ours: 1 } }, { iat: "1" }, { exp: "never" }])(
    "[I5] refuses claims of another form: %j",
    async (odd) => {
      expect(await opened(await token({ ...CLAIMS, ...odd }))).toEqual(refuses("malformed"));
    },
  );

  it("takes one of several audiences", async () => {
    expect((await opened(await token({ ...CLAIMS, aud: ["a", "ours"] }))).ok).toBe(true);
  });

  it("[I5] refuses what was made in a future, or is not yet good, and where it says so what has expired", async () => {
    const at = async (claims: object, expires = false) =>
      (await opened(await token({ ...CLAIMS, ...claims }), { scheme: { ...SET, expires } })).ok;
    expect(await at({ iat: SECONDS + 300 })).toBe(true);
    expect(await at({ iat: SECONDS + 301 })).toBe(false);
    expect(await at({ iat: 1e300 })).toBe(false);
    expect(await at({ nbf: SECONDS + 301 })).toBe(false);
    expect(await at({ iat: SECONDS - 30 * 86_400 })).toBe(true);
    expect(await at({ exp: SECONDS - 86_400 })).toBe(true);
    expect(await at({ exp: SECONDS - 301 }, true)).toBe(false);
    expect(await at({ exp: SECONDS - 300 }, true)).toBe(true);
    expect(await at({}, true)).toBe(false);
  });

  it("[I5] answers anything with a result, never with an exception", async () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => base64url.encode(text)),
      fc
        .record({
          alg: fc.constantFrom("RS256", "ES256", "none", "__proto__"),
          kid: fc.constantFrom("one", "ec", 1, null),
        })
        .map((header) => base64url.encode(JSON.stringify(header))),
      fc.constant(base64url.encode(JSON.stringify(CLAIMS))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        expect((await opened(parts.join("."))).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    { kty: "RSA", n: "AQAB", e: "AQAB", kid: "one" },
    { kty: "RSA", n: "!", e: "AQAB", kid: "one" },
    { kty: "RSA", kid: "one" },
    { kty: "RSA", n: `${"A".repeat(170)}Q`, e: "AQAB", kid: "one" },
  ])("refuses with a result where a published key is none: %j", async (jwk) => {
    expect(await opened(await token(), { keySets: published(jwk) })).toEqual(refuses("bad_signature"));
  });

  it("[I5] refuses a published key that is too short", async () => {
    const short = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024 };
    const algorithm = { ...short, publicExponent: new Uint8Array([1, 0, 1]) };
    // The platform gives a pair where the algorithm is asymmetric.
    const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
    const keySets = published({ ...(await exportJWK(pair.publicKey)), kid: "one" });
    expect(await opened(await token(), { keySets })).toEqual(refuses("bad_signature"));
  });

  it("refuses a token of more than 64 KiB", async () => {
    expect(await opened(await token({ ...CLAIMS, x: "x".repeat(60_000) }))).toEqual(refuses("malformed"));
  });
});

describe("whose keys are asked for", () => {
  const counting = (answers: readonly (JSONWebKeySet | undefined)[]) => {
    const asked: boolean[] = [];
    const keySets: KeySets = {
      keys: async (_, isFresh) => {
        asked.push(isFresh);
        return answers[Math.min(asked.length, answers.length) - 1];
      },
      text: async () => fail("unavailable"),
    };
    return { asked, keySets };
  };

  it("follows a rotation: asks once more, and only where the key is not there", async () => {
    const rotated = counting([{ keys: [jwkTwo] }, { keys: [jwkTwo, jwkOne] }]);
    expect((await opened(await token(), { keySets: rotated.keySets })).ok).toBe(true);
    expect(rotated.asked).toEqual([false, true]);
    const [head, payload] = (await token()).split(".");
    const wrong = counting([{ keys: [jwkOne] }]);
    const forged = `${head}.${payload}.${base64url.encode(new Uint8Array(256))}`;
    expect(await opened(forged, { keySets: wrong.keySets })).toEqual(refuses("bad_signature"));
    expect(wrong.asked).toEqual([false]);
  });

  it("says that keys cannot be had, of what is for us; nothing is asked for what is not", async () => {
    const none = counting([undefined]);
    expect(await opened(await token(), { keySets: none.keySets })).toEqual(refuses("keys_unavailable"));
    expect(await opened(await token({ ...CLAIMS, aud: "x" }), { keySets: none.keySets })).toEqual(
      refuses("not_for_us"),
    );
    expect(none.asked).toEqual([false]);
  });

  it("[I13] takes an address from a setting only if it is public", async () => {
    const { asked, keySets } = counting([{ keys: [jwkOne] }]);
    const scheme: SignedToken = { ...SET, keys: { setting: "jwks" } };
    for (const jwks of ["http://issuer.example.com/jwks", "https://127.0.0.1/jwks", "https://localhost/", "x", ""])
      expect(await checked(scheme, { body: await token() }, { ...settings, jwks }, { now: NOW, keySets })).toEqual(
        refuses("no_key"),
      );
    expect(asked).toEqual([]);
    const jwks = "https://issuer.example.com/jwks";
    expect((await checked(scheme, { body: await token() }, { ...settings, jwks }, { now: NOW, keySets })).ok).toBe(
      true,
    );
  });
});

describe("a token beside the body, or in it", () => {
  const url = "https://gateway.example.com/hooks/acme/pubsub";
  const BEARER: SignedToken = {
    ...SET,
    at: { bearer: "authorization" },
    audience: "url",
    claims: { email: { setting: "email" }, email_verified: true },
    expires: true,
  };
  const push = { ...CLAIMS, aud: url, email: settings.email, email_verified: true, exp: SECONDS + 3600 };
  const pushed = async (claims: object, more: Posted = {}) =>
    opened('{"message":{}}', {
      scheme: BEARER,
      url,
      headers: { authorization: `Bearer ${await token({ ...push, ...claims })}` },
      ...more,
    });

  it("proves who sent the body", async () => {
    expect(await pushed({})).toEqual(proves('{"message":{}}'));
    expect(await pushed({ email_verified: "true" })).toEqual(proves('{"message":{}}'));
  });

  it.each([
    { email: "other@project.example.com" },
    { email: "" },
    { email: undefined },
    { email: [settings.email] },
    { email_verified: false },
    { email_verified: undefined },
    { aud: `${url}?x` },
    { aud: `${url}/` },
  ])("[I5] refuses another account's token for the same address: %j", async (odd) => {
    expect(await pushed(odd)).toEqual(refuses("not_for_us"));
  });

  it("[I5] refuses no token, two, and one for another address", async () => {
    const genuine = await token(push);
    for (const authorization of ["", "Bearer", "Basic x", `Bearer ${genuine}, Bearer ${genuine}`, `Bearer  ${genuine}`])
      expect((await pushed({}, { headers: { authorization } })).ok, authorization).toBe(false);
    expect(await pushed({}, { url: `${url}?x=1` })).toEqual(refuses("not_for_us"));
    expect((await pushed({}, { headers: { authorization: genuine } })).ok).toBe(true);
  });

  it("opens a member of the body, and hands on nothing else of it", async () => {
    const scheme: SignedToken = { ...SET, at: { member: "payload" } };
    const payload = await token();
    const inBody = (body: unknown) => opened(JSON.stringify(body), { scheme });
    expect(await inBody({ payload, events: "forged" })).toEqual(proves(JSON.stringify(CLAIMS)));
    for (const odd of [
      { payload: [payload] },
      { Payload: payload },
      [payload],
      payload,
      null,
      { payload: { payload } },
    ])
      expect(await inBody(odd)).toEqual(refuses("malformed"));
  });
});
