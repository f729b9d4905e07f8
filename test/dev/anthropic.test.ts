import { beforeEach, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { anthropic } from "../../integrations/anthropic.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = { apiKey: "sk-ant-test", webhookKey: "" };
const { erase } = anthropic.actions;

let now: number;
let sandbox: Sandbox;
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();
const call = (method: string, path: string, headers: Readonly<Record<string, string>>) =>
  sandbox.fetch(new Request(`https://api.anthropic.com/v1${path}`, { method, headers }));

beforeEach(async () => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
  const seed = {
    vendor: "anthropic",
    account: "sk-ant-test",
    files: [
      { id: "file_1", filename: "ada.txt", content: "Ada Example" },
      { id: "file_2", filename: "bob.txt", content: "Bob Example" },
    ],
    message_batches: [
      { id: "msgbatch_1", content: "About Ada", processing_status: "in_progress" },
      { id: "msgbatch_2", content: "About Ada" },
    ],
    skills: [{ id: "skill_1", display_title: "Ada's letters", versions: ["Write as Ada", "Write as Ada does"] }],
    sessions: [{ id: "sesn_1", status: "running", events: ["Ada asks"] }],
    vaults: [{ id: "vlt_1", display_name: "Ada", credentials: ["https://mcp.ada.example"] }],
    memory_stores: [
      {
        id: "memstore_1",
        name: "Notes",
        memories: [
          { id: "mem_1", path: "/ada.md", versions: ["Ada likes tea", "Ada likes coffee"] },
          { id: "mem_2", path: "/bob.md", versions: ["Bob likes tea"] },
        ],
      },
    ],
  };
  const seeded = await sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(seed) }),
  );
  expect(seeded.status).toBe(200);
});

it("loses all that was registered for a person to the integration's erasure, and nothing of others", async () => {
  for (const [type, value] of [
    ["file", "file_1"],
    ["message_batch", "msgbatch_1"],
    ["message_batch", "msgbatch_2"],
    ["skill", "skill_1"],
    ["session", "sesn_1"],
    ["vault", "vlt_1"],
    ["memory", "memstore_1/mem_1"],
  ] as const) {
    const identity = { type: `anthropic.${type}`, value };
    expect(await carryOut(sandbox, erase, settings, identity, { wait }), value).toEqual([
      { identity, answer: { outcome: "erased" }, sight: "absent" },
    ]);
  }
  expect(await holds("Ada")).toEqual([]);
  expect(await holds("ada")).toEqual([]);
  expect(await holds("Bob")).not.toEqual([]);
});

it("takes the memories and their versions with a store", async () => {
  const identity = { type: "anthropic.memory_store", value: "memstore_1" };
  expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ sight: "absent" }]);
  expect(await holds("likes")).toEqual([]);
});

it("knows nothing of another workspace", async () => {
  const identity = { type: "anthropic.file", value: "file_1" };
  expect(await carryOut(sandbox, erase, { ...settings, apiKey: "sk-ant-other" }, identity)).toEqual([
    { identity, answer: { outcome: "not_found" } },
  ]);
  expect(await holds("Ada Example")).not.toEqual([]);
});

it("insists on key, version and beta, and refuses what comes too early, in Anthropic's words", async () => {
  const key = { "x-api-key": "sk-ant-test" };
  const dated = { ...key, "anthropic-version": "2023-06-01" };
  for (const [status, answer] of [
    [401, await call("GET", "/files/file_1", {})],
    [400, await call("GET", "/files/file_1", key)],
    [400, await call("GET", "/sessions/sesn_1", dated)],
    [400, await call("DELETE", "/messages/batches/msgbatch_1", dated)],
    [400, await call("DELETE", "/skills/skill_1", dated)],
    [404, await call("GET", "/files/file_3", dated)],
  ] as const) {
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ type: "error", error: { type: expect.stringContaining("_error") } });
  }
});
