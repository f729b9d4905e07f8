import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hmac, Part, PublicKeySignature } from "../../../src/contract/verification.ts";
import { bytes, checked } from "../../support/proven.ts";
import { type Case, check, itKeepsToItsWindow, itProvesNothingElse, proves, refuses } from "../../support/schemes.ts";

const url = "https://mycompany.com/myapp.php?foo=1&bar=2";

const hmac = (
  header: string,
  encoding: Hmac["signature"]["encoding"],
  over: readonly Part[],
  more: Partial<Omit<Hmac, "signature">> & { readonly signature?: Partial<Hmac["signature"]> } = {},
): Hmac => ({
  scheme: "hmac",
  key: "secret",
  hash: "SHA-256",
  over,
  ...more,
  signature: { header, encoding, ...more.signature },
});

/** What signs here is Node's own HMAC, not the code that is tested. */
const mac = async (key: string, text: string, encoding: "hex" | "base64" = "hex", hash = "SHA-256") => {
  const imported = await crypto.subtle.importKey("raw", bytes(key), { name: "HMAC", hash }, false, ["sign"]);
  return Buffer.from(await crypto.subtle.sign("HMAC", imported, bytes(text))).toString(encoding);
};

const GITHUB = hmac("x-hub-signature-256", "hex", ["body"], { signature: { prefix: "sha256=" } });
const SLACK = hmac(
  "x-slack-signature",
  "hex",
  [{ text: "v0:" }, { header: "x-slack-request-timestamp" }, { text: ":" }, "body"],
  {
    signature: { prefix: "v0=" },
    fresh: { at: { header: "x-slack-request-timestamp" }, unit: "seconds", withinSeconds: 300 },
  },
);
const PADDLE = hmac("paddle-signature", "hex", [{ item: "ts" }, { text: ":" }, "body"], {
  signature: { items: { separator: ";", name: "h1" } },
  fresh: { at: { item: "ts" }, unit: "seconds", withinSeconds: 300 },
});
const TWILIO = hmac("x-twilio-signature", "base64", ["url", "form"], { hash: "SHA-1" });
const TWILIO_JSON = hmac("x-twilio-signature", "base64", ["url"], {
  hash: "SHA-1",
  bodyDigest: { query: "bodySHA256" },
});
const ZENDESK = hmac(
  "x-zendesk-webhook-signature",
  "base64",
  [{ header: "x-zendesk-webhook-signature-timestamp" }, "body"],
  { fresh: { at: { header: "x-zendesk-webhook-signature-timestamp" }, unit: "rfc3339", withinSeconds: 300 } },
);
const HUBSPOT = hmac(
  "x-hubspot-signature-v3",
  "base64",
  ["method", "url", "body", { header: "x-hubspot-request-timestamp" }],
  { fresh: { at: { header: "x-hubspot-request-timestamp" }, unit: "milliseconds", withinSeconds: 300 } },
);
const LINKEDIN = hmac("x-li-signature", "hex", [{ text: "hmacsha256=" }, "body"], {
  signature: { prefix: { optional: "hmacsha256=" } },
});
const ED25519: PublicKeySignature = {
  scheme: "ed25519",
  key: "publicKey",
  signature: { header: "x-signature-ed25519", encoding: "hex" },
  over: ["body"],
};
const SENDGRID: PublicKeySignature = {
  scheme: "ecdsa-p256",
  key: "publicKey",
  signature: { header: "x-twilio-email-event-webhook-signature", encoding: "base64" },
  over: [{ header: "x-twilio-email-event-webhook-timestamp" }, "body"],
};

