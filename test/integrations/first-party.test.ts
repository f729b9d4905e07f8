import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstParty } from "../../integrations/first-party.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { awaitsCompletion, erased, informed, notFound, retained, revoked } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const { erase, revoke } = firstParty.actions;
if (isAbsent(erase) || isBulk(erase) || isAbsent(revoke) || isBulk(revoke))
  throw new Error("an own system can erase and revoke");
const settings = { url: "https://privacy.example.com/erasure", secret: `whsec_${"A".repeat(43)}=` };
const identities = [
  { type: "email", value: "ada@example.com" },
  { type: "user_id", value: "u-1" },
];
const order = orderFor(settings, identities[0] ?? { type: "email", value: "" }, {
  identities,
  requestId: "req_1",
  taskId: "product.erase",
  keeps: new Set(["billing_records"]),
});
const outcomeOf = (reply: Played) => play(erase.run(order), [reply]).outcome;
const webhookId = ([call]: readonly Call[]) => (call?.sign?.scheme === "standard-webhooks" ? call.sign.id : "");

describe("telling an own system of an erasure", () => {
  it("sends who, what and which categories are kept, to be signed as a Standard Webhook", () => {
    const { calls } = play(erase.run(order), [{ status: 200, body: { status: "done" } }]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: settings.url, template: "{endpoint}" },
      sign: { scheme: "standard-webhooks", secret: settings.secret },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      type: "erasure.requested",
      timestamp: "2026-11-20T09:00:00.000Z",
      data: { request: "req_1", task: "product.erase", identities, keeps: ["billing_records"] },
    });
  });

  it("[I3] gives every repetition the same id, without a full stop, and each task its own", () => {
    const idOf = (taskId: string) => webhookId(play(erase.run({ ...order, taskId }), [{ status: 500 }]).calls);
    expect(idOf("product.erase")).toBe(idOf("product.erase"));
    expect(idOf("product.erase")).toMatch(/^msg_[^.]+$/);
    expect(idOf("product.erase")).not.toBe(idOf("search.erase"));
  });

  it("says of what, when somebody else's grant ended", () => {
    const { calls } = play(revoke.run({ ...order, scope: "facebook" }), [{ status: 200, body: { status: "done" } }]);
    expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({
      type: "revocation.requested",
      data: { scope: "facebook" },
    });
  });

  it.each([
    { body: { status: "done" }, outcome: erased },
    { body: { status: "not_found" }, outcome: notFound },
    { body: { status: "accepted" }, outcome: awaitsCompletion },
    { body: { status: "retained", category: "backups" }, outcome: retained("backups", identities) },
  ])("understands $body", ({ body, outcome }) => {
    expect(outcomeOf({ status: 200, body })).toEqual(outcome);
    expect(outcomeOf({ status: 202, body })).toEqual(outcome);
  });

  it("calls a revocation that is done revoked", () => {
    expect(play(revoke.run(order), [{ status: 200, body: { status: "done" } }]).outcome).toEqual(revoked);
  });

  it("[I4] takes a page that answers 200 to everything for nothing at all", () => {
    for (const body of ["<!doctype html><title>Welcome</title>", "", "OK", "done", "true", '"done"'])
      expect(outcomeOf({ status: 200, body })).toMatchObject({ outcome: "unforeseen", status: 200 });
  });

  it("[I4] counts only the four words", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          statusWord().map((status) => JSON.stringify({ status })),
        ),
        (body) => {
          expect(outcomeOf({ status: 200, body })).toMatchObject({ outcome: "unforeseen" });
        },
      ),
    );
  });

  it("[I4] does not take the right word in a refusal", () => {
    for (const status of [201, 204, 301, 400, 404, 410])
      expect(outcomeOf({ status, body: { status: "done" } })).toMatchObject({ outcome: "unforeseen", status });
  });

  it("[I7] takes no category but a plain word, so that nothing personal comes into a receipt", () => {
    for (const category of [
      "ada@example.com",
      "Ada Lovelace",
      "+44 20 7946 0000",
      "Backups",
      "b",
      "_b",
      `b${"a".repeat(64)}`,
    ])
      expect(outcomeOf({ status: 200, body: { status: "retained", category } })).toMatchObject({
        outcome: "unforeseen",
      });
  });
});

