import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fitted } from "../../src/api/input.ts";
import { HoldInput } from "../../src/request/hold.ts";
import { Policy } from "../../src/request/policy.ts";

const SECRET = "nobody-may-read-this";

/** What is said of each field that does not fit. */
function said(schema: z.ZodType, value: unknown): Readonly<Record<string, string>> {
  const read = fitted(schema, value);
  const { errors } = !read.ok && read.problem.reason === "invalid" ? read.problem : { errors: [] };
  return Object.fromEntries(errors.map(({ field, expected }) => [field, expected]));
}

describe("what is said of input that does not fit", () => {
  it.each<[z.ZodType, unknown, string]>([
    [z.string(), undefined, "text"],
    [z.string(), 12, "text"],
    [z.number().int(), SECRET, "a whole number"],
    [z.number().int(), 1.5, "a whole number"],
    [z.number(), SECRET, "a number"],
    [z.boolean(), SECRET, "true or false"],
    [z.array(z.string()), SECRET, "a list"],
    [z.strictObject({}), SECRET, "an object"],
    [z.record(z.string(), z.string()), SECRET, "an object"],
    [z.enum(["read", "operate"]), SECRET, "one of read, operate"],
    [z.literal("record"), SECRET, "record"],
    [z.iso.datetime(), SECRET, "an RFC 3339 time, such as 2026-11-21T09:00:00Z"],
    [z.iso.datetime({ offset: true }), SECRET, "an RFC 3339 time, such as 2026-11-21T09:00:00Z"],
    [z.iso.date(), SECRET, "a date, such as 2026-11-21"],
    [z.email(), SECRET, "an e-mail address"],
    [z.url(), SECRET, "a web address"],
    [z.url({ protocol: /^https$/ }), `http://${SECRET}.example`, "an https address"],
    [z.string().regex(/^[a-z]{2}$/), SECRET, "text that fits /^[a-z]{2}$/"],
    [z.string().regex(/^[a-z]{2}$/, "expected two letters"), SECRET, "expected two letters"],
    [z.string().min(1), "", "at least 1 character"],
    [z.string().max(5), SECRET, "at most 5 characters"],
    [z.array(z.string()).min(1), [], "at least 1 item"],
    [z.array(z.string()).max(2), [SECRET, SECRET, SECRET], "at most 2 items"],
    [z.number().int().max(365), 366, "at most 365"],
    [z.strictObject({}), { more: SECRET }, 'no member "more"'],
    [z.union([z.string(), z.array(z.string())]), 1, "text, or a list"],
    [z.string().refine(() => false), SECRET, "another value"],
  ])("is plain, and repeats no value: case %#", (schema, value, expected) => {
    expect(said(schema, value)).toEqual({ "(body)": expected });
  });

  it("names the ways that there are, each with its place", () => {
    expect(said(Policy, { deadline: { weeks: 1 }, authority: { "a/b": { account_deleted: SECRET } } })).toEqual({
      deadline: "`months` (a whole number), or `days` (a whole number)",
      "authority.a/b.account_deleted": "one of record, here, everywhere",
    });
    expect(said(HoldInput, {})).toEqual({
      reason: "text",
      review_at: "an RFC 3339 time, such as 2026-11-21T09:00:00Z",
    });
  });
});
