import { describe, expect, it } from "vitest";
import { anthropic } from "../../integrations/anthropic.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = anthropic;
const { erase } = anthropic.actions;
if (isAbsent(hooks) || hooks["managed-agents"] === undefined) throw new Error("Anthropic has webhooks");
if (isAbsent(erase) || isBulk(erase)) throw new Error("Anthropic has an erasure");
const hook = hooks["managed-agents"];
const { look, check } = erase;
if (look === undefined || check === undefined) throw new Error("Anthropic can be looked at and asked");

const order = (type: string, value: string) =>
  orderFor({ apiKey: "sk-ant-api03-test", webhookKey: "" }, { type: `anthropic.${type}`, value });
const missing: Played = { status: 404, body: { type: "error", error: { type: "not_found_error", message: "no" } } };
const refused = (status: number, type: string): Played => ({ status, body: { type: "error", error: { type } } });
const gone = (id: string, type: string): Played => ({ status: 200, body: { id, type } });
const page = (next_page: string | null, ...data: readonly object[]): Played => ({
  status: 200,
  body: { data, next_page },
});
const version = (id: string, redacted_at: string | null = null) => ({ id, redacted_at });
const redacted: Played = { status: 200, body: { id: "memver_1", redacted_at: "2026-11-21T09:00:00Z" } };
const lines = (calls: readonly Call[]) =>
  calls.map(({ method, at }) => `${method} ${at.url.slice("https://api.anthropic.com/v1".length)}`);

