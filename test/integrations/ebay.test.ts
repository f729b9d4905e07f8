import { describe, expect, it } from "vitest";
import { ebay } from "../../integrations/ebay.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { proven } from "../support/proven.ts";
import { sample } from "./samples/ebay.ts";

const { hooks } = ebay;
const hook = isAbsent(hooks) ? undefined : hooks.notifications;
if (hook === undefined) throw new Error("eBay has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const read = (body: unknown) => hook.read(proven(JSON.stringify(body), {}, NOW));
const identity = { type: "ebay.user", value: "ma8vp1jySJC" };
const told = (topic: string, data: unknown, more: object = {}) => ({
  metadata: { topic, schemaVersion: "1.0", deprecated: false },
  notification: {
    notificationId: "n-1",
    eventDate: "2026-01-01T00:00:00.462Z",
    publishDate: "2026-01-01T00:00:01.679Z",
    publishAttemptCount: 1,
    data,
    ...more,
  },
});
const user = { username: "test_user", userId: "ma8vp1jySJC", eiasToken: "nY+sHZ2PrBmdj6wV" };
const deletion = (more: object = {}) => told("MARKETPLACE_ACCOUNT_DELETION", user, more);
const revocation = (data: object) => told("AUTHORIZATION_REVOCATION", { ...user, ...data });
const at = Date.parse("2026-01-01T00:00:00.462Z");

describe("what eBay tells us", () => {
  it("erases by the id that never changes, whatever the username", () => {
    expect(read(deletion())).toEqual({
      ok: true,
      value: [
        { id: "n-1", name: "MARKETPLACE_ACCOUNT_DELETION", signals: [{ type: "account_deleted", identity, at }] },
      ],
    });
    expect(read(told("MARKETPLACE_ACCOUNT_DELETION", { userId: identity.value, username: null }))).toMatchObject({
      value: [{ signals: [{ identity }] }],
    });
  });

  it("knows a repeat by its id, however often it was sent", () => {
    const again = deletion({ publishAttemptCount: 7, publishDate: "2026-01-02T00:00:00.000Z" });
    expect(read(again)).toEqual(read(deletion()));
  });

  it.each([
    ["REVOKED_BY_USER", "deauthorized"],
    ["REVOKED_BY_EBAY", "deauthorized"],
    ["PASSWORD_CHANGE", "token_revoked"],
    ["SOMETHING_NEW", "token_revoked"],
    [undefined, "token_revoked"],
  ])("takes a revocation for %s as %s, which erases nothing", (revokeReason, type) => {
    const revocationDate = "2025-12-31T23:59:59.000Z";
    expect(read(revocation({ revokeReason, revocationDate }))).toMatchObject({
      value: [{ id: "n-1", signals: [{ type, identity, at: Date.parse(revocationDate) }] }],
    });
    expect(hook.authority).toMatchObject({ deauthorized: "here", token_revoked: "here" });
  });

  it("hears our own revocation come back, and does nothing about it", () => {
    expect(read(revocation({ revokeReason: "REVOKED_BY_APP" }))).toMatchObject({ ok: true, value: [{ signals: [] }] });
  });

  it("takes the next best time where one is missing or odd", () => {
    const times = [
      revocation({ revokeReason: "PASSWORD_CHANGE", revocationDate: "yesterday" }),
      deletion({ eventDate: "then" }),
      deletion({ eventDate: undefined }),
    ].map((body) => {
      const reading = read(body);
      return reading.ok ? reading.value[0]?.signals[0]?.at : undefined;
    });
    expect(times).toEqual([at, NOW, NOW]);
  });

  it("counts other topics, whatever they hold", () => {
    for (const body of [
      told("PRIORITY_LISTING_REVISION", { listingId: 1 }),
      { metadata: { topic: "SOMETHING_NEW" } },
      { metadata: { topic: "SOMETHING_NEW" }, notification: null },
    ])
      expect(read(body)).toMatchObject({ ok: true, value: [{ name: body.metadata.topic, signals: [] }] });
  });

  it.each([
    {},
    { metadata: { topic: "MARKETPLACE_ACCOUNT_DELETION" } },
    told("MARKETPLACE_ACCOUNT_DELETION", { username: "test_user" }),
    told("MARKETPLACE_ACCOUNT_DELETION", { userId: "" }),
    told("MARKETPLACE_ACCOUNT_DELETION", { userId: 7 }),
    told("MARKETPLACE_ACCOUNT_DELETION", user, { notificationId: undefined }),
    told("AUTHORIZATION_REVOCATION", { revokeReason: "REVOKED_BY_USER" }),
  ])("refuses what says not whose, or cannot be told from another: %j", (body) => {
    expect(read(body).ok).toBe(false);
  });

  it("is answered with 200, and refused with 412", () => {
    expect(hook.answer).toBe(200);
    expect(hook.refusal?.status).toBe(412);
  });
});

describe("eBay's challenge", () => {
  const url = "https://gateway.example.com/hooks/acme/ebay/notifications";
  const asked = (query: string) =>
    answerAsked(hook.challenges ?? [], {
      method: "GET",
      url: url + query,
      values: async (name) => (name === "verificationToken" ? ["71745723-d031-455c-bfa5-f90d11b4f20a"] : []),
    });

  // SHA-256 with OpenSSL, of the code and the token of eBay's documents and this address.
  it("is answered with the hash of code, token and address", async () => {
    const response = await asked("?challenge_code=a8628072-3d33-45ee-9004-bee86830a22d");
    expect(response?.status).toBe(200);
    expect(response?.headers.get("content-type")).toBe("application/json");
    expect(await response?.json()).toEqual({
      challengeResponse: "92d427e7e7b148a56bbb4d9a56f83bfed3d7d4964d969075027538335c32c63c",
    });
  });

  it("is not what has no code, two, or a long one", async () => {
    for (const query of [
      "",
      "?challenge_code=",
      "?challenge_code=a&challenge_code=b",
      `?challenge_code=${"a".repeat(257)}`,
    ])
      expect(await asked(query)).toBeUndefined();
  });

  it("has a token as eBay wants it", () => {
    const fits = (verificationToken: string) =>
      settingsSchema(ebay.settings).safeParse({ ...sample.settings, verificationToken }).success;
    expect([31, 32, 80, 81].map((length) => fits("a".repeat(length)))).toEqual([false, true, true, false]);
    expect(fits(`${"a".repeat(40)}.`)).toBe(false);
  });
});