describe("the challenge of an own system", () => {
  const { probe } = firstParty;
  if (probe === undefined) throw new Error("an own system is challenged before it is used");

  it("[I13] accepts an endpoint that repeats the challenge", () => {
    const { calls, outcome } = play(probe(settings, "c-1"), [{ status: 200, body: { challenge: "c-1" } }]);
    expect(outcome).toEqual(informed);
    expect(calls[0]?.sign).toMatchObject({ scheme: "standard-webhooks", secret: settings.secret });
    expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({
      type: "endpoint.verification",
      data: { challenge: "c-1" },
    });
  });

  it.each<Played>([
    { status: 200, body: { challenge: "c-2" } },
    { status: 200, body: { status: "done" } },
    { status: 200, body: "c-1" },
    { status: 202, body: { challenge: "c-1" } },
    { status: 404, body: { challenge: "c-1" } },
  ])("[I13] refuses an endpoint that answers $status with $body", (reply) => {
    expect(play(probe(settings, "c-1"), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("telling an own system of deleted content", () => {
  const { content } = firstParty;
  if (content === undefined) throw new Error("an own system takes content deletions");
  const deletedAt = "2026-11-21T08:59:59.000Z";
  const items = [{ type: "x.post", id: "1", source: "x/events", deletedAt }];
  const batch = { id: "ctb_1", at: "2026-11-21T09:00:00.000Z", items };

  it("names each item and the batch, under the same id at each repetition", () => {
    const { calls, outcome } = play(content(settings, batch), [{ status: 204 }]);
    expect(outcome).toEqual(informed);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.sign).toEqual({ scheme: "standard-webhooks", secret: settings.secret, id: "msg_ctb_1" });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      type: "content.deleted",
      timestamp: "2026-11-21T09:00:00.000Z",
      data: {
        batch: "ctb_1",
        items: [{ type: "x.post", id: "1", source: "x/events", deleted_at: deletedAt }],
      },
    });
    expect(play(content(settings, batch), [{ status: 200 }]).calls).toEqual(calls);
  });

  it.each([301, 400, 404, 410, 422])("[I4] has told nobody where it answers %d", (status) => {
    expect(play(content(settings, batch), [{ status }]).outcome).toMatchObject({ outcome: "unforeseen", status });
  });
});

describe("telling an own system that something happened", () => {
  const { notify } = firstParty;
  if (notify === undefined) throw new Error("an own system is told");
  const notice = { id: "evt.1", type: "receipt.issued", at: "2026-11-21T09:00:00.000Z", data: { request: "req_1" } };

  it("[I7] sends ids only", () => {
    const { calls, outcome } = play(notify(settings, notice), [{ status: 204 }]);
    expect(outcome).toEqual(informed);
    expect(webhookId(calls)).toBe("msg_evt_1");
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      type: "receipt.issued",
      timestamp: "2026-11-21T09:00:00.000Z",
      data: { request: "req_1" },
    });
  });

  it("is not content with anything but success", () => {
    for (const status of [199, 300, 404, 410])
      expect(play(notify(settings, notice), [{ status }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("the settings of an own system", () => {
  const schema = settingsSchema(firstParty.settings);

  it.each([
    "http://privacy.example.com/",
    "https://privacy.example.com:8443/",
    "https://user:word@privacy.example.com/",
    "https://privacy.example.com/?token=1",
    "https://privacy.example.com/#x",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://localhost/",
    "https://privacy/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "ftp://privacy.example.com/",
    "privacy.example.com",
  ])("[I13] refuses %s as an endpoint", (url) => {
    expect(schema.safeParse({ ...settings, url }).success).toBe(false);
  });

  it("takes several secrets, newest first, and no setting that it does not know", () => {
    expect(schema.safeParse({ ...settings, secret: [settings.secret, settings.secret] }).success).toBe(true);
    expect(schema.safeParse({ ...settings, secret: [] }).success).toBe(false);
    expect(schema.safeParse({ ...settings, secrets: "x" }).success).toBe(false);
  });
});

const statusWord = () => fc.string().filter((word) => !["done", "not_found", "accepted", "retained"].includes(word));
