import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SharedSecret } from "../../../src/contract/verification.ts";
import { checked } from "../../support/proven.ts";
import { proves, refuses } from "../../support/schemes.ts";

const at = (place: SharedSecret["at"]): SharedSecret => ({ scheme: "shared-secret", key: "password", at: place });
const BODY = '{"a":1}';
const settings = { password: ["new", "open sesame"] };
const inHeader = (value: string) =>
  checked(at({ header: "x-token" }), { body: BODY, headers: { "x-token": value } }, settings);
const basic = (authorization: string, password = "open sesame") =>
  checked(at({ basic: "Aladdin" }), { body: BODY, headers: { authorization } }, { password });
const inQuery = (query: string) =>
  checked(at({ query: "key" }), { body: BODY, url: `https://gateway.example.com/hooks/a/b${query}` }, settings);

describe("a shared secret", () => {
  /** RFC 7617 section 2. */
  it("proves the RFC's example of Basic, in whatever case its name is written", async () => {
    for (const scheme of ["Basic", "basic", "BASIC"])
      expect(await basic(`${scheme} QWxhZGRpbjpvcGVuIHNlc2FtZQ==`)).toEqual(proves(BODY));
  });

  it.each([
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==",
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic x",
    "Basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    `Basic ${btoa("aladdin:open sesame")}`,
    `Basic ${btoa("Aladdin")}`,
    `Basic ${btoa("Aladdin:")}`,
    `Basic ${btoa(":open sesame")}`,
    `Basic ${btoa("\u00ff\u00fe:x")}`,
    "Basic",
    "",
  ])("[I5] refuses the authorization '%s'", async (authorization) => {
    expect((await basic(authorization)).ok).toBe(false);
  });

  it("takes a password with a colon, and one that is not ASCII", async () => {
    for (const password of [":a:b", "Grüße"]) {
      const text = Buffer.from(`Aladdin:${password}`).toString("base64");
      expect(await basic(`Basic ${text}`, password)).toEqual(proves(BODY));
    }
  });

  it("takes any of several secrets, in a header or the query", async () => {
    for (const value of settings.password) {
      expect(await inHeader(value)).toEqual(proves(BODY));
      expect(await inQuery(`?key=${encodeURIComponent(value)}&x=1`)).toEqual(proves(BODY));
    }
  });

  it.each(["", "?key=", "?key=old", "?Key=new", "?key=new&key=new", "?key=new&key=old", "?key[]=new", "?x=key=new"])(
    "[I5] refuses the query '%s'",
    async (query) => {
      expect((await inQuery(query)).ok).toBe(false);
    },
  );

  it("[I5] refuses what is longer, shorter, twice or otherwise", async () => {
    for (const value of ["", "ne", "new ", "news", "new, new", "new,new", "NEW"])
      expect((await inHeader(value)).ok, value).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.string(), async (value) => {
        fc.pre(!settings.password.includes(value));
        expect((await inHeader(value)).ok).toBe(false);
      }),
    );
    expect(await checked(at({ header: "x-token" }), { headers: { "x-token": "" } }, {})).toEqual(refuses("no_key"));
  });
});

describe("a secret beside which a signature may come", () => {
  const scheme: SharedSecret = {
    ...at({ query: "key" }),
    signed: {
      scheme: "hmac",
      key: "signing",
      hash: "SHA-1",
      signature: { header: "x-hub-signature", encoding: "hex", prefix: "sha1=" },
      over: ["body"],
    },
    expects: [{ at: ["a"], setting: "ours" }],
  };
  const url = "https://gateway.example.com/hooks/a/b?key=new";
  const mac = (key: string) => `sha1=${createHmac("sha1", key).update(BODY).digest("hex")}`;
  const judged = (headers: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}, to = url) =>
    checked(scheme, { body: BODY, headers, url: to }, { ...settings, signing: "s1gn", ...more });

  it("[I5] proves without one, and with one that holds", async () => {
    expect(await judged({})).toEqual(proves(BODY));
    expect(await judged({ "x-hub-signature": mac("s1gn") })).toEqual(proves(BODY));
    expect(
      await checked(scheme, { body: BODY, headers: { "x-hub-signature": mac("x") }, url }, settings),
      "no key",
    ).toEqual(proves(BODY));
  });

  it("[I5] refuses one that does not hold, and one without the secret", async () => {
    for (const signature of [mac("other"), "sha1=", "", "nonsense"])
      expect(await judged({ "x-hub-signature": signature }), signature).toEqual(refuses("bad_signature"));
    expect((await judged({ "x-hub-signature": mac("s1gn") }, {}, url.replace("new", "old"))).ok).toBe(false);
  });

  it("[I5] refuses what names another account than ours", async () => {
    expect(await judged({}, { ours: "1" })).toEqual(proves(BODY));
    expect(await judged({}, { ours: "2" })).toEqual(refuses("not_for_us"));
  });
});
