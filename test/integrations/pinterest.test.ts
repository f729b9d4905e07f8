import { describe, expect, it } from "vitest";
import { pinterest } from "../../integrations/pinterest.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Pinterest", () => {
  it("tells us nothing", () => {
    expect(isAbsent(pinterest.hooks)).toBe(true);
  });

  it("has its terms remembered once a week", () => {
    expect(pinterest.duties?.audiences).toMatchObject({
      everyHours: 168,
      what: expect.stringContaining("opted out"),
      source: "https://policy.pinterest.com/en/developer-guidelines",
    });
  });

  it("asks a person to see to customer lists", () => {
    const { erase } = pinterest.actions;
    if (!isAbsent(erase)) throw new Error("nothing can be erased by API");
    expect(erase.instructions).toMatch(/customer_lists.*not_found/);
  });

  it("[I4] ends no grant where it may as well be the app that is refused", () => {
    const { oauth } = pinterest;
    if (isAbsent(oauth)) throw new Error("Pinterest has OAuth");
    const told = (code: number) => oauth.adapt?.({ status: 401, json: { code, message: "no" } });
    expect(told(283)).toEqual({ status: 400, json: { error: "invalid_grant" } });
    for (const code of [1, 2, 3, 29]) expect(told(code)).toEqual({ status: 400, json: { error: "invalid_request" } });
  });
});
