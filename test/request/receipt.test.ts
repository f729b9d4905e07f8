import fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import * as all from "../../integrations/index.ts";
import type { Identity } from "../../src/contract/identity.ts";
import {
  type BulkAction,
  type Integration,
  isAbsent,
  isBulk,
  type SingleAction,
} from "../../src/contract/integration.ts";
import { notFound } from "../../src/contract/outcome.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { parseRequestId } from "../../src/ids.ts";
import { drive } from "../../src/lanes/drive.ts";
import { firstCursor } from "../../src/lanes/order.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import { plan } from "../../src/request/plan.ts";
import { Policy } from "../../src/request/policy.ts";
import { closedView, receiptOf, subjectReference } from "../../src/request/receipt.ts";
import type { RequestRecord } from "../../src/request/request.ts";
import { type EndedTask, isComplete, type OpenTask, type Task, taskView } from "../../src/request/task.ts";
import { ok } from "../../src/result.ts";
import { type Played, replyOf } from "../support/play.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const NOW = Date.parse("2026-11-25T09:00:00Z");
const ID = parseRequestId(`req_11${"a".repeat(32)}`)?.id;
if (ID === undefined) throw new Error("a request's id");
const record: RequestRecord = {
  id: ID,
  type: "erasure",
  source: "facebook/data-deletion",
  authority: "everywhere",
  subject: "subject-secret",
  received_at: "2026-11-21T09:00:00.000Z",
  start_at: "2026-11-21T09:00:00.000Z",
  due_at: "2026-12-21T23:59:59.999Z",
  policy_version: 3,
  registry_version: 7,
};
const about = {
  iss: "https://gate.example",
  tenant: "larch",
  subjects: ["c3ViamVjdA"],
  now: NOW,
  backupDays: 3,
  interim: false,
};

const common = {
  id: "mail.erase",
  subprocessor: "mail",
  integration: "mail",
  action: "erase",
  attempts: 1,
  due_at: record.due_at,
} as const;
const ended = (more: Partial<EndedTask> = {}): EndedTask => ({
  ...common,
  state: "ended",
  outcome: "erased",
  level: "verified_absent",
  ended_at: "2026-11-22T09:00:00.000Z",
  ...more,
});
const open = (state: OpenTask["state"]): OpenTask => ({ ...common, state, reason: "it waits" });

describe("[I4] whether a request is complete", () => {
  it.each<readonly [string, readonly Task[], boolean]>([
    ["with no task at all", [], false],
    ["when all is erased", [ended()], true],
    ["when all is revoked", [ended({ outcome: "revoked" })], true],
    ["when nothing was found", [ended({ outcome: "not_found" })], true],
    ["when what is kept is named", [ended({ outcome: "retained" })], true],
    ["when a person did it", [ended({ outcome: "manual_done" })], true],
    ["when a holder refused", [ended(), ended({ outcome: "refused" })], false],
    ["when it was given up", [ended(), ended({ outcome: "unresolved" })], false],
    ...(["waiting", "queued", "accepted", "manual", "stuck"] as const).map(
      (state) => [`when a task is ${state}`, [ended(), open(state)], false] as const,
    ),
  ])("%s", (_, tasks, complete) => {
    expect(isComplete(tasks)).toBe(complete);
    expect(receiptOf(record, tasks, about).complete).toBe(complete);
  });

  it("is never said by an interim receipt", () => {
    const interim = receiptOf(record, [ended()], { ...about, interim: true });
    expect(interim.complete).toBe(false);
    expect(interim.jti).toBe(`${record.id}.interim`);
  });
});

