import { describe, expect, it } from "vitest";
import { x } from "../../integrations/x.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = x;
if (isAbsent(hooks) || hooks.webhooks === undefined) throw new Error("X has webhooks");
const { webhooks } = hooks;
const RECEIVED = Date.parse("2026-11-21T09:00:00Z");
const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body), {}, RECEIVED));
const activity = (event_type: string, payload: object, more: object = {}) => ({
  data: { event_uuid: "5934540941047412905", filter: {}, event_type, payload, ...more },
});
const revoke = (date_time: string) => activity("oauth.revoke", { date_time, user_id: "11", app_id: "2" });
const older = (date_time: string) => ({
  user_event: { revoke: { date_time, target: { app_id: "2" }, source: { user_id: "11" } } },
});

describe("what X tells us", () => {
  it("reads the documented revocation, to the end of its second", () => {
    expect(read(revoke("2026-07-23T21:44:05+00:00"))).toEqual({
      ok: true,
      value: [
        {
          id: "oauth.revoke:11:1784843045999",
          name: "oauth.revoke",
          signals: [{ type: "deauthorized", identity: { type: "x.user_id", value: "11" }, at: 1_784_843_045_999 }],
        },
      ],
    });
  });

  it("keeps a time with fractions as it is, and reads any zone", () => {
    for (const [text, at] of [
      ["2026-07-23T21:44:05.120Z", 1_784_843_045_120],
      ["2026-07-23T23:44:05+02:00", 1_784_843_045_999],
    ] as const)
      expect(read(revoke(text))).toMatchObject({ ok: true, value: [{ signals: [{ at }] }] });
  });

  it("knows one revocation that both of its APIs tell, and each of them twice", () => {
    const ids = [revoke("2026-07-23T21:44:05+00:00"), older("2026-07-23T21:44:05Z")].map((said) => {
      const reading = read(said);
      return reading.ok ? reading.value.map(({ id }) => id) : [];
    });
    expect(ids[0]).toEqual(ids[1]);
    const again = read(
      activity("oauth.revoke", { date_time: "2026-07-23T21:44:05Z", user_id: "11" }, { event_uuid: "1" }),
    );
    expect(again).toMatchObject({ value: [{ id: ids[0]?.[0] }] });
    expect(read(revoke("2026-07-23T21:44:06+00:00"))).not.toMatchObject({ value: [{ id: ids[0]?.[0] }] });
  });

  it("knows a deleted post by its id, from either API, and keeps ids that no number holds", () => {
    const post = "2080761269309813134";
    expect(
      read(activity("post.delete", { id: post, author_id: "11" }, { event_uuid: "-2781149976877970683" })),
    ).toEqual({
      ok: true,
      value: [
        {
          id: `post.delete:${post}`,
          name: "post.delete",
          signals: [{ type: "content_deleted", identity: { type: "x.post", value: post }, at: RECEIVED }],
        },
      ],
    });
    // The example of the announcement of delete events.
    const example = {
      for_user_id: "3198576760",
      tweet_delete_events: [
        { status: { id: "601430178305220608", user_id: "3198576760" }, timestamp_ms: "1432228155593" },
        { status: { id: post, user_id: "3198576760" } },
      ],
    };
    expect(read(example)).toMatchObject({
      ok: true,
      value: [
        { id: "post.delete:601430178305220608", signals: [{ at: 1_432_228_155_593 }] },
        { id: `post.delete:${post}`, signals: [{ at: RECEIVED }] },
      ],
    });
  });

  it.each([
    activity("post.create", { id: "1", text: "hello" }),
    activity("profile.update.bio", {}, { event_uuid: -27 }),
    { data: { event_uuid: "1", event_type: "something.new" } },
    { for_user_id: "1", favorite_events: [{ id: "2" }] },
    { for_user_id: "1", tweet_delete_events: [] },
    { user_event: {} },
    { user_event: { something_new: {} } },
  ])("counts what is of no concern, and causes nothing", (said) => {
    expect(read(said)).toMatchObject({ ok: true, value: [{ signals: [] }] });
  });

  it.each([
    activity("oauth.revoke", { date_time: "2026-07-23T21:44:05+00:00" }),
    activity("oauth.revoke", { user_id: "11" }),
    activity("oauth.revoke", { user_id: "11", date_time: "yesterday" }),
    activity("oauth.revoke", { user_id: "11", date_time: "2026-07-23T21:44:05" }),
    activity("oauth.revoke", { user_id: 2 ** 60, date_time: "2026-07-23T21:44:05Z" }),
    { data: { event_uuid: "1", event_type: "oauth.revoke" } },
    activity("post.delete", { author_id: "11" }),
    activity("post.delete", { id: "" }),
    { user_event: { revoke: { date_time: "2026-07-23T21:44:05Z", source: {} } } },
    { tweet_delete_events: [{ status: {} }] },
    { tweet_delete_events: [{ status: { id: "1" }, timestamp_ms: "soon" }] },
    { data: {} },
  ])("refuses a revocation or a deletion that does not say whose, which or when", (said) => {
    expect(read(said)).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
  });

  it("honours both within a day, as X's policy asks", () => {
    expect(webhooks.deadlines).toMatchObject({ deauthorized: { hours: 24 }, content_deleted: { hours: 24 } });
    expect(webhooks.authority).toEqual({ deauthorized: "here", content_deleted: "record" });
  });
});

describe("X's proof and challenge", () => {
  /** RFC 4231, test case 2, in base64. */
  const MAC = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
  const KEY = "Jefe";
  const TEXT = "what do ya want for nothing?";

  it("proves a known answer in base64, and in no other form", async () => {
    const by = async (signature: string) =>
      (
        await checked(
          webhooks.verify,
          { body: TEXT, headers: { "x-twitter-webhooks-signature": signature } },
          { consumerSecret: KEY },
        )
      ).ok;
    expect(await by(`sha256=${MAC}`)).toBe(true);
    expect(await by(MAC)).toBe(false);
    expect(await by(`sha256=${MAC.replace("=", "")}`)).toBe(false);
    expect(await by("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")).toBe(false);
  });

  const ask = (token: string, secrets: readonly string[] = [KEY]) =>
    answerAsked(webhooks.challenges ?? [], {
      method: "GET",
      url: `https://gateway.example.com/hooks/acme/x/webhooks?crc_token=${encodeURIComponent(token)}`,
      values: async () => secrets,
    });

  it("answers a token with its code under the newest secret", async () => {
    const token = "MDEyMzQ1Njc4OS1tZWFkb3ctXzE=";
    const mac = async (secret: string) => {
      const encode = (text: string) => new TextEncoder().encode(text);
      const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
        "sign",
      ]);
      return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(token)))));
    };
    const answer = await ask(token, ["newest", "older"]);
    expect(answer?.status).toBe(200);
    expect(answer?.headers.get("content-type")).toContain("application/json");
    expect(await answer?.json()).toEqual({ response_token: `sha256=${await mac("newest")}` });
  });

  it.each(['{"data":{}}', "{}", TEXT, "a b", "a+b/c", "", "a".repeat(513), "a\n"])(
    "[I5] signs nothing that could be a delivery: %j",
    async (token) => {
      expect(await ask(token)).toBeUndefined();
    },
  );

  it("answers nothing where no secret is set", async () => {
    expect(await ask("abc", [])).toBeUndefined();
  });
});
