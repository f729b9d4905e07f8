import { describe, expect, it } from "vitest";
import type { StandardWebhooks } from "../../../src/contract/verification.ts";
import { bytes } from "../../support/proven.ts";
import { type Case, check, itKeepsToItsWindow, itProvesNothingElse, proves, refuses } from "../../support/schemes.ts";

const scheme: StandardWebhooks = { scheme: "standard-webhooks", key: "secret", withinSeconds: 300 };
const OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx";

const OTHER_PUBLIC = `whpk_${Buffer.from(new Uint8Array(32).fill(7)).toString("base64")}`;
const LIST = { lists: ["webhook-signature"] };

/** The vector of the Standard Webhooks and Svix test suites. */
const svix: Case = {
  scheme,
  settings: { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  now: 1614265330_000,
  posted: {
    body: '{"test": 2432232314}',
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
  },
};
const GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const WRONG = `v1,${"A".repeat(43)}=`;

/** From the webhook tests of OpenAI's SDKs. */
const openAi: Case = {
  scheme,
  settings: { secret: "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=" },
  now: 1750861210_000,
  posted: {
    body: '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    headers: {
      "webhook-id": "wh_685c059ae39c8190af8c71ed1022a24d",
      "webhook-timestamp": "1750861210",
      "webhook-signature": "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
    },
  },
};

const changed = (headers: Readonly<Record<string, string>>) =>
  check(svix, { headers: { ...svix.posted.headers, ...headers } });
const list = (...items: readonly string[]) => changed({ "webhook-signature": items.join(" ") });

async function signedAt(at: number, id = "msg_1", secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"): Promise<Case> {
  const time = String(at / 1000);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Buffer.from(secret, "base64"), algorithm, false, ["sign"]);
  const mac = Buffer.from(await crypto.subtle.sign("HMAC", key, bytes(`${id}.${time}.{}`))).toString("base64");
  const headers = { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${mac}` };
  return { ...svix, now: at, posted: { body: "{}", headers } };
}

async function asymmetric(): Promise<Case> {
  // The platform gives a pair where the algorithm is asymmetric.
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const raw = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
  const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, bytes("msg_1.1700000000.{}"));
  return {
    scheme,
    settings: { secret: `whpk_${Buffer.from(raw).toString("base64")}` },
    now: 1_700_000_000_000,
    posted: {
      body: "{}",
      headers: {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": `v1a,${Buffer.from(signature).toString("base64")}`,
      },
    },
  };
}

describe("Standard Webhooks", () => {
  it.each([
    ["the specification's test suite", svix],
    ["OpenAI's SDKs", openAi],
  ])("proves the example of %s", async (_, example) => {
    expect(await check(example)).toEqual(proves(String(example.posted.body)));
  });

  itProvesNothingElse("v1", () => svix, { secret: OTHER }, LIST);
  itProvesNothingElse("v1a", asymmetric, { secret: OTHER_PUBLIC }, LIST);
  itKeepsToItsWindow("v1", signedAt, 300);

  it("takes Svix's names, all three of one set, and Svix's own where both are there", async () => {
    const own = Object.fromEntries(
      Object.entries(svix.posted.headers).map(([name, value]) => [name.replace("webhook", "svix"), value]),
    );
    expect((await check(svix, { headers: own })).ok).toBe(true);
    expect((await changed(own)).ok).toBe(true);
    expect(await changed({ "svix-id": "msg_2" })).toEqual(refuses("malformed"));
    expect(await changed({ ...own, "svix-id": "msg_2" })).toEqual(refuses("bad_signature"));
    const { "svix-timestamp": _, ...without } = own;
    expect(await changed(without)).toEqual(refuses("malformed"));
  });

  it("accepts any signature of a known version, and skips the others", async () => {
    expect((await list(WRONG, GOOD)).ok).toBe(true);
    expect((await list("v2,xyz", "v1", "v1,", ",", "v1a,AAAA", GOOD)).ok).toBe(true);
    expect((await list(...Array(7).fill(WRONG), GOOD)).ok).toBe(true);
    expect(await list(...Array(8).fill(WRONG), GOOD)).toEqual(refuses("malformed"));
    expect(await list(WRONG)).toEqual(refuses("bad_signature"));
    expect(await list(GOOD.replace("v1,", "v2,"))).toEqual(refuses("bad_signature"));
    expect(await list(GOOD.replace("v1,", "v1a,"))).toEqual(refuses("bad_signature"));
    expect(await list(GOOD.replace("v1,", "v1"))).toEqual(refuses("bad_signature"));
    expect(await list(GOOD.replaceAll("+", "-").replaceAll("/", "_"))).toEqual(refuses("bad_signature"));
    expect(await list(GOOD.slice(0, -1))).toEqual(refuses("bad_signature"));
    expect(await list("", "")).toEqual(refuses("malformed"));
    expect(await list(GOOD, " ".repeat(5000))).toEqual(refuses("malformed"));
  });

  it("[I5] tells apart what an id with a dot would run together", async () => {
    const { posted, now } = await signedAt(1_700_000_000_000, "a.1");
    expect(await check({ ...svix, now: now ?? 0, posted })).toEqual(refuses("malformed"));
  });

  it.each(["", "a b", "a.b", "msg\u00e9", "a".repeat(257)])("[I5] refuses the id '%s'", async (id) => {
    expect(await changed({ "webhook-id": id })).toEqual(refuses("malformed"));
  });

  it.each(["-1", "1614265330.5", "0x60378332", "1614265330000", "01614265330", "1614265330abc", "1e9", " 1", ""])(
    "[I5] refuses the time '%s'",
    async (time) => {
      expect(await changed({ "webhook-timestamp": time })).toEqual(refuses("malformed"));
    },
  );

  it("hands on the signed id and time, and not the signature", async () => {
    const result = await check(svix);
    if (!result.ok) throw new Error(result.problem.reason);
    expect(result.value.signed("webhook-id")).toBe("msg_p5jXN8AQM9LWM0D4loKWxJek");
    expect(result.value.signed("webhook-timestamp")).toBe("1614265330");
    expect(result.value.signed("webhook-signature")).toBeUndefined();
  });

  it("says that there is no key where none of its texts is one", async () => {
    for (const secret of ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_!", "whpk_AAAA", "whsk_AAAA"])
      expect(await check({ ...svix, settings: { secret } }), secret).toEqual(refuses("no_key"));
  });
});
