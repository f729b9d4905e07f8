import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Challenge } from "../../src/contract/challenge.ts";
import { answerAsked, answerProven, isPresence } from "../../src/intake/challenge.ts";
import { proven } from "../support/proven.ts";

fc.configureGlobal({ seed: 20_261_121 });

const ADDRESS = "https://gateway.example.com/hooks/acme/vendor/events";
const source = "https://vendor.example.com/docs";
const settings: Readonly<Record<string, readonly string[]>> = {
  verifyToken: ["newest", "older"],
  consumerSecret: ["s3cret", "old"],
  verificationToken: ["71745723-d031-455c-bfa5-f90d11b4f20a"],
};
const values = async (setting: string) => settings[setting] ?? [];

const META: Challenge = {
  ask: "query",
  name: "hub.challenge",
  shape: /^[\w.-]{1,200}$/,
  token: { name: "hub.verify_token", key: "verifyToken" },
  answer: { give: "value" },
  source,
};
const X: Challenge = {
  ask: "query",
  name: "crc_token",
  shape: /^[A-Za-z0-9_=-]{1,200}$/,
  answer: {
    give: "hmac",
    key: "consumerSecret",
    encoding: "base64",
    body: (_, mac) => ({ response_token: `sha256=${mac}` }),
  },
  source,
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LINKEDIN: Challenge = {
  ask: "query",
  name: "challengeCode",
  shape: UUID,
  answer: {
    give: "hmac",
    key: "consumerSecret",
    encoding: "hex",
    body: (challengeCode, challengeResponse) => ({ challengeCode, challengeResponse }),
  },
  source,
};
const EBAY: Challenge = {
  ask: "query",
  name: "challenge_code",
  shape: /^[\w-]{1,200}$/,
  answer: { give: "digest", key: "verificationToken", body: (_, challengeResponse) => ({ challengeResponse }) },
  source,
};

const asked = (challenge: Challenge, query: string, method = "GET") =>
  answerAsked([challenge], { method, url: `${ADDRESS}${query}`, values });

const said = async (answer: Response | undefined) =>
  answer === undefined
    ? undefined
    : { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };

describe("a challenge in the address", () => {
  it("gives the value back as plain text, to whoever knows one of the tokens", async () => {
    for (const token of ["newest", "older"]) {
      const answer = await asked(META, `?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`);
      expect(answer?.headers.get("x-content-type-options")).toBe("nosniff");
      expect(await said(answer)).toEqual({ status: 200, type: "text/plain; charset=utf-8", text: "1158201444" });
    }
  });

  it.each([
    "",
    "?hub.challenge=1",
    "?hub.challenge=1&hub.verify_token=",
    "?hub.challenge=1&hub.verify_token=wrong",
    "?hub.challenge=1&hub.verify_token=newest&hub.verify_token=newest",
    "?hub.challenge=1&hub.verify_token=newest&hub.verify_token=wrong",
    "?hub.challenge=1&hub.verify_token=wrong&hub.verify_token=newest",
    "?hub.challenge=1&hub.challenge=2&hub.verify_token=newest",
    "?hub.verify_token=newest",
    "?hub.challenge=&hub.verify_token=newest",
    "?hub.challenge=%3Cscript%3E&hub.verify_token=newest",
    "?hub.challenge=a%0Ab&hub.verify_token=newest",
    "?hub.challenge=1%0A&hub.verify_token=newest",
    `?hub.challenge=${"1".repeat(201)}&hub.verify_token=newest`,
    "?hub_challenge=1&hub_verify_token=newest",
  ])("[I5] does not answer '%s'", async (query) => {
    expect(await asked(META, query)).toBeUndefined();
  });

  it("[I5] answers no value longer than 512 characters, whatever shape is declared", async () => {
    const loose: Challenge = { ...META, shape: /^.*$/s };
    const query = (length: number) => `?hub.verify_token=newest&hub.challenge=${"1".repeat(length)}`;
    expect(await asked(loose, query(512))).toBeDefined();
    expect(await asked(loose, query(513))).toBeUndefined();
  });

  it("[I5] wants the whole value to have the shape, though the pattern has no ends", async () => {
    const open: Challenge = { ...META, shape: /\d+/ };
    expect(await asked(open, "?hub.verify_token=newest&hub.challenge=12")).toBeDefined();
    for (const value of ["a12", "12a", "%2012", "12%0A"])
      expect(await asked(open, `?hub.verify_token=newest&hub.challenge=${value}`)).toBeUndefined();
  });

  it("[I5] answers by GET only", async () => {
    for (const method of ["HEAD", "POST", "OPTIONS", "get"])
      expect(await asked(X, "?crc_token=abc", method)).toBeUndefined();
  });

  /** X: "HMAC SHA-256 hash of the crc_token and the consumer secret", in base64 behind `sha256=`. */
  it("answers X's with the newest key", async () => {
    const mac = createHmac("sha256", "s3cret").update("MWVlMTIz-_=").digest("base64");
    expect(await said(await asked(X, "?crc_token=MWVlMTIz-_%3D&nonce=x"))).toEqual({
      status: 200,
      type: "application/json",
      text: `{"response_token":"sha256=${mac}"}`,
    });
  });

  it("answers LinkedIn's in hex, with the code", async () => {
    const code = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    const mac = createHmac("sha256", "s3cret").update(code).digest("hex");
    expect(JSON.parse((await said(await asked(LINKEDIN, `?challengeCode=${code}`)))?.text ?? "")).toEqual({
      challengeCode: code,
      challengeResponse: mac,
    });
  });

  /** eBay: SHA-256 of the code, the token and the endpoint, in this order, without what stands in the query. */
  it("answers eBay's with a digest of the address as it was registered", async () => {
    const [token] = settings.verificationToken ?? [];
    const digest = createHash("sha256").update(`123${token}${ADDRESS}`).digest("hex");
    expect(await said(await asked(EBAY, "?challenge_code=123"))).toEqual({
      status: 200,
      type: "application/json",
      text: `{"challengeResponse":"${digest}"}`,
    });
  });

  it("[I5] does not answer where the key is not filled in", async () => {
    for (const [challenge, query] of [
      [META, "?hub.challenge=1&hub.verify_token="],
      [X, "?crc_token=a"],
      [EBAY, "?challenge_code=a"],
    ] as const)
      expect(
        await answerAsked([challenge], { method: "GET", url: ADDRESS + query, values: async () => [] }),
      ).toBeUndefined();
  });

  it("[I5] signs no text that a delivery could be: nothing with a brace, a bracket, a colon or a quotation mark", async () => {
    const body = fc.oneof(
      fc.json(),
      fc.object().map((value) => JSON.stringify(value)),
      fc.json().map((text) => `hmacsha256=${text}`),
      fc.json().map((text) => `v0:1700000000:${text}`),
    );
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        fc.pre(/[[\]{}":]/.test(text));
        for (const challenge of [X, LINKEDIN, EBAY])
          if (challenge.ask === "query")
            expect(await asked(challenge, `?${challenge.name}=${encodeURIComponent(text)}`), text).toBeUndefined();
      }),
    );
    expect(await asked(LINKEDIN, "?challengeCode=hmacsha256%3D%7B%7D")).toBeUndefined();
  });

  it("answers anything with an answer or none, never with an exception", async () => {
    await fc.assert(
      fc.asyncProperty(fc.webQueryParameters(), fc.constantFrom(META, X, LINKEDIN, EBAY), async (query, challenge) => {
        expect(await asked(challenge, `?${query}`)).toBeUndefined();
      }),
    );
  });
});

