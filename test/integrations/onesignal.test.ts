import { describe, expect, it } from "vitest";
import { onesignal } from "../../integrations/onesignal.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = onesignal.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("OneSignal has an erasure");
const { run, look } = erase;

const appId = "01234567-89ab-4cde-8f01-23456789abcd";
const order = (type: string, value: string) =>
  orderFor({ appId, apiKey: "key-1" }, { type: `onesignal.${type}`, value });
const there: Played = { status: 200, body: { identity: { onesignal_id: "os-1" } } };

describe("erasing a user at OneSignal", () => {
  it.each([
    ["external_id", "u/1", "users/by/external_id/u%2F1"],
    ["subscription", "s-1", "subscriptions/s-1/user/identity"],
  ])("finds it by %s, before it changes anything", (type, value, path) => {
    const { calls, outcome } = play(run(order(type, value)), [there]);
    expect(outcome).toEqual({ outcome: "found", identities: [{ type: "onesignal.onesignal_id", value: "os-1" }] });
    expect(calls).toMatchObject([
      {
        method: "GET",
        at: { url: `https://api.onesignal.com/apps/${appId}/${path}` },
        headers: { authorization: "Key key-1" },
      },
    ]);
    expect(play(run(order(type, value)), [{ status: 404 }]).outcome).toEqual(notFound);
  });

  it("deletes it by OneSignal's own id", () => {
    for (const status of [200, 202]) {
      const { calls, outcome } = play(run(order("onesignal_id", "os-1")), [{ status }]);
      expect(outcome).toEqual(erased);
      expect(calls).toMatchObject([
        { method: "DELETE", at: { url: `https://api.onesignal.com/apps/${appId}/users/by/onesignal_id/os-1` } },
      ]);
    }
    expect(play(run(order("onesignal_id", "os-1")), [{ status: 404 }]).outcome).toEqual(notFound);
  });

  it("waits a minute where something else is being done with the user", () => {
    expect(play(run(order("onesignal_id", "os-1")), [{ status: 409 }]).outcome).toEqual({
      outcome: "slow_down",
      seconds: 60,
    });
  });

  it("looks whether it is gone", () => {
    expect(play(look.run(order("onesignal_id", "os-1")), [there]).outcome).toBe("present");
    expect(play(look.run(order("onesignal_id", "os-1")), [{ status: 404 }]).outcome).toBe("absent");
  });

  it.each([
    ["204 for a deletion", "onesignal_id", { status: 204 }],
    ["400 for a deletion", "onesignal_id", { status: 400 }],
    ["a user without OneSignal's id", "external_id", { status: 200, body: { identity: { external_id: "u-1" } } }],
    ["202 for a user", "external_id", { ...there, status: 202 }],
  ])("[I4] takes %s for no end", (_, type, reply) => {
    expect(play(run(order(type, "os-1")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
