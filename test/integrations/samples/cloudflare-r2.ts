import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Step, type Way } from "./kit.ts";

const xml = (root: string, inside: string): Played => ({ status: 200, body: `<${root}>${inside}</${root}>` });
const list = (...keys: readonly string[]) =>
  xml(
    "ListBucketResult",
    `<IsTruncated>false</IsTruncated>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join("")}`,
  );
const noUploads = xml("ListMultipartUploadsResult", "");
const deleted = xml("DeleteResult", "");
const ok = on(200);
const photo = "users/1000000000001/photo.jpg";
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "user_id", value: "1000000000001" },
  name,
  steps,
  outcome,
  ...more,
});

export const sample: Sample = {
  settings: {
    accountId: "0123456789abcdef0123456789abcdef",
    bucket: "example-uploads",
    jurisdiction: "eu",
    accessKeyId: "0123456789abcdef0123456789abcdef",
    secretAccessKey: "an-invented-secret-access-key",
    prefixes: "users/{id}/",
  },
  hooks: {},
  ways: [
    way("objects under the prefix", [ok(list(photo)), ok(deleted), ok(noUploads)], erased),
    way("nothing under the prefix", [ok(list()), ok(noUploads)], notFound),
    way("one object", [ok(list(photo)), ok(deleted), ok(noUploads)], erased, {
      identity: { type: "cloudflare-r2.object", value: photo },
    }),
    way("look at a prefix that is empty", [ok(list()), ok(noUploads)], "absent", { part: "look" }),
    way("look at a prefix that is not", [ok(list(photo))], "present", { part: "look" }),
  ],
};