describe("what a receipt states", () => {
  it("is who, what, when, and from when the keys are gone everywhere", () => {
    expect(receiptOf(record, [ended()], { ...about, prev: "req_0" })).toEqual({
      iss: "https://gate.example",
      iat: NOW / 1000,
      jti: record.id,
      request: record.id,
      tenant: "larch",
      type: "erasure",
      source: "facebook/data-deletion",
      complete: true,
      sub: ["c3ViamVjdA"],
      received_at: record.received_at,
      due_at: record.due_at,
      closed_at: "2026-11-25T09:00:00.000Z",
      policy_version: 3,
      registry_version: 7,
      prev: "req_0",
      shredded_by: "2026-11-28T09:00:00.000Z",
      tasks: [
        {
          id: "mail.erase",
          subprocessor: "mail",
          integration: "mail",
          action: "erase",
          outcome: "erased",
          level: "verified_absent",
          at: "2026-11-22T09:00:00Z",
          attempts: 1,
        },
      ],
    });
  });

  it("names what is kept, until when and on which ground, who ended it, and the evidence", () => {
    const retained = [
      { category: "billing_records", until: "2036-12-31T23:59:59.999Z", ground: "legal_obligation: HGB 257" },
    ];
    const evidence = [
      { method: "DELETE", host: "api.mail.example", path: "/v1/{id}", status: 204, at: "2026-11-22T09:00:00.000Z" },
    ];
    const [line] = receiptOf(
      record,
      [ended({ outcome: "retained", retained, read_back: "part", evidence, by: "key_1", reason: "law" })],
      about,
    ).tasks;
    expect(line).toMatchObject({ retained, read_back: "part", evidence, by: "key_1", reason: "law" });
  });

  it("[I4] calls an open task by its state, at the level pending, and gives it no time of an end", () => {
    const [line] = receiptOf(record, [open("stuck")], { ...about, interim: true }).tasks;
    expect(line).toMatchObject({ outcome: "stuck", level: "pending", reason: "it waits" });
    expect(line).not.toHaveProperty("at");
  });

  it("[I7] never holds a residue, which is sealed but still the person's", () => {
    const residue = { sealed: "v1.residue.sealed", dueAt: "2036-12-31T23:59:59.999Z" };
    expect(JSON.stringify(receiptOf(record, [ended({ residue })], about))).not.toContain("residue");
    expect(taskView(ended({ residue }))).not.toHaveProperty("residue");
  });

  it("[I7] does not hold the subject", () => {
    expect(JSON.stringify(receiptOf(record, [ended()], about))).not.toContain("subject-secret");
  });

  it("is shown again, after the close, as the request itself", () => {
    const view = closedView(receiptOf(record, [ended()], { ...about, prev: "req_0" }), "https://gate.example/status/x");
    expect(view).toMatchObject({
      id: record.id,
      status: "closed",
      complete: true,
      continues: "req_0",
      receipt: `/v1/receipts/${record.id}`,
      status_url: "https://gate.example/status/x",
      tasks: [{ id: "mail.erase", state: "ended", outcome: "erased", ended_at: "2026-11-22T09:00:00Z" }],
    });
  });
});

describe("how a receipt names a person", () => {
  it("is the first 96 bits of HMAC-SHA-256 of type, NUL and value under the receipt's salt", async () => {
    const encoder = new TextEncoder();
    const key = await crypto.subtle.importKey("raw", encoder.encode("salt"), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode("email\u0000ada@example.com")));
    expect(await subjectReference("salt", { type: "email", value: " Ada@Example.com " })).toBe(
      base64url.encode(mac.subarray(0, 12)),
    );
  });

  it("[I7] differs by salt, type and value", async () => {
    const references = await Promise.all([
      subjectReference("a", { type: "email", value: "x" }),
      subjectReference("b", { type: "email", value: "x" }),
      subjectReference("a", { type: "user_id", value: "x" }),
      subjectReference("a", { type: "email", value: "y" }),
    ]);
    expect(new Set(references).size).toBe(4);
  });
});

