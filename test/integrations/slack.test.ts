import { describe, expect, it } from "vitest";
import { slack } from "../../integrations/slack.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerProven } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = slack;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("Slack has a hook");

const outer = { type: "event_callback", team_id: "T1", event_id: "Ev1", event_time: 1_763_715_600 };
const AT = 1_763_715_600_999;
const read = (body: unknown) => hook.read(proven(JSON.stringify(body), {}, 5));
const of = (event: unknown) => read({ ...outer, event });

describe("what Slack tells us", () => {
  it("takes the lists of revoked tokens for users, and says nothing of one that is not there", () => {
    expect(of({ type: "tokens_revoked", tokens: { oauth: ["U1", "U2"] } })).toEqual({
      ok: true,
      value: [
        {
          id: "Ev1",
          name: "tokens_revoked",
          signals: ["U1", "U2"].map((user) => ({
            type: "token_revoked",
            identity: { type: "slack.user", value: `T1/${user}` },
            at: AT,
          })),
        },
      ],
    });
    expect(of({ type: "tokens_revoked", tokens: {} })).toMatchObject({ ok: true, value: [{ signals: [] }] });
  });

  it("does not take a person who was deactivated for one who was deleted", () => {
    expect(of({ type: "user_change", user: { id: "U1", deleted: true } })).toMatchObject({
      value: [{ signals: [{ type: "account_disabled" }] }],
    });
    expect(of({ type: "user_change", user: { id: "U1", deleted: false, name: "ada" } })).toMatchObject({
      value: [{ signals: [] }],
    });
    expect(hook.authority.account_disabled).toBe("record");
  });

  it("takes no other message for a deleted one", () => {
    for (const event of [
      { type: "message", channel: "C1", ts: "1.2", text: "message_deleted" },
      { type: "message", subtype: "message_changed", channel: "C1", deleted_ts: "1.2" },
      { type: "reaction_removed" },
    ])
      expect(of(event)).toMatchObject({ ok: true, value: [{ id: "Ev1", name: event.type, signals: [] }] });
  });

  it.each([
    { body: { ...outer, event: { type: "tokens_revoked" } }, at: "event" },
    { body: { ...outer, event: { type: "tokens_revoked", tokens: { oauth: [1] } } }, at: "event" },
    { body: { ...outer, event: { type: "file_deleted" } }, at: "event" },
    { body: { ...outer, team_id: undefined, event: { type: "app_uninstalled" } }, at: "team_id" },
    { body: { ...outer, event_id: undefined, event: { type: "app_uninstalled" } }, at: "event_id" },
    { body: { ...outer, event_time: undefined, event: { type: "app_uninstalled" } }, at: "event_time" },
  ])("refuses an event without what it is about", ({ body, at }) => {
    expect(read(body)).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("counts what is no event", () => {
    expect(read({ type: "app_rate_limited", team_id: "T1", minute_rate_limited: 60 })).toEqual({
      ok: true,
      value: [{ id: "app_rate_limited:T1:60", name: "app_rate_limited", signals: [] }],
    });
    expect(read({ type: "something_new" })).toMatchObject({ ok: true, value: [{ name: "unknown", signals: [] }] });
  });
});

describe("Slack's challenge", () => {
  const asked = { method: "POST", url: "https://gateway.example.com/hooks/acme/slack/events", values: async () => [] };
  const answer = (body: unknown) => answerProven(hook.challenges ?? [], proven(JSON.stringify(body)), asked);
  const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkM7MFO7tYXAYM8P";

  it("gives the value back as plain text", async () => {
    const response = await answer({ type: "url_verification", token: "t", challenge });
    expect(response?.status).toBe(200);
    expect(response?.headers.get("content-type")).toContain("text/plain");
    expect(await response?.text()).toBe(challenge);
  });

  it("gives nothing else back", async () => {
    expect(await answer({ type: "event_callback", challenge })).toBeUndefined();
    expect(await answer({ type: "url_verification", challenge: "<script>" })).toBeUndefined();
  });
});

describe("Slack's signature", () => {
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  const secret = { signingSecret: "8f742231b10e8888abcd99yyyzzz85a5" };
  const delivery = {
    body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    headers: {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
  };
  const at = 1_531_420_618_000;

  it("agrees with the example of Slack's documents", async () => {
    expect((await checked(hook.verify, delivery, secret, { now: at })).ok).toBe(true);
  });

  it("[I5] is good for five minutes, on either side", async () => {
    for (const [now, ok] of [
      [at + 300_000, true],
      [at - 300_000, true],
      [at + 300_001, false],
      [at - 300_001, false],
    ] as const)
      expect((await checked(hook.verify, delivery, secret, { now })).ok).toBe(ok);
  });
});

describe("what Slack grants", () => {
  const adapt = isAbsent(slack.oauth) ? undefined : slack.oauth.adapt;
  const own = { id: "U1", access_token: "xoxp-1", token_type: "user", scope: "a:read,b:read" };
  const bot = { ok: true, access_token: "xoxb-1", token_type: "bot", refresh_token: "xoxe-bot", team: { id: "T1" } };

  it("takes the person's token out of an answer that has a bot's too", () => {
    expect(adapt?.({ status: 200, json: { ...bot, authed_user: own } })?.json).toEqual({
      access_token: "xoxp-1",
      token_type: "bearer",
      scope: "a:read b:read",
      account: "T1/U1",
    });
  });

  it("takes a bot's token for nobody's", () => {
    expect(adapt?.({ status: 200, json: { ...bot, authed_user: { id: "U1" } } })?.json).toEqual({});
  });

  it("knows the user of an organisation-wide install by the organisation", () => {
    const json = { ok: true, team: null, enterprise: { id: "E1" }, authed_user: own };
    expect(adapt?.({ status: 200, json })?.json).toMatchObject({ account: "E1/U1" });
  });
});
