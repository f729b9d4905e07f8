import { describe, expect, it } from "vitest";
import { awsS3 } from "../../integrations/aws-s3.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { sample } from "./samples/aws-s3.ts";

const { erase } = awsS3.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("S3 has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("S3 can be looked at");

const settings = {
  region: "eu-central-1",
  bucket: "example-uploads",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "an-invented-secret",
  prefixes: "users/{id}/",
  owner: "",
  bypassGovernance: "",
};
const order = (value = "1", type = "user_id", more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type, value });
const HOST = "https://s3.eu-central-1.amazonaws.com";

const xml = (root: string, inside = "", status = 200): Played => ({ status, body: `<${root}>${inside}</${root}>` });
const entry = (kind: string, key: string, version: string) =>
  `<${kind}><Key>${key}</Key><VersionId>${version}</VersionId></${kind}>`;
const list = (inside = "", next = "") =>
  xml(
    "ListVersionsResult",
    `<EncodingType>url</EncodingType><IsTruncated>${next !== ""}</IsTruncated>${next}${inside}`,
  );
const next = (key: string, version: string) =>
  `<NextKeyMarker>${key}</NextKeyMarker><NextVersionIdMarker>${version}</NextVersionIdMarker>`;
const deleted = xml("DeleteResult");
const noUploads = xml("ListMultipartUploadsResult");
const failed = (code: string, key = "users/1/a", version = "v1") =>
  xml("DeleteResult", `<Error><Key>${key}</Key><VersionId>${version}</VersionId><Code>${code}</Code></Error>`);
const refusal = (status: number, code: string) =>
  xml("Error", `<Code>${code}</Code><Message>users/1/a</Message>`, status);
const lines = (calls: readonly Call[]) => calls.map(({ method, at }) => `${method} ${at.url.replace(HOST, "")}`);

