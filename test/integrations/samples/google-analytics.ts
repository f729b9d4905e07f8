import { notYet } from "../../../src/contract/outcome.ts";
import { keyFile } from "../../support/service-account.ts";
import { on, type Sample } from "./kit.ts";

const token = on(200)({ status: 200, body: { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" } });
const submission = on(200, 403);

export const sample: Sample = {
  settings: { serviceAccountKey: keyFile(), properties: "123456789" },
  hooks: {},
  ways: [
    {
      name: "deletion accepted",
      action: "erase",
      part: "run",
      identity: { type: "google-analytics.client_id", value: "1234567890.1700000000" },
      steps: [token, submission({ status: 200, body: { deletionRequestTime: "2026-11-21T09:00:00.123456Z" } })],
      outcome: notYet(
        "analytics_events",
        [],
        "2027-01-23T09:00:00.123Z",
        "Google Analytics has accepted the deletion and does it in its next run, about every two months; it does not say when it is done",
      ),
    },
  ],
};
