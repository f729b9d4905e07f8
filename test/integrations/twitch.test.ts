import { describe, expect, it } from "vitest";
import { twitch } from "../../integrations/twitch.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerProven } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = twitch;
const hook = isAbsent(hooks) ? undefined : hooks.eventsub;
if (hook === undefined) throw new Error("Twitch has a hook");

const headers = {
  "twitch-eventsub-message-id": "befa7b53-d79d-478f-86b9-120f112b044e",
  "twitch-eventsub-message-timestamp": "2019-11-16T10:11:12.464757833Z",
};
const AT = Date.parse("2019-11-16T10:11:12.464Z");
const read = (body: unknown, more: Readonly<Record<string, string>> = {}) =>
  hook.read(proven(JSON.stringify(body), { ...headers, ...more }, 7));
const signalsOf = (body: unknown, more?: Readonly<Record<string, string>>) => {
  const reading = read(body, more);
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value.flatMap(({ signals }) => signals);
};
const revoke = { type: "user.authorization.revoke", status: "enabled", condition: { client_id: "c" } };
const event = { client_id: "c", user_id: "1337", user_login: null, user_name: null };
const user = { type: "twitch.user", value: "1337" };

describe("what Twitch tells us", () => {
  it("ends a grant by the user's id alone, under the message's own id and time", () => {
    expect(read({ subscription: revoke, event })).toEqual({
      ok: true,
      value: [
        {
          id: headers["twitch-eventsub-message-id"],
          name: "user.authorization.revoke",
          signals: [{ type: "deauthorized", identity: user, at: AT }],
        },
      ],
    });
  });

  it.each([undefined, null, "", "ada", 1337])("refuses a revocation whose user id is %s", (user_id) => {
    expect(read({ subscription: revoke, event: { ...event, user_id } })).toEqual({
      ok: false,
      problem: { reason: "unreadable", at: "event.user_id" },
    });
  });

  it("[I5] takes no notification for the end of a subscription, whatever the header claims", () => {
    const subscription = { type: "channel.follow", status: "user_removed", condition: { broadcaster_user_id: "1337" } };
    expect(signalsOf({ subscription, event }, { "twitch-eventsub-message-type": "revocation" })).toEqual([]);
    const enabled = { ...subscription, status: "enabled" };
    expect(signalsOf({ subscription: enabled }, { "twitch-eventsub-message-type": "revocation" })).toEqual([]);
  });

  it("takes a subscription that ended for the one user whom it was about", () => {
    for (const [status, type] of [
      ["user_removed", "account_deleted"],
      ["authorization_revoked", "deauthorized"],
    ] as const)
      expect(
        signalsOf({ subscription: { type: "stream.online", status, condition: { broadcaster_user_id: "1337" } } }),
      ).toEqual([{ type, identity: user, at: AT }]);
  });

  it("says nothing where two users are named, or none", () => {
    for (const condition of [
      { broadcaster_user_id: "1", user_id: "2" },
      { from_broadcaster_user_id: "1", to_broadcaster_user_id: "2" },
      { client_id: "1337" },
      { user_id: 1337 },
      {},
      null,
    ])
      expect(signalsOf({ subscription: { type: "x", status: "user_removed", condition } })).toEqual([]);
    const raid = { from_broadcaster_user_id: "", to_broadcaster_user_id: "1337" };
    expect(signalsOf({ subscription: { type: "channel.raid", status: "user_removed", condition: raid } })).toHaveLength(
      1,
    );
  });

  it.each([
    "notification_failures_exceeded",
    "version_removed",
    "moderator_removed",
    "chat_user_banned",
    "enabled",
    "constructor",
  ])("erases nobody because a subscription ended with %s", (status) => {
    const subscription = { type: "stream.online", status, condition: { broadcaster_user_id: "1337" } };
    expect(read({ subscription })).toMatchObject({ value: [{ name: `revocation.${status}`, signals: [] }] });
  });

  it("ignores events of other subscriptions, whatever ids they have", () => {
    const subscription = { type: "stream.online", status: "enabled" };
    for (const user_id of ["1", 1, null])
      expect(read({ subscription, event: { user_id } })).toMatchObject({
        value: [{ name: "stream.online", signals: [] }],
      });
  });
});

describe("Twitch's challenge", () => {
  const asked = {
    method: "POST",
    url: "https://gateway.example.com/hooks/acme/twitch/eventsub",
    values: async () => [],
  };
  const answer = (body: unknown) => answerProven(hook.challenges ?? [], proven(JSON.stringify(body)), asked);
  const challenge = "pogchamp-kappa-360noscope-vohiyo";
  const subscription = { ...revoke, status: "webhook_callback_verification_pending" };

  it("gives the text back and nothing around it", async () => {
    const response = await answer({ challenge, subscription });
    expect(response?.status).toBe(200);
    expect(response?.headers.get("content-type")).toContain("text/plain");
    expect(await response?.text()).toBe(challenge);
  });

  it("is not an event that has a challenge, nor one of another shape", async () => {
    expect(await answer({ challenge, subscription, event })).toBeUndefined();
    expect(await answer({ challenge: "<b>", subscription })).toBeUndefined();
  });

  it("causes nothing when it is read as a delivery", () => {
    expect(signalsOf({ challenge: "<b>", subscription: { ...subscription, status: "user_removed" } })).toEqual([]);
  });
});

describe("Twitch's signature", () => {
  const subscriptionSecret = "s3cre77890ab";
  const body = '{"subscription":{}}';
  const signature = "sha256=03746f299cfe7d69f121d7710787c21ccaffac89709cdd3c3d733bd3752c5b3d";
  const delivery = { body, headers: { ...headers, "twitch-eventsub-message-signature": signature } };

  // Made with OpenSSL from the recipe of Twitch's documents, which show no example with its key.
  it("covers id, time and body with nothing between", async () => {
    expect((await checked(hook.verify, delivery, { subscriptionSecret }, { now: AT })).ok).toBe(true);
  });

  it("[I5] is good for ten minutes, and refused with 403", async () => {
    expect((await checked(hook.verify, delivery, { subscriptionSecret }, { now: AT + 600_000 })).ok).toBe(true);
    expect((await checked(hook.verify, delivery, { subscriptionSecret }, { now: AT + 601_000 })).ok).toBe(false);
    expect(hook.refusal?.status).toBe(403);
  });
});

describe("what Twitch answers for tokens", () => {
  const adapt = isAbsent(twitch.oauth) ? undefined : twitch.oauth.adapt;
  const said = (status: number, json: Readonly<Record<string, unknown>>) => adapt?.({ status, json });

  it("lists scopes, or has them in a text", () => {
    expect(said(200, { scope: ["a", "b"] })?.json).toEqual({ scope: "a b" });
    expect(said(200, { scope: "a b" })?.json).toEqual({ scope: "a b" });
  });

  it("ends a grant by its own two messages only", () => {
    for (const message of ["Invalid refresh token", "Invalid authorization code"])
      expect(said(400, { status: 400, message })?.json).toEqual({ error: "invalid_grant" });
    for (const [status, message] of [
      [400, "missing client id"],
      [403, "invalid client secret"],
      [401, "Invalid refresh token"],
    ] as const)
      expect(said(status, { status, message })?.json).toEqual({ status, message });
  });
});