describe("erasing what lies under a person's prefix in S3", () => {
  it("lists versions, deletes them with the markers by version, and ends uploads", () => {
    const { calls, outcome } = play(erase.run(order()), [
      list(entry("Version", "users/1/a+b%2Bc.txt", "v2") + entry("DeleteMarker", "users/1/a+b%2Bc.txt", "v3")),
      deleted,
      xml("ListMultipartUploadsResult", "<Upload><Key>users/1/film.mp4</Key><UploadId>u/1</UploadId></Upload>"),
      { status: 204 },
      noUploads,
    ]);
    expect(lines(calls)).toEqual([
      "GET /example-uploads?versions&encoding-type=url&max-keys=250&prefix=users%2F1%2F",
      "POST /example-uploads?delete",
      "GET /example-uploads?uploads&encoding-type=url&max-uploads=250&prefix=users%2F1%2F",
      "DELETE /example-uploads/users/1/film.mp4?uploadId=u%2F1",
      "GET /example-uploads?uploads&encoding-type=url&max-uploads=250&prefix=users%2F1%2F",
    ]);
    expect(calls[1]?.body).toBe(
      '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        "<Object><Key>users/1/a b+c.txt</Key><VersionId>v2</VersionId></Object>" +
        "<Object><Key>users/1/a b+c.txt</Key><VersionId>v3</VersionId></Object><Quiet>true</Quiet></Delete>",
    );
    expect(calls[1]?.sign).toEqual({
      scheme: "aws-sigv4",
      accessKeyId: settings.accessKeyId,
      secretAccessKey: settings.secretAccessKey,
      region: "eu-central-1",
      service: "s3",
      contentMd5: true,
    });
    expect(outcome).toEqual(erased);
  });

  it("goes on with both markers where a list goes on", () => {
    const { calls } = play(erase.run(order()), [
      list(entry("Version", "users/1/a", "v1"), next("users/1/a+b", "v1")),
      deleted,
      list(),
      noUploads,
    ]);
    expect(lines(calls)[2]).toBe(
      "GET /example-uploads?versions&encoding-type=url&max-keys=250&prefix=users%2F1%2F&key-marker=users%2F1%2Fa%20b&version-id-marker=v1",
    );
  });

  it("writes marks and control characters of a key as references", () => {
    const { calls } = play(erase.run(order()), [
      list(entry("Version", "users/1/%3Ca%3E%26%22%27%0D%01", "null")),
      deleted,
      noUploads,
    ]);
    expect(calls[1]?.body).toContain(
      "<Key>users/1/&#60;a&#62;&#38;&#34;&#39;&#13;&#1;</Key><VersionId>null</VersionId>",
    );
  });

  it("asks for the owner everywhere, and to pass over governance only where it deletes", () => {
    const { calls } = play(erase.run(order("1", "user_id", { owner: "123456789012", bypassGovernance: "yes" })), [
      list(entry("Version", "users/1/a", "v1")),
      deleted,
      noUploads,
    ]);
    const bypass = { "x-amz-bypass-governance-retention": "true" };
    expect(calls.map(({ headers }) => headers)).toEqual([
      { "x-amz-expected-bucket-owner": "123456789012" },
      { "x-amz-expected-bucket-owner": "123456789012", ...bypass, "content-type": "application/xml" },
      { "x-amz-expected-bucket-owner": "123456789012" },
    ]);
    const { calls: plain } = play(erase.run(order()), [list(entry("Version", "users/1/a", "v1")), deleted, noUploads]);
    expect(plain[1]?.headers).toEqual({ "content-type": "application/xml" });
  });

  it("calls the Chinese regions at their own hosts", () => {
    const { calls } = play(erase.run(order("1", "user_id", { region: "cn-north-1" })), [list(), noUploads]);
    for (const call of calls) {
      expect(new URL(call.at.url).host).toBe("s3.cn-north-1.amazonaws.com.cn");
      expect(isAllowed(call, { integration: awsS3, settings: { ...settings, region: "cn-north-1" } })).toBe(true);
    }
  });

  it("[I14] touches nothing that a list has and that does not lie under the prefix", () => {
    for (const key of ["users/10/a", "users/1", "Users/1/a", "%2Fusers/1/a"]) {
      const { calls, outcome } = play(erase.run(order()), [list(entry("Version", key, "v1"))]);
      expect(lines(calls).filter((line) => !line.startsWith("GET"))).toEqual([]);
      expect(outcome).toMatchObject({ outcome: "unforeseen", what: "the list has keys that were not asked for" });
    }
    const uploads = xml("ListMultipartUploadsResult", "<Upload><Key>users/2/a</Key><UploadId>u</UploadId></Upload>");
    expect(play(erase.run(order()), [list(), uploads]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it.each(["", "..", "1/2", "../2", "1\n"])("[I14] makes no call for the id %j", (id) => {
    for (const steps of [erase.run(order(id)), look.run(order(id))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("[I7] shows neither id nor key in the addresses of the evidence", () => {
    const { calls } = play(erase.run(order("ada-1")), [
      list(entry("Version", "users/ada-1/a", "v1")),
      deleted,
      xml("ListMultipartUploadsResult", "<Upload><Key>users/ada-1/b</Key><UploadId>u</UploadId></Upload>"),
      { status: 204 },
      noUploads,
    ]);
    for (const { at } of calls) expect(at.template).not.toContain("ada");
    expect(calls[3]?.at.template).toBe(`${HOST}/{bucket}/{key}?uploadId={uploadId}`);
  });

  it.each([
    [
      refusal(403, "AccessDenied"),
      { outcome: "unauthorized", what: "the bucket refused the access key: AccessDenied" },
    ],
    [{ status: 403 }, { outcome: "unauthorized", what: "the bucket refused the access key" }],
    [refusal(404, "NoSuchBucket"), { outcome: "unforeseen", what: "the bucket answered NoSuchBucket" }],
    [refusal(301, "PermanentRedirect"), { outcome: "unforeseen", what: "the bucket answered PermanentRedirect" }],
    [refusal(400, "users/1/a b"), { outcome: "unforeseen", what: "the bucket answered a code that is no word" }],
    [{ status: 204 }, { outcome: "unforeseen" }],
    [{ status: 200, body: "{}" }, { outcome: "unforeseen" }],
    [list("", "<NextKeyMarker></NextKeyMarker>"), { outcome: "unforeseen" }],
    [list(entry("Version", "users/1/%E0%A4%A", "v1")), { outcome: "unforeseen" }],
    [xml("ListVersionsResult", "<IsTruncated>perhaps</IsTruncated>"), { outcome: "unforeseen" }],
  ])("[I4] claims nothing where the list is %j", (reply, expected) => {
    expect(play(erase.run(order()), [reply]).outcome).toMatchObject(expected);
  });

  it.each([
    [failed("InternalError"), { outcome: "slow_down" }],
    [failed("SlowDown"), { outcome: "slow_down" }],
    [failed("NoSuchBucket"), { outcome: "unforeseen", what: "the bucket did not delete 1 entries: NoSuchBucket" }],
    [refusal(403, "AccessDenied"), { outcome: "unauthorized" }],
    [refusal(400, "MalformedXML"), { outcome: "unforeseen" }],
    [{ status: 200, body: "" }, { outcome: "unforeseen" }],
    [xml("Deleted"), { outcome: "unforeseen" }],
  ])("[I4] does not take the answer %j to a deletion for an erasure", (reply, expected) => {
    expect(play(erase.run(order()), [list(entry("Version", "users/1/a", "v1")), reply]).outcome).toMatchObject(
      expected,
    );
  });

  it("[I10] goes on in the next attempt where there is more than one attempt may erase, also of uploads", () => {
    const endless = list(entry("Version", "users/1/a", "v1"), next("users/1/a", "v1"));
    const { calls, outcome } = play(erase.run(order()), ({ method }) => (method === "GET" ? endless : deleted));
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls).toHaveLength(16);
    const upload = xml("ListMultipartUploadsResult", "<Upload><Key>users/1/a</Key><UploadId>u</UploadId></Upload>");
    const uploads = play(erase.run(order()), ({ method, at }) =>
      method === "DELETE" ? { status: 204 } : at.url.includes("?uploads") ? upload : list(),
    );
    expect(uploads.outcome).toEqual({ outcome: "more" });
    expect(uploads.calls.length).toBeLessThan(100);
  });

  it("[I10] makes no more calls in one attempt than the driver allows, with as many prefixes as there may be", () => {
    const prefixes = Array.from({ length: 8 }, (_, nth) => `p${nth}/{id}/`).join(",");
    expect(settingsSchema(awsS3.settings).safeParse({ ...sample.settings, prefixes }).success).toBe(true);
    let pages = 0;
    let aborted = 0;
    let place = -1;
    const { calls, outcome } = play(erase.run(order("1", "user_id", { prefixes })), ({ method, at }) => {
      const url = new URL(at.url);
      const under = url.searchParams.get("prefix") ?? "";
      if (url.searchParams.has("retention"))
        return xml("Retention", "<Mode>COMPLIANCE</Mode><RetainUntilDate>2027-03-01T00:00:00Z</RetainUntilDate>");
      if (url.searchParams.has("legal-hold")) return refusal(404, "NoSuchObjectLockConfiguration");
      if (method === "DELETE") {
        aborted++;
        return { status: 204 };
      }
      if (method === "POST") return pages % 2 === 1 && place < 6 ? failed("AccessDenied", `p${place}/1/a`) : deleted;
      if (url.searchParams.has("uploads")) {
        if (aborted >= 30) return noUploads;
        return xml(
          "ListMultipartUploadsResult",
          `<Upload><Key>${under}a</Key><UploadId>u</UploadId></Upload>`.repeat(30),
        );
      }
      if (!url.searchParams.has("key-marker")) {
        place++;
        pages = 0;
        aborted = 0;
      }
      pages++;
      return list(entry("Version", `${under}a`, "v1"), pages < 8 ? next(`${under}a`, "v1") : "");
    });
    expect(outcome).toMatchObject({ outcome: "retained" });
    expect(calls.length).toBeGreaterThan(300);
    expect(calls.length).toBeLessThan(500);
  });
});

describe("what Object Lock keeps in S3", () => {
  const retention = (until: string, mode = "COMPLIANCE") =>
    xml("Retention", `<Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate>`);
  const none = refusal(404, "NoSuchObjectLockConfiguration");
  const locked = (...replies: readonly Played[]) =>
    play(erase.run(order()), [
      list(entry("Version", "users/1/a", "v1")),
      failed("AccessDenied"),
      noUploads,
      ...replies,
    ]);

  it("is kept until the date that S3 gives, and no word of the key is said", () => {
    const { calls, outcome } = locked(none, retention("2027-03-01T00:00:00.000Z", "GOVERNANCE"));
    expect(lines(calls).slice(3)).toEqual([
      "GET /example-uploads/users/1/a?legal-hold&versionId=v1",
      "GET /example-uploads/users/1/a?retention&versionId=v1",
    ]);
    expect(outcome).toMatchObject({
      outcome: "retained",
      category: "locked_versions",
      residue: [{ type: "user_id", value: "1" }],
      notBefore: { until: "2027-03-01T00:00:00.000Z", ground: expect.stringContaining("governance mode") },
    });
  });

  it("is kept while a legal hold is on, for as long as the policy says", () => {
    expect(locked(xml("LegalHold", "<Status>ON</Status>")).outcome).toEqual({
      outcome: "retained",
      category: "legal_hold",
      residue: [{ type: "user_id", value: "1" }],
    });
  });

  it("[I4] is not guessed: without a lock, with an old one, or where we may not ask, a person has to look", () => {
    for (const replies of [
      [none, none],
      [xml("LegalHold", "<Status>OFF</Status>"), retention("2026-11-21T08:44:59.000Z")],
      [none, retention("tomorrow")],
      [refusal(403, "AccessDenied"), refusal(403, "AccessDenied")],
    ])
      expect(locked(...replies).outcome).toMatchObject({
        outcome: "unforeseen",
        what: "S3 will not delete a version, and tells of no lock on it",
      });
  });

  it("is waited for where it ends this very minute by S3's clock", () => {
    expect(locked(none, retention("2026-11-21T09:00:00.000Z")).outcome).toEqual({ outcome: "slow_down", seconds: 60 });
  });

  it("[I10] is not asked about without end", () => {
    const many = Array.from({ length: 51 }, (_, nth) => nth);
    const errors = many.map((nth) => `<Error><Key>users/1/${nth}</Key><Code>AccessDenied</Code></Error>`).join("");
    const versions = many.map((nth) => entry("Version", `users/1/${nth}`, "v1")).join("");
    const { outcome } = play(erase.run(order()), [list(versions), xml("DeleteResult", errors), noUploads]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("more than 50") });
  });

  it("[I2] makes no attempt after the other where nothing is let go", () => {
    const page = list(entry("Version", "users/1/a", "v1"), next("users/1/a", "v1"));
    const { outcome } = play(erase.run(order()), ({ method }) => (method === "GET" ? page : failed("AccessDenied")));
    expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("first 2000 versions") });
  });
});

describe("erasing one object of S3 by its key", () => {
  const object = (key: string) => order(key, "aws-s3.object");

  it("takes all versions of that very key, and of no longer one", () => {
    const { calls, outcome } = play(erase.run(object("a.txt")), [
      list(
        entry("Version", "a.txt", "v2") + entry("Version", "a.txt.bak", "v1") + entry("DeleteMarker", "a.txt", "v3"),
      ),
      deleted,
      xml("ListMultipartUploadsResult", "<Upload><Key>a.txt.bak</Key><UploadId>u</UploadId></Upload>"),
    ]);
    expect(calls[1]?.body).not.toContain("bak");
    expect(calls[1]?.body).toContain("v3");
    expect(outcome).toEqual(erased);
  });

  it("finds nothing where only longer keys begin so, and a look sees it", () => {
    const longer = list(entry("Version", "a.txt.bak", "v1"));
    expect(play(erase.run(object("a.txt")), [longer, noUploads]).outcome).toEqual(notFound);
    expect(play(look.run(object("a.txt")), [longer, noUploads]).outcome).toBe("absent");
  });

  it("asks about a key that a URL would change in one step", () => {
    const key = "a/../b//c";
    const { calls } = play(erase.run(object(key)), [
      list(entry("Version", key, "v1")),
      failed("AccessDenied", key),
      noUploads,
      refusal(404, "NoSuchKey"),
      refusal(404, "NoSuchKey"),
    ]);
    expect(new URL(calls[3]?.at.url ?? "").pathname).toBe("/example-uploads/a%2F..%2Fb%2F%2Fc");
  });

  it.each([".", ".."])("[I14] makes no call for the key %s", (key) => {
    for (const steps of [erase.run(object(key)), look.run(object(key))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("looking again at S3", () => {
  it("finds a prefix absent only where neither versions nor uploads are listed", () => {
    const upload = xml("ListMultipartUploadsResult", "<Upload><Key>users/1/a</Key><UploadId>u</UploadId></Upload>");
    expect(play(look.run(order()), [list(), noUploads]).outcome).toBe("absent");
    expect(play(look.run(order()), [list(), upload]).outcome).toBe("present");
    expect(play(look.run(order()), [list(entry("DeleteMarker", "users/1/a", "v1"))]).outcome).toBe("present");
  });

  it("[I4] sees nothing in a refusal", () => {
    expect(play(look.run(order()), [refusal(403, "AccessDenied")]).outcome).toMatchObject({ outcome: "unauthorized" });
    expect(play(look.run(order()), [list(), { status: 404 }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});

it("takes no setting that could lead elsewhere", () => {
  const schema = settingsSchema(awsS3.settings);
  const fits = (more: object) => schema.safeParse({ ...sample.settings, ...more }).success;
  expect(fits({})).toBe(true);
  for (const more of [
    { bucket: "a/b" },
    { bucket: ".." },
    { bucket: "Bucket" },
    { region: "eu-central-1.evil.example" },
    { prefixes: "users/{id}" },
    { owner: "me" },
    { accessKeyId: "ASIAIOSFODNN7EXAMPLE" },
    { bypassGovernance: "true" },
  ])
    expect(fits(more), JSON.stringify(more)).toBe(false);
});
