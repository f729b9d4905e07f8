import { describe, expect, it } from "vitest";
import { typeform } from "../../integrations/typeform.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Typeform", () => {
  it("says why it has no hook, and what a person can do for an erasure, so that it is not passed over", () => {
    const { erase } = typeform.actions;
    expect(isAbsent(typeform.hooks)).toBe(true);
    expect(isAbsent(erase) && erase.instructions).toBeTruthy();
  });
});
