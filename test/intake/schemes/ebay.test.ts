import { describe, expect, it } from "vitest";
import type { EbaySignature } from "../../../src/contract/verification.ts";
import type { ClientCredentials, KeySets } from "../../../src/ports.ts";
import { fail, ok } from "../../../src/result.ts";
import { type Case, check, itProvesNothingElse, proves, refuses } from "../../support/schemes.ts";

const scheme: EbaySignature = {
  scheme: "ebay",
  client: { id: { setting: "id" }, secret: { setting: "secret" } },
  environment: { setting: "environment" },
};
const KID = "9936261a-7d7b-4621-a0f1-96ccb428af49";
const ADDRESS = `https://api.ebay.com/commerce/notification/v1/public_key/${KID}`;

/** `VALID` of test/test.json of eBay's Node SDK: header, message and answer of the key's address. */
const KEY =
  '{"key":"-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----","algorithm":"ECDSA","digest":"SHA1"}';
const BODY =
  '{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}';
const HEADER =
  "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRpZ2VzdCI6IlNIQTEifQ==";
/** `SIGNATURE_MISMATCH` of the same. */
const MISMATCH =
  "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FVUNJUUNHY1NubUFrVGZyK1paMlZnMGJXRW9zOGEvdGVCcWk3UGU2OCtoR21MTUNRSWdlRnZrcnRvKzhkczhSVndJM0dnbjFtTUdDck5NRVpKM1NSbE8yZngveHFJPSIsImRpZ2VzdCI6IlNIQTEifQ==";
const settings = { id: "client", secret: "right" };

/** Shows one answer at one address to one credential, and keeps what was asked. */
function showing(answer = KEY, at = ADDRESS) {
  const asked: { readonly address: string; readonly behind: ClientCredentials | undefined }[] = [];
  const keySets: KeySets = {
    keys: async () => undefined,
    text: async (address, behind) => {
      asked.push({ address, behind });
      if (behind?.id !== "client" || behind.secret !== "right") return fail("unavailable");
      return address === at ? ok(answer) : fail("absent");
    },
  };
  return { asked, keySets };
}

const known: Case = {
  scheme,
  settings,
  keySets: showing().keySets,
  posted: { body: BODY, headers: { "x-ebay-signature": HEADER } },
};
const given = (header: string) => check(known, { headers: { "x-ebay-signature": header } });
const said = JSON.parse(atob(HEADER));
const saying = (change: object) => given(btoa(JSON.stringify({ ...said, ...change })));

