import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalise, SHARED_TYPES } from "../../src/contract/identity.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const spelled = (type: string, value: string) => normalise({ type, value }).value;

describe("the spelling under which an identity is indexed", () => {
  it.each([
    ["email", " Ada@Example.com ", "ada@example.com"],
    ["handle", "@Ada", "ada"],
    ["handle", "@@Ada", "ada"],
    ["handle", "@ @ Ada", "ada"],
    ["phone", "+44 (20) 7946-0000", "+442079460000"],
    ["user_id", " U-1 ", "U-1"],
    ["stripe.customer", "cus_A", "cus_A"],
    ["email", "J\u030c@example.com", "\u01f0@example.com"],
  ])("of the %s %s is %s", (type, value, spelling) => {
    expect(spelled(type, value)).toBe(spelling);
  });

  it("stays as it is when it is taken again", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc
        .array(fc.constantFrom("@", " ", "J\u030c", "e", "\u0301", "-", "(", "\u1e9e", "\u0130", "\u03a3"))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SHARED_TYPES, "stripe.customer"), value, (type, text) => {
        const once = spelled(type, text);
        expect(spelled(type, once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });
});