describe("[I7] nothing personal", () => {
  const integrations = new Map(Object.values<Integration>(all).map((each) => [each.id, each]));
  const TYPES = [
    "email",
    "user_id",
    ...Object.values<Integration>(all).flatMap(({ identities }) => Object.keys(identities)),
  ];
  const ENDPOINT = "https://privacy.example.com/erasure";
  // Values that can be told from everything else in a receipt, and from a vendor's request ids.
  const value = fc.stringMatching(/^[a-z0-9@.+=,'-]{12,60}$/).map((text) => `QX${text}@x`);
  const entry = ({ id }: Integration): Subprocessor => ({
    id,
    integration: id,
    settings: {},
    secrets: {},
    registersObjects: false,
    status: "active",
    validFrom: "2026-01-01T00:00:00.000Z",
    version: 1,
    facts: {},
  });
  const tenant = {
    subprocessors: Object.fromEntries([...integrations.values()].map((each) => [each.id, entry(each)])),
    policy: Policy.parse({
      retention: [{ category: "billing_records", keep: { years: 10 }, ground: "legal_obligation", law: "HGB 257" }],
    }),
    holds: [],
  };

  /** Whatever a vendor may answer, with the person's own data in every corner of it. */
  const replies = (said: string): readonly Played[] => [
    {
      status: 200,
      body: {
        success: true,
        deleted: true,
        status: "done",
        id: said,
        stripe_user_id: said,
        data: [],
        has_more: false,
        note: said,
      },
    },
    {
      status: 200,
      body: { deleted: true, id: said, status: "failed", data: [{ id: said, code: "invalid_state" }], has_more: false },
    },
    { status: 404, body: { error: { message: said, code: "resource_missing" } }, headers: { "request-id": said } },
    { status: 400, body: { error: { message: said, code: 100, error_subcode: 1 } } },
    { status: 418, body: said, headers: { "request-id": `${said} `, "x-request-id": said } },
    { status: 500, body: said, headers: { "retry-after": said } },
    { status: 401, body: said },
    { status: 201, body: { status: "ok", results: { task_id: said } } },
    { status: 409, body: { error: { conflicting_distinct_ids: [said], conflicting_task_ids: [said], error: said } } },
    {
      status: 200,
      body: { status: "ok", results: { status: "FAILURE", distinct_ids: [said], requesting_user: said } },
    },
  ];

  it("gets from a person's identities, or from what vendors say of them, into a receipt", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ type: fc.constantFrom(...TYPES), value }), {
          minLength: 1,
          maxLength: 4,
          selector: ({ value: v }) => v,
        }),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }),
        async (identities, picks) => {
          const tasks: Task[] = [];
          for (const planned of plan(record, tenant, integrations, identities, NOW)) {
            if (planned.what !== "order") {
              tasks.push(planned.task);
              continue;
            }
            tasks.push(await driven(planned.task, planned.identities, picks));
          }
          const text = JSON.stringify(
            receiptOf(record, tasks, { ...about, interim: tasks.some(({ state }) => state !== "ended") }),
          );
          for (const { value: personal } of identities) {
            expect(text).not.toContain(personal);
            expect(text).not.toContain(encodeURIComponent(personal));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  /** A bulk call for one. */
  const alone = ({ bulk, ...facts }: BulkAction<Settings>): SingleAction<Settings> => ({
    ...facts,
    *run(order) {
      const [answer = notFound] = yield* bulk.run([order], "batch");
      return answer;
    },
    *check(reference, order) {
      const [answer = notFound] = bulk.check === undefined ? [] : yield* bulk.check(reference, [order]);
      return answer;
    },
  });

  async function driven(task: OpenTask, identities: readonly Identity[], picks: readonly number[]): Promise<Task> {
    const integration = integrations.get(task.integration);
    const action = integration === undefined || task.action === "manual" ? undefined : integration.actions[task.action];
    if (integration === undefined || action === undefined || isAbsent(action)) throw new Error("a planned action");
    const said = replies(identities[0]?.value ?? "");
    let calls = 0;
    const attempt = await drive(
      {
        send: async () => ok(replyOf(said[picks[calls++ % picks.length] ?? 0] ?? { status: 200 })),
        now: () => NOW,
        random: (count) => new Uint8Array(count),
        log: () => undefined,
      },
      {
        payload: {
          request: record.id,
          task,
          receivedAt: record.received_at,
          deadline: NOW,
          keeps: {},
          frees: [],
          key: "",
          sealed: "",
        },
        cursor: firstCursor(identities),
        integration,
        action: isBulk(action) ? alone(action) : action,
        settings: {
          ...Object.fromEntries(Object.keys(integration.settings).map((name) => [name, "x"])),
          url: ENDPOINT,
        },
        turn: async () => undefined,
        until: NOW + 1,
        salt: "salt",
      },
    );
    if ("end" in attempt)
      return {
        ...task,
        state: "ended",
        ended_at: "2026-11-25T09:00:00.000Z",
        ...attempt.end,
        evidence: attempt.cursor.evidence,
      };
    const reason = attempt.reason === undefined ? {} : { reason: attempt.reason };
    return { ...task, state: "park" in attempt ? attempt.park : attempt.state, ...reason };
  }
});
