import { describe, expect, it } from "vitest";
import { x } from "../../integrations/x.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { orderFor, play } from "../support/play.ts";
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

describe("what a batch compliance job says of stored ids", () => {
  const { users, tweets } = x.lists ?? {};
  if (users === undefined || tweets === undefined) throw new Error("X has lists");
  const row = (reason: string, more: object = {}) =>
    JSON.stringify({ id: "11", action: "delete", redacted_at: "2026-11-20T10:00:00.000Z", reason, ...more });
  const typesOf = (list: typeof users, line: string) => {
    const reading = list.read(line, RECEIVED);
    return reading.ok ? reading.value.map(({ name, signals }) => [name, ...signals.map(({ type }) => type)]) : reading;
  };

  it("[I4] takes nobody for deleted who may come back", () => {
    expect(
      ["deleted", "deactivated", "suspended", "protected", "scrub_geo", "bounced", "toString"].map((reason) =>
        typesOf(users, row(reason)),
      ),
    ).toEqual([
      [["user deleted", "account_deleted"]],
      [["user deactivated", "account_disabled"]],
      [["user suspended", "account_disabled"]],
      [["user protected"]],
      [["user scrub_geo"]],
      [["user bounced"]],
      [["user toString"]],
    ]);
    expect(users.authority).toEqual({ account_deleted: "everywhere", account_disabled: "record" });
  });

  it("has each post gone that X asks to be deleted, and not one that has only lost its place", () => {
    for (const reason of ["deleted", "bounced", "protected", "suspended"])
      expect(typesOf(tweets, row(reason)), reason).toEqual([[`tweet ${reason}`, "content_deleted"]]);
    for (const reason of ["scrub_geo", "something_new"])
      expect(typesOf(tweets, row(reason)), reason).toEqual([[`tweet ${reason}`]]);
  });

  it("does nothing where another action is asked for, or no reason is given", () => {
    for (const list of [users, tweets]) {
      expect(list.read(row("deleted", { action: "undelete" }), RECEIVED)).toMatchObject({ value: [{ signals: [] }] });
      expect(list.read(JSON.stringify({ id: "11", action: "delete" }), RECEIVED)).toMatchObject({
        value: [{ signals: [] }],
      });
    }
  });

  it("knows an account's end by its time, and refuses one without; a post is gone once", () => {
    const ids = (list: typeof users, line: string) => {
      const reading = list.read(line, RECEIVED);
      return reading.ok ? reading.value.map(({ id }) => id) : reading.problem.at;
    };
    expect(ids(users, row("deleted"))).toEqual(ids(users, row("deleted", { created_at: "2011-01-01T00:00:00.000Z" })));
    expect(ids(users, row("deleted"))).not.toEqual(ids(users, row("deleted", { redacted_at: "2026-11-21T00:00:00Z" })));
    expect(ids(users, JSON.stringify({ id: "11", action: "delete", reason: "deleted" }))).toBe("redacted_at");
    expect(ids(tweets, JSON.stringify({ id: "11", action: "delete", reason: "deleted" }))).toEqual(["post.delete:11"]);
  });
});

