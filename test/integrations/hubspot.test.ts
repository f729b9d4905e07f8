import { describe, expect, it } from "vitest";
import { hubspot } from "../../integrations/hubspot.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased } from "../../src/contract/outcome.ts";
import { orderFor, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = hubspot;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("HubSpot has a hook");

const AT = Date.parse("2026-11-21T09:00:00.123Z");
const item = {
  eventId: 1,
  subscriptionId: 12,
  portalId: 62515,
  appId: 54321,
  occurredAt: AT,
  subscriptionType: "contact.privacyDeletion",
  attemptNumber: 0,
  objectId: 33,
};
const read = (...items: readonly object[]) => {
  const reading = hook.read(proven(JSON.stringify(items)));
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value;
};

describe("what HubSpot tells us", () => {
  it("knows each event of a batch by account, type, object and time, because the event id is not unique", () => {
    const batch = read(item, { ...item, objectId: 34 }, { ...item, subscriptionType: "contact.deletion" });
    expect(batch.map(({ id }) => id)).toEqual([
      `62515:contact.privacyDeletion:33:${AT}`,
      `62515:contact.privacyDeletion:34:${AT}`,
      `62515:contact.deletion:33:${AT}`,
    ]);
    expect(read({ ...item, objectId: 34, attemptNumber: 3, eventId: 9 })[0]?.id).toBe(batch[1]?.id);
  });

  it("reads a full batch, and an empty one", () => {
    expect(read(...Array.from({ length: 100 }, (_, objectId) => ({ ...item, objectId })))).toHaveLength(100);
    expect(read()).toEqual([]);
  });

  it("erases for a deletion for good, and only notes one that can be restored", () => {
    expect(read(item)[0]?.signals).toEqual([
      { type: "account_deleted", identity: { type: "hubspot.contact", value: "62515/33" }, at: AT },
    ]);
    expect(read({ ...item, subscriptionType: "contact.deletion" })[0]?.signals[0]?.type).toBe("account_disabled");
    expect(hook.authority).toMatchObject({ account_deleted: "everywhere", account_disabled: "record" });
  });

  it("reads the newer names of contacts, and of nothing else", () => {
    const newer = { ...item, subscriptionType: "object.deletion", objectTypeId: "0-1" };
    expect(read(newer)[0]).toMatchObject({ name: "contact.deletion", signals: [{ type: "account_disabled" }] });
    expect(read({ ...newer, objectTypeId: "0-2" })[0]).toMatchObject({ name: "object.deletion", signals: [] });
  });

  it("counts what it does not know, and what has no object", () => {
    for (const subscriptionType of ["contact.merge", "contact.propertyChange", "company.deletion", "toString"])
      expect(read({ ...item, subscriptionType, objectId: null })[0]).toMatchObject({
        name: subscriptionType,
        signals: [],
      });
  });

  it("takes ids as text", () => {
    const text = { ...item, portalId: "62515", objectId: "99999999999999999999" };
    expect(read(text)[0]?.signals[0]?.identity.value).toBe("62515/99999999999999999999");
  });

  it.each([
    { change: { objectId: undefined }, at: "1.objectId" },
    { change: { objectId: 2 ** 60 }, at: "1.objectId" },
    { change: { objectId: "../1" }, at: "1.objectId" },
    { change: { portalId: undefined }, at: "1.portalId" },
    { change: { occurredAt: "now" }, at: "1.occurredAt" },
  ])("refuses a batch with a deletion that does not say $at", ({ change, at }) => {
    expect(() => read(item, { ...item, ...change })).toThrow(at);
  });
});

describe("HubSpot's signature", () => {
  const settings = { clientSecret: "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy" };
  const url = "https://gateway.example.com/hooks/acme/hubspot/events";
  const headers = {
    "x-hubspot-request-timestamp": `${AT}`,
    "x-hubspot-signature-v3": "vgK4z0VGASUvefjarZTdAl7XhahVVpGG01ESvsb5J6I=",
  };
  const delivery = { url, body: "[]", headers };

  // Made with OpenSSL from HubSpot's recipe; no example with its secret is published.
  it("covers method, address, body and time in milliseconds", async () => {
    expect((await checked(hook.verify, delivery, settings, { now: AT })).ok).toBe(true);
    for (const change of [{ url: `${url}?x=1` }, { method: "PUT" }, { body: "[ ]" }])
      expect((await checked(hook.verify, { ...delivery, ...change }, settings, { now: AT })).ok).toBe(false);
  });

  it("[I5] is good for five minutes", async () => {
    expect((await checked(hook.verify, delivery, settings, { now: AT + 300_000 })).ok).toBe(true);
    expect((await checked(hook.verify, delivery, settings, { now: AT + 300_001 })).ok).toBe(false);
  });

  // https://legacydocs.hubspot.com/docs/faq/v1-request-validation
  it("[I5] refuses the older signatures, which are plain hashes", async () => {
    const older = {
      "x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de",
      "x-hubspot-signature-version": "v1",
      "x-hubspot-request-timestamp": `${AT}`,
    };
    expect((await checked(hook.verify, { ...delivery, headers: older }, settings, { now: AT })).ok).toBe(false);
  });
});

describe("erasing a contact at HubSpot", () => {
  const { erase } = hubspot.actions;
  if (isAbsent(erase) || isBulk(erase)) throw new Error("HubSpot has an erasure");
  const orderOf = (type: string, value: string) =>
    orderFor({ accessToken: "pat-na1-1", portalId: "62515", clientId: "", clientSecret: "" }, { type, value });
  const page = (contacts: readonly object[], after?: string) => ({
    status: 200,
    body: { results: contacts, ...(after !== undefined && { paging: { next: { after } } }) },
  });
  const contact = (id: string, email: string | null, hs_additional_emails: string | null = null) => ({
    id,
    properties: { email, hs_additional_emails },
  });

  it("finds a person's contacts by any of their addresses, on every page, and nobody who only resembles them", () => {
    const { calls, outcome } = play(erase.run(orderOf("email", "Ada@example.com")), [
      page([contact("1", "ADA@example.com"), contact("2", "ada@example.com.org")], "100"),
      page([contact("3", "x@example.com", "b@example.com; ada@example.com"), contact("4", null, "nada@example.com")]),
    ]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["1", "3"].map((id) => ({ type: "hubspot.contact", value: `62515/${id}` })),
    });
    expect(calls.map(({ body }) => JSON.parse(body ?? "").after)).toEqual(["0", "100"]);
  });

  it("deletes by id, never by address, which would block an address that is not found", () => {
    const { calls, outcome } = play(erase.run(orderOf("hubspot.contact", "62515/33")), [
      { status: 200, body: { id: "33" } },
      { status: 204 },
    ]);
    expect(outcome).toEqual(erased);
    expect(calls[1]).toMatchObject({
      method: "POST",
      at: { url: "https://api.hubapi.com/crm/objects/2026-03/contacts/gdpr-delete" },
      body: '{"objectId":"33"}',
    });
  });

  it.each(["99/33", "33", "62515/", "62515/33/1", "62515/ada@example.com"])(
    "[I4] claims nothing about %s, which is no contact of this account",
    (value) => {
      expect(play(erase.run(orderOf("hubspot.contact", value)), []).outcome).toMatchObject({ outcome: "unforeseen" });
    },
  );

  it("gives a search that does not end to a person", () => {
    const { outcome } = play(erase.run(orderOf("email", "ada@example.com")), () => page([], "100"));
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("tokens of connections", () => {
  const { oauth } = hubspot;
  if (isAbsent(oauth) || oauth.adapt === undefined) throw new Error("HubSpot has OAuth with deviations");
  const { adapt, account } = oauth;

  it("reads its own words for a token that is no good, and takes no other refusal for that", () => {
    const refused = (json: Record<string, unknown>) => adapt({ status: 400, json })?.json.error;
    expect(refused({ status: "BAD_REFRESH_TOKEN" })).toBe("invalid_grant");
    expect(refused({ error: "invalid_grant" })).toBe("invalid_grant");
    expect(refused({ status: "BAD_CLIENT_ID" })).toBe("refused");
    expect(refused({ category: "VALIDATION_ERROR", message: "Invalid refresh token" })).toBe("validation_error");
  });

  it("asks for no account that the answer has named", () => {
    const settings = { accessToken: "", portalId: "", clientId: "", clientSecret: "" };
    const whose = account({ settings, accessToken: "t0ken", answer: { hub_id: 62515 }, claims: {} });
    const { calls, outcome } = "ok" in whose ? { calls: [], outcome: whose } : play(whose, []);
    expect([calls, outcome]).toEqual([[], { ok: true, value: { type: "hubspot.account", value: "62515" } }]);
  });
});
