import { describe, expect, it } from "vitest";
import { googleIdentityPlatform } from "../../integrations/google-identity-platform.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, found, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const { erase } = googleIdentityPlatform.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("it erases and looks");
const { look } = erase;

const settings = { serviceAccountKey: keyFile("PEM"), project: "example-project", tenant: "" };
const order = (type: string, value: string, more = {}) => orderFor({ ...settings, ...more }, { type, value });
const user = order("google-identity-platform.user", "uid-1");
const token: Played = { status: 200, body: { access_token: "ya29.a" } };
const users = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { users: ids.map((localId) => ({ localId })) },
});
const no = (status: number, message: string, more: object = {}): Played => ({
  status,
  body: { error: { code: status, message, ...more } },
});
const outcomeOf = (reply: Played) => play(erase.run(user), [token, reply]).outcome;

describe("finding accounts", () => {
  it.each([
    ["email", "ada@example.com", { email: ["ada@example.com"] }],
    ["phone", "+15550100", { phoneNumber: ["+15550100"] }],
  ])("looks them up by %s", (type, value, body) => {
    const { calls, outcome } = play(erase.run(order(type, value)), [token, users("uid-1", "uid-2")]);
    expect(calls[1]).toMatchObject({
      method: "POST",
      at: { url: "https://identitytoolkit.googleapis.com/v1/projects/example-project/accounts:lookup" },
    });
    expect(JSON.parse(calls[1]?.body ?? "")).toEqual(body);
    const uid = (id: string) => ({ type: "google-identity-platform.user", value: id });
    expect(outcome).toEqual(found([uid("uid-1"), uid("uid-2")]));
  });

  it("finds nobody where the answer has no users", () => {
    const reply = { status: 200, body: { kind: "identitytoolkit#GetAccountInfoResponse" } };
    expect(play(erase.run(order("email", "ada@example.com")), [token, reply]).outcome).toEqual(notFound);
  });

  it("[I4] does not look up a telephone number whose country it would have to guess", () => {
    const { calls, outcome } = play(erase.run(order("phone", "0555100")), [token]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("deleting an account", () => {
  it("is one call, in the tenant where one is set, and is looked at again", () => {
    const there = order("google-identity-platform.user", "uid-1", { tenant: "members-a1b2c" });
    const { calls, outcome } = play(erase.run(there), [token, { status: 200, body: {} }]);
    expect(calls[1]?.at).toEqual({
      url: "https://identitytoolkit.googleapis.com/v1/projects/example-project/tenants/members-a1b2c/accounts:delete",
      template: "https://identitytoolkit.googleapis.com/v1/projects/{project}/tenants/{tenant}/accounts:delete",
    });
    expect(JSON.parse(calls[1]?.body ?? "")).toEqual({ localId: "uid-1" });
    expect(outcome).toEqual(erased);
    expect(play(look.run(user), [token, users()]).outcome).toBe("absent");
    expect(play(look.run(user), [token, users("uid-1")]).outcome).toBe("present");
  });

  it("takes a user that is not there for not found", () => {
    expect(outcomeOf(no(400, "USER_NOT_FOUND"))).toEqual(notFound);
    expect(outcomeOf(no(400, "USER_NOT_FOUND : There is no user record."))).toEqual(notFound);
  });

  it.each([
    [no(403, "denied", { status: "PERMISSION_DENIED" }), "unauthorized"],
    [no(403, "fast", { errors: [{ reason: "rateLimitExceeded" }] }), "slow_down"],
    [no(400, "USER_NOT_FOUND_ANYWHERE"), "unforeseen"],
    [no(400, "INVALID_LOCAL_ID"), "unforeseen"],
    [no(404, "USER_NOT_FOUND"), "unforeseen"],
    [{ status: 200, body: "OK" }, "unforeseen"],
    [{ status: 204 }, "unforeseen"],
  ])("[I4] claims nothing on %j", (reply, outcome) => {
    expect(outcomeOf(reply)).toMatchObject({ outcome });
  });
});