describe("what the compliance streams say", () => {
  const { "users-stream": users, "tweets-stream": tweets } = x.streams ?? {};
  if (users?.reach !== "tenant" || tweets?.reach !== "tenant") throw new Error("X has streams");
  const line = (name: string, at = "2026-11-20T10:00:00.000+00:00") =>
    JSON.stringify({ data: { [name]: { user: { id: "11" }, tweet: { id: "12", author_id: "11" }, event_at: at } } });
  const read = (stream: typeof users, text: string) => {
    const told = stream.read(text);
    return told.ok ? told.value.events : told.problem.at;
  };

  it("tells a deletion and its end apart, each by its time", () => {
    const at = Date.parse("2026-11-20T10:00:00.000Z");
    expect(read(users, line("user_delete"))).toMatchObject([{ id: `user_delete:11:${at}`, signals: [{ at }] }]);
    expect(read(users, line("user_undelete"))).toMatchObject([{ signals: [{ type: "account_restored" }] }]);
    expect(read(users, line("user_delete", "2026-11-21T10:00:00.000+00:00"))).not.toMatchObject([
      { id: `user_delete:11:${at}` },
    ]);
  });

  it("knows a deleted post as the webhook and the batch job know it", () => {
    expect(read(tweets, line("delete"))).toMatchObject([{ id: "post.delete:12" }]);
    expect(read(tweets, line("drop"))).toMatchObject([{ name: "drop", signals: [] }]);
  });

  it("knows a deleted post by itself or by its author, and an account by itself", () => {
    const [post, user] = [
      { type: "x.post", value: "12" },
      { type: "x.user_id", value: "11" },
    ];
    expect(read(tweets, line("delete"))).toMatchObject([{ knownBy: [post, user] }]);
    expect(read(users, line("user_delete"))).toMatchObject([{ knownBy: [user] }]);
  });

  it("tells when it was also of what it does not know, and is not put off by what it cannot read there", () => {
    const at = Date.parse("2026-11-20T10:00:00.000Z");
    expect(users.read(line("user_something_new"))).toMatchObject({ value: { place: { at } } });
    for (const odd of [{ event_at: "soon" }, 5, null])
      expect(users.read(JSON.stringify({ data: { user_something_new: odd } }))).toEqual({
        ok: true,
        value: { events: [{ id: "user_something_new", name: "user_something_new", signals: [], knownBy: [] }] },
      });
  });

  it("is asked for minutes, or for a time in whole seconds, of one part", () => {
    expect(users.follow.address("https://api.x.com", "3", 2)).toBe(
      "https://api.x.com/2/users/compliance/stream?partition=3&backfill_minutes=2",
    );
    const from = Date.parse("2026-11-20T10:00:00Z");
    expect(tweets.replay.address("https://api.x.com", "4", from, from + 600_000)).toBe(
      "https://api.x.com/2/tweets/compliance/stream?partition=4&start_time=2026-11-20T10%3A00%3A00Z&end_time=2026-11-20T10%3A10%3A00Z",
    );
  });

  it("names the place where a line does not fit, and raises an alarm where X says that something is wrong", () => {
    expect(read(users, JSON.stringify({ data: { user_delete: { user: {}, event_at: "2026-11-20T10:00:00Z" } } }))).toBe(
      "data.user_delete.user.id",
    );
    expect(read(users, JSON.stringify({ errors: [{ title: "operational-disconnect" }] }))).toMatchObject([
      { name: "errors", alarm: true },
    ]);
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

describe("X's grants", () => {
  const { oauth } = x;
  const { revoke } = x.actions;
  if (isAbsent(oauth) || isAbsent(revoke) || isBulk(revoke)) throw new Error("X has OAuth");
  const grant = {
    accessToken: "access",
    refreshToken: "refresh",
    scopes: [],
    account: { type: "x.user_id", value: "11" },
  };
  const order = (bearerToken: string) =>
    orderFor(
      { consumerSecret: "secret", appId: "", clientId: "id", clientSecret: "shh", bearerToken, complianceToken: "" },
      { type: "connection", value: "con_1" },
      { grant },
    );
  const done = { status: 200, body: { revoked: true } };

  it("end with both tokens, and nothing else where no app-only token is known", () => {
    const { calls } = play(revoke.run(order("")), [done, done]);
    expect(calls.map(({ at, body }) => [at.url, new URLSearchParams(body).get("token")])).toEqual([
      ["https://api.x.com/2/oauth2/revoke", "refresh"],
      ["https://api.x.com/2/oauth2/revoke", "access"],
    ]);
  });

  it("take with them what was subscribed to about that person, a hundred at a time, and nobody else's", () => {
    const of = (user_id: string) => (nth: number) => ({ subscription_id: String(nth), filter: { user_id } });
    const theirs = Array.from({ length: 101 }, (_, index) => index + 1).map(of("11"));
    const data = [...theirs, of("12")(500), { subscription_id: "501" }];
    const { calls } = play(revoke.run(order("app")), [
      { status: 200, body: { data } },
      { status: 200, body: { data: { deleted: true } } },
      { status: 200, body: { data: { deleted: true } } },
      done,
      done,
    ]);
    const ended = calls
      .filter(({ method }) => method === "DELETE")
      .map(({ at }) => new URL(at.url).searchParams.get("ids")?.split(","));
    expect(ended.map((ids) => ids?.length)).toEqual([100, 1]);
    expect(ended.flat()).not.toContain("500");
    for (const { headers } of calls.slice(0, 3)) expect(headers.authorization).toBe("Bearer app");
  });

  it.each(["Value passed for the token was invalid.", "Value passed for the authorization code was invalid."])(
    "are over where X says: %s",
    (error_description) => {
      const said = { status: 400, json: { error: "invalid_request", error_description } };
      expect(oauth.adapt?.(said)?.json).toMatchObject({ error: "invalid_grant" });
    },
  );

  it("[I4] are not over because of any other bad request", () => {
    for (const error_description of [
      "Missing required parameter [token].",
      "Value passed for the client was invalid.",
    ]) {
      const said = { status: 400, json: { error: "invalid_request", error_description } };
      expect(oauth.adapt?.(said)).toEqual(said);
    }
  });
});
