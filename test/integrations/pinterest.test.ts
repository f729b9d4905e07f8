import { describe, expect, it } from "vitest";
import { pinterest } from "../../integrations/pinterest.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Pinterest", () => {
  it("tells us nothing, and is called nowhere", () => {
    expect(isAbsent(pinterest.hooks)).toBe(true);
    expect(pinterest.origins).toEqual([]);
  });

  it("has its terms remembered once a week", () => {
    expect(pinterest.duties?.audiences).toMatchObject({
      everyHours: 168,
      what: expect.stringContaining("opted out"),
      source: "https://policy.pinterest.com/en/developer-guidelines",
    });
  });

  it("asks a person to see to customer lists, and nobody to end what only its owner can end", () => {
    const { erase, revoke } = pinterest.actions;
    if (!isAbsent(erase) || !isAbsent(revoke)) throw new Error("nothing can be done by API");
    expect(erase.instructions).toMatch(/customer_lists.*not_found/);
    expect(revoke.instructions).toBeUndefined();
  });
});
