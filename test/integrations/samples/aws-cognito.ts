import { erased, found, notFound } from "../../../src/contract/outcome.ts";
import { on, person, type Sample, type Step, type Way } from "./kit.ts";

const user = { type: "aws-cognito.username", value: "ada" };
const known = on(200, 400);
const gone = known({ status: 400, body: { __type: "UserNotFoundException", message: "User does not exist." } });
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  action: "erase",
  part: "run",
  identity: user,
  name,
  steps,
  outcome,
  ...more,
});

export const sample: Sample = {
  settings: {
    region: "eu-central-1",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    userPoolId: "eu-central-1_Example01",
  },
  hooks: {},
  ways: [
    way("a user", [known({ status: 200, body: {} }), known({ status: 200 })], erased),
    way("no such user", [gone], notFound),
    way("users by e-mail address", [on(200)({ status: 200, body: { Users: [{ Username: "ada" }] } })], found([user]), {
      identity: person,
    }),
    way("no users by e-mail address", [on(200)({ status: 200, body: { Users: [] } })], notFound, { identity: person }),
    way("look at a user who is gone", [gone], "absent", { part: "look" }),
    way("look at a user who is there", [known({ status: 200, body: { Username: "ada" } })], "present", {
      part: "look",
    }),
  ],
};
