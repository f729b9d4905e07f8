import { describe, expect, it } from "vitest";
import { awsSes } from "../../integrations/aws-ses.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound, retained } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = awsSes.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("SES has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("SES can be looked at");

const settings = {
  region: "eu-central-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "an-invented-secret",
  contactList: "newsletter",
};
const person = { type: "email", value: "ada@example.com" };
const order = (more: Partial<typeof settings> = {}, ...keeps: readonly string[]) =>
  orderFor({ ...settings, ...more }, person, { keeps: new Set(keeps) });
const ok: Played = { status: 200, body: {} };
const gone: Played = { status: 404, body: { message: "not found" } };

describe("erasing an address at SES", () => {
  it("takes the contact and the suppressed address, each by its address", () => {
    const { calls, outcome } = play(erase.run(order()), [ok, ok]);
    expect(calls.map(({ method, at }) => `${method} ${at.url}`)).toEqual([
      "DELETE https://email.eu-central-1.amazonaws.com/v2/email/contact-lists/newsletter/contacts/ada%40example.com",
      "DELETE https://email.eu-central-1.amazonaws.com/v2/email/suppression/addresses/ada%40example.com",
    ]);
    expect(calls[0]?.sign).toMatchObject({ service: "ses", region: "eu-central-1" });
    for (const { at } of calls) expect(at.template).not.toContain("ada");
    expect(outcome).toEqual(erased);
  });

  it("says what was erased and what was not there", () => {
    expect(play(erase.run(order()), [ok, gone]).outcome).toEqual(erased);
    expect(play(erase.run(order()), [gone, ok, ok]).outcome).toEqual(erased);
    expect(play(erase.run(order()), [gone, ok, gone]).outcome).toEqual(notFound);
    expect(play(erase.run(order({ contactList: "" })), [gone]).outcome).toEqual(notFound);
  });

  it("leaves a suppressed address where the policy keeps it, and erases the contact", () => {
    const { calls, outcome } = play(erase.run(order({}, "suppression_list")), [ok, ok]);
    expect(calls.map(({ method }) => method)).toEqual(["DELETE", "GET"]);
    expect(outcome).toEqual(retained("suppression_list", [person]));
    expect(play(erase.run(order({}, "suppression_list")), [ok, gone]).outcome).toEqual(erased);
  });

  it("[I4] does not take a list that is not there for a contact who is not", () => {
    expect(play(erase.run(order()), [gone, gone]).outcome).toMatchObject({
      outcome: "unforeseen",
      what: "SES has no contact list of this name",
    });
  });

  it.each([
    [{ status: 403 }, { outcome: "unauthorized" }],
    [{ status: 400 }, { outcome: "unforeseen" }],
    [{ status: 204 }, { outcome: "unforeseen" }],
  ])("[I4] claims nothing where the answer is %j", (reply, expected) => {
    expect(play(erase.run(order()), [reply]).outcome).toMatchObject(expected);
    expect(play(erase.run(order()), [ok, reply]).outcome).toMatchObject(expected);
    expect(play(erase.run(order()), [gone, reply]).outcome).toMatchObject(expected);
    expect(play(erase.run(order({}, "suppression_list")), [ok, reply]).outcome).toMatchObject(expected);
    expect(play(look.run(order()), [reply]).outcome).toMatchObject(expected);
    expect(play(look.run(order()), [gone, reply]).outcome).toMatchObject(expected);
  });
});

it("finds an address absent only where neither list has it", () => {
  expect(play(look.run(order()), [gone, gone]).outcome).toBe("absent");
  expect(play(look.run(order()), [ok]).outcome).toBe("present");
  expect(play(look.run(order()), [gone, ok]).outcome).toBe("present");
  expect(play(look.run(order({ contactList: "" })), [gone]).outcome).toBe("absent");
});
