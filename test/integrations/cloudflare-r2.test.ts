import { describe, expect, it } from "vitest";
import { cloudflareR2 } from "../../integrations/cloudflare-r2.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased } from "../../src/contract/outcome.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = cloudflareR2.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("R2 has an erasure");

const settings = {
  accountId: "0123456789abcdef0123456789abcdef",
  bucket: "example-uploads",
  jurisdiction: "",
  accessKeyId: "fedcba9876543210fedcba9876543210",
  secretAccessKey: "an-invented-secret",
  prefixes: "users/{id}/",
};
const order = (more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type: "user_id", value: "1" });
const xml = (root: string, inside = "", status = 200): Played => ({ status, body: `<${root}>${inside}</${root}>` });
const list = (isTruncated: boolean, ...keys: readonly string[]) =>
  xml(
    "ListBucketResult",
    `<IsTruncated>${isTruncated}</IsTruncated>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join("")}`,
  );
const noUploads = xml("ListMultipartUploadsResult");

describe("erasing what lies under a person's prefix in R2", () => {
  it("lists objects after the last key, and deletes them without a version, a header of Amazon's or an owner", () => {
    const { calls, outcome } = play(erase.run(order()), [
      list(true, "users/1/a", "users/1/b+c"),
      xml("DeleteResult"),
      list(false),
      noUploads,
    ]);
    const host = "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com";
    expect(calls.map(({ method, at }) => `${method} ${at.url.replace(host, "")}`)).toEqual([
      "GET /example-uploads?list-type=2&encoding-type=url&max-keys=250&prefix=users%2F1%2F",
      "POST /example-uploads?delete",
      "GET /example-uploads?list-type=2&encoding-type=url&max-keys=250&prefix=users%2F1%2F&start-after=users%2F1%2Fb%2Bc",
      "GET /example-uploads?uploads&encoding-type=url&max-uploads=250&prefix=users%2F1%2F",
    ]);
    expect(calls[1]?.body).toContain("<Object><Key>users/1/b+c</Key></Object>");
    expect(calls.flatMap(({ headers }) => Object.keys(headers))).toEqual(["content-type"]);
    expect(calls[1]?.sign).toMatchObject({ region: "auto", service: "s3", contentMd5: true });
    expect(outcome).toEqual(erased);
  });

  it.each(["", "eu", "us", "fedramp"])("calls the host of the jurisdiction %j", (jurisdiction) => {
    const { calls } = play(erase.run(order({ jurisdiction })), [list(false), noUploads]);
    for (const call of calls)
      expect(isAllowed(call, { integration: cloudflareR2, settings: { ...settings, jurisdiction } })).toBe(true);
  });

  it.each([
    xml(
      "DeleteResult",
      "<Error><Key>users/1/a</Key><Code>ObjectLockedByBucketPolicy</Code></Error><Error><Key>users/1/b</Key><Code>AccessDenied</Code></Error>",
    ),
    xml("Error", "<Code>ObjectLockedByBucketPolicy</Code>", 409),
  ])("[I4] leaves what a rule of the bucket keeps to a person, however R2 says so", (reply) => {
    const { outcome } = play(
      erase.run(order()),
      reply.status === 200
        ? [list(false, "users/1/a", "users/1/b"), reply, noUploads]
        : [list(false, "users/1/a", "users/1/b"), reply],
    );
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