const github: Case = {
  scheme: GITHUB,
  settings: { secret: "It's a Secret to Everybody" },
  posted: {
    body: "Hello, World!",
    headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
  },
};
const slack: Case = {
  scheme: SLACK,
  settings: { secret: "8f742231b10e8888abcd99yyyzzz85a5" },
  now: 1531420618_000,
  posted: {
    body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    headers: {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
  },
};
const PADDLE_H1 = "a300428748dce5c70e4da19bffd60769591ea969c99dea3105d0ec9612cf43f9";
const paddle: Case = {
  scheme: PADDLE,
  settings: { secret: "VALID_SECRET" },
  now: 1698796800_000,
  posted: { body: '{"data": ["1", "2"]}', headers: { "paddle-signature": `ts=1698796800;h1=${PADDLE_H1}` } },
};
const FORM = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const twilio: Case = {
  scheme: TWILIO,
  settings: { secret: "12345" },
  posted: { url, body: FORM, headers: { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" } },
};
const twilioJson: Case = {
  scheme: TWILIO_JSON,
  settings: { secret: "12345" },
  posted: {
    url: `${url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`,
    body: '{"property": "value", "boolean": true}',
    headers: { "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4=" },
  },
};
const sendgrid: Case = {
  scheme: SENDGRID,
  settings: {
    publicKey:
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
  },
  posted: {
    body: '{"category":"example_payload","event":"test_event","message_id":"message_id"}',
    headers: {
      "x-twilio-email-event-webhook-timestamp": "1588788367",
      "x-twilio-email-event-webhook-signature":
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
    },
  },
};
const zendesk = async (at = Date.parse("2021-07-25T10:00:00Z")): Promise<Case> => {
  const secret = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=";
  const time = new Date(at).toISOString().replace(".000Z", "Z");
  const body = '{"say": "hello"}';
  const signature = await mac(secret, time + body, "base64");
  return {
    scheme: ZENDESK,
    settings: { secret },
    now: at,
    posted: {
      body,
      headers: { "x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": time },
    },
  };
};
const hubspot = async (at = 1_700_000_000_123): Promise<Case> => {
  const [secret, body] = ["yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", '[{"eventId":1,"objectId":2}]'];
  const posted = { url, body };
  return {
    scheme: HUBSPOT,
    settings: { secret },
    now: at,
    posted: {
      ...posted,
      headers: {
        "x-hubspot-request-timestamp": String(at),
        "x-hubspot-signature-v3": await mac(secret, `POST${url}${body}${at}`, "base64"),
      },
    },
  };
};
const linkedin = async (prefix = ""): Promise<Case> => ({
  scheme: LINKEDIN,
  settings: { secret: "s3cret" },
  posted: { body: "{}", headers: { "x-li-signature": prefix + (await mac("s3cret", "hmacsha256={}")) } },
});

describe("known answers", () => {
  /** RFC 4231 sections 4.2, 4.3 and 4.7, RFC 2202 section 3. */
  it.each([
    ["SHA-256", "0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      "SHA-256",
      "4a656665",
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "SHA-256",
      "aa".repeat(131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    ["SHA-1", "4a656665", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
  ] as const)("knows the RFCs' HMAC-%s under %s", async (hash, key, body, signature) => {
    const given = hmac("x-signature", "hex", ["body"], { hash, keyEncoding: "hex" });
    expect(await checked(given, { body, headers: { "x-signature": signature } }, { secret: key })).toEqual(
      proves(body),
    );
    const base64 = { ...given, signature: { header: "x-signature", encoding: "base64" as const } };
    const same = Buffer.from(signature, "hex").toString("base64");
    expect(await checked(base64, { body, headers: { "x-signature": same } }, { secret: key })).toEqual(proves(body));
    const inBase64 = { ...given, keyEncoding: "base64" as const };
    const keyText = Buffer.from(key, "hex").toString("base64");
    expect(await checked(inBase64, { body, headers: { "x-signature": signature } }, { secret: keyText })).toEqual(
      proves(body),
    );
  });

  /** RFC 8032 section 7.1, tests 1 and 2. */
  it.each([
    [
      "",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "r",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
  ])(
    "knows RFC 8032's signature of '%s', and refuses it with its order added to S",
    async (body, publicKey, signature) => {
      const posted = { body, headers: { "x-signature-ed25519": signature } };
      expect(await checked(ED25519, posted, { publicKey })).toEqual(proves(body));
      expect(await checked(ED25519, posted, { publicKey: publicKey.toUpperCase() })).toEqual(proves(body));
      const order = 2n ** 252n + 27742317777372353535851937790883648493n;
      const s = Buffer.from(signature.slice(64), "hex").reverse().toString("hex");
      const more = Buffer.from((BigInt(`0x${s}`) + order).toString(16).padStart(64, "0"), "hex")
        .reverse()
        .toString("hex");
      const headers = { "x-signature-ed25519": signature.slice(0, 64) + more };
      expect(await checked(ED25519, { body, headers }, { publicKey })).toEqual(refuses("bad_signature"));
    },
  );

  it.each([
    ["GitHub's documents", github],
    ["Slack's documents", slack],
    ["Paddle's SDK", paddle],
    ["Twilio's SDK, with a form", twilio],
    ["Twilio's SDK, with JSON", twilioJson],
    ["SendGrid's SDK", sendgrid],
  ])("proves the example of %s", async (_, example) => {
    expect(await check(example)).toEqual(proves(String(example.posted.body)));
  });

  /** spec/validation.spec.js of twilio-node. */
  it("proves the other examples of Twilio's SDK: repeated fields in whatever order, and a digest alone in the query", async () => {
    const form = (body: string, signature: string) =>
      check(twilio, { body, headers: { "x-twilio-signature": signature } });
    const repeated = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234";
    expect((await form(repeated, "IK+Dwps556ElfBT0I3Rgjkr1wJU=")).ok).toBe(true);
    const [one, two] = ["%2B1325xxxxxxx", "%2B1415xxxxxxx"].map((each) => `MessagingBinding.Address=${each}`);
    expect((await form(`${one}&${two}`, "83O6e2vORAoJHUNzJjDWN1jz+BA=")).ok).toBe(true);
    expect((await form(`${two}&${one}`, "83O6e2vORAoJHUNzJjDWN1jz+BA=")).ok).toBe(true);
    const short =
      "https://mycompany.com/myapp.php?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    expect(
      (await check(twilioJson, { url: short, headers: { "x-twilio-signature": "y77kIzt2vzLz71DgmJGsen2scGs=" } })).ok,
    ).toBe(true);
  });

  it("[I5] refuses JSON for Twilio whose digest is missing, repeated, in capitals, or another's, though the address is signed", async () => {
    const right = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    for (const odd of [
      "",
      "&bodySHA256=",
      "&bodySHA256=x&bodySHA256=y",
      `&bodySHA256=${"0".repeat(64)}`,
      `&bodySHA256=${right}&bodySHA256=${right}`,
      `&bodySHA256=${right.toUpperCase()}`,
    ]) {
      const signature = await mac("12345", url + odd, "base64", "SHA-1");
      const changed = { url: url + odd, headers: { "x-twilio-signature": signature } };
      expect(await check(twilioJson, changed), odd).toEqual(refuses("malformed"));
    }
  });

  /** An older page of Zendesk's prints this signature, which is over the body and then the time. */
  it("[I5] refuses Zendesk's misprinted example, which is signed in another order", async () => {
    const genuine = await zendesk();
    expect(genuine.posted.headers["x-zendesk-webhook-signature"]).toBe("Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk=");
    const headers = {
      ...genuine.posted.headers,
      "x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=",
    };
    expect(await check(genuine, { headers })).toEqual(refuses("bad_signature"));
  });
});

const OTHER_P256 =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
const OTHER_ED = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

async function discord(at = 1_700_000_000_000): Promise<Case> {
  // The platform gives a pair where the algorithm is asymmetric.
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const time = String(at / 1000);
  const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, bytes(`${time}{"type":0}`));
  const raw = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
  return {
    scheme: {
      ...ED25519,
      over: [{ header: "x-signature-timestamp" }, "body"],
      fresh: { at: { header: "x-signature-timestamp" }, unit: "seconds", withinSeconds: 600 },
    },
    settings: { publicKey: Buffer.from(raw).toString("hex") },
    now: at,
    posted: {
      body: '{"type":0}',
      headers: { "x-signature-ed25519": Buffer.from(signature).toString("hex"), "x-signature-timestamp": time },
    },
  };
}

describe("a signature over pieces", () => {
  itProvesNothingElse("a keyed hash of the body", () => github, { secret: "It's a Secret to Nobody" });
  itProvesNothingElse("a keyed hash of time and body", () => slack, { secret: "8f742231b10e8888abcd99yyyzzz85a6" });
  itProvesNothingElse("a list of items", () => paddle, { secret: "INVALID_SECRET" });
  itProvesNothingElse("an ISO time", () => zendesk(), { secret: "other" });
  itProvesNothingElse(
    "method and address",
    () => hubspot(),
    { secret: "other" },
    { covers: ["body", "url", "method"] },
  );
  itProvesNothingElse("address and form", () => twilio, { secret: "12346" }, { covers: ["url"] });
  itProvesNothingElse("address and digest", () => twilioJson, { secret: "12346" }, { covers: ["body", "url"] });
  itProvesNothingElse("Ed25519", () => discord(), { publicKey: OTHER_ED });
  itProvesNothingElse("ECDSA", () => sendgrid, { publicKey: OTHER_P256 });

  itKeepsToItsWindow("ISO", zendesk, 300);
  itKeepsToItsWindow("milliseconds", hubspot, 300);
  itKeepsToItsWindow("seconds", discord, 600);

  it("takes an optional prefix or none, and no other", async () => {
    expect((await check(await linkedin())).ok).toBe(true);
    expect((await check(await linkedin("hmacsha256="))).ok).toBe(true);
    for (const prefix of ["sha256=", "hmacsha256=hmacsha256=", "HMACSHA256=", "=", " "])
      expect(await check(await linkedin(prefix)), prefix).toEqual(refuses("malformed"));
    const alone = { "x-li-signature": await mac("s3cret", "{}") };
    expect(await check(await linkedin(), { headers: alone })).toEqual(refuses("bad_signature"));
  });

  it("accepts any of several signatures while keys are rotated, and no more than there can be", async () => {
    const list = (...signatures: string[]) =>
      check(paddle, {
        headers: { "paddle-signature": ["ts=1698796800", ...signatures.map((each) => `h1=${each}`)].join(";") },
      });
    const wrong = "0".repeat(64);
    expect((await list(wrong, PADDLE_H1)).ok).toBe(true);
    expect((await list(PADDLE_H1, wrong)).ok).toBe(true);
    expect((await list(...Array(7).fill(wrong), PADDLE_H1)).ok).toBe(true);
    expect(await list(...Array(8).fill(wrong), PADDLE_H1)).toEqual(refuses("malformed"));
    expect(await list(wrong, wrong)).toEqual(refuses("bad_signature"));
  });

  it.each([
    `ts=1698796800;ts=1698796801;h1=${PADDLE_H1}`,
    `ts=1698796801;ts=1698796800;h1=${PADDLE_H1}`,
    `ts=1698796800; h1=${PADDLE_H1}`,
    `ts=1698796800;h1=${PADDLE_H1};`,
    `ts=1698796800;h1=${PADDLE_H1};h1`,
    `ts=1698796800;h1=${PADDLE_H1.toUpperCase()}`,
    `ts=1698796800,h1=${PADDLE_H1}`,
    `h1=${PADDLE_H1}`,
    "ts=1698796800",
    `ts=01698796800;h1=${PADDLE_H1}`,
    `ts=+1698796800;h1=${PADDLE_H1}`,
    `ts=1698796800.0;h1=${PADDLE_H1}`,
    `ts=1698796800;h1=${PADDLE_H1};${"x=1;".repeat(2000)}`,
    `ts=1698796800${";a=1".repeat(16)};h1=${PADDLE_H1}`,
  ])("[I5] refuses the list %s", async (header) => {
    expect(await check(paddle, { headers: { "paddle-signature": header } })).toEqual(refuses("malformed"));
  });

  it("[I5] refuses a body that was signed and is not UTF-8", async () => {
    const odd = { scheme: GITHUB, settings: { secret: "k" } };
    const key = await crypto.subtle.importKey("raw", bytes("k"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const body = new Uint8Array([0xff, 0xfe]);
    const signature = Buffer.from(await crypto.subtle.sign("HMAC", key, body)).toString("hex");
    const headers = { "x-hub-signature-256": `sha256=${signature}` };
    expect(await check({ ...odd, posted: { body, headers } })).toEqual({
      ok: false,
      problem: { reason: "malformed", what: "not UTF-8" },
    });
  });

  it("[I5] refuses the signed text cut at another place, between a header and a JSON body", async () => {
    const { posted, scheme, settings } = sendgrid;
    const [header, time] = ["x-twilio-email-event-webhook-timestamp", "1588788367"];
    const text = time + String(posted.body);
    for (let cut = 1; cut < text.length; cut++) {
      if (cut === time.length) continue;
      const headers = { ...posted.headers, [header]: text.slice(0, cut) };
      const result = await checked(scheme, { body: text.slice(cut), headers }, settings);
      // A digit of the time before a body makes it no JSON, so nobody can read it.
      expect(result.ok, text.slice(0, cut)).toBe(cut < time.length);
      if (result.ok) expect(() => JSON.parse(result.value.text)).toThrow();
    }
  });

  it("[I5] refuses a signed header that is not ASCII, or longer than any id", async () => {
    for (const time of ["1588788367\u00a0", "1588788367\ufffd", "1".repeat(257), "", "\u0661"]) {
      const headers = { ...sendgrid.posted.headers, "x-twilio-email-event-webhook-timestamp": time };
      expect(await check(sendgrid, { headers }), time).toEqual(refuses("malformed"));
    }
  });

  it("says which headers are signed, and of the others only that they came", async () => {
    const headers = { ...slack.posted.headers, "x-slack-retry-num": "1" };
    const result = await check(slack, { headers });
    if (!result.ok) throw new Error(result.problem.reason);
    expect(result.value.signed("x-slack-request-timestamp")).toBe("1531420618");
    expect(result.value.signed("x-slack-retry-num")).toBeUndefined();
    expect(result.value.signed("__proto__")).toBeUndefined();
    expect(result.value.claimed("x-slack-retry-num")).toBe("1");
  });

  it("says that there is no key where none of its texts is one", async () => {
    for (const publicKey of ["", "zz", "00", `${OTHER_ED}00`])
      expect(await check({ ...(await discord()), settings: { publicKey } }), publicKey).toEqual(refuses("no_key"));
    for (const publicKey of ["x", OTHER_P256.slice(0, -8), OTHER_P256.replace("A", "B")])
      expect(await check({ ...sendgrid, settings: { publicKey } }), publicKey).toEqual(refuses("no_key"));
  });
});

describe("ECDSA in DER", () => {
  const HEADER = "x-twilio-email-event-webhook-signature";
  const good = [...Buffer.from(sendgrid.posted.headers[HEADER] ?? "", "base64")];
  const [r, s] = [good.slice(4, 37), good.slice(39)];
  const sent = (der: readonly number[]) =>
    check(sendgrid, { headers: { ...sendgrid.posted.headers, [HEADER]: Buffer.from(der).toString("base64") } });
  const integer = (value: readonly number[]) => [0x02, value.length, ...value];
  const sequence = (...parts: (readonly number[])[]) => [0x30, parts.flat().length, ...parts.flat()];

  it("is taken in its one form", async () => {
    expect(sequence(integer(r), integer(s))).toEqual(good);
    expect((await sent(sequence(integer(r), integer(s)))).ok).toBe(true);
  });

  it.each([
    ["a longer form of the length", [0x30, 0x81, good.length - 2, ...good.slice(2)]],
    ["an indefinite length", [0x30, 0x80, ...good.slice(2), 0, 0]],
    ["a zero before an integer", sequence(integer(r), integer([0, ...s]))],
    ["an integer without its leading zero", sequence(integer(r.slice(1)), integer(s))],
    ["bytes after it", [...good, 0]],
    ["bytes within it", sequence(integer(r), integer(s), [0])],
    ["one integer", sequence(integer(r))],
    ["an empty integer", sequence(integer(r), integer([]))],
    ["zeros", sequence(integer([0]), integer([0]))],
    ["a zero for r", sequence(integer([0]), integer(s))],
    [
      "the order for s",
      sequence(
        integer(r),
        integer([0, ...Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex")]),
      ),
    ],
    ["another tag", [0x31, ...good.slice(1)]],
    ["raw r and s", [...r.slice(1), ...s]],
    ["nothing", [0x30, 0]],
  ])("[I5] is refused with %s", async (_, der) => {
    expect((await sent(der)).ok).toBe(false);
  });

  it("[I5] is refused as any other bytes, without an exception", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (der) => {
        expect((await sent([...der])).ok).toBe(false);
      }),
    );
  });
});

describe("whom a body names", () => {
  const scheme = hmac("x-signature", "hex", ["body"], {
    expects: [
      { at: ["app"], setting: "app" },
      { at: ["events", "account", "id"], setting: "account" },
    ],
  });
  const judge = async (body: string, settings: Readonly<Record<string, string>>) => {
    const headers = { "x-signature": await mac("key", body) };
    const result = await checked(scheme, { body, headers }, { secret: "key", ...settings });
    return result.ok ? "taken" : Object.values(result.problem).join(" ");
  };
  const ours = { app: "a1, a2", account: "7" };

  it.each([
    ['{"app":"a1"}', "taken"],
    ['{"app":"a2"}', "taken"],
    ['{"app":"a3"}', "not_for_us app"],
    ['{"app":"a1, a2"}', "not_for_us app"],
    ['{"app":""}', "not_for_us app"],
    ['{"app":{"id":"a1"}}', "not_for_us app"],
    ['{"app":["a1","a2"]}', "taken"],
    ['{"app":["a1","a3"]}', "not_for_us app"],
    ['{"app":null}', "taken"],
    ['{"events":[{"account":{"id":7}},{"account":{}}]}', "taken"],
    ['{"events":[{"account":{"id":7}},{"account":{"id":8}}]}', "not_for_us events.account.id"],
    ['{"events":{"account":{"id":"8"}}}', "not_for_us events.account.id"],
    ['{"constructor":"a3"}', "taken"],
    ["[]", "taken"],
    ["app=a3", "taken"],
  ])("[I5] %s: %s", async (body, said) => {
    expect(await judge(body, ours)).toBe(said);
    expect(await judge(body, {})).toBe("taken");
  });

  it("[I5] says nothing of it to whoever cannot sign", async () => {
    expect(
      await checked(
        scheme,
        { body: '{"app":"a3"}', headers: { "x-signature": "00".repeat(32) } },
        { secret: "key", ...ours },
      ),
    ).toEqual(refuses("bad_signature"));
  });
});
