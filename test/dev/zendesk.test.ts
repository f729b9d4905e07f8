import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { zendesk } from "../../integrations/zendesk.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = {
  subdomain: "acme",
  agentEmail: "agent@acme.example",
  apiToken: "t0ken",
  webhookSecret: "",
  clientId: "",
  clientSecret: "",
};
const { erase } = zendesk.actions;
const tickets = (count: number, requester_id: number) =>
  Array.from({ length: count }, (_, nth) => ({ id: 100 + nth, requester_id, subject: `Help for Ada ${nth}` }));

let now: number;
let sandbox: Sandbox;
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const seed = (body: object) =>
  sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify({ vendor: "zendesk", ...body }) }),
  );
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

beforeEach(async () => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
  await seed({
    account: "acme",
    users: [
      { id: 11, name: "Ada", email: "ada@example.com", external_id: "u-1", addresses: ["ada@work.example"] },
      { id: 12, name: "Bob", email: "bob@example.com" },
    ],
    tickets: [...tickets(3, 11), { id: 900, requester_id: 12, subject: "Bob's own" }],
  });
});

describe("erasing at the stand-in for Zendesk", () => {
  it.each([
    { type: "email", value: "Ada@example.com" },
    { type: "email", value: "ada@work.example" },
    { type: "user_id", value: "u-1" },
  ])("erases the user found by $type $value, with all tickets, and nobody else", async (identity) => {
    const ends = await carryOut(sandbox, erase, settings, identity, { wait });
    expect(ends).toEqual([
      { identity: { type: "zendesk.user", value: "11" }, answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
  });

  it("erases more tickets than one attempt may", async () => {
    await seed({ account: "acme", tickets: tickets(250, 11) });
    const user = { type: "zendesk.user", value: "11" };
    expect(await carryOut(sandbox, erase, settings, user, { wait })).toMatchObject([{ answer: { outcome: "erased" } }]);
    expect(await holds("Ada")).toEqual([]);
  });

  it("keeps the tickets that the policy keeps, and erases them on their day", async () => {
    const user = { type: "zendesk.user", value: "11" };
    const ends = await carryOut(sandbox, erase, settings, user, { wait, keeps: ["support_tickets"] });
    const residue = [{ type: "zendesk.tickets", value: "100,101,102" }];
    expect(ends).toMatchObject([{ answer: { outcome: "retained", category: "support_tickets", residue } }]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("Help for Ada")).toHaveLength(3);
    const [tickets = user] = residue;
    expect(await carryOut(sandbox, erase, settings, tickets, { wait })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(await holds("Help for Ada")).toEqual([]);
  });

  it("[I4] claims nothing of a user with kept tickets at work", async () => {
    await seed({ account: "acme", tickets: [{ id: 100, requester_id: 11, subject: "Help", status: "open" }] });
    const user = { type: "zendesk.user", value: "11" };
    expect(await carryOut(sandbox, erase, settings, user, { wait, keeps: ["support_tickets"] })).toMatchObject([
      { answer: { outcome: "unforeseen", status: 422 } },
    ]);
    expect(await holds("ada@example.com")).not.toEqual([]);
  });

  it("says not found of a user who was erased before, when every product is done", async () => {
    const user = { type: "zendesk.user", value: "11" };
    await carryOut(sandbox, erase, settings, user, { wait });
    expect(await carryOut(sandbox, erase, settings, { type: "email", value: "ada@example.com" })).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
  });
});
