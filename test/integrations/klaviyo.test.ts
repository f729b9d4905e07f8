import { describe, expect, it } from "vitest";
import { klaviyo } from "../../integrations/klaviyo.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = klaviyo;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("Klaviyo has a hook");

const topic = "event:klaviyo.unsubscribed_from_email_marketing";
const item = (external_id: string, data: object = {}) => ({
  external_id,
  topic,
  payload: {
    data: {
      id: external_id,
      type: "event",
      attributes: { datetime: "2026-04-13T22:16:46+00:00", event_properties: { email_address: "ada@example.com" } },
      relationships: { profile: { data: { type: "profile", id: "P1" } } },
      ...data,
    },
  },
});
const meta = { klaviyo_account_id: "WBhXHN", klaviyo_webhook_id: "w1", timestamp: "2026-04-13T22:49:36.261080+00:00" };
const read = (...data: readonly object[]) => {
  const reading = hook.read(proven(JSON.stringify({ data, meta }), {}, 7));
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value;
};

describe("what Klaviyo tells us", () => {
  it("notes each of a thousand who unsubscribed, under the event's own id and time", () => {
    const events = read(...Array.from({ length: 1000 }, (_, index) => item(`E${index}`)));
    expect(new Set(events.map(({ id }) => id)).size).toBe(1000);
    expect(events[7]).toEqual({
      id: "E7",
      name: topic,
      signals: [
        {
          type: "consent_withdrawn",
          identity: { type: "klaviyo.profile", value: "P1" },
          at: Date.parse("2026-04-13T22:16:46Z"),
        },
      ],
    });
  });

  it("takes the e-mail address where no profile is named, and the batch's time where the event has none", () => {
    const attributes = { event_properties: { email_address: "ada@example.com" } };
    expect(read(item("E1", { relationships: undefined, attributes }))[0]?.signals).toEqual([
      {
        type: "consent_withdrawn",
        identity: { type: "email", value: "ada@example.com" },
        at: Date.parse("2026-04-13T22:49:36.261Z"),
      },
    ]);
  });

  it("counts an event that says not whose it is, and keeps the others", () => {
    const events = read({ external_id: "E1", topic, payload: { odd: true } }, { topic, payload: null }, item("E3"));
    expect(events.map(({ signals }) => signals.length)).toEqual([0, 0, 1]);
  });

  it("takes no other topic for a withdrawal", () => {
    for (const other of ["event:klaviyo.subscribed_to_email_marketing", "event:klaviyo.bounced_email"])
      expect(read({ ...item("E1"), topic: other })[0]).toEqual({ id: "E1", name: other, signals: [] });
  });
});

describe("Klaviyo's signature", () => {
  const delivery = {
    body: '{"data":[]}',
    headers: {
      "klaviyo-timestamp": "Tue, 14 Apr 2026 03:50:12 GMT",
      "klaviyo-signature": "fc069208c8e3cfa6c33e39a5d2be46a7263a252c653ae7477579d58830532827",
    },
  };

  // Made with OpenSSL from the recipe of Klaviyo's documents.
  it("covers the body first and then the header's time, word for word", async () => {
    expect((await checked(hook.verify, delivery, { secretKey: "Jefe" })).ok).toBe(true);
    const later = { ...delivery.headers, "klaviyo-timestamp": "Tue, 14 Apr 2026 03:50:13 GMT" };
    expect((await checked(hook.verify, { ...delivery, headers: later }, { secretKey: "Jefe" })).ok).toBe(false);
  });
});

describe("erasing a profile at Klaviyo", () => {
  const { erase } = klaviyo.actions;
  if (isAbsent(erase) || isBulk(erase)) throw new Error("Klaviyo has an erasure");
  const orderOf = (type: string, value: string) => orderFor({ apiKey: "pk_1", secretKey: "" }, { type, value });

  it("asks for one profile by its id, with the key in a header", () => {
    const { calls } = play(erase.run(orderOf("klaviyo.profile", "P1")), [
      { status: 200, body: { data: { type: "profile", id: "P1" } } },
      { status: 202 },
    ]);
    expect(calls[1]).toMatchObject({
      method: "POST",
      at: { url: "https://a.klaviyo.com/api/data-privacy-deletion-jobs" },
      headers: {
        authorization: "Klaviyo-API-Key pk_1",
        revision: "2026-07-15",
        "content-type": "application/vnd.api+json",
      },
    });
    expect(JSON.parse(calls[1]?.body ?? "")).toEqual({
      data: {
        type: "data-privacy-deletion-job",
        attributes: { profile: { data: { type: "profile", id: "P1", attributes: {} } } },
      },
    });
  });

  it("[I13] lets no value change the filter, and shows none of it in evidence", () => {
    const { calls } = play(erase.run(orderOf("email", 'a"),equals(id,"x@example.com')), [
      { status: 200, body: { data: [] } },
    ]);
    const filter = new URL(calls[0]?.at.url ?? "").searchParams.get("filter");
    expect(filter).toBe('equals(email,"a\\"),equals(id,\\"x@example.com")');
    expect(calls[0]?.at.template).toBe("https://a.klaviyo.com/api/profiles?filter={filter}");
  });

  it("gives more than a page of profiles to a person", () => {
    const body = { data: [{ id: "P1" }], links: { next: "https://a.klaviyo.com/api/profiles?page[cursor]=x" } };
    const { outcome } = play(erase.run(orderOf("email", "ada@example.com")), [{ status: 200, body }]);
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
