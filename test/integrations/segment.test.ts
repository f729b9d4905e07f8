import { describe, expect, it } from "vitest";
import { segment } from "../../integrations/segment.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Segment", () => {
  it("says why it has no hook, and what a person can do for an erasure, so that it is not passed over", () => {
    const { erase } = segment.actions;
    expect(isAbsent(segment.hooks)).toBe(true);
    expect(isAbsent(erase) && erase.instructions).toBeTruthy();
  });
});
