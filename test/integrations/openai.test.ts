import { describe, expect, it } from "vitest";
import { openai } from "../../integrations/openai.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { erase } = openai.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("OpenAI has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("OpenAI can be looked at");

const order = (type: string, value: string) => orderFor({ apiKey: "sk-test", webhookSecret: "" }, { type, value });
const page = (...ids: readonly string[]): Played => ({ status: 200, body: { data: ids.map((id) => ({ id })) } });
const deleted: Played = { status: 200, body: { deleted: true } };
const ok: Played = { status: 200, body: { id: "conv_1", object: "conversation" } };
const missing: Played = { status: 404, body: { error: { message: "no", type: "invalid_request_error" } } };
const lines = (calls: readonly Call[]) =>
  calls.map(({ method, at }) => `${method} ${at.url.slice("https://api.openai.com/v1".length)}`);

describe("erasing an object at OpenAI", () => {
  it.each([
    ["openai.file", "/files/x-1"],
    ["openai.vector_store", "/vector_stores/x-1"],
    ["openai.response", "/responses/x-1"],
    ["openai.chat_completion", "/chat/completions/x-1"],
  ])("deletes one of type %s by its id", (type, path) => {
    const { calls, outcome } = play(erase.run(order(type, "x-1")), [deleted]);
    expect(lines(calls)).toEqual([`DELETE ${path}`]);
    expect(outcome).toEqual(erased);
  });

  it("takes 404 for an object that is gone, as a repeated attempt sees it", () => {
    expect(play(erase.run(order("openai.file", "file-1")), [missing]).outcome).toEqual(notFound);
  });

  it.each([{ body: { deleted: false } }, { body: { id: "file-1" } }, { body: "OK" }])(
    "[I4] does not take a 200 with $body for an erasure",
    ({ body }) => {
      const { outcome } = play(erase.run(order("openai.file", "file-1")), [{ status: 200, body }]);
      expect(outcome).toMatchObject({ outcome: "unforeseen", status: 200 });
    },
  );

  it("[I4] does not say not found, nor absent, for a type that it does not know", () => {
    for (const steps of [erase.run(order("openai.assistant", "asst_1")), look.run(order("openai.assistant", "asst_1"))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("erasing a conversation at OpenAI", () => {
  const conversation = order("openai.conversation", "conv_1");

  it("erases the items first, because they outlive the conversation", () => {
    const { calls, outcome } = play(erase.run(conversation), [page("msg_1", "msg_2"), ok, ok, page(), deleted]);
    expect(lines(calls)).toEqual([
      "GET /conversations/conv_1/items?limit=100",
      "DELETE /conversations/conv_1/items/msg_1",
      "DELETE /conversations/conv_1/items/msg_2",
      "GET /conversations/conv_1/items?limit=100",
      "DELETE /conversations/conv_1",
    ]);
    expect(outcome).toEqual(erased);
  });

  it("asks for the first page again until there is none", () => {
    const { calls, outcome } = play(erase.run(conversation), [
      page("a"),
      ok,
      page("b"),
      ok,
      page("c"),
      ok,
      page(),
      deleted,
    ]);
    expect(calls).toHaveLength(8);
    expect(outcome).toEqual(erased);
  });

  it("goes on past an item that is gone already", () => {
    expect(play(erase.run(conversation), [page("a"), missing, page(), deleted]).outcome).toEqual(erased);
  });

  it("[I4] does not delete the conversation while an item cannot be deleted", () => {
    const { calls, outcome } = play(erase.run(conversation), [page("a", "b"), { status: 409 }]);
    expect(calls).toHaveLength(2);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 409 });
  });

  it("finds a conversation that is gone by its own 404", () => {
    expect(play(erase.run(conversation), [missing, missing]).outcome).toEqual(notFound);
  });

  it("goes on in the next attempt when there is more than one attempt may take", () => {
    const { calls, outcome } = play(erase.run(conversation), ({ method }) => (method === "GET" ? page("a") : ok));
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThanOrEqual(40);
    expect(lines(calls)).not.toContain("DELETE /conversations/conv_1");
  });

  it("[I10] makes no more calls in one attempt than the driver allows, however long the pages are", () => {
    const ids = Array.from({ length: 100 }, (_, index) => `msg_${index}`);
    const { calls, outcome } = play(erase.run(conversation), ({ method }) => (method === "GET" ? page(...ids) : ok));
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThan(400);
  });
});

describe("erasing completions by a metadata pair at OpenAI", () => {
  it("cuts the pair at its first equals sign, and leaves those in the value", () => {
    const { calls } = play(erase.run(order("openai.metadata", "subject=a=b==")), [page()]);
    const url = new URL(calls[0]?.at.url ?? "");
    expect([...url.searchParams]).toEqual([
      ["metadata[subject]", "a=b=="],
      ["limit", "100"],
    ]);
  });

  it("[I7] shows neither key nor value in the address of the evidence", () => {
    const { calls } = play(erase.run(order("openai.metadata", "subject=ada@example.com")), [page()]);
    expect(calls[0]?.at.template).not.toContain("ada");
    expect(calls[0]?.at.template).not.toContain("subject");
  });

  it("deletes what it finds, page by page, until there is none", () => {
    const { calls, outcome } = play(erase.run(order("openai.metadata", "subject=u1")), [
      page("c1", "c2"),
      deleted,
      missing,
      page("c3"),
      deleted,
      page(),
    ]);
    expect(lines(calls).filter((line) => line.startsWith("DELETE"))).toEqual([
      "DELETE /chat/completions/c1",
      "DELETE /chat/completions/c2",
      "DELETE /chat/completions/c3",
    ]);
    expect(outcome).toEqual(erased);
  });

  it("says not found only when the first search finds none", () => {
    expect(play(erase.run(order("openai.metadata", "subject=u1")), [page()]).outcome).toEqual(notFound);
  });

  it("[I4] stops at a completion that cannot be deleted", () => {
    const { outcome } = play(erase.run(order("openai.metadata", "subject=u1")), [
      page("c1"),
      { status: 403, body: {} },
    ]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 403 });
  });

  it("[I10] goes on in the next attempt when there are more than one attempt may erase", () => {
    const ids = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const { calls, outcome } = play(erase.run(order("openai.metadata", "subject=u1")), ({ method }) =>
      method === "GET" ? page(...ids) : deleted,
    );
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls.length).toBeLessThan(400);
  });

  it.each(["subject", "=u1", "subject=", "="])("[I4] neither searches nor looks for %s, which is no pair", (value) => {
    for (const steps of [erase.run(order("openai.metadata", value)), look.run(order("openai.metadata", value))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("looking again at OpenAI", () => {
  it("finds an object absent by 404, and present by 200", () => {
    expect(play(look.run(order("openai.file", "file-1")), [missing]).outcome).toBe("absent");
    expect(play(look.run(order("openai.file", "file-1")), [{ status: 200, body: {} }]).outcome).toBe("present");
  });

  it("finds completions with a metadata pair absent only when the list is empty", () => {
    const pair = order("openai.metadata", "subject=u1");
    expect(play(look.run(pair), [page()]).outcome).toBe("absent");
    expect(play(look.run(pair), [page("c1")]).outcome).toBe("present");
  });

  it("[I4] sees nothing in a refusal", () => {
    expect(play(look.run(order("openai.file", "file-1")), [{ status: 403 }]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });
});

const { hooks } = openai;
if (isAbsent(hooks) || hooks.events === undefined) throw new Error("OpenAI has webhooks");
const { events } = hooks;

describe("what OpenAI tells us", () => {
  // The known answer of the tests of its SDKs for Python, Go and Ruby.
  const secret = "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=";
  const signed = 1_750_861_210_000;
  const body =
    '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}';
  const headers = {
    "webhook-id": "wh_685c059ae39c8190af8c71ed1022a24d",
    "webhook-timestamp": "1750861210",
    "webhook-signature": "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
  };
  const verified = (settings: Readonly<Record<string, string | readonly string[]>>, now: number, more: object = {}) =>
    checked(events.verify, { body, headers: { ...headers, ...more } }, settings, { now });

  it("proves the known answer of OpenAI's own SDKs, within five minutes on either side", async () => {
    for (const now of [signed, signed + 300_000, signed - 300_000])
      expect(await verified({ webhookSecret: secret }, now)).toMatchObject({ ok: true });
    for (const now of [signed + 301_000, signed - 301_000])
      expect(await verified({ webhookSecret: secret }, now)).toMatchObject({ ok: false, problem: { reason: "stale" } });
  });

  it("takes any signature of the list, with the secret of any endpoint, and no other version", async () => {
    const both = { webhookSecret: [`whsec_${btoa("another endpoint's")}`, secret] };
    const known = headers["webhook-signature"];
    expect(await verified(both, signed, { "webhook-signature": `v2,AAAA v1,AAAA ${known}` })).toMatchObject({
      ok: true,
    });
    expect(await verified(both, signed, { "webhook-signature": known.replace("v1", "v2") })).toMatchObject({
      ok: false,
    });
    expect(await verified({}, signed)).toMatchObject({ ok: false, problem: { reason: "no_key" } });
  });

  it("counts what it says, and takes nothing for an erasure", () => {
    expect(events.read(proven(body))).toEqual({
      ok: true,
      value: [{ id: "evt_685c059ae3a481909bdc86819b066fb6", name: "response.completed", signals: [] }],
    });
    for (const type of ["safety.deactivation_issued", "response.deleted", "a.new.kind"])
      expect(events.read(proven(JSON.stringify({ id: "evt_1", type, data: { id: "C-1" } })))).toEqual({
        ok: true,
        value: [{ id: "evt_1", name: type, signals: [] }],
      });
  });

  it.each([{ id: "evt_1" }, { type: "response.completed" }, { id: 1, type: "response.completed" }, []])(
    "does not read %j",
    (said) => {
      expect(events.read(proven(JSON.stringify(said)))).toMatchObject({ ok: false });
    },
  );
});

it("names the thirty days for which OpenAI itself keeps logs", () => {
  expect(openai.residuals).toMatchObject([{ category: "abuse_monitoring_logs", days: 30 }]);
});
