import fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import { checked } from "../../support/proven.ts";
import { proves, refuses } from "../../support/schemes.ts";

const encoder = new TextEncoder();

describe("signed_request", () => {
  const META = { scheme: "signed-request", key: "appSecret" } as const;
  const meta = (body: string | Uint8Array, secrets: readonly string[]) =>
    checked(META, { body }, { appSecret: secrets });
  const field = (value: string) => `signed_request=${encodeURIComponent(value)}`;
  const PAYLOAD = '{"algorithm":"HMAC-SHA256","issued_at":1700000000,"user_id":"1000000000001"}';

  describe("known answers", () => {
    /** From Meta's own documents of the canvas page, as its early SDKs' tests repeat it. */
    const DOCUMENTED =
      "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0";

    it("proves the example of Meta's documents", async () => {
      expect(await meta(field(DOCUMENTED), ["secret"])).toEqual(proves('{"algorithm":"HMAC-SHA256","0":"payload"}'));
    });

    /** tests/SignedRequestTest.php of facebookarchive/php-graph-sdk; the secret is `foo_app_secret`. */
    const SDK =
      "U0_O1MqqNKUt32633zAkdd2Ce-jGVgRgJeRauyx_zC8=.eyJvYXV0aF90b2tlbiI6ImZvb190b2tlbiIsImFsZ29yaXRobSI6IkhNQUMtU0hBMjU2IiwiaXNzdWVkX2F0IjozMjEsImNvZGUiOiJmb29fY29kZSIsInN0YXRlIjoiZm9vX3N0YXRlIiwidXNlcl9pZCI6MTIzLCJmb28iOiJiYXIifQ==";

    it("proves the padded example of Meta's SDK, escaped or not", async () => {
      const text =
        '{"oauth_token":"foo_token","algorithm":"HMAC-SHA256","issued_at":321,"code":"foo_code","state":"foo_state","user_id":123,"foo":"bar"}';
      expect(await meta(field(SDK), ["foo_app_secret"])).toEqual(proves(text));
      expect(await meta(`signed_request=${SDK}`, ["foo_app_secret"])).toEqual(proves(text));
    });

    /** tests/Entities/SignedRequestTest.php of the same: genuine signatures over payloads that are not acceptable. */
    it.each([
      ["is not an object", "5DBJNwmH_yDs0U2hh_mFN0Ak9jeS9wOC0tTUVFjxL9M=.ZmFsc2U="],
      ["names no algorithm", "5xd-RDCU-sElaRQZAneUOtjBkV9edbnIL1NjqJMoXpU=.eyJmb28iOiJiYXIifQ=="],
      [
        "names another algorithm",
        "T6yWrksHFBsAi-cgJp2KLPqsiNSSexU3czlBiRaaeTs=.eyJhbGdvcml0aG0iOiJGT08tQUxHT1JJVEhNIn0=",
      ],
    ])("refuses the SDK's signed payload that %s", async (_, signed) => {
      expect(await meta(field(signed), ["foo_app_secret"])).toEqual({
        ok: false,
        problem: { reason: "malformed", what: "algorithm" },
      });
    });

    it.each([
      ["invalid_signed_request", "malformed"],
      ["foo!.foo", "malformed"],
      ["foo_sig.eyJmb28iOiJiYXIifQ==", "malformed"],
      ["fake_signature.e30=", "malformed"],
    ] as const)("refuses the SDK's bad example %s", async (signed, reason) => {
      expect(await meta(field(signed), ["foo_app_secret"])).toEqual(refuses(reason));
    });
  });

  it("takes the name of the algorithm in any case", async () => {
    for (const algorithm of ["HMAC-SHA256", "hmac-sha256", "Hmac-Sha256"]) {
      const payload = JSON.stringify({ algorithm });
      expect(await meta(field(await signedPayload("k", payload)), ["k"])).toEqual(proves(payload));
    }
  });

  it("tries each of several secrets, wherever in the list the right one stands", async () => {
    const body = field(await signedPayload("right", PAYLOAD));
    for (const secrets of [["right"], ["right", "a"], ["a", "right"], ["a", "b", "right"]])
      expect(await meta(body, secrets)).toEqual(proves(PAYLOAD));
    expect(await meta(body, ["a", "b"])).toEqual(refuses("bad_signature"));
    expect(await meta(body, [])).toEqual(refuses("no_key"));
  });

  it("ignores other fields of the form", async () => {
    const signed = await signedPayload("k", PAYLOAD);
    expect(await meta(`a=1&${field(signed)}&b=2`, ["k"])).toEqual(proves(PAYLOAD));
  });

  it("[I5] refuses a form in which the field stands twice, even twice the same", async () => {
    const genuine = field(await signedPayload("k", PAYLOAD));
    const forged = field(await signedPayload("other", PAYLOAD));
    for (const body of [
      `${genuine}&${genuine}`,
      `${genuine}&${forged}`,
      `${forged}&${genuine}`,
      `${genuine}&signed_request=`,
    ])
      expect(await meta(body, ["k"])).toEqual(refuses("malformed"));
  });

  it("[I5] refuses the field under another name", async () => {
    const signed = await signedPayload("k", PAYLOAD);
    for (const name of ["Signed_request", "signed_request[]", " signed_request", "signed-request"])
      expect(await meta(`${encodeURIComponent(name)}=${signed}`, ["k"])).toEqual(refuses("malformed"));
  });

  it("accepts padding and no padding", async () => {
    const [signature = "", payload = ""] = (await signedPayload("k", PAYLOAD)).split(".");
    expect(await meta(field(`${signature}=.${payload}`), ["k"])).toEqual(proves(PAYLOAD));
  });

  it("[I5] refuses what is not strict base64url in the signature", async () => {
    const [signature = "", payload = ""] = (await signedPayload("k", PAYLOAD)).split(".");
    const last = signature.slice(-1);
    // 32 bytes end in a character of which two bits are unused: three others name the same bytes.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const others = [1, 2, 3].map((bits) => alphabet[alphabet.indexOf(last) + bits] ?? "!");
    const bad = [
      `${signature}\n`,
      ` ${signature}`,
      `${signature}===`,
      `${signature.slice(0, 20)}=${signature.slice(20)}`,
      `${signature.slice(0, 20)}!${signature.slice(20)}`,
      `${signature}A`,
      `${signature}AA`,
      signature.slice(0, -1),
      "",
      "=",
      ...others.map((other) => `${signature.slice(0, -1)}${other}`),
    ];
    for (const each of bad) expect(await meta(field(`${each}.${payload}`), ["k"]), each).toEqual(refuses("malformed"));
  });

  it("[I5] refuses signed payloads that are not strict base64url of UTF-8", async () => {
    const sign = async (payload: string) => {
      const key = await crypto.subtle.importKey("raw", encoder.encode("k"), { name: "HMAC", hash: "SHA-256" }, false, [
        "sign",
      ]);
      const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(payload)));
      return field(`${base64url.encode(mac)}.${payload}`);
    };
    const encoded = base64url.encode(PAYLOAD);
    const utf16 = base64url.encode(new Uint8Array([0xff, 0xfe, 0x7b, 0x00]));
    for (const payload of [`${encoded}!`, `${encoded}\n`, `.${encoded}`, `${encoded}.x`, "e31", "", "A", utf16])
      expect(await meta(await sign(payload), ["k"]), payload).toEqual(refuses("malformed"));
  });

  it("[I5] signs the payload as it came, not what it decodes to", async () => {
    const [signature = "", payload = ""] = (await signedPayload("k", PAYLOAD)).split(".");
    for (const same of [`${payload}=`, `${payload}==`])
      expect(await meta(field(`${signature}.${same}`), ["k"])).toEqual(refuses("bad_signature"));
  });

  it("[I5] refuses a form that is not UTF-8, and one with a byte order mark before the field", async () => {
    const genuine = encoder.encode(field(await signedPayload("k", PAYLOAD)));
    expect(await meta(new Uint8Array([...genuine, 0xff]), ["k"])).toEqual({
      ok: false,
      problem: { reason: "malformed", what: "not UTF-8" },
    });
    expect(await meta(new Uint8Array([0xef, 0xbb, 0xbf, ...genuine]), ["k"])).toEqual(refuses("malformed"));
  });

  it("keeps a NUL and other odd characters of the payload as they were signed", async () => {
    const payload = JSON.stringify({ algorithm: "HMAC-SHA256", user_id: "a\u0000b\u2028\ud83d\ude00" });
    expect(await meta(field(await signedPayload("k", payload)), ["k"])).toEqual(proves(payload));
  });

  it("[I5] accepts no other text under a genuine signature", async () => {
    const [signature = "", payload = ""] = (await signedPayload("k", PAYLOAD)).split(".");
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9_-]{1,120}$/), async (other) => {
        fc.pre(other !== payload);
        expect((await meta(field(`${signature}.${other}`), ["k"])).ok).toBe(false);
      }),
    );
  });

  it("[I5] accepts no delivery with a byte changed, whichever and to whatever", async () => {
    const genuine = encoder.encode(field(await signedPayload("k", PAYLOAD)));
    await fc.assert(
      fc.asyncProperty(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Uint8Array.from(genuine);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect((await meta(changed, ["k"])).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("proves whatever was signed, and gives it back to the letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ minLength: 1 }), async (text, key) => {
        const payload = JSON.stringify({ text, algorithm: "HMAC-SHA256" });
        expect(await meta(field(await signedPayload(key, payload)), [key])).toEqual(proves(payload));
      }),
    );
  });

  it("[I5] answers any body with a result, never with an exception", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string().map(field), fc.webQueryParameters()),
        async (body) => {
          expect((await meta(body, ["k"])).ok).toBe(false);
        },
      ),
    );
  });
});

/** Meta's scheme, from its documents: HMAC-SHA256 of the encoded payload, both in base64url without padding. */
async function signedPayload(key: string, payload: string): Promise<string> {
  const encoded = base64url.encode(payload);
  const secret = await crypto.subtle.importKey("raw", encoder.encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", secret, encoder.encode(encoded));
  return `${base64url.encode(new Uint8Array(mac))}.${encoded}`;
}
