import { describe, expect, it } from "vitest";
import { googleAi } from "../../integrations/google-ai.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const { erase } = googleAi.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined || erase.check === undefined)
  throw new Error("it erases, asks and looks");
const { look, check } = erase;

const settings = { serviceAccountKey: keyFile("PEM") };
const place = "projects/example-project/locations/europe-west4";
const order = (type: string, value: string) => orderFor(settings, { type, value });
const memory = order("google-ai.memory", `${place}/reasoningEngines/7/memories/9`);
const token: Played = { status: 200, body: { access_token: "ya29.a" } };
const no = (status: number, code: string): Played => ({
  status,
  body: { error: { code: status, message: "", status: code } },
});
const outcomeOf = (reply: Played) => play(erase.run(memory), [token, reply]).outcome;

describe("erasing an object of Vertex AI", () => {
  it.each([
    ["google-ai.session", "reasoningEngines/7/sessions/8", ""],
    ["google-ai.memory", "reasoningEngines/7/memories/9", ""],
    ["google-ai.rag_file", "ragCorpora/1/ragFiles/2", ""],
    ["google-ai.rag_corpus", "ragCorpora/1", "?force=true"],
    ["google-ai.cached_content", "cachedContents/3", ""],
    ["google-ai.dataset", "datasets/4", ""],
    ["google-ai.model", "models/5", ""],
    ["google-ai.batch", "batchPredictionJobs/6", ""],
  ])("deletes a %s at the host of its region", (type, rest, query) => {
    const { calls } = play(erase.run(order(type, `${place}/${rest}`)), [token, { status: 200, body: {} }]);
    expect(calls[1]).toMatchObject({
      method: "DELETE",
      at: { url: `https://europe-west4-aiplatform.googleapis.com/v1/${place}/${rest}${query}` },
      headers: { authorization: "Bearer ya29.a" },
    });
    expect(calls[1]?.at.template.replace(/^https:\/\/[^/]+\/v1/, "")).not.toMatch(/\d|example/);
  });

  it("knows the global place, which has no region in its host", () => {
    const name = "projects/example-project/locations/global/cachedContents/3";
    const { calls } = play(erase.run(order("google-ai.cached_content", name)), [token, { status: 200, body: {} }]);
    expect(calls[1]?.at.url).toBe(`https://aiplatform.googleapis.com/v1/${name}`);
  });

  it.each([
    ["google-ai.session", `${place}/reasoningEngines/7/memories/9`],
    ["google-ai.session", `${place}/sessions/9`],
    ["google-ai.rag_corpus", `${place}/ragCorpora/1/ragFiles/2`],
    ["google-ai.dataset", "projects/p/locations/nowhere-1/datasets/4"],
    ["google-ai.dataset", "projects/p/locations/evil.example#/datasets/4"],
    ["google-ai.dataset", "datasets/4"],
    ["google-ai.unknown", `${place}/datasets/4`],
  ])("[I13] makes no call for a %s named %s", (type, value) => {
    for (const steps of [erase.run(order(type, value)), look.run(order(type, value))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("[I13] lets no id change the address", () => {
    const { calls } = play(erase.run(order("google-ai.dataset", `${place}/datasets/a?b#c%2e`)), [
      token,
      { status: 200, body: {} },
    ]);
    expect(calls[1]?.at.url).toBe(`https://europe-west4-aiplatform.googleapis.com/v1/${place}/datasets/a%3Fb%23c%252e`);
    expect(() => play(erase.run(order("google-ai.dataset", `${place}/datasets/..`)), [token])).toThrow(RangeError);
  });

  it("follows the operation to its end, at the same host", () => {
    const operation = `${place}/operations/11`;
    expect(outcomeOf({ status: 200, body: { name: operation } })).toMatchObject({
      outcome: "accepted",
      reference: operation,
    });
    const followed = (reply: Played) => play(check(operation, memory), [token, reply]);
    expect(followed({ status: 200, body: { name: operation, done: false } }).outcome).toMatchObject({
      outcome: "accepted",
    });
    const { calls, outcome } = followed({ status: 200, body: { name: operation, done: true, response: {} } });
    expect(calls[1]?.at.url).toBe(`https://europe-west4-aiplatform.googleapis.com/v1/${operation}`);
    expect(outcome).toEqual(erased);
    expect(followed({ status: 200, body: { name: operation, done: true, error: { code: 9 } } }).outcome).toMatchObject({
      anew: true,
    });
    expect(followed(no(404, "NOT_FOUND")).outcome).toMatchObject({ outcome: "unforeseen", anew: true });
    expect(play(check("operations/11", memory), []).outcome).toMatchObject({ outcome: "unforeseen", anew: true });
  });

  it("takes what is not there for not found, and asks a person about what is in use", () => {
    expect(outcomeOf(no(404, "NOT_FOUND"))).toEqual(notFound);
    expect(outcomeOf(no(400, "FAILED_PRECONDITION"))).toMatchObject({
      outcome: "unforeseen",
      what: expect.stringContaining("undeploy"),
    });
  });

  it.each([
    [no(403, "PERMISSION_DENIED"), "unauthorized"],
    [no(403, "RESOURCE_EXHAUSTED"), "slow_down"],
    [no(400, "INVALID_ARGUMENT"), "unforeseen"],
    [{ status: 404, body: "<html>" }, "unforeseen"],
    [{ status: 200, body: { done: true } }, "unforeseen"],
    [{ status: 204 }, "unforeseen"],
  ])("[I4] claims nothing on %j", (reply, outcome) => {
    expect(outcomeOf(reply)).toMatchObject({ outcome });
  });
});
