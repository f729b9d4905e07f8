import { describe, expect, it } from "vitest";
import { snapchat } from "../../integrations/snapchat.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { play } from "../support/play.ts";

describe("Snapchat", () => {
  it("tells us nothing", () => {
    expect(isAbsent(snapchat.hooks)).toBe(true);
  });

  it("asks a person to see to customer lists", () => {
    const { erase } = snapchat.actions;
    if (!isAbsent(erase)) throw new Error("nothing can be erased by API");
    expect(erase.instructions).toMatch(/Audiences.*not_found/);
  });

  it("is asked for the external id alone, with the token in a header", () => {
    const { oauth } = snapchat;
    if (isAbsent(oauth)) throw new Error("Snapchat has OAuth");
    const settings = { clientId: "id", clientSecret: "shh" };
    const whose = oauth.account({ settings, accessToken: "access", answer: {}, claims: {} });
    if ("ok" in whose) throw new Error("it has to be asked for");
    const { calls, outcome } = play(whose, [{ status: 200, body: { data: { me: { externalId: "CAES" } } } }]);
    expect(calls.map(({ at, headers }) => [new URL(at.url).searchParams.get("query"), headers.authorization])).toEqual([
      ["{me{externalId}}", "Bearer access"],
    ]);
    expect(outcome).toEqual({ ok: true, value: { type: "snapchat.external_id", value: "CAES" } });
  });
});
