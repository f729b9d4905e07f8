import { describe, expect, it } from "vitest";
import { elevenlabs } from "../../integrations/elevenlabs.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = elevenlabs;
const { erase } = elevenlabs.actions;
if (isAbsent(hooks) || hooks.webhooks === undefined) throw new Error("ElevenLabs has webhooks");
if (isAbsent(erase) || isBulk(erase)) throw new Error("ElevenLabs has an erasure");
const { webhooks } = hooks;
const { look } = erase;
if (look === undefined) throw new Error("ElevenLabs can be looked at");

const order = (type: string, value: string, residency = "GLOBAL") =>
  orderFor({ apiKey: "sk_test", residency, webhookSecret: "" }, { type: `elevenlabs.${type}`, value });
const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body)));
const ok: Played = { status: 200, body: { status: "ok" } };
const page = (ids: readonly string[], next_cursor: string | null = null): Played => ({
  status: 200,
  body: {
    conversations: ids.map((conversation_id) => ({ conversation_id })),
    has_more: next_cursor !== null,
    next_cursor,
  },
});

describe("what ElevenLabs tells us", () => {
  it("notes a removed voice, to the end of its second, and knows a repeat without an id", () => {
    const said = { type: "voice_removed", event_timestamp: 1_760_000_000, data: { voice_id: "voice_1", reason: "x" } };
    const value = [
      {
        id: "voice_removed:voice_1:1760000000",
        name: "voice_removed",
        signals: [
          {
            type: "content_deleted",
            identity: { type: "elevenlabs.voice", value: "voice_1" },
            at: 1_760_000_000_999,
          },
        ],
      },
    ];
    expect(read(said)).toEqual({ ok: true, value });
    expect(read(said)).toEqual(read({ ...said, more: 1 }));
  });

  it.each([
    { type: "voice_removed", event_timestamp: 1_760_000_000, data: { id: "voice_1" } },
    { type: "voice_removed", event_timestamp: 1_760_000_000, data: null },
    { type: "voice_removed", event_timestamp: 1_760_000_000, data: { voice_id: 7 } },
    { type: "voice_removal_notice", event_timestamp: 1_760_000_000, data: { voice_id: "voice_1" } },
    { type: "post_call_transcription", event_timestamp: 1_760_000_000, data: { conversation_id: "conv_1" } },
    { type: "a.new.kind", event_timestamp: 1_760_000_000 },
  ])("counts %j, which names no removed voice", (said) => {
    expect(read(said)).toMatchObject({ ok: true, value: [{ name: said.type, signals: [] }] });
  });

  it("does not read what has no type or no time", () => {
    for (const said of [{ type: "voice_removed" }, { event_timestamp: 1 }, { type: "x", event_timestamp: "1" }])
      expect(read(said)).toMatchObject({ ok: false });
  });

  it("proves what another implementation of HMAC signed, under v0 only, within half an hour", async () => {
    // Made with OpenSSL: printf '1760000000.{"a":1}' | openssl dgst -sha256 -hmac wsec_test
    const mac = "5c63ccc4904aa2315205df58bf802e26a7d644509e88651cfd854af071cc64fc";
    const verified = (header: string, now = 1_760_000_000_000) =>
      checked(
        webhooks.verify,
        { body: '{"a":1}', headers: { "elevenlabs-signature": header } },
        { webhookSecret: "wsec_test" },
        { now },
      );
    expect(await verified(`t=1760000000,v0=${mac}`)).toMatchObject({ ok: true });
    expect(await verified(`t=1760000000,v0=${mac},v1=abc`)).toMatchObject({ ok: true });
    expect(await verified(`t=1760000000,v1=${mac}`)).toMatchObject({ ok: false });
    expect(await verified(`t=1760000000,v0=${mac}`, 1_760_001_801_000)).toMatchObject({
      ok: false,
      problem: { reason: "stale" },
    });
  });

  it("answers 200, which is what ElevenLabs asks for", () => {
    expect(webhooks.answer).toBe(200);
  });
});

describe("erasing an object at ElevenLabs", () => {
  it.each([
    ["voice", "/v1/voices/x1"],
    ["history_item", "/v1/history/x1"],
    ["conversation", "/v1/convai/conversations/x1"],
    ["knowledge_document", "/v1/convai/knowledge-base/x1"],
    ["transcript", "/v1/speech-to-text/transcripts/x1"],
    ["dubbing", "/v1/dubbing/x1"],
    ["studio_project", "/v1/studio/projects/x1"],
  ])("deletes a %s by its id", (type, path) => {
    const { calls, outcome } = play(erase.run(order(type, "x1")), [ok]);
    expect(calls[0]).toMatchObject({
      method: "DELETE",
      at: { url: `https://api.elevenlabs.io${path}` },
      headers: { "xi-api-key": "sk_test" },
    });
    expect(calls[0]?.at.template).not.toContain("x1");
    expect(outcome).toEqual(erased);
  });

  it.each([
    ["GLOBAL", "api.elevenlabs.io"],
    ["US", "api.us.elevenlabs.io"],
    ["EU", "api.eu.residency.elevenlabs.io"],
    ["IN", "api.in.residency.elevenlabs.io"],
  ])("goes to where the workspace lives, %s", (residency, host) => {
    const { calls } = play(erase.run(order("voice", "x1", residency)), [ok]);
    expect(new URL(calls[0]?.at.url ?? "").host).toBe(host);
  });

  it.each([
    ["a 200 without ok", { status: 200, body: { status: "error" } }],
    ["204, which is not described for a voice", { status: 204 }],
    ["404 without words", { status: 404, body: "<html>" }],
    ["404 of another kind", { status: 404, body: { detail: { type: "other" } } }],
    ["400 of another kind", { status: 400, body: { detail: { status: "voice_in_use" } } }],
    ["422", { status: 422, body: { detail: [] } }],
  ])("[I4] takes %s for nothing", (_, reply) => {
    expect(play(erase.run(order("voice", "x1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
    if (reply.status !== 200)
      expect(play<unknown>(look.run(order("voice", "x1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("takes 403 for a refused key", () => {
    expect(play(erase.run(order("voice", "x1")), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });

  it("[I4] neither erases nor looks for a kind that it does not know", () => {
    for (const steps of [erase.run(order("agent", "a")), look.run(order("agent", "a"))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("finding the calls of a user at ElevenLabs", () => {
  const user = order("user", "u-1");

  it("lists them to the end, and changes nothing yet", () => {
    const { calls, outcome } = play(erase.run(user), [page(["c1"], "next"), page(["c2"])]);
    expect(calls.map(({ at }) => new URL(at.url).search)).toEqual([
      "?user_id=u-1&page_size=100",
      "?user_id=u-1&page_size=100&cursor=next",
    ]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["c1", "c2"].map((value) => ({ type: "elevenlabs.conversation", value })),
    });
  });

  it("says not found only when the list is empty to its end", () => {
    expect(play(erase.run(user), [page([])]).outcome).toEqual(notFound);
    expect(play(erase.run(user), [{ status: 200, body: { conversations: [], has_more: true } }]).outcome).toMatchObject(
      {
        outcome: "unforeseen",
      },
    );
    expect(play(look.run(user), [page(["c1"])]).outcome).toBe("present");
  });

  it("[I10] leaves a list without end to a person", () => {
    const { calls, outcome } = play(erase.run(user), () => page(["c1"], "next"));
    expect(calls).toHaveLength(20);
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
