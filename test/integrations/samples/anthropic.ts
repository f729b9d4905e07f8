import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, signal, type Way } from "./kit.ts";

const byId = on(200, 403, 404);
const asked = on(200, 403, 404);
const gone: Played = {
  status: 404,
  body: { type: "error", error: { type: "not_found_error", message: "Not found" }, request_id: "req_1" },
};
const deleted = (id: string, type: string): Played => ({ status: 200, body: { id, type } });
const batch = (processing_status: string): Played => ({
  status: 200,
  body: { id: "msgbatch_1", type: "message_batch", processing_status },
});
const session = (status: string): Played => ({ status: 200, body: { id: "sesn_1", type: "session", status } });
const page = (...data: readonly object[]): Played => ({ status: 200, body: { data, next_page: null } });
const version = (id: string, redacted_at: string | null = null) => ({
  id,
  type: "memory_version",
  memory_id: "mem_1",
  memory_store_id: "memstore_1",
  operation: "modified",
  redacted_at,
});
const REDACTED = "2026-11-21T09:00:00Z";

const file = { type: "anthropic.file", value: "file_1" };
const ofBatch = { type: "anthropic.message_batch", value: "msgbatch_1" };
const ofSession = { type: "anthropic.session", value: "sesn_1" };
const ofMemory = { type: "anthropic.memory", value: "memstore_1/mem_1" };
const anthropicWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...way,
});
const none = () => [];

export const sample: Sample = {
  settings: { apiKey: "sk-ant-api03-0123456789", webhookKey: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  hooks: {
    "managed-agents": {
      "session.deleted": (at) => [signal("content_deleted", ofSession, at)],
      "vault.deleted": (at) => [signal("content_deleted", { type: "anthropic.vault", value: "vlt_1" }, at)],
      "vault_credential.deleted": (at) => [
        signal("content_deleted", { type: "anthropic.vault_credential", value: "vlt_1/vcrd_1" }, at),
      ],
      "memory_store.deleted": (at) => [
        signal("content_deleted", { type: "anthropic.memory_store", value: "memstore_1" }, at),
      ],
      "vault_credential.refresh_failed": none,
      "session.{change}": none,
      "vault.{change}": none,
      "vault_credential.{change}": none,
      "memory_store.{change}": none,
      "agent.{change}": none,
      "environment.{change}": none,
      "deployment.{change}": none,
      "deployment_run.{change}": none,
    },
  },
  ways: [
    anthropicWay({ name: "file deleted", steps: [byId(deleted("file_1", "file_deleted"))], outcome: erased }),
    anthropicWay({ name: "no such file", steps: [byId(gone)], outcome: notFound }),
    anthropicWay({
      name: "batch that has ended",
      identity: ofBatch,
      steps: [asked(batch("ended")), byId(deleted("msgbatch_1", "message_batch_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "batch that runs",
      identity: ofBatch,
      steps: [asked(batch("in_progress")), on(200)(batch("canceling"))],
      outcome: accepted("ending", 300),
    }),
    anthropicWay({
      name: "batch that has come to its end",
      identity: ofBatch,
      part: { check: "ending" },
      steps: [asked(batch("ended")), byId(deleted("msgbatch_1", "message_batch_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "skill with a version",
      identity: { type: "anthropic.skill", value: "skill_1" },
      steps: [
        asked(page({ id: "skillver_1" })),
        byId(deleted("skillver_1", "skill_version_deleted")),
        asked(page()),
        byId(deleted("skill_1", "skill_deleted")),
      ],
      outcome: erased,
    }),
    anthropicWay({
      name: "session that is idle",
      identity: ofSession,
      steps: [asked(session("idle")), byId(deleted("sesn_1", "session_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "session that runs",
      identity: ofSession,
      steps: [asked(session("running")), on(200, 403)({ status: 200, body: { data: [] } })],
      outcome: accepted("interrupted", 30),
    }),
    anthropicWay({
      name: "vault deleted",
      identity: { type: "anthropic.vault", value: "vlt_1" },
      steps: [byId(deleted("vlt_1", "vault_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "credential deleted",
      identity: { type: "anthropic.vault_credential", value: "vlt_1/vcrd_1" },
      steps: [byId(deleted("vcrd_1", "vault_credential_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "memory store deleted",
      identity: { type: "anthropic.memory_store", value: "memstore_1" },
      steps: [byId(deleted("memstore_1", "memory_store_deleted"))],
      outcome: erased,
    }),
    anthropicWay({
      name: "memory with its versions",
      identity: ofMemory,
      steps: [
        byId(deleted("mem_1", "memory_deleted")),
        asked(page(version("memver_2"), version("memver_1", REDACTED))),
        on(200)({ status: 200, body: version("memver_2", REDACTED) }),
      ],
      outcome: erased,
    }),
    anthropicWay({ name: "look at a file that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    anthropicWay({
      name: "look at a file that is there",
      part: "look",
      steps: [byId({ status: 200, body: { id: "file_1", type: "file" } })],
      outcome: "present",
    }),
    anthropicWay({
      name: "look at a memory whose versions are redacted",
      part: "look",
      identity: ofMemory,
      steps: [byId(gone), asked(page(version("memver_1", REDACTED)))],
      outcome: "absent",
    }),
    anthropicWay({
      name: "look at a memory of which a version is left",
      part: "look",
      identity: ofMemory,
      steps: [byId(gone), asked(page(version("memver_1")))],
      outcome: "present",
    }),
  ],
};
