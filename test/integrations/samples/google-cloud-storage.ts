import { erased, notFound, notYet } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { keyFile } from "../../support/service-account.ts";
import { on, type Sample, type Way } from "./kit.ts";

const ada = { type: "user_id", value: "u-42" };
const token = on(200)({ status: 200, body: { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" } });
const list = on(200, 403);
const listed = (...items: readonly object[]) => list({ status: 200, body: items.length > 0 ? { items } : {} });
const removal = on(204, 403, 404);
const item = (more: object = {}) => ({ name: "users/u-42/photo.jpg", generation: "1700000000000001", ...more });
const missing: Played = { status: 404, body: { error: { code: 404, errors: [{ reason: "notFound" }] } } };
const way = (rest: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: ada,
  ...rest,
});

export const sample: Sample = {
  settings: { serviceAccountKey: keyFile(), bucket: "example-uploads", prefix: "users/{id}/" },
  hooks: {},
  ways: [
    way({
      name: "a person's objects",
      steps: [
        token,
        listed(item(), item({ generation: "1700000000000002" })),
        removal({ status: 204 }),
        removal(missing),
        listed(),
      ],
      outcome: erased,
    }),
    way({ name: "a person without objects", steps: [token, listed(), listed()], outcome: notFound }),
    way({
      name: "objects that soft delete keeps",
      steps: [
        token,
        listed(item()),
        removal({ status: 204 }),
        listed(item({ hardDeleteTime: "2026-11-28T09:00:00Z" })),
      ],
      outcome: notYet(
        "soft_deleted_objects",
        [],
        "2026-11-28T09:00:00.000Z",
        "deleted; the bucket's soft delete policy keeps it out of reach until then",
      ),
    }),
    way({
      name: "objects under a retention policy",
      steps: [token, listed(item({ retentionExpirationTime: "2027-11-21T09:00:00Z" }))],
      outcome: notYet(
        "objects_under_retention",
        [ada],
        "2027-11-21T09:00:00.000Z",
        "the bucket's or the object's retention policy",
      ),
    }),
    way({ name: "look at nothing", part: "look", steps: [token, listed()], outcome: "absent" }),
    way({ name: "look at something", part: "look", steps: [token, listed(item())], outcome: "present" }),
  ],
};
