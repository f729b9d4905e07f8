import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { awsS3 } from "../../integrations/aws-s3.ts";
import { cloudflareR2 } from "../../integrations/cloudflare-r2.ts";
import { carryOut } from "../support/carry-out.ts";

const START = Date.parse("2026-11-21T09:00:00Z");
let sandbox: Sandbox;
let moved = 0;
const now = () => START + moved;
const wait = (seconds: number) => {
  moved += seconds * 1000;
};
beforeEach(() => {
  moved = 0;
  sandbox = createSandbox({ now });
});
const admin = (path: string, init?: RequestInit) => sandbox.admin(new Request(`http://sandbox${path}`, init));
const seed = async (body: object) =>
  expect((await admin("/seed", { method: "POST", body: JSON.stringify(body) })).status).toBe(200);
const holds = async (text: string) => (await admin(`/holdings?text=${encodeURIComponent(text)}`)).json();
const sent = () => sandbox.recorded().map(({ method, url }) => `${method} ${url.replace(/^https:\/\/[^/]+/, "")}`);

describe("the stand-in for Amazon S3", () => {
  const settings = {
    region: "eu-central-1",
    bucket: "example-uploads",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    prefixes: "users/{id}/, exports/{id}/",
    owner: "123456789012",
    bypassGovernance: "",
  };
  const { erase } = awsS3.actions;
  const carry = (value = "1", more: Partial<typeof settings> = {}) =>
    carryOut(sandbox, erase, { ...settings, ...more }, { type: "user_id", value }, { wait, now });
  const bucket = {
    vendor: "aws-s3",
    bucket: "example-uploads",
    owner: "123456789012",
    versioned: true,
    keys: { [settings.accessKeyId]: settings.secretAccessKey },
  };

  it("erases every version, marker and upload of one person, and nobody else's", async () => {
    await seed({
      ...bucket,
      objects: [
        { key: "users/1/a b+c&'<é>.txt", content: "Ada once" },
        { key: "users/1/a b+c&'<é>.txt", content: "Ada twice" },
        { key: "users/1/gone.txt", marker: true },
        { key: "users/1/gone.txt", content: "Ada hidden" },
        { key: "users/1/../1/dots//slashes", content: "Ada in dots" },
        { key: "exports/1/all.zip", content: "Ada's export" },
        { key: "users/10/a.txt", content: "Bob" },
        { key: "users/1", content: "Nobody's" },
      ],
      uploads: [{ key: "users/1/big film.mp4" }, { key: "users/1/./part" }, { key: "users/10/film.mp4" }],
    });
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
    expect(await holds("Nobody")).not.toEqual([]);
    expect(await holds("users/10/film.mp4")).not.toEqual([]);
    expect(await holds("users/1/")).toEqual([]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("goes through many pages, one attempt after the other", async () => {
    const objects = Array.from({ length: 2600 }, (_, nth) => ({ key: `users/1/${nth}.txt`, content: "Ada" }));
    await seed({ ...bucket, objects });
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada")).toEqual([]);
    expect(sent().filter((line) => line.startsWith("POST"))).toHaveLength(11);
  });

  it("keeps what is locked until its day, erases the rest, and then that", async () => {
    const lock = (mode: string, until: string) => ({ lock: { mode, until }, content: "Ada" });
    await seed({
      ...bucket,
      objects: [
        { key: "users/1/invoice.pdf", ...lock("COMPLIANCE", "2026-12-24T00:00:00Z") },
        { key: "users/1/letter.pdf", ...lock("GOVERNANCE", "2026-11-30T00:00:00Z") },
        { key: "users/1/photo.jpg", content: "Ada's photo" },
      ],
    });
    const [kept] = await carry();
    expect(kept?.answer).toMatchObject({
      outcome: "retained",
      category: "locked_versions",
      residue: [{ type: "user_id", value: "1" }],
      notBefore: { until: "2026-12-24T00:00:00.000Z", ground: expect.stringContaining("compliance mode") },
    });
    expect(await holds("Ada's photo")).toEqual([]);
    expect(await carry("1", { bypassGovernance: "yes" })).toMatchObject([{ answer: { outcome: "retained" } }]);
    expect(await holds("letter.pdf")).toEqual([]);
    moved += 34 * 86_400_000;
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
  });

  it("leaves a legal hold to the policy, whatever else is locked", async () => {
    await seed({
      ...bucket,
      objects: [
        { key: "users/1/a.pdf", content: "Ada", lock: { mode: "COMPLIANCE", until: "2026-12-24T00:00:00Z" } },
        { key: "users/1/b.pdf", content: "Ada", hold: true },
      ],
    });
    expect(await carry()).toMatchObject([
      { answer: { outcome: "retained", category: "legal_hold", residue: [{ type: "user_id", value: "1" }] } },
    ]);
  });

  it("refuses a wrong secret, and another account's bucket", async () => {
    await seed({ ...bucket, objects: [{ key: "users/1/a.txt", content: "Ada" }] });
    for (const more of [{ secretAccessKey: "another" }, { owner: "210987654321" }])
      expect(await carry("1", more)).toMatchObject([{ answer: { outcome: "unauthorized", status: 403 } }]);
    expect(await carry("1", { bucket: "example-other" })).toMatchObject([
      { answer: { outcome: "unforeseen", what: "the bucket answered NoSuchBucket" } },
    ]);
    expect(await holds("Ada")).not.toEqual([]);
  });
});

describe("the stand-in for Cloudflare R2", () => {
  const settings = {
    accountId: "0123456789abcdef0123456789abcdef",
    bucket: "example-uploads",
    jurisdiction: "eu",
    accessKeyId: "fedcba9876543210fedcba9876543210",
    secretAccessKey: "an-invented-secret",
    prefixes: "users/{id}/",
  };
  const { erase } = cloudflareR2.actions;
  const carry = (value = "1") => carryOut(sandbox, erase, settings, { type: "user_id", value }, { wait, now });
  const bucket = {
    vendor: "cloudflare-r2",
    bucket: "example-uploads",
    keys: { [settings.accessKeyId]: settings.secretAccessKey },
  };

  it("erases objects and uploads of one person in the bucket's jurisdiction, page by page", async () => {
    const objects = Array.from({ length: 600 }, (_, nth) => ({ key: `users/1/a b/${nth}.txt`, content: "Ada" }));
    await seed({
      ...bucket,
      objects: [...objects, { key: "users/10/a.txt", content: "Bob" }],
      uploads: [{ key: "users/1/film.mp4" }],
    });
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("film.mp4")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
    expect(new Set(sandbox.recorded().map(({ url }) => new URL(url).host))).toEqual(
      new Set([`${settings.accountId}.eu.r2.cloudflarestorage.com`]),
    );
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("leaves what a rule of the bucket keeps to a person, and claims nothing", async () => {
    await seed({ ...bucket, objects: [{ key: "users/1/a.txt", content: "Ada" }], locked: ["users/1/"] });
    expect(await carry()).toMatchObject([
      { answer: { outcome: "unforeseen", what: expect.stringContaining("a lock rule of the bucket may keep them") } },
    ]);
  });
});
