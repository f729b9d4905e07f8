import { describe, expect, it } from "vitest";
import { calendly } from "../../integrations/calendly.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Calendly", () => {
  it("says why it has no hook, and what a person can do for an erasure, so that it is not passed over", () => {
    const { erase } = calendly.actions;
    expect(isAbsent(calendly.hooks)).toBe(true);
    expect(isAbsent(erase) && erase.instructions).toBeTruthy();
  });
});