describe("a challenge that was verified", () => {
  const zoom: Challenge = {
    ask: "delivery",
    find: ({ text }) => (text.startsWith("token ") ? text.slice(6) : undefined),
    shape: /^\w{1,50}$/,
    answer: {
      give: "hmac",
      key: "consumerSecret",
      encoding: "hex",
      body: (plainToken, encryptedToken) => ({ plainToken, encryptedToken }),
    },
    source,
  };
  const ping: Challenge = {
    ask: "delivery",
    find: ({ text }) => (text === "ping" ? "" : undefined),
    shape: /^$/,
    answer: { give: "nothing", status: 204 },
    source,
  };
  const answer = (text: string) => answerProven([ping, zoom], proven(text), { method: "POST", url: ADDRESS, values });

  it("is answered out of the body", async () => {
    const mac = createHmac("sha256", "s3cret").update("qgg8vlvZRS6UYooatFL8Aw").digest("hex");
    expect(JSON.parse((await said(await answer("token qgg8vlvZRS6UYooatFL8Aw")))?.text ?? "")).toEqual({
      plainToken: "qgg8vlvZRS6UYooatFL8Aw",
      encryptedToken: mac,
    });
    // Discord wants a content type where there is no content.
    expect(await said(await answer("ping"))).toEqual({ status: 204, type: "text/plain; charset=utf-8", text: "" });
  });

  it("leaves every other delivery to its reader", async () => {
    for (const text of ["", "pong", "token ", "token a b", `token ${"a".repeat(51)}`, "token {}"])
      expect(await answer(text), text).toBeUndefined();
    expect(await answerProven([X, META], proven("ping"), { method: "POST", url: ADDRESS, values })).toBeUndefined();
  });

  it("is not answered by an address", async () => {
    expect(await answerAsked([ping, zoom], { method: "GET", url: `${ADDRESS}?token=a`, values })).toBeUndefined();
  });
});

it("knows what only asks whether somebody is there", () => {
  const head: Challenge = { ask: "presence", method: "HEAD", source };
  expect(isPresence([X, head], "HEAD")).toBe(true);
  for (const method of ["GET", "POST", "head"]) expect(isPresence([X, head], method)).toBe(false);
  expect(isPresence([], "GET")).toBe(false);
});
