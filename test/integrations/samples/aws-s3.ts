import { erased, notFound, notYet } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Step, type Way } from "./kit.ts";

const xml = (root: string, inside: string): Played => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${root}>`,
});
const entries = (kind: string, ...keys: readonly string[]) =>
  keys.map((key) => `<${kind}><Key>${key}</Key><VersionId>v1</VersionId></${kind}>`).join("");
const versions = (...keys: readonly string[]) =>
  xml("ListVersionsResult", `<IsTruncated>false</IsTruncated>${entries("Version", ...keys)}`);
const noUploads = xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>");
const deleted = xml("DeleteResult", "");
const denied = xml(
  "DeleteResult",
  "<Error><Key>users/1000000000001/photo.jpg</Key><VersionId>v1</VersionId><Code>AccessDenied</Code></Error>",
);
const noLock: Played = { status: 404, body: "<Error><Code>NoSuchObjectLockConfiguration</Code></Error>" };
const retention = xml(
  "Retention",
  "<Mode>COMPLIANCE</Mode><RetainUntilDate>2027-03-01T00:00:00.000Z</RetainUntilDate>",
);
const ok = on(200);
const person = { type: "user_id", value: "1000000000001" };
const photo = "users/1000000000001/photo.jpg";
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  action: "erase",
  part: "run",
  identity: person,
  name,
  steps,
  outcome,
  ...more,
});

export const sample: Sample = {
  settings: {
    region: "eu-central-1",
    bucket: "example-uploads",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    prefixes: "users/{id}/",
    owner: "123456789012",
    bypassGovernance: "no",
  },
  hooks: {},
  ways: [
    way("versions under the prefix", [ok(versions(photo)), ok(deleted), ok(noUploads)], erased),
    way("nothing under the prefix", [ok(versions()), ok(noUploads)], notFound),
    way("one object", [ok(versions(photo)), ok(deleted), ok(noUploads)], erased, {
      identity: { type: "aws-s3.object", value: photo },
    }),
    way(
      "an upload that was never ended",
      [
        ok(versions()),
        ok(xml("ListMultipartUploadsResult", `<Upload><Key>${photo}</Key><UploadId>u1</UploadId></Upload>`)),
        on(204, 404)({ status: 204 }),
        ok(noUploads),
      ],
      erased,
    ),
    way(
      "a version under retention",
      [ok(versions(photo)), ok(denied), ok(noUploads), on(200, 404)(noLock), ok(retention)],
      notYet(
        "locked_versions",
        [person],
        "2027-03-01T00:00:00.000Z",
        "S3 Object Lock keeps them (compliance mode): https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",
      ),
    ),
    way("look at a prefix that is empty", [ok(versions()), ok(noUploads)], "absent", { part: "look" }),
    way("look at a prefix that is not", [ok(versions(photo))], "present", { part: "look" }),
  ],
};
