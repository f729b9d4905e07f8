import { describe, expect, it } from "vitest";
import { azureOpenai } from "../../integrations/azure-openai.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = azureOpenai.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("Azure OpenAI has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("Azure OpenAI can be looked at");

const order = (type: string, value: string) =>
  orderFor({ resource: "acme-ai", apiKey: "key-1" }, { type: `azure-openai.${type}`, value });
const deleted: Played = { status: 200, body: { deleted: true } };
const missing: Played = { status: 404, body: { error: { message: "No such object" } } };
const page = (...ids: readonly string[]): Played => ({ status: 200, body: { data: ids.map((id) => ({ id })) } });

describe("erasing an object at Azure OpenAI", () => {
  it.each([
    ["file", "files", undefined],
    ["vector_store", "vector_stores", undefined],
    ["response", "responses", undefined],
    ["assistant", "assistants", "assistants=v2"],
    ["thread", "threads", "assistants=v2"],
  ])("deletes a %s in the resource, with its key", (type, path, beta) => {
    const { calls, outcome } = play(erase.run(order(type, "x1")), [deleted]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "DELETE",
      at: {
        url: `https://acme-ai.openai.azure.com/openai/v1/${path}/x1`,
        template: expect.stringContaining("https://{resource}.openai.azure.com/openai/v1/"),
      },
    });
    expect(calls[0]?.headers).toEqual({ "api-key": "key-1", ...(beta !== undefined && { "openai-beta": beta }) });
    expect(outcome).toEqual(erased);
  });

  it("takes 404 in the service's words for an object that is gone, and no other", () => {
    expect(play(erase.run(order("file", "x1")), [missing]).outcome).toEqual(notFound);
    expect(play(look.run(order("file", "x1")), [missing]).outcome).toBe("absent");
    for (const steps of [erase.run(order("file", "x1")), look.run(order("file", "x1"))])
      expect(play<unknown>(steps, [{ status: 404, body: "" }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it.each([{ status: 200, body: { deleted: false } }, { status: 204 }, { status: 400, body: {} }])(
    "[I4] does not take %j for an erasure",
    (reply) => {
      expect(play(erase.run(order("file", "x1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
    },
  );

  it("takes 403 for a refused key", () => {
    expect(play(erase.run(order("file", "x1")), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });

  it("erases a conversation's items first, because they outlive it", () => {
    const { calls, outcome } = play(erase.run(order("conversation", "conv_1")), [
      page("m1", "m2"),
      deleted,
      missing,
      page(),
      deleted,
    ]);
    expect(calls.map(({ method, at }) => `${method} ${at.url.split("/openai/v1")[1]}`)).toEqual([
      "GET /conversations/conv_1/items?limit=100",
      "DELETE /conversations/conv_1/items/m1",
      "DELETE /conversations/conv_1/items/m2",
      "GET /conversations/conv_1/items?limit=100",
      "DELETE /conversations/conv_1",
    ]);
    expect(outcome).toEqual(erased);
  });

  it("[I10] makes no more calls in one attempt than the driver allows", () => {
    const ids = Array.from({ length: 100 }, (_, nth) => `m${nth}`);
    const { calls, outcome } = play(erase.run(order("conversation", "conv_1")), ({ method }) =>
      method === "GET" ? page(...ids) : deleted,
    );
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThan(400);
  });

  it("[I4] neither erases nor looks for a kind that it does not know", () => {
    for (const steps of [erase.run(order("model", "x")), look.run(order("model", "x"))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

it("takes one label for the resource's name, and nothing that could name another host", () => {
  const schema = settingsSchema(azureOpenai.settings);
  expect(schema.safeParse({ resource: "acme-ai", apiKey: "key-1" }).success).toBe(true);
  for (const resource of ["acme.ai", "acme/ai", "Acme", "", "-acme", "acme@evil", "acme.openai.azure.com"])
    expect(schema.safeParse({ resource, apiKey: "key-1" }).success, resource).toBe(false);
});
