import { describe, expect, it } from "vitest";
import { typeform } from "../../integrations/typeform.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { play } from "../support/play.ts";

describe("Typeform", () => {
  it("says why it has no hook, and what a person can do for an erasure, so that it is not passed over", () => {
    const { erase } = typeform.actions;
    expect(isAbsent(typeform.hooks)).toBe(true);
    expect(isAbsent(erase) && erase.instructions).toBeTruthy();
  });
});

describe("an account at Typeform", () => {
  const { oauth } = typeform;
  if (isAbsent(oauth)) throw new Error("Typeform has OAuth");
  const accountOf = (body: object) => {
    const settings = { clientId: "c", clientSecret: "s" };
    const whose = oauth.account({ settings, accessToken: "a", answer: {}, claims: {} });
    if ("ok" in whose) throw new Error("it is asked");
    return play(whose, [{ status: 200, body }]).outcome;
  };

  it("is known by its id, and by its address where there is none", () => {
    expect(accountOf({ user_id: "u1", email: "ada@example.com" })).toMatchObject({ value: { value: "u1" } });
    expect(accountOf({ email: "ada@example.com" })).toMatchObject({ value: { value: "ada@example.com" } });
    expect(accountOf({ alias: "Ada" })).toMatchObject({ ok: false });
  });
});
