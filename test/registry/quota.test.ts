import { describe, expect, it } from "vitest";
import type { Integration } from "../../src/contract/integration.ts";
import { quotaOf } from "../../src/registry/quota.ts";
import { SubprocessorInput } from "../../src/registry/subprocessor.ts";

const NOW = Date.parse("2026-11-21T07:30:00Z");
const SOURCE = "https://acme.example/limits";
const stated = (calls: number, resets: string): Pick<Integration, "limits"> => ({
  limits: { connections: 1, perDay: { calls, resets, source: SOURCE } },
});

describe("a day's quota", () => {
  it("is nobody's who has none", () => {
    expect(quotaOf({ id: "acme" }, { limits: { connections: 1 } }, undefined, NOW)).toBeUndefined();
  });

  it("ends at the midnight of the vendor's zone, also on a day that has another length", () => {
    expect(quotaOf({ id: "acme" }, stated(500, "America/Los_Angeles"), undefined, NOW)).toEqual({
      account: "acme",
      day: "2026-11-20",
      allowed: 500,
      ends: Date.parse("2026-11-21T08:00:00Z"),
    });
    const long = quotaOf({ id: "acme" }, stated(500, "Europe/Berlin"), "shared", Date.parse("2026-10-25T12:00:00Z"));
    expect(long).toMatchObject({ account: "shared", day: "2026-10-25", ends: Date.parse("2026-10-25T23:00:00Z") });
  });

  it("is halved where any 24 hours count, so that no 24 hours have more", () => {
    expect(quotaOf({ id: "acme" }, stated(500, "rolling"), undefined, NOW)).toEqual({
      account: "acme",
      day: "2026-11-21",
      allowed: 250,
      ends: Date.parse("2026-11-22T00:00:00Z"),
    });
  });

  it("is the tenant's own, where one was entered", () => {
    const entry = { id: "acme", quota: { perDay: 900 } };
    expect(quotaOf(entry, stated(500, "Asia/Tokyo"), undefined, NOW)).toMatchObject({
      allowed: 900,
      day: "2026-11-21",
    });
    expect(quotaOf(entry, { limits: { connections: 1 } }, undefined, NOW)).toMatchObject({ allowed: 450 });
  });

  it.each([{ per_day: 1 }, { per_day: 2.5 }, { per_day: 10, resets: "Mars/Olympus" }, { per_day: 10, more: 1 }])(
    "is refused as %j",
    (quota) => {
      expect(SubprocessorInput.safeParse({ integration: "acme", quota }).success).toBe(false);
    },
  );
  it("is taken with a zone, or as rolling", () => {
    for (const resets of ["rolling", "Europe/Berlin"])
      expect(SubprocessorInput.safeParse({ integration: "acme", quota: { per_day: 10, resets } }).success).toBe(true);
  });
});
