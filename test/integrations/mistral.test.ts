import { describe, expect, it } from "vitest";
import { mistral } from "../../integrations/mistral.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = mistral.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("Mistral has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("Mistral can be looked at");

const order = (type: string, value: string) => orderFor({ apiKey: "key-1" }, { type: `mistral.${type}`, value });
const missing: Played = { status: 404, body: { message: "Not found" } };

describe("erasing an object at Mistral", () => {
  it.each([
    ["conversation", "x1", "/conversations/x1", { status: 204 }],
    ["file", "x1", "/files/x1", { status: 200, body: { id: "x1", object: "file", deleted: true } }],
    ["batch_job", "x1", "/batch/jobs/x1", { status: 200, body: { id: "x1" } }],
    ["library", "x1", "/libraries/x1", { status: 204 }],
    ["document", "l1/x1", "/libraries/l1/documents/x1", { status: 204 }],
    ["agent", "x1", "/agents/x1", { status: 204 }],
    ["voice", "x1", "/audio/voices/x1", { status: 200, body: { id: "x1", name: "Ada" } }],
  ])("deletes a %s by its name %s", (type, value, path, reply) => {
    const { calls, outcome } = play(erase.run(order(type, value)), [reply]);
    expect(calls[0]).toMatchObject({
      method: "DELETE",
      at: { url: `https://api.mistral.ai/v1${path}` },
      headers: { authorization: "Bearer key-1" },
    });
    expect(calls[0]?.at.template).not.toMatch(/[xl]1/);
    expect(outcome).toEqual(erased);
  });

  it("takes 404 for an object that is gone, as the glossary explains it", () => {
    expect(play(erase.run(order("file", "x1")), [missing]).outcome).toEqual(notFound);
    expect(play(look.run(order("file", "x1")), [missing]).outcome).toBe("absent");
  });

  it.each([
    ["file", { status: 200, body: { id: "x1", deleted: false } }],
    ["file", { status: 200, body: { id: "x2", deleted: true } }],
    ["file", { status: 204 }],
    ["batch_job", { status: 200, body: { id: "x1", deleted: false } }],
    ["conversation", { status: 200, body: {} }],
    ["library", { status: 200, body: { id: "x2" } }],
    ["voice", { status: 202, body: { id: "x1" } }],
    ["file", { status: 404, body: "<html>" }],
    ["file", { status: 422, body: { detail: [] } }],
  ])("[I4] does not take for an erasure of a %s: %j", (type, reply) => {
    expect(play(erase.run(order(type, "x1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("takes 403 for a refused key", () => {
    expect(play(erase.run(order("file", "x1")), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });

  it.each([
    ["file", "a/b"],
    ["document", "x1"],
    ["model", "ft:x"],
  ])("[I4] neither erases nor looks for a %s named %s", (type, value) => {
    for (const steps of [erase.run(order(type, value)), look.run(order(type, value))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});