/** Signed with a key of our own. */
async function made(hash: "SHA-1" | "SHA-256", digest: string, inHeader = "SHA1"): Promise<Case> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  // The platform gives a pair where the algorithm is asymmetric, and bytes where they are asked for.
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const spki = Buffer.from((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer).toString("base64");
  const raw = Buffer.from(await crypto.subtle.sign({ ...algorithm, hash }, pair.privateKey, Buffer.from(BODY)));
  const integers = [raw.subarray(0, 32), raw.subarray(32)].map((half) => {
    const bare = [...half.subarray(half.findIndex((byte) => byte !== 0))];
    const value = (bare[0] ?? 0) >= 0x80 ? [0, ...bare] : bare;
    return [2, value.length, ...value];
  });
  const der = Buffer.from([0x30, integers.flat().length, ...integers.flat()]).toString("base64");
  const key = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`;
  const header = btoa(JSON.stringify({ alg: "ecdsa", kid: KID, signature: der, digest: inHeader }));
  const { keySets } = showing(JSON.stringify({ key, algorithm: "ECDSA", digest }));
  return { ...known, keySets, posted: { body: BODY, headers: { "x-ebay-signature": header } } };
}

describe("eBay", () => {
  it("agrees with eBay's SDK, over the body as it came", async () => {
    expect(await check(known)).toEqual(proves(BODY));
    expect(await given(MISMATCH)).toEqual(refuses("bad_signature"));
    expect(await check(known, { body: BODY.replace('"1.0"', "null") })).toEqual(refuses("bad_signature"));
  });

  itProvesNothingElse("eBay", () => known, { id: "stranger", secret: "wrong" });

  it("asks for the key at eBay's own address, with a token of the application; in the sandbox where it is set", async () => {
    const production = showing();
    await check({ ...known, keySets: production.keySets });
    expect(production.asked).toEqual([
      {
        address: ADDRESS,
        behind: {
          tokenAddress: "https://api.ebay.com/identity/v1/oauth2/token",
          scope: "https://api.ebay.com/oauth/api_scope",
          id: "client",
          secret: "right",
        },
      },
    ]);
    const sandbox = showing(KEY, ADDRESS.replace("api.", "api.sandbox."));
    const set = { ...known, settings: { ...settings, environment: "sandbox" }, keySets: sandbox.keySets };
    expect(await check(set)).toEqual(proves(BODY));
    expect(sandbox.asked[0]?.behind?.tokenAddress).toBe("https://api.sandbox.ebay.com/identity/v1/oauth2/token");
    for (const environment of ["evil.example", "production", ""]) {
      const odd = showing();
      await check({ ...known, settings: { ...settings, environment }, keySets: odd.keySets });
      expect(odd.asked[0]?.address).toBe(ADDRESS);
    }
  });

  it("[I5] takes the hash from the key's answer, never from the header", async () => {
    expect((await check(await made("SHA-256", "SHA256"))).ok).toBe(true);
    expect((await check(await made("SHA-1", "SHA1", "SHA256"))).ok).toBe(true);
    expect(await check(await made("SHA-1", "SHA256"))).toEqual(refuses("bad_signature"));
    expect(await check(await made("SHA-256", "SHA1", "SHA256"))).toEqual(refuses("bad_signature"));
  });

  it.each([
    "../../../identity/v1/x",
    "9936261a-7d7b-4621-a0f1-96ccb428af49/",
    "9936261a-7d7b-4621-a0f1-96ccb428af49?x",
    "9936261A-7D7B-4621-A0F1-96CCB428AF49",
    "9936261a7d7b4621a0f196ccb428af49",
    "{9936261a-7d7b-4621-a0f1-96ccb428af49}",
    "%2e%2e",
    "",
    1,
    null,
  ])("[I13] puts nothing into an address but a UUID: %s", async (kid) => {
    const { asked, keySets } = showing();
    const header = btoa(JSON.stringify({ ...said, kid }));
    expect(await check({ ...known, keySets }, { headers: { "x-ebay-signature": header } })).toEqual(
      refuses("malformed"),
    );
    expect(asked).toEqual([]);
  });

  it("[I5] refuses headers of another form, and long ones, without asking for a key", async () => {
    for (const header of [
      "",
      "{}",
      "e30=",
      btoa("[]"),
      btoa("null"),
      btoa(`${atob(HEADER)}\r`),
      HEADER.slice(0, -2),
      ` ${HEADER}`,
      HEADER + HEADER,
    ])
      expect(await given(header), header).toEqual(refuses("malformed"));
    expect(await saying({ alg: "none" })).toEqual(refuses("malformed"));
    expect(await saying({ digest: "MD5" })).toEqual(refuses("malformed"));
    expect(await saying({ signature: "AAAA" })).toEqual(refuses("bad_signature"));
    expect(await saying({ signature: [said.signature] })).toEqual(refuses("malformed"));
    expect(await saying({ more: "x".repeat(800) })).toEqual(refuses("malformed"));
    expect((await saying({ more: "x" })).ok, "unknown members are ignored").toBe(true);
    expect((await saying({ alg: "ECDSA" })).ok, "as the documents write it").toBe(true);
  });

  it("tells a key that is not there from keys that cannot be had", async () => {
    const other = KID.replace("9936", "9937");
    expect(await saying({ kid: other })).toEqual(refuses("malformed"));
    expect(await check({ ...known, settings: { id: "client", secret: "wrong" } })).toEqual(refuses("keys_unavailable"));
    expect(await check({ ...known, settings: { id: "client" } })).toEqual(refuses("no_key"));
  });

  it.each([
    ["no JSON", "-----BEGIN PUBLIC KEY-----"],
    ["another algorithm", KEY.replace("ECDSA", "RSA")],
    ["another hash", KEY.replace("SHA1", "MD5")],
    ["no key", '{"algorithm":"ECDSA","digest":"SHA1"}'],
    ["a key on another curve", KEY.replace("KoZIzj0DAQc", "KoZIzj0DAQY")],
    ["a private key", KEY.replaceAll("PUBLIC", "PRIVATE")],
  ])("[I5] proves nothing with an answer that holds %s", async (_, answer) => {
    expect(await check({ ...known, keySets: showing(answer).keySets })).toEqual(refuses("keys_unavailable"));
  });
});
