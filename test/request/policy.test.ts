import { describe, expect, it } from "vitest";
import { Policy } from "../../src/request/policy.ts";

describe("a policy that decides nothing", () => {
  it("is safe: one month, a grace window, a ceiling, nothing widened and nothing kept", () => {
    expect(Policy.parse({})).toEqual({
      zone: "UTC",
      deadline: { months: 1 },
      grace_days: 30,
      ceiling_per_hour: 200,
      authority: {},
      widen: {},
      retention: [],
      at_deadline: "keep_open",
      suppression_days: 1095,
      receipt_days: 1095,
      return_addresses: [],
      backup_days: 3,
    });
  });

  it("is the same when it is read again", () => {
    const policy = Policy.parse({ retention: [RULE] });
    expect(Policy.parse(policy)).toEqual(policy);
  });
});

const RULE = { category: "billing_records", keep: { years: 10 }, ground: "legal_obligation", law: "HGB 257" };

describe("what a policy may say", () => {
  it.each([
    { zone: "Europe/Berlin" },
    { deadline: { days: 45 } },
    { deadline: { months: 3 } },
    { grace_days: 0 },
    { at_deadline: "unresolved" },
    { authority: { "shop/events": { account_deleted: "everywhere" } } },
    { authority: { "shop/events": { content_deleted: "record" } } },
    { widen: { "mail/contacts": ["email"] } },
    { retention: [{ ...RULE, keep: { days: 1 }, from: "year_end", subprocessors: ["shop"] }] },
  ])("includes %o", (policy) => {
    expect(Policy.safeParse(policy).success).toBe(true);
  });

  it("counts a retention from the request unless it says otherwise", () => {
    expect(Policy.parse({ retention: [RULE] }).retention[0]?.from).toBe("request");
  });
});

describe("what a policy may not say", () => {
  it.each([
    ["a zone that does not exist", { zone: "Europe/Atlantis" }, "zone"],
    ["no zone at all", { zone: "" }, "zone"],
    ["more months than the law gives", { deadline: { months: 4 } }, "deadline"],
    ["no time at all", { deadline: { days: 0 } }, "deadline"],
    ["months and days at once", { deadline: { months: 1, days: 1 } }, "deadline"],
    ["half a month", { deadline: { months: 1.5 } }, "deadline"],
    ["a grace window below nothing", { grace_days: -1 }, "grace_days"],
    ["a grace window of years", { grace_days: 366 }, "grace_days"],
    ["[I14] no ceiling", { ceiling_per_hour: 0 }, "ceiling_per_hour"],
    ["[I14] an unending ceiling", { ceiling_per_hour: Number.POSITIVE_INFINITY }, "ceiling_per_hour"],
    ["an authority that does not exist", { authority: { "shop/events": { account_deleted: "all" } } }, "authority"],
    ["deleted content for one holder", { authority: { "shop/events": { content_deleted: "here" } } }, "authority"],
    ["an authority for a signal that does not exist", { authority: { "shop/events": { paid: "here" } } }, "authority"],
    ["[I9] a retention without a ground", { retention: [{ ...RULE, ground: undefined }] }, "retention"],
    [
      "[I9] a retention on a ground that receipts cannot explain",
      { retention: [{ ...RULE, ground: "just in case" }] },
      "retention",
    ],
    ["[I9] a retention without its law", { retention: [{ ...RULE, law: "" }] }, "retention"],
    ["[I9] a retention without an end", { retention: [{ ...RULE, keep: {} }] }, "retention"],
    ["[I9] a retention for ever", { retention: [{ ...RULE, keep: { years: 101 } }] }, "retention"],
    ["a retention at no subprocessor", { retention: [{ ...RULE, subprocessors: [] }] }, "retention"],
    ["a category that is no plain word", { retention: [{ ...RULE, category: "Ada's invoices" }] }, "retention"],
    ["a suppression that ends at once", { suppression_days: 29 }, "suppression_days"],
    ["receipts for less than two years", { receipt_days: 729 }, "receipt_days"],
    ["a member that does not exist", { deadlines: { months: 1 } }, undefined],
  ])("refuses %s", (_, policy, field) => {
    const read = Policy.safeParse(policy);
    expect(read.success).toBe(false);
    expect(read.error?.issues[0]?.path[0]).toBe(field);
  });
});
