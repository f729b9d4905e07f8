import { describe, expect, it } from "vitest";
import { snapchat } from "../../integrations/snapchat.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Snapchat", () => {
  it("tells us nothing, and is called nowhere", () => {
    expect(isAbsent(snapchat.hooks)).toBe(true);
    expect(snapchat.origins).toEqual([]);
  });

  it("asks a person to see to customer lists, and nobody to end what only its owner can end", () => {
    const { erase, revoke } = snapchat.actions;
    if (!isAbsent(erase) || !isAbsent(revoke)) throw new Error("nothing can be done by API");
    expect(erase.instructions).toMatch(/Audiences.*not_found/);
    expect(revoke.instructions).toBeUndefined();
  });
});
