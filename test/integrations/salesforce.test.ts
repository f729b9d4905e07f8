import { describe, expect, it } from "vitest";
import { salesforce } from "../../integrations/salesforce.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Salesforce", () => {
  it("says why it has no hook, and what a person can do for an erasure, so that it is not passed over", () => {
    const { erase } = salesforce.actions;
    expect(isAbsent(salesforce.hooks)).toBe(true);
    expect(isAbsent(erase) && erase.instructions).toBeTruthy();
  });
});
