import { erased, found, notFound } from "../../../src/contract/outcome.ts";
import { keyFile } from "../../support/service-account.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const user = { type: "google-identity-platform.user", value: "uid-1" };
const token = on(200)({ status: 200, body: { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" } });
const lookup = on(200, 403);
const removal = on(200, 400, 403);
const missing = { status: 400, body: { error: { code: 400, message: "USER_NOT_FOUND", status: "INVALID_ARGUMENT" } } };
const way = (rest: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: user,
  ...rest,
});

export const sample: Sample = {
  settings: { serviceAccountKey: keyFile(), project: "example-project", tenant: "members-a1b2c" },
  hooks: {},
  ways: [
    way({
      name: "found by e-mail address",
      identity: person,
      steps: [token, lookup({ status: 200, body: { users: [{ localId: "uid-1", email: person.value }] } })],
      outcome: found([user]),
    }),
    way({
      name: "nobody of that address",
      identity: person,
      steps: [token, lookup({ status: 200, body: {} })],
      outcome: notFound,
    }),
    way({ name: "account deleted", steps: [token, removal({ status: 200, body: { kind: "x" } })], outcome: erased }),
    way({ name: "account that is gone", steps: [token, removal(missing)], outcome: notFound }),
    way({
      name: "look at one that is gone",
      part: "look",
      steps: [token, lookup({ status: 200, body: {} })],
      outcome: "absent",
    }),
    way({
      name: "look at one that is there",
      part: "look",
      steps: [token, lookup({ status: 200, body: { users: [{ localId: "uid-1" }] } })],
      outcome: "present",
    }),
  ],
};
