import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { calendly } from "../../integrations/calendly.ts";
import { shopify } from "../../integrations/shopify.ts";
import { typeform } from "../../integrations/typeform.ts";
import { carryOut } from "../support/carry-out.ts";

const ada = { type: "email", value: "ada@example.com" };

let now: number;
let sandbox: Sandbox;
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const seed = (body: object) =>
  sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(body) }));
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
});

describe("erasing at the stand-in for Calendly", () => {
  const organization = "https://api.calendly.com/organizations/ORG";
  const settings = { token: "t0ken", organization, clientId: "", clientSecret: "", webhookUrl: "" };
  const events = ["ada@example.com", "Ada@example.com", "bob@example.com"].map((invitee) => ({
    name: "Call",
    invitee,
  }));

  it("erases the invitee in Calendly's own time, and nobody else", async () => {
    await seed({ vendor: "calendly", organization, events });
    const ends = await carryOut(sandbox, calendly.actions.erase, settings, ada, { wait });
    expect(ends).toEqual([{ identity: ada, answer: { outcome: "erased" } }]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("bob@example.com")).not.toEqual([]);
  });

  it("stops where the plan does not have it", async () => {
    await seed({ vendor: "calendly", organization, enterprise: false, events });
    const ends = await carryOut(sandbox, calendly.actions.erase, settings, ada, { wait });
    expect(ends).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
  });
});

describe("erasing at the stand-in for Typeform", () => {
  it("erases each response with the address, in whichever form, and none that only looks like it", async () => {
    await seed({
      vendor: "typeform",
      forms: {
        f1: [
          { id: "r1", email: "Ada@example.com" },
          { id: "r2", email: "ada@example.org" },
        ],
        f2: [
          { id: "r3", text: "write to ada@example.com" },
          { id: "r4", hidden: { mail: "ada@example.com" } },
        ],
      },
    });
    const ends = await carryOut(
      sandbox,
      typeform.actions.erase,
      { token: "t0ken", clientId: "", clientSecret: "", webhookUrl: "" },
      ada,
      { wait },
    );
    expect(ends.map(({ identity, answer }) => [identity.value, answer.outcome])).toEqual([
      ["f1/r1", "erased"],
      ["f2/r3", "erased"],
      ["f2/r4", "erased"],
    ]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("ada@example.org")).not.toEqual([]);
  });
});

describe("asking at the stand-in for Shopify", () => {
  const settings = { clientId: "", clientSecret: "", shop: "acme", shopId: "7", adminToken: "shpat_test" };
  const customers = [
    { id: "11", email: "ada@example.com" },
    { id: "12", email: "bob@example.com" },
  ];

  it("asks for the customer found by address, and claims no more than that it was asked", async () => {
    await seed({ vendor: "shopify", shop: "acme", customers });
    expect(await carryOut(sandbox, shopify.actions.erase, settings, ada)).toEqual([
      { identity: { type: "shopify.customer", value: "7/11" }, answer: { outcome: "informed" } },
    ]);
    const held = await (await sandbox.admin(new Request("http://sandbox/holdings"))).json();
    expect(held.shopify["acme.myshopify.com"]).toMatchObject([{ requested: true }, { requested: false }]);
  });

  it("is not found by a customer's id that the shop does not have, and stops without the scope", async () => {
    await seed({ vendor: "shopify", shop: "acme", customers, mayErase: false });
    const unknown = { type: "shopify.customer", value: "7/99" };
    expect(await carryOut(sandbox, shopify.actions.erase, settings, unknown)).toMatchObject([
      { answer: { outcome: "unauthorized" } },
    ]);
    await seed({ vendor: "shopify", shop: "acme", customers, throttled: 1 });
    expect(await carryOut(sandbox, shopify.actions.erase, settings, unknown)).toMatchObject([
      { answer: { outcome: "slow_down" } },
    ]);
    expect(await carryOut(sandbox, shopify.actions.erase, settings, unknown)).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
  });
});
