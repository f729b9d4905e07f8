import type { Sample } from "./kit.ts";

const identity = { type: "google-cloud.object", value: "gs://example-uploads/users/1000000000001/photo.jpg" };

export const sample: Sample = {
  settings: { serviceAccount: "pusher@example.iam.gserviceaccount.com" },
  hooks: { "pub-sub": { OBJECT_DELETE: (at) => [{ type: "content_deleted", identity, at }] } },
  ways: [],
};
