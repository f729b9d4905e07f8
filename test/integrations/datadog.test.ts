import { describe, expect, it } from "vitest";
import { datadog } from "../../integrations/datadog.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = datadog.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined || erase.check === undefined)
  throw new Error("Datadog has an erasure");
const { run, check, look } = erase;

const settings = {
  site: "us5.datadoghq.com",
  apiKey: "key-1",
  appKey: "app-1",
  userFacet: "@usr.id",
  emailFacet: "@http.email",
  days: "15",
};
const NOW = "2026-11-21T09:00:00.000Z";
const order = (value = "u-1", type = "datadog.user_id") => orderFor(settings, { type, value }, { attemptedAt: NOW });
const request = (attributes: object = {}, id = "7") => ({
  id,
  attributes: {
    status: "pending",
    is_created: true,
    created_at: "2026-11-11T09:00:00Z",
    total_unrestricted: 3,
    ...attributes,
  },
});
const listed = (requests: readonly object[], next_page?: string): Played => ({
  status: 200,
  body: { data: requests, meta: { next_page } },
});
const ask = (...replies: readonly Played[]) => play(check("7", order()), replies);

describe("asking for a deletion at Datadog", () => {
  it("names one value of one attribute, in the time for which logs are kept", () => {
    const { calls, outcome } = play(run(order()), [{ status: 200, body: { data: request() } }]);
    expect(outcome).toEqual(accepted("7", 864_000));
    expect(calls).toMatchObject([
      {
        method: "POST",
        at: { url: "https://api.us5.datadoghq.com/api/v2/deletion/data/logs" },
        headers: { "dd-api-key": "key-1", "dd-application-key": "app-1" },
      },
    ]);
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      data: {
        type: "create_deletion_req",
        attributes: {
          from: Date.parse("2026-11-06T09:00:00Z"),
          to: Date.parse(NOW),
          query: { "@usr.id": "u-1" },
        },
      },
    });
    const [call] = play(run(order("ada@example.com", "email")), [{ status: 200, body: { data: request() } }]).calls;
    expect(JSON.parse(call?.body ?? "").data.attributes.query).toEqual({ "@http.email": "ada@example.com" });
  });

  it.each(["*", "u-*", "u 1", 'u"1', "u:1", "(u OR v)", "-u", "u+1", "u?", "u\\1"])(
    "[I4] deletes nothing for %s, which could mean other people's logs",
    (value) => {
      expect(play(run(order(value)), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
      expect(play(look.run(order(value)), []).outcome).toMatchObject({ outcome: "unforeseen" });
    },
  );

  it.each([
    ["412", { status: 412, body: { errors: ["no"] } }, "switched on"],
    ["201", { status: 201, body: { data: request() } }, "document"],
    ["no id", { status: 200, body: { data: {} } }, "id"],
  ])("[I4] takes %s for no request", (_, reply, what) => {
    expect(play(run(order()), [reply]).outcome).toMatchObject({
      outcome: "unforeseen",
      what: expect.stringContaining(what),
    });
  });
});

describe("asking about a deletion at Datadog", () => {
  it("finds it in the list, over pages", () => {
    const { calls, outcome } = ask(listed([request({}, "9")], "cGFnZTI="), listed([request()]));
    expect(outcome).toEqual(erased);
    expect(calls.map(({ at }) => new URL(at.url).search)).toEqual([
      "?product=logs&page_size=50",
      "?next_page=cGFnZTI%3D",
    ]);
  });

  it("waits until nobody can cancel it any more", () => {
    expect(ask(listed([request({ created_at: "2026-11-11T09:00:01Z" })])).outcome).toEqual(accepted("7", 86_400));
    expect(ask(listed([request({ is_created: false })])).outcome).toEqual(accepted("7", 86_400));
    expect(ask(listed([request()])).outcome).toEqual(erased);
    expect(ask(listed([request({ total_unrestricted: 0 })])).outcome).toEqual(notFound);
  });

  it("[I4] begins anew, when it is told to, after somebody has canceled it or it has failed", () => {
    for (const status of ["canceled", "cancelled", "failed"])
      expect(ask(listed([request({ status })])).outcome).toMatchObject({ outcome: "unforeseen", anew: true });
  });

  it("[I4] is stuck where it is not listed, or does not say when it was asked for", () => {
    expect(ask(listed([])).outcome).toMatchObject({ outcome: "unforeseen" });
    expect(ask(listed([request({ created_at: "soon" })])).outcome).toMatchObject({ outcome: "unforeseen" });
    const endless = Array.from({ length: 10 }, () => listed([], "more"));
    expect(ask(...endless).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("rests with a key that may not", () => {
    expect(ask({ status: 403 }).outcome).toMatchObject({ outcome: "unauthorized", status: 403 });
    expect(play(run(order()), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
    expect(play(look.run(order()), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });
});

it("looks for logs that were written since", () => {
  const { calls, outcome } = play(look.run(order()), [{ status: 200, body: { data: [{}] } }]);
  expect(outcome).toBe("present");
  expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({ filter: { query: "@usr.id:u-1" }, page: { limit: 1 } });
  expect(play(look.run(order()), [{ status: 200, body: {} }]).outcome).toBe("absent");
  expect(play(look.run(order()), [{ status: 404 }]).outcome).toMatchObject({ outcome: "unforeseen" });
});

it("takes Datadog's own sites and plain attributes only", () => {
  const schema = settingsSchema(datadog.settings);
  for (const site of ["datadoghq.com", "datadoghq.eu", "us3.datadoghq.com"])
    expect(schema.safeParse({ ...settings, site }).success).toBe(true);
  for (const wrong of [{ site: "evil.example" }, { site: "x.datadoghq.com" }, { userFacet: "*" }, { days: "0" }])
    expect(schema.safeParse({ ...settings, ...wrong }).success).toBe(false);
});
