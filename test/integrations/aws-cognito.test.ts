import { describe, expect, it } from "vitest";
import { awsCognito } from "../../integrations/aws-cognito.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = awsCognito.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("Cognito has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("Cognito can be looked at");

const settings = {
  region: "eu-central-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "an-invented-secret",
  userPoolId: "eu-central-1_Example01",
};
const order = (value = "ada", type = "aws-cognito.username") => orderFor(settings, { type, value });
const refusal = (name: string, status = 400): Played => ({ status, body: { __type: name, message: "refused" } });
const users = (...names: readonly string[]): Played => ({
  status: 200,
  body: { Users: names.map((Username) => ({ Username })) },
});
const ok: Played = { status: 200, body: {} };

describe("erasing a user of a pool", () => {
  it("signs the user out first, and takes an empty 200 for the deletion", () => {
    const { calls, outcome } = play(erase.run(order()), [ok, { status: 200 }]);
    expect(calls.map(({ headers, body }) => [headers["x-amz-target"], headers["content-type"], body])).toEqual(
      ["AdminUserGlobalSignOut", "AdminDeleteUser"].map((name) => [
        `AWSCognitoIdentityProviderService.${name}`,
        "application/x-amz-json-1.1",
        '{"UserPoolId":"eu-central-1_Example01","Username":"ada"}',
      ]),
    );
    expect(calls[0]?.sign).toMatchObject({ service: "cognito-idp", region: "eu-central-1" });
    expect(outcome).toEqual(erased);
  });

  it("deletes a user who cannot be signed out", () => {
    expect(play(erase.run(order()), [refusal("InvalidParameterException"), { status: 200 }]).outcome).toEqual(erased);
  });

  it("takes the name of a refusal for a user who is gone, wherever it comes", () => {
    const gone = refusal("com.amazonaws.cognito.identityprovider.model#UserNotFoundException");
    expect(play(erase.run(order()), [gone]).outcome).toEqual(notFound);
    expect(play(erase.run(order()), [ok, gone]).outcome).toEqual(notFound);
  });

  it.each([
    [
      refusal("ResourceNotFoundException"),
      { outcome: "unforeseen", what: "Cognito answered ResourceNotFoundException" },
    ],
    [refusal("NotAuthorizedException"), { outcome: "unauthorized" }],
    [refusal("TooManyRequestsException"), { outcome: "slow_down" }],
    [refusal("UserNotFoundException", 404), { outcome: "unforeseen" }],
    [refusal("UserNotFoundException", 403), { outcome: "unauthorized" }],
    [{ status: 400, body: "UserNotFoundException" }, { outcome: "unforeseen" }],
    [{ status: 202 }, { outcome: "unforeseen" }],
  ])("[I4] does not take %j for a deletion, nor for an absence", (reply, expected) => {
    expect(play(erase.run(order()), [ok, reply]).outcome).toMatchObject(expected);
    expect(play(look.run(order()), [reply]).outcome).toMatchObject(expected);
  });
});

describe("finding the users of a person", () => {
  it("asks by e-mail address or telephone number, and makes the usernames known", () => {
    const { calls, outcome } = play(erase.run(order("ada@example.com", "email")), [users("ada", "Google_1")]);
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      UserPoolId: "eu-central-1_Example01",
      Filter: 'email = "ada@example.com"',
      AttributesToGet: ["sub"],
      Limit: 60,
    });
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["ada", "Google_1"].map((value) => ({ type: "aws-cognito.username", value })),
    });
    const phone = play(erase.run(order("+4915112345678", "phone")), [users()]);
    expect(phone.calls[0]?.body).toContain('phone_number = \\"+4915112345678\\"');
    expect(phone.outcome).toEqual(notFound);
  });

  it.each(['ada"@example.com', 'a" or username ^= "', "ada\\@example.com", "ada\n@example.com", "a".repeat(201)])(
    "[I14] asks nothing where a value could end the filter, or be too long for it",
    (value) => {
      expect(play(erase.run(order(value, "email")), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
    },
  );

  it("[I4] does not act on a part of those who were found", () => {
    const { outcome } = play(erase.run(order("ada@example.com", "email")), [
      { status: 200, body: { Users: [{ Username: "ada" }], PaginationToken: "next" } },
    ]);
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

it("finds a user absent only by name", () => {
  expect(play(look.run(order()), [refusal("UserNotFoundException")]).outcome).toBe("absent");
  expect(play(look.run(order()), [{ status: 200, body: { Username: "ada" } }]).outcome).toBe("present");
});
