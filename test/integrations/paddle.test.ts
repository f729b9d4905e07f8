import { describe, expect, it } from "vitest";
import { paddle } from "../../integrations/paddle.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Paddle", () => {
  const { erase } = paddle.actions;

  it("leaves an erasure to a person, and says whom to write to and what about", () => {
    const instructions = isAbsent(erase) ? (erase.instructions ?? "") : "";
    for (const said of ["sellers@paddle.com", "first name", "last name", "e-mail address", "subscriptions"])
      expect(instructions).toContain(said);
    expect(isAbsent(erase) && erase.source).toContain("requesting-buyer-data-deletion");
  });

  it("says what Paddle keeps by law, and calls nothing", () => {
    expect(paddle.residuals).toMatchObject([{ category: "transactions", days: 1827 }]);
    expect(paddle.origins).toEqual([]);
    expect(isAbsent(paddle.hooks)).toBe(true);
  });
});