describe("what Anthropic tells us", () => {
  const read = (body: unknown) => hook.read(proven(JSON.stringify(body)));
  const event = (data: object, created_at = "2026-03-15T10:00:00Z") => ({
    id: "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    created_at,
    data: { organization_id: "org_1", workspace_id: "wrkspc_1", ...data },
    type: "event",
  });
  const TEN = Date.parse("2026-03-15T10:00:00.999Z");

  it.each([
    ["session.deleted", { id: "sesn_1" }, "anthropic.session", "sesn_1"],
    ["vault.deleted", { id: "vlt_1" }, "anthropic.vault", "vlt_1"],
    ["vault_credential.deleted", { id: "vcrd_1", vault_id: "vlt_1" }, "anthropic.vault_credential", "vlt_1/vcrd_1"],
    ["memory_store.deleted", { id: "memstore_1" }, "anthropic.memory_store", "memstore_1"],
  ])("notes %s, by the id under which the product registered it", (type, data, of, value) => {
    expect(read(event({ type, ...data }))).toEqual({
      ok: true,
      value: [
        {
          id: "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
          name: type,
          signals: [{ type: "content_deleted", identity: { type: of, value }, at: TEN }],
        },
      ],
    });
    expect(hook.authority.content_deleted).toBe("record");
  });

  it("takes a time with fractions as it is", () => {
    expect(read(event({ type: "session.deleted", id: "sesn_1" }, "2026-03-15T11:00:00.250+01:00"))).toMatchObject({
      value: [{ signals: [{ at: Date.parse("2026-03-15T10:00:00.250Z") }] }],
    });
  });

  it.each([
    "session.archived",
    "session.status_terminated",
    "vault_credential.refresh_failed",
    "vault.archived",
    "agent.deleted",
    "environment.deleted",
    "a.new.kind",
  ])("takes %s for no deletion of a person's, and counts it", (type) => {
    expect(read(event({ type, id: "x_1", vault_id: "vlt_1" }))).toMatchObject({
      ok: true,
      value: [{ name: type, signals: [] }],
    });
  });

  it.each([
    ["no id of what was deleted", event({ type: "session.deleted" })],
    ["no vault", event({ type: "vault_credential.deleted", id: "vcrd_1" })],
    ["a number for an id", event({ type: "vault.deleted", id: 1 })],
    ["no time", { ...event({ type: "vault.deleted", id: "vlt_1" }), created_at: undefined }],
    ["no type", event({ id: "sesn_1" })],
    ["no event's id", { ...event({ type: "vault.deleted", id: "vlt_1" }), id: undefined }],
  ])("does not read %s", (_, body) => {
    expect(read(body)).toMatchObject({ ok: false });
  });

  it("proves the known answer of Standard Webhooks, whose library is what Anthropic's SDK checks with", async () => {
    const verified = (now: number) =>
      checked(
        hook.verify,
        {
          body: '{"test": 2432232314}',
          headers: {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
          },
        },
        { webhookKey: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
        { now },
      );
    expect(await verified(1_614_265_330_000)).toMatchObject({ ok: true });
    for (const seconds of [1_614_265_330 + 301, 1_614_265_330 - 301])
      expect(await verified(seconds * 1000)).toMatchObject({ ok: false, problem: { reason: "stale" } });
  });
});

describe("erasing an object at Anthropic", () => {
  it.each([
    ["file", "file_1", "/files/file_1", undefined, "file_deleted"],
    ["vault", "vlt_1", "/vaults/vlt_1?beta=true", "managed-agents-2026-04-01", "vault_deleted"],
    [
      "memory_store",
      "memstore_1",
      "/memory_stores/memstore_1?beta=true",
      "agent-memory-2026-07-22",
      "memory_store_deleted",
    ],
  ])("deletes a %s by its id, under the version that it needs", (type, id, path, beta, word) => {
    const { calls, outcome } = play(erase.run(order(type, id)), [gone(id, word)]);
    expect(lines(calls)).toEqual([`DELETE ${path}`]);
    expect(calls[0]?.headers).toEqual({
      "x-api-key": "sk-ant-api03-test",
      "anthropic-version": "2023-06-01",
      ...(beta !== undefined && { "anthropic-beta": beta }),
    });
    expect(outcome).toEqual(erased);
  });

  it("finds a credential in its vault", () => {
    const { calls, outcome } = play(erase.run(order("vault_credential", "vlt_1/vcrd_1")), [
      gone("vcrd_1", "vault_credential_deleted"),
    ]);
    expect(lines(calls)).toEqual(["DELETE /vaults/vlt_1/credentials/vcrd_1?beta=true"]);
    expect(outcome).toEqual(erased);
  });

  it("takes a file's answer without its type, which the description allows for files only", () => {
    expect(play(erase.run(order("file", "file_1")), [{ status: 200, body: { id: "file_1" } }]).outcome).toEqual(erased);
    expect(play(erase.run(order("vault", "vlt_1")), [{ status: 200, body: { id: "vlt_1" } }]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });

  it.each([
    ["of another object", gone("file_2", "file_deleted")],
    ["of another kind", gone("file_1", "file")],
    ["that is no JSON", { status: 200, body: "OK" }],
    ["404 without Anthropic's words", { status: 404, body: "<html>" }],
    ["404 with another error", refused(404, "invalid_request_error")],
    ["400", refused(400, "invalid_request_error")],
    ["409", refused(409, "invalid_request_error")],
  ])("[I4] does not take an answer %s for an erasure", (_, reply) => {
    expect(play(erase.run(order("file", "file_1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("takes 403 for a refused key", () => {
    for (const kind of ["file", "session", "message_batch", "skill"])
      expect(play(erase.run(order(kind, "x_1")), [refused(403, "permission_error")]).outcome).toMatchObject({
        outcome: "unauthorized",
        status: 403,
      });
  });

  it.each([
    ["file", "a/b"],
    ["vault_credential", "vcrd_1"],
    ["memory", "memstore_1/mem_1/x"],
    ["user_profile", "uprof_1"],
  ])("[I4] neither erases nor looks for a %s named %s", (type, value) => {
    for (const steps of [erase.run(order(type, value)), look.run(order(type, value)), check("x", order(type, value))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("[I7] shows no id in the address of the evidence", () => {
    const { calls } = play(erase.run(order("memory", "memstore_7/mem_7")), [
      gone("mem_7", "memory_deleted"),
      page("memver_9", version("memver_7")),
      redacted,
      page(null),
    ]);
    for (const { at } of calls) expect(at.template).not.toMatch(/_[79]/);
  });
});

describe("erasing a message batch at Anthropic", () => {
  const batch = order("message_batch", "msgbatch_1");
  const state = (processing_status: string): Played => ({ status: 200, body: { processing_status } });

  it("cancels one that runs, waits until it has ended, and deletes it", () => {
    const begun = play(erase.run(batch), [state("in_progress"), state("canceling")]);
    expect(lines(begun.calls)).toEqual([
      "GET /messages/batches/msgbatch_1",
      "POST /messages/batches/msgbatch_1/cancel",
    ]);
    expect(begun.outcome).toEqual(accepted("ending", 300));
    expect(play(check("ending", batch), [state("canceling")]).outcome).toEqual(accepted("ending", 300));
    const ended = play(check("ending", batch), [state("ended"), gone("msgbatch_1", "message_batch_deleted")]);
    expect(lines(ended.calls).at(-1)).toBe("DELETE /messages/batches/msgbatch_1");
    expect(ended.outcome).toEqual(erased);
  });

  it("takes one that nobody finds for gone", () => {
    expect(play(erase.run(batch), [missing]).outcome).toEqual(notFound);
    expect(play(check("ending", batch), [missing]).outcome).toEqual(notFound);
  });

  it("[I4] is stuck with a state that is not documented, or a refused cancellation", () => {
    expect(play(erase.run(batch), [state("expired")]).outcome).toMatchObject({ outcome: "unforeseen" });
    expect(play(erase.run(batch), [state("in_progress"), refused(400, "x")]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });
});

describe("erasing a session at Anthropic", () => {
  const session = order("session", "sesn_1");
  const state = (status: string): Played => ({ status: 200, body: { id: "sesn_1", status } });

  it.each(["running", "rescheduling"])("interrupts one that is %s, and deletes it when it rests", (status) => {
    const begun = play(erase.run(session), [state(status), { status: 200, body: { data: [] } }]);
    expect(lines(begun.calls)[1]).toBe("POST /sessions/sesn_1/events?beta=true");
    expect(JSON.parse(begun.calls[1]?.body ?? "")).toEqual({ events: [{ type: "user.interrupt" }] });
    expect(begun.outcome).toEqual(accepted("interrupted", 30));
    expect(play(check("interrupted", session), [state("idle"), gone("sesn_1", "session_deleted")]).outcome).toEqual(
      erased,
    );
  });

  it.each(["idle", "terminated"])("deletes one that is %s at once", (status) => {
    expect(play(erase.run(session), [state(status), gone("sesn_1", "session_deleted")]).outcome).toEqual(erased);
  });
});

describe("erasing a skill at Anthropic", () => {
  const skill = order("skill", "skill_1");
  const versionGone = gone("v", "skill_version_deleted");

  it("deletes its versions first, page by page, and goes on past one that is gone", () => {
    const { calls, outcome } = play(erase.run(skill), [
      page("2", { id: "v1" }, { id: "v2" }),
      versionGone,
      missing,
      page(null, { id: "v3" }),
      versionGone,
      page(null),
      gone("skill_1", "skill_deleted"),
    ]);
    expect(lines(calls)).toContain("DELETE /skills/skill_1/versions/v3");
    expect(outcome).toEqual(erased);
  });

  it("finds one that is gone by its own 404", () => {
    expect(play(erase.run(skill), [missing, missing]).outcome).toEqual(notFound);
  });

  it("[I4] stops at a version that cannot be deleted", () => {
    expect(play(erase.run(skill), [page(null, { id: "v1" }), refused(400, "x")]).outcome).toMatchObject({
      outcome: "unforeseen",
      status: 400,
    });
  });

  it("[I10] makes no more calls in one attempt than the driver allows", () => {
    const all = Array.from({ length: 100 }, (_, nth) => ({ id: `v${nth}` }));
    const { calls, outcome } = play(erase.run(skill), ({ method }) =>
      method === "GET" ? page("more", ...all) : versionGone,
    );
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThan(400);
  });
});

describe("erasing a memory at Anthropic", () => {
  const memory = order("memory", "memstore_1/mem_1");
  const memoryGone = gone("mem_1", "memory_deleted");

  it("redacts the versions that outlive it, on every page, and leaves those that are redacted", () => {
    const { calls, outcome } = play(erase.run(memory), [
      memoryGone,
      page("memver_2", version("memver_3"), version("memver_2", "2026-11-21T09:00:00Z")),
      redacted,
      page(null, version("memver_1")),
      redacted,
    ]);
    expect(lines(calls)).toEqual([
      "DELETE /memory_stores/memstore_1/memories/mem_1?beta=true",
      "GET /memory_stores/memstore_1/memory_versions?beta=true&memory_id=mem_1&limit=100",
      "POST /memory_stores/memstore_1/memory_versions/memver_3/redact?beta=true",
      "GET /memory_stores/memstore_1/memory_versions?beta=true&memory_id=mem_1&limit=100&page=memver_2",
      "POST /memory_stores/memstore_1/memory_versions/memver_1/redact?beta=true",
    ]);
    expect(outcome).toEqual(erased);
  });

  it("redacts also when the memory was deleted before, by an attempt whose answer was lost or by the agent", () => {
    expect(play(erase.run(memory), [missing, page(null, version("memver_1")), redacted]).outcome).toEqual(erased);
  });

  it("says not found only when there is neither memory nor version, or no store", () => {
    expect(play(erase.run(memory), [missing, page(null)]).outcome).toEqual(notFound);
    expect(play(erase.run(memory), [missing, missing]).outcome).toEqual(notFound);
  });

  it("[I4] does not say erased when a version cannot be redacted, or the list cannot be read", () => {
    for (const replies of [
      [memoryGone, page(null, version("memver_1")), refused(400, "x")],
      [memoryGone, page(null, version("memver_1")), { status: 200, body: { redacted_at: null } }],
      [memoryGone, { status: 200, body: {} }],
      [memoryGone, refused(409, "x")],
    ])
      expect(play(erase.run(memory), replies).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I10] goes on in the next attempt when there is more than one may change", () => {
    const all = Array.from({ length: 100 }, (_, nth) => version(`memver_${nth}`));
    const { calls, outcome } = play(erase.run(memory), ({ method }) =>
      method === "DELETE" ? memoryGone : method === "GET" ? page("next", ...all) : redacted,
    );
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThan(400);
  });

  it("[I10] leaves a list without end to a person", () => {
    const { calls, outcome } = play(erase.run(memory), ({ method }) =>
      method === "DELETE" ? memoryGone : page("next", version("memver_1", "2026-11-21T09:00:00Z")),
    );
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
    expect(calls.length).toBeLessThan(100);
  });

  it("is still there for a look while one version is", () => {
    expect(play(look.run(memory), [missing, page(null, version("memver_1"))]).outcome).toBe("present");
    expect(play(look.run(memory), [missing, page(null)]).outcome).toBe("absent");
    expect(play(look.run(memory), [missing, missing]).outcome).toBe("absent");
    expect(play(look.run(memory), [{ status: 200, body: { id: "mem_1" } }]).outcome).toBe("present");
  });
});

it("[I4] sees nothing in a refusal, or in another object", () => {
  for (const reply of [refused(409, "x"), { status: 200, body: { id: "file_2" } }, { status: 404, body: "no" }])
    expect(play(look.run(order("file", "file_1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
});

it("names what Anthropic itself keeps, and for how long", () => {
  expect(anthropic.residuals.map(({ category, days }) => [category, days])).toEqual([
    ["api_inputs_and_outputs", 30],
    ["flagged_content", 730],
    ["safety_scores", 2555],
  ]);
});
