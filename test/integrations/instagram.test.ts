import { describe, expect, it } from "vitest";
import { instagram as sender } from "../../cli/senders/instagram.ts";
import { instagram } from "../../integrations/instagram.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = instagram;
if (isAbsent(hooks)) throw new Error("Instagram has hooks");
const { "data-deletion": deletion, deauthorize, webhooks } = hooks;
if (deletion === undefined || deauthorize === undefined || webhooks === undefined)
  throw new Error("Instagram has callbacks and webhooks");

describe("what Instagram's callbacks tell us", () => {
  it("speaks of an id of Instagram's own, never of Facebook's", () => {
    expect(deletion.read(proven('{"user_id":"17","issued_at":5}'))).toEqual({
      ok: true,
      value: [
        {
          id: "17:5",
          name: "erasure_requested",
          signals: [{ type: "erasure_requested", identity: { type: "instagram.user_id", value: "17" }, at: 5999 }],
        },
      ],
    });
  });

  it.each([
    { text: '{"user_id":"","issued_at":1}', at: "user_id" },
    { text: '{"user_id":0,"issued_at":1}', at: "user_id" },
    { text: '{"user_id":"1"}', at: "issued_at" },
    { text: '{"user_id":"1","issued_at":"1"}', at: "issued_at" },
  ])("refuses $text", ({ text, at }) => {
    for (const hook of [deletion, deauthorize])
      expect(hook.read(proven(text))).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("answers as Meta wants it", () => {
    const said = { statusUrl: "https://gate.example/status/abc", code: "abc" };
    if (typeof deletion.answer !== "function" || typeof deauthorize.answer !== "function") throw new Error("no answer");
    expect(deletion.answer(said)).toEqual({ url: said.statusUrl, confirmation_code: "abc" });
    expect(deauthorize.answer(said)).toEqual({});
  });

  it("takes what either app's secret has signed, because it is not said which one signs", async () => {
    const make = sender["data-deletion"]?.data_deletion?.make;
    if (make === undefined) throw new Error("no sender");
    for (const secret of ["instagram's own", "the Meta app's"]) {
      const delivery = await make({
        settings: { appSecret: secret },
        at: 0,
        seed: "1",
        person: "17",
        url: "",
        token: () => Promise.reject(new Error("nothing signs tokens here")),
        sign: () => Promise.reject(new Error("nothing has a certificate here")),
      });
      const by = (appSecret: readonly string[]) => checked(deletion.verify, delivery, { appSecret });
      expect((await by(["instagram's own", "the Meta app's"])).ok).toBe(true);
      expect((await by(["another"])).ok).toBe(false);
    }
  });
});

describe("what Instagram's webhooks tell us", () => {
  const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body)));
  const messaging = (...said: readonly object[]) => ({
    object: "instagram",
    entry: [{ id: "17841", time: 1_700_000_000, messaging: said }],
  });
  const gone = (mid: string, timestamp?: number) => ({
    ...(timestamp !== undefined && { timestamp }),
    message: { mid, is_deleted: true },
  });
  const deleted = (mid: string, at: number) => ({
    id: `deleted:${mid}`,
    name: "messages.is_deleted",
    signals: [{ type: "content_deleted", identity: { type: "instagram.message", value: mid }, at }],
  });

  it("takes times in seconds and in milliseconds, and the notice's where the message has none", () => {
    expect(read(messaging(gone("a", 1_569_262_485_349), gone("b", 1_716_300_000), gone("c")))).toEqual({
      ok: true,
      value: [deleted("a", 1_569_262_485_349), deleted("b", 1_716_300_000_999), deleted("c", 1_700_000_000_999)],
    });
  });

  it("knows a message that was taken back by its own id, in whichever batch it comes", () => {
    const batch = read(messaging(gone("a", 5), gone("b", 5)));
    expect(batch).toMatchObject({ value: [{ id: "deleted:a" }, { id: "deleted:b" }] });
    expect(read(messaging(gone("b", 6)))).toMatchObject({ value: [{ id: "deleted:b" }] });
  });

  it("reads a body that stands in a list, as the page of examples has it", () => {
    expect(read([messaging(gone("a", 5))])).toEqual(read(messaging(gone("a", 5))));
  });

  it.each([
    { said: messaging({ message: { mid: "a" } }), name: "instagram.messaging" },
    { said: messaging({ message: { mid: "a", is_deleted: false } }), name: "instagram.messaging" },
    { said: messaging({ read: { mid: "a" } }), name: "instagram.messaging" },
    {
      said: {
        object: "instagram",
        entry: [{ id: "1", time: 1, changes: [{ field: "comments", value: { id: "9" } }] }],
      },
      name: "instagram.comments",
    },
  ])("counts $name, and causes nothing", ({ said, name }) => {
    expect(read(said)).toMatchObject({ ok: true, value: [{ name, signals: [] }] });
  });

  it.each([
    [],
    {},
    messaging({ message: { is_deleted: true } }),
    messaging({ message: { mid: "", is_deleted: true } }),
    messaging({ message: { mid: "a", is_deleted: "true" } }),
    { object: "instagram", entry: [{ id: "1" }] },
  ])("refuses what does not fit", (said) => {
    expect(read(said)).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
  });

  it("gives its challenge back to whoever knows the token", async () => {
    const ask = (query: string) =>
      answerAsked(webhooks.challenges ?? [], {
        method: "GET",
        url: `https://gateway.example.com/hooks/acme/instagram/webhooks?${query}`,
        values: async (name) => (name === "verifyToken" ? ["meadow"] : []),
      });
    const answer = await ask("hub.mode=subscribe&hub.challenge=42&hub.verify_token=meadow");
    expect(await answer?.text()).toBe("42");
    expect(await ask("hub.mode=subscribe&hub.challenge=42&hub.verify_token=wrong")).toBeUndefined();
  });
});

