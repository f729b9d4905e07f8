import { describe, expect, it } from "vitest";
import { typeform } from "../../integrations/typeform.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = typeform.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("Typeform has an erasure");

const settings = { token: "tfp_test", clientId: "", clientSecret: "", webhookUrl: "" };
const order = orderFor(settings, { type: "email", value: "ada@example.com" });
const page = (items: readonly object[], page_count = 1): Played => ({ status: 200, body: { items, page_count } });
const forms = page([{ id: "f1" }, { id: "f2" }]);

describe("Typeform", () => {
  it("says why it has no hook, and what a person can do for an erasure where it has no token", () => {
    expect(isAbsent(typeform.hooks)).toBe(true);
    expect(erase.needs).toMatchObject({ settings: ["token"], otherwise: { instructions: expect.any(String) } });
  });

  it("asks each form, and takes only what holds the address", () => {
    const { calls, outcome } = play(erase.run(order), [
      forms,
      page([
        { token: "t1", answers: [{ type: "text", text: "Write to ADA@example.com." }] },
        { token: "t2", answers: [{ type: "text", text: "ada at example.com" }], hidden: { ref: "x" } },
        { token: "t3", response_id: "r3", hidden: { mail: "Ada@example.com" } },
        { token: "t4", answers: [{ type: "email", email: "nada@example.com" }] },
      ]),
      page([]),
    ]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["f1/t1", "f1/r3"].map((value) => ({ type: "typeform.response", value })),
    });
    expect(calls.map(({ at }) => new URL(at.url).pathname)).toEqual([
      "/forms",
      "/forms/f1/responses",
      "/forms/f2/responses",
    ]);
    expect(new URL(calls[1]?.at.url ?? "").searchParams.get("query")).toBe("ada@example.com");
  });

  it("[I4] never says of a part that it is all", () => {
    const many = Array.from({ length: 51 }, (_, nth) => ({ id: `f${nth}` }));
    for (const replies of [[page(many)], [page([{ id: "f1" }], 2)], [page([{ id: "f1" }]), page([], 2)]])
      expect(play(erase.run(order), replies).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("deletes one response by its id, and never without one", () => {
    const one = (value: string) => ({ ...order, identity: { type: "typeform.response", value } });
    const { calls } = play(erase.run(one("f1/r1")), [{ status: 200 }]);
    expect(calls).toMatchObject([
      { method: "DELETE", at: { url: "https://api.typeform.com/forms/f1/responses?included_response_ids=r1" } },
    ]);
    for (const value of ["f1/", "f1", "/r1", "f1/r1,r2", "f1/r1/r2"])
      expect(play(erase.run(one(value)), []).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("stops the lane where the token may not", () => {
    expect(play(erase.run(order), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });
});

describe("an account at Typeform", () => {
  const { oauth } = typeform;
  if (isAbsent(oauth)) throw new Error("Typeform has OAuth");
  const accountOf = (body: object) => {
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
