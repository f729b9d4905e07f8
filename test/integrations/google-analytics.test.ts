import { describe, expect, it } from "vitest";
import { googleAnalytics } from "../../integrations/google-analytics.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const { erase } = googleAnalytics.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("it erases");

const settings = { serviceAccountKey: keyFile("PEM"), properties: "111, 222" };
const order = (type: string, value: string) => orderFor(settings, { type: `google-analytics.${type}`, value });
const token: Played = { status: 200, body: { access_token: "ya29.a" } };
const asked = (deletionRequestTime: string): Played => ({ status: 200, body: { deletionRequestTime } });

describe("having Google Analytics delete a user", () => {
  it.each([
    ["client_id", "1.2", { clientId: "1.2" }],
    ["app_instance_id", "abc", { appInstanceId: "abc" }],
    ["user_id", "u-42", { userId: "u-42" }],
    ["user_provided_data", "ada@example.com", { userProvidedData: "ada@example.com" }],
  ])("asks every property for a %s, with exactly one id", (type, value, body) => {
    const { calls } = play(erase.run(order(type, value)), [
      token,
      asked("2026-11-21T09:00:00Z"),
      asked("2026-11-21T09:00:01Z"),
    ]);
    expect(calls.slice(1).map(({ at }) => at.url)).toEqual(
      ["111", "222"].map((id) => `https://analyticsadmin.googleapis.com/v1alpha/properties/${id}:submitUserDeletion`),
    );
    for (const call of calls.slice(1)) expect(JSON.parse(call.body ?? "")).toEqual(body);
  });

  it("[I4] claims no erasure, but until when Google keeps the data, and leaves no id: asking again would put it off", () => {
    const { outcome } = play(erase.run(order("client_id", "1.2")), [
      token,
      asked("2026-11-21T09:00:01Z"),
      asked("2026-11-21T09:00:00Z"),
    ]);
    expect(outcome).toMatchObject({
      outcome: "retained",
      category: "analytics_events",
      residue: [],
      notBefore: { until: "2027-01-23T09:00:01.000Z", ground: expect.stringContaining("does not say when") },
    });
  });

  it.each([
    [{ status: 403, body: { error: { code: 403, message: "", status: "PERMISSION_DENIED" } } }, "unauthorized"],
    [{ status: 403, body: { error: { code: 403, message: "", status: "RESOURCE_EXHAUSTED" } } }, "slow_down"],
    [{ status: 400, body: { error: { code: 400, message: "" } } }, "unforeseen"],
    [{ status: 200, body: {} }, "unforeseen"],
    [{ status: 200, body: { deletionRequestTime: "soon" } }, "unforeseen"],
  ])("[I4] claims nothing of any property on %j", (reply, outcome) => {
    const { calls, outcome: answer } = play(erase.run(order("client_id", "1.2")), [token, reply]);
    expect([calls.length, answer]).toMatchObject([2, { outcome }]);
  });

  it("does not ask by what everybody knows: who is not known there is accepted all the same", () => {
    for (const type of ["user_id", "email", "phone"]) expect(erase.by).not.toContain(type);
  });
});
