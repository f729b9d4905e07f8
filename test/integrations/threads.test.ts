import { describe, expect, it } from "vitest";
import { threads } from "../../integrations/threads.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { proven } from "../support/proven.ts";

const { hooks } = threads;
if (isAbsent(hooks)) throw new Error("Threads has hooks");
const { "data-deletion": deletion, deauthorize, webhooks } = hooks;
if (deletion === undefined || deauthorize === undefined || webhooks === undefined)
  throw new Error("Threads has callbacks and webhooks");

describe("what Threads' callbacks tell us", () => {
  it("speaks of an id of Threads' own, never of Facebook's", () => {
    expect(deauthorize.read(proven('{"user_id":17,"issued_at":5,"expires":9}'))).toEqual({
      ok: true,
      value: [
        {
          id: "17:5",
          name: "deauthorized",
          signals: [{ type: "deauthorized", identity: { type: "threads.user_id", value: "17" }, at: 5999 }],
        },
      ],
    });
  });

  it.each([
    { text: '{"user_id":0,"issued_at":1}', at: "user_id" },
    { text: '{"user_id":9007199254740993,"issued_at":1}', at: "user_id" },
    { text: '{"user_id":"1","issued_at":1.5}', at: "issued_at" },
  ])("refuses $text", ({ text, at }) => {
    for (const hook of [deletion, deauthorize])
      expect(hook.read(proven(text))).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("may cause an erasure everywhere by a deletion, and only its own end by a removal", () => {
    expect(deletion.authority).toEqual({ erasure_requested: "everywhere" });
    expect(deauthorize.authority).toEqual({ deauthorized: "here" });
  });
});

describe("what Threads' webhooks tell us", () => {
  const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body)));
  const update = (topic: string, field: string, value?: object) => ({
    app_id: "123456",
    topic,
    target_id: "78901",
    time: 1_723_226_877,
    subscription_id: "234567",
    has_uid_field: false,
    values: { field, ...(value !== undefined && { value }) },
  });

  it.each([
    ["moderate", "delete"],
    ["interaction", "deletes"],
    ["interaction", "deleted"],
    ["delete", "threads"],
  ])("takes topic %s with field %s for a deletion", (topic, field) => {
    expect(read(update(topic, field, { id: "8901234", owner: { owner_id: "5" } }))).toEqual({
      ok: true,
      value: [
        {
          id: "delete:8901234",
          name: "delete",
          signals: [
            {
              type: "content_deleted",
              identity: { type: "threads.post", value: "8901234" },
              at: 1_723_226_877_999,
            },
          ],
        },
      ],
    });
  });

  it.each([
    ["moderate", "replies"],
    ["interaction", "mentions"],
    ["interaction", "publish"],
    ["undelete", "deletions_of_others"],
  ])("counts topic %s with field %s, and causes nothing", (topic, field) => {
    expect(read(update(topic, field, { id: "1" }))).toMatchObject({
      ok: true,
      value: [{ name: `${topic}.${field}`, signals: [] }],
    });
    expect(read(update(topic, field))).toMatchObject({ ok: true, value: [{ signals: [] }] });
  });

  it.each([
    { said: update("moderate", "delete"), at: "values.value.id" },
    { said: update("moderate", "delete", {}), at: "values.value.id" },
    { said: update("moderate", "delete", { id: "" }), at: "values.value.id" },
    { said: { ...update("moderate", "delete", { id: "1" }), time: "1" }, at: "time" },
    { said: { topic: "moderate", time: 1 }, at: "values" },
  ])("refuses what does not fit, at $at", ({ said, at }) => {
    expect(read(said)).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("gives its challenge back to whoever knows the token", async () => {
    const ask = (query: string) =>
      answerAsked(webhooks.challenges ?? [], {
        method: "GET",
        url: `https://gateway.example.com/hooks/acme/threads/webhooks?${query}`,
        values: async (name) => (name === "verifyToken" ? ["meadow"] : []),
      });
    expect(await (await ask("hub.challenge=42&hub.verify_token=meadow"))?.text()).toBe("42");
    expect(await ask("hub.challenge=42&hub.verify_token=wrong")).toBeUndefined();
  });
});