describe("what Instagram answers to a code", () => {
  const { oauth } = instagram;
  if (isAbsent(oauth)) throw new Error("Instagram has OAuth");
  const told = (json: Readonly<Record<string, unknown>>, status = 200) => oauth.adapt?.({ status, json });

  it("is read in a list and without one, with permissions as a list and as text", () => {
    const plain = { access_token: "IGAA", user_id: 17, permissions: ["instagram_business_basic", "other"] };
    const listed = { data: [{ access_token: "IGAA", user_id: "17", permissions: "instagram_business_basic,other" }] };
    for (const said of [plain, listed])
      expect(told(said)).toMatchObject({
        status: 200,
        json: { access_token: "IGAA", token_type: "bearer", scope: "instagram_business_basic other" },
      });
  });

  it("is refused in Instagram's older words and in Graph's, and with 200 too", () => {
    const older = {
      error_type: "OAuthException",
      code: 400,
      error_message: "Matching code was not found or was already used",
    };
    const graph = { error: { message: "no", type: "OAuthException", code: 100, error_subcode: 36_009 } };
    for (const said of [older, graph])
      for (const status of [200, 400])
        expect(told(said, status)).toEqual({ status: 400, json: { error: "invalid_grant" } });
  });

  it("ends no grant where the app is refused, or the person has to see to something at Meta first", () => {
    for (const said of [
      { error: { message: "no", type: "OAuthException", code: 190, error_subcode: 459 } },
      { error: { message: "no", type: "OAuthException", code: 190, error_subcode: 464 } },
      { error_type: "OAuthException", code: 400, error_message: "Invalid platform app" },
      { error: { message: "no", type: "OAuthException", code: 101 } },
      { error: { message: "no", type: "OAuthException", code: 100 } },
    ])
      expect(told(said, 400)).toEqual({ status: 400, json: { error: "invalid_request" } });
  });
});
