import { describe, expect, it } from "vitest";
import { intercom } from "../../integrations/intercom.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { isPresence } from "../../src/intake/challenge.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { erase } = intercom.actions;
const { hooks } = intercom;
if (isAbsent(erase) || isBulk(erase) || isAbsent(hooks)) throw new Error("Intercom has an erasure and hooks");
const { topics, uninstall } = hooks;
const settings = {
  region: "us",
  accessToken: "t0ken",
  clientId: "",
  clientSecret: "",
  workspaceId: "",
  uninstallSecret: "",
};
const contact = { type: "intercom.contact", value: "65f642bf674b9af4e9e46dd1" };
const missing: Played = { status: 404, body: { type: "error.list", errors: [{ code: "not_found" }] } };
const deleted: Played = { status: 200, body: { id: contact.value, deleted: true } };
const requested: Played = { status: 200, body: { id: 10 } };
const run = (replies: readonly Played[], identity = contact) => play(erase.run(orderFor(settings, identity)), replies);

describe("what Intercom tells us", () => {
  const read = (body: unknown) => topics?.read(proven(JSON.stringify(body), {}, 5_000));
  const signals = (body: unknown) => {
    const reading = read(body);
    return reading?.ok === true ? reading.value.flatMap((event) => event.signals) : undefined;
  };
  const item = (id: unknown, more: object = {}) => ({ data: { item: { type: "contact", id, ...more } } });

  it("takes a deletion with nothing but the contact's id", () => {
    expect(signals({ topic: "contact.deleted", id: "n1", created_at: 5, ...item("c1") })).toEqual([
      { type: "account_deleted", identity: { type: "intercom.contact", value: "c1" }, at: 5_999 },
    ]);
  });

  it("refuses a deletion without one", () => {
    for (const body of [
      { topic: "contact.deleted", id: "n1" },
      { topic: "user.deleted", id: "n1", ...item(null) },
    ])
      expect(read(body)).toEqual({ ok: false, problem: { reason: "unreadable", at: "data.item.id" } });
  });

  it("takes an archived contact for no erasure, under either name of the topic", () => {
    for (const topic of ["contact.archived", "contact.archive"])
      expect(signals({ topic, id: "n1", created_at: 5, ...item("c1") })).toMatchObject([{ type: "account_disabled" }]);
  });

  it("takes the contact that an item names before the item itself", () => {
    expect(signals({ topic: "contact.unsubscribed", id: "n1", ...item("s1", { contact: { id: "c1" } }) })).toEqual([
      { type: "consent_withdrawn", identity: { type: "intercom.contact", value: "c1" }, at: 5_000 },
    ]);
  });

  it("takes a conversation's id from a stub or from the conversation itself, number or text", () => {
    const identity = { type: "intercom.conversation", value: "456" };
    for (const item of [
      { type: "conversation", conversation_id: "456" },
      { type: "conversation", id: 456 },
    ])
      expect(signals({ topic: "conversation.deleted", id: "n1", data: { item } })).toEqual([
        { type: "content_deleted", identity, at: 5_000 },
      ]);
  });

  it("gives a ping an id from what it says, and knows other topics without a signal", () => {
    expect(read({ topic: "ping", id: null, created_at: 7, data: { item: { type: "ping" } } })).toEqual({
      ok: true,
      value: [{ id: "ping::7", name: "ping", signals: [] }],
    });
    expect(signals({ topic: "contact.merged", id: "n1", ...item("c1", { merged_from: "c2" }) })).toEqual([]);
    expect(signals({ topic: "something.new", id: "n1", data: { item: {} } })).toEqual([]);
  });

  it("[I5] verifies RFC 2202's second case of HMAC-SHA1, written as Intercom writes it", async () => {
    const digest = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
    const verified = (signature: string) =>
      topics &&
      checked(
        topics.verify,
        { body: "what do ya want for nothing?", headers: { "x-hub-signature": signature } },
        { clientSecret: "Jefe" },
      );
    expect(await verified(`sha1=${digest}`)).toMatchObject({ ok: true });
    expect(await verified(digest)).toMatchObject({ ok: false });
    expect(await verified(`sha256=${digest}`)).toMatchObject({ ok: false });
  });

  it("answers a HEAD at either address with 200, and causes nothing", async () => {
    for (const hook of [topics, uninstall]) {
      expect(isPresence(hook?.challenges ?? [], "HEAD")).toBe(true);
      expect(isPresence(hook?.challenges ?? [], "GET")).toBe(false);
    }
  });

  it("only notes that the app was removed", () => {
    expect(uninstall?.authority).toEqual({ deauthorized: "record" });
    expect(topics?.authority).toMatchObject({ account_deleted: "here" });
  });
});

describe("erasing a contact at Intercom", () => {
  it.each([
    ["us", "https://api.intercom.io"],
    ["eu", "https://api.eu.intercom.io"],
    ["au", "https://api.au.intercom.io"],
  ])("goes to the workspace's region %s", (region, origin) => {
    const { calls } = play(erase.run(orderFor({ ...settings, region }, contact)), [requested, deleted]);
    expect(calls.map(({ method, at }) => `${method} ${at.url}`)).toEqual([
      `POST ${origin}/user_delete_requests`,
      `DELETE ${origin}/contacts/${contact.value}`,
    ]);
  });

  it("asks for permanent deletion in the version that has it, and names the contact", () => {
    const [asked] = run([requested, deleted]).calls;
    expect(asked).toMatchObject({ headers: { "intercom-version": "1.3" } });
    expect(JSON.parse(asked?.body ?? "")).toEqual({ intercom_user_id: contact.value });
  });

  it("takes a contact that is gone after permanent deletion was taken for erased", () => {
    expect(run([requested, missing]).outcome).toEqual(erased);
    expect(run([missing, missing]).outcome).toEqual(notFound);
  });

  it("[I4] takes neither the number of a request nor a mere 200 for an erasure", () => {
    expect(run([{ status: 200, body: {} }]).outcome).toMatchObject({ outcome: "unforeseen" });
    expect(run([requested, { status: 200, body: { id: contact.value } }]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
    expect(run([{ status: 202, body: { id: 10 } }]).outcome).toMatchObject({ outcome: "unforeseen", status: 202 });
  });

  it("goes on to the contact into which this one was merged", () => {
    const merged = { status: 410, headers: { link: '<https://api.intercom.io/contacts/c2>; rel="canonical"' } };
    expect(run([missing, merged]).outcome).toEqual({
      outcome: "found",
      identities: [{ type: "intercom.contact", value: "c2" }],
    });
    expect(run([missing, { status: 410 }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("finds every contact with the address, over several pages, and none with another", () => {
    const page = (data: readonly object[], next?: string): Played => ({
      status: 200,
      body: { data, pages: { ...(next !== undefined && { next: { starting_after: next } }) } },
    });
    const { calls, outcome } = run(
      [
        page(
          [
            { id: "c1", email: "Ada@Example.com" },
            { id: "c3", email: "adam@example.com" },
          ],
          "x",
        ),
        page([{ id: "c2", email: "ada@example.com" }]),
      ],
      { type: "email", value: "ada@example.com" },
    );
    expect(outcome).toMatchObject({ identities: [{ value: "c1" }, { value: "c2" }] });
    expect(JSON.parse(calls[1]?.body ?? "")).toMatchObject({ pagination: { starting_after: "x" } });
  });
});
