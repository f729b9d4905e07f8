import { describe, expect, it } from "vitest";
import { zoom } from "../../integrations/zoom.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { answerProven } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = zoom;
if (isAbsent(hooks)) throw new Error("Zoom has hooks");
const { deauthorization, events } = hooks;
if (deauthorization === undefined || events === undefined) throw new Error("Zoom has two hooks");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const at = Date.parse("2026-01-01T00:00:00Z");
const removal = {
  event: "app_deauthorized",
  event_ts: at + 5,
  payload: { account_id: "A1", user_id: "U1", signature: "old", deauthorization_time: "2026-01-01T00:00:00.000Z" },
};
const change = (event: string) => ({ event, event_ts: at, payload: { account_id: "A1", object: { id: "U1" } } });
const read = (hook: typeof events, body: unknown) => hook.read(proven(JSON.stringify(body), {}, NOW));
const user = { type: "zoom.user", value: "U1" };

describe("what Zoom tells of its apps", () => {
  it("ends a person's grant when the app was removed", () => {
    expect(read(deauthorization, removal)).toEqual({
      ok: true,
      value: [
        {
          id: `app_deauthorized:A1:U1:${at}`,
          name: "app_deauthorized",
          signals: [{ type: "deauthorized", identity: user, at }],
        },
      ],
    });
  });

  it.each(["true", "false", undefined])("ends it whatever the older user_data_retention says: %s", (retention) => {
    const payload = { ...removal.payload, user_data_retention: retention };
    expect(read(deauthorization, { ...removal, payload })).toMatchObject({
      value: [{ signals: [{ type: "deauthorized" }] }],
    });
  });

  it("takes the event's time where there is no usable other, outside or inside, or that of arrival", () => {
    const { deauthorization_time: _, ...payload } = removal.payload;
    const times = [
      { ...removal, payload: { ...payload, deauthorization_time: "then" } },
      { event: removal.event, payload: { ...payload, event_ts: at + 6 } },
      { event: removal.event, payload },
    ].map((body) => {
      const reading = read(deauthorization, body);
      return reading.ok ? reading.value[0]?.signals[0]?.at : undefined;
    });
    expect(times).toEqual([at + 5, at + 6, NOW]);
  });

  it("refuses a removal that says not whose", () => {
    for (const payload of [{}, { account_id: "A1" }, { user_id: 1, account_id: "A1" }])
      expect(read(deauthorization, { ...removal, payload }).ok).toBe(false);
  });

  it("causes nothing by what belongs to the other address", () => {
    expect(read(deauthorization, change("user.deleted"))).toMatchObject({
      value: [{ name: "user.deleted", signals: [] }],
    });
    expect(read(events, removal)).toMatchObject({ value: [{ name: "app_deauthorized", signals: [] }] });
  });
});

describe("what Zoom tells of its users", () => {
  it.each([
    { event: "user.deleted", type: "account_deleted" },
    { event: "user.disassociated", type: "account_disabled" },
    { event: "user.deactivated", type: "account_disabled" },
    { event: "user.activated", type: "account_restored" },
  ])("takes $event for $type", ({ event, type }) => {
    expect(read(events, change(event))).toEqual({
      ok: true,
      value: [{ id: `${event}:${at}:A1:U1`, name: event, signals: [{ type, identity: user, at }] }],
    });
  });

  it("refuses a deletion that says not whose, and ignores what it does not know", () => {
    expect(read(events, { ...change("user.deleted"), payload: { account_id: "A1", object: {} } }).ok).toBe(false);
    expect(read(events, { ...change("user.deleted"), event_ts: "now" }).ok).toBe(false);
    expect(read(events, { event: "user.signed_in", event_ts: at, payload: null })).toMatchObject({
      value: [{ name: "user.signed_in", signals: [] }],
    });
  });

  it("erases nobody for having left an account", () => {
    expect(events.authority.account_disabled).toBe("record");
  });
});

describe("Zoom's validation of an address", () => {
  const asked = {
    method: "POST",
    url: "https://gateway.example.com/hooks/acme/zoom/events",
    values: async () => ["Jefe", "older"],
  };
  const answer = async (plainToken: unknown, hook = events) => {
    const body = { event: "endpoint.url_validation", event_ts: at, payload: { plainToken } };
    return answerProven(hook.challenges ?? [], proven(JSON.stringify(body)), asked);
  };

  // HMAC-SHA256 with OpenSSL; the token is that of Zoom's documents.
  it("is answered with the token and its hash under the newest secret, at both addresses", async () => {
    for (const hook of [events, deauthorization]) {
      const response = await answer("qgg8vlvZRS6UYooatFL8Aw", hook);
      expect(response?.status).toBe(200);
      expect(await response?.json()).toEqual({
        plainToken: "qgg8vlvZRS6UYooatFL8Aw",
        encryptedToken: "15e1939c8e70c8898d5dcb4fa0606a95ea6390dd2d584263fc91afb50b85aca3",
      });
    }
  });

  it("[I5] signs no text that could be a delivery's", async () => {
    for (const token of ["v0:1767225600:{}", "", "a b", 1, null, "a".repeat(129)])
      expect(await answer(token)).toBeUndefined();
  });
});

describe("Zoom's signature", () => {
  const delivery = {
    body: JSON.stringify(removal),
    headers: {
      "x-zm-request-timestamp": "1767225600",
      "x-zm-signature": "v0=f81732ff973b6742921d54217a07a97f45b3e130f3957d8926f1863bfd20d6fe",
    },
  };

  // Made with OpenSSL from the recipe of Zoom's documents, which show no example with its secret.
  it("covers version, time and body; and has no age", async () => {
    const settings = { secretToken: "Jefe" };
    for (const now of [at, at + 86 * 60_000])
      expect((await checked(events.verify, delivery, settings, { now })).ok).toBe(true);
    const bare = { ...delivery.headers, "x-zm-signature": delivery.headers["x-zm-signature"].slice(3) };
    expect((await checked(events.verify, { ...delivery, headers: bare }, settings)).ok).toBe(false);
  });

  it("does not take the retired verification token for a proof", async () => {
    const old = { body: delivery.body, headers: { authorization: "Jefe" } };
    expect((await checked(events.verify, old, { secretToken: "Jefe" })).ok).toBe(false);
  });
});
