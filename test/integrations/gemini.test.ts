import { describe, expect, it } from "vitest";
import { gemini } from "../../integrations/gemini.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = gemini.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("the Gemini API has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("the Gemini API can be looked at");

const BASE = "https://generativelanguage.googleapis.com/v1beta";
const order = (type: string, value: string) => orderFor({ apiKey: "AIza0123456789abcdefgh" }, { type, value });
const file = order("gemini.file", "files/abc-123");
const refused = (code: number, status: string, message: string): Played => ({
  status: code,
  body: { error: { code, message, status } },
});
const outcomeOf = (reply: Played) => play(erase.run(file), [reply]).outcome;

describe("erasing an object at the Gemini API", () => {
  it.each([
    ["gemini.file", "files/abc-123", "/files/abc-123"],
    ["gemini.file", "abc-123", "/files/abc-123"],
    ["gemini.cached_content", "cachedContents/c-1", "/cachedContents/c-1"],
    ["gemini.file_search_store", "fileSearchStores/s-1", "/fileSearchStores/s-1?force=true"],
    ["gemini.document", "fileSearchStores/s-1/documents/d-1", "/fileSearchStores/s-1/documents/d-1?force=true"],
    ["gemini.document", "s-1/d-1", "/fileSearchStores/s-1/documents/d-1?force=true"],
    ["gemini.tuned_model", "tunedModels/voice-of-u-42", "/tunedModels/voice-of-u-42"],
    ["gemini.batch", "batches/b-1", "/batches/b-1"],
    ["gemini.interaction", "v1_abc", "/interactions/v1_abc"],
  ])("deletes %s %s with all that it holds, the key in a header", (type, value, path) => {
    const { calls, outcome } = play(erase.run(order(type, value)), [{ status: 200, body: {} }]);
    expect(calls).toMatchObject([
      { method: "DELETE", at: { url: BASE + path }, headers: { "x-goog-api-key": "AIza0123456789abcdefgh" } },
    ]);
    expect(outcome).toEqual(erased);
  });

  it("takes what is not there, or not in this project, for not found", () => {
    for (const reply of [
      refused(404, "NOT_FOUND", "Requested entity was not found."),
      refused(403, "PERMISSION_DENIED", "You do not have permission to access the File abc-123 or it may not exist."),
      refused(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)"),
    ])
      expect(outcomeOf(reply)).toEqual(notFound);
  });

  it.each([
    refused(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    refused(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
  ])("stops the lane when the key is refused: %j", (reply) => {
    expect(outcomeOf(reply)).toMatchObject({ outcome: "unauthorized", status: reply.status });
  });

  it.each([
    refused(400, "FAILED_PRECONDITION", "Cannot delete non-empty store."),
    refused(403, "PERMISSION_DENIED", "Requests from referer <empty> are blocked."),
    { status: 404, body: "<html>Not Found</html>" },
    { status: 200, body: { name: "operations/1", done: false } },
    { status: 200, body: "OK" },
    { status: 204 },
  ])("[I4] claims nothing on %j", (reply) => {
    expect(outcomeOf(reply)).toMatchObject({ outcome: "unforeseen", status: reply.status });
  });

  it("[I4] makes no call for a name of another kind", () => {
    for (const [type, value] of [
      ["gemini.file", "fileSearchStores/s-1"],
      ["gemini.document", "d-1"],
      ["gemini.agent", "agents/1"],
    ] as const)
      for (const steps of [erase.run(order(type, value)), look.run(order(type, value))])
        expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("does not take it for a bad key that a tuned model's deletion wants OAuth, and lets the rest go on", () => {
    const refusal = refused(401, "UNAUTHENTICATED", "API keys are not supported by this API.");
    const { calls, outcome } = play(erase.run(order("gemini.tuned_model", "tunedModels/m-1")), [refusal]);
    expect(calls[0]?.expects).toEqual([401]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 401 });
    expect(play(erase.run(file), [{ status: 200, body: {} }]).calls[0]?.expects).toEqual([]);
  });

  it("[I13] lets no name change the address", () => {
    const { calls } = play(erase.run(order("gemini.file", "a?b=c#d%2e")), [{ status: 200, body: {} }]);
    expect(calls[0]?.at.url).toBe(`${BASE}/files/a%3Fb%3Dc%23d%252e`);
    expect(() => play(erase.run(order("gemini.file", "..")), [])).toThrow(RangeError);
  });

  it("names the 55 days for which Google itself keeps logs", () => {
    expect(gemini.residuals).toMatchObject([{ category: "abuse_monitoring_logs", days: 55 }]);
  });
});
