import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { azureOpenai } from "../../integrations/azure-openai.ts";
import { elevenlabs } from "../../integrations/elevenlabs.ts";
import { mistral } from "../../integrations/mistral.ts";
import { carryOut } from "../support/carry-out.ts";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox({ now: () => Date.parse("2026-11-21T12:00:00Z") });
});
const seed = async (body: object) => {
  const answer = await sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(body) }),
  );
  expect(answer.status).toBe(200);
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

describe("the stand-in for ElevenLabs", () => {
  const settings = { apiKey: "sk_test", residency: "EU", webhookSecret: "" };
  const { erase } = elevenlabs.actions;
  beforeEach(() =>
    seed({
      vendor: "elevenlabs",
      account: "sk_test",
      residency: "EU",
      voices: [{ id: "voice_1", content: "Ada's voice" }],
      history: [{ id: "item_1", content: "Ada said" }],
      conversations: [
        ...Array.from({ length: 120 }, (_, nth) => ({
          id: `conv_${nth}`,
          user_id: "u-1",
          content: `Ada calls ${nth}`,
        })),
        { id: "conv_bob", user_id: "u-2", content: "Bob calls" },
      ],
      knowledge_base: [{ id: "doc_1", content: "About Ada" }],
      transcripts: [{ id: "tr_1", content: "Ada spoke" }],
      dubbing: [{ id: "dub_1", content: "Ada dubbed" }],
      projects: [{ id: "proj_1", content: "Ada's book" }],
    }),
  );

  it("loses what was registered, and all calls of a user", async () => {
    for (const [type, value] of [
      ["voice", "voice_1"],
      ["history_item", "item_1"],
      ["knowledge_document", "doc_1"],
      ["transcript", "tr_1"],
      ["dubbing", "dub_1"],
      ["studio_project", "proj_1"],
    ] as const) {
      const identity = { type: `elevenlabs.${type}`, value };
      const ends = await carryOut(sandbox, erase, settings, identity);
      expect(ends, type).toEqual([{ identity, answer: { outcome: "erased" }, sight: "absent" }]);
      expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
    }
    const user = { type: "elevenlabs.user", value: "u-1" };
    expect(await carryOut(sandbox, erase, settings, user)).toHaveLength(120);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
  });

  it("knows the key only where its workspace lives", async () => {
    const identity = { type: "elevenlabs.voice", value: "voice_1" };
    expect(await carryOut(sandbox, erase, { ...settings, residency: "US" }, identity)).toMatchObject([
      { answer: { outcome: "unforeseen", status: 401 } },
    ]);
  });
});

describe("the stand-in for Mistral", () => {
  const settings = { apiKey: "key-1" };
  const { erase } = mistral.actions;

  it("loses what was registered, and a library with its documents", async () => {
    await seed({
      vendor: "mistral",
      account: "key-1",
      files: [{ id: "f-1", content: "Ada's file" }],
      conversations: [{ id: "conv_1", content: "Ada asks" }],
      batch_jobs: [{ id: "job-1", content: "About Ada" }],
      agents: [{ id: "ag_1", content: "Ada's agent" }],
      voices: [{ id: "v-1", content: "Ada's voice" }],
      libraries: [
        { id: "lib-1", name: "Ada", documents: [{ id: "d-1", content: "Ada's page" }] },
        {
          id: "lib-2",
          name: "Papers",
          documents: [{ id: "d-2", content: "Ada's letter" }, { content: "Bob's letter" }],
        },
      ],
    });
    for (const [type, value] of [
      ["file", "f-1"],
      ["conversation", "conv_1"],
      ["batch_job", "job-1"],
      ["agent", "ag_1"],
      ["voice", "v-1"],
      ["library", "lib-1"],
      ["document", "lib-2/d-2"],
    ] as const) {
      const identity = { type: `mistral.${type}`, value };
      const ends = await carryOut(sandbox, erase, settings, identity);
      expect(ends, type).toEqual([{ identity, answer: { outcome: "erased" }, sight: "absent" }]);
      expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
    }
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
  });
});

describe("the stand-in for Azure OpenAI", () => {
  const settings = { resource: "acme-ai", apiKey: "key-1" };
  const { erase } = azureOpenai.actions;

  it("loses what was registered, and a conversation's items", async () => {
    await seed({
      vendor: "azure-openai",
      account: "acme-ai",
      api_key: "key-1",
      files: [{ id: "file-1", content: "Ada's file" }],
      vector_stores: [{ id: "vs_1", content: "Ada's notes" }],
      responses: [{ id: "resp_1", content: "Hello Ada" }],
      assistants: [{ id: "asst_1", content: "Ada's assistant" }],
      threads: [{ id: "thread_1", content: "Ada asks" }],
      conversations: [{ id: "conv_1", items: ["Ada", "Hello Ada"] }],
    });
    for (const [type, value] of [
      ["file", "file-1"],
      ["vector_store", "vs_1"],
      ["response", "resp_1"],
      ["assistant", "asst_1"],
      ["thread", "thread_1"],
      ["conversation", "conv_1"],
    ] as const) {
      const identity = { type: `azure-openai.${type}`, value };
      const ends = await carryOut(sandbox, erase, settings, identity);
      expect(ends, type).toEqual([{ identity, answer: { outcome: "erased" }, sight: "absent" }]);
    }
    expect(await holds("Ada")).toEqual([]);
  });

  it("claims nothing of a resource that is not there, or with another key", async () => {
    await seed({ vendor: "azure-openai", account: "acme-ai", api_key: "key-1", files: [{ id: "file-1" }] });
    const identity = { type: "azure-openai.file", value: "file-1" };
    for (const other of [{ resource: "other" }, { apiKey: "key-2" }])
      expect(await carryOut(sandbox, erase, { ...settings, ...other }, identity)).toMatchObject([
        { answer: { outcome: "unforeseen" } },
      ]);
  });
});
