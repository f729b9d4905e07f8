import { beforeEach, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { sendgrid } from "../../integrations/sendgrid.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = { region: "eu", apiKey: "SG.t0ken", subuser: "", verificationKey: "" };
const ada = { type: "email", value: "ada@example.com" };
const { erase } = sendgrid.actions;

let now: number;
let sandbox: Sandbox;
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

beforeEach(async () => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
  const body = JSON.stringify({
    vendor: "sendgrid",
    contacts: [{ id: "c1", email: "ada@example.com" }, { email: "bob@example.com" }],
    mail: ["ada@example.com", "bob@example.com"],
    suppressions: [
      { list: "spam_reports", email: "ada@example.com" },
      { list: "global", email: "ada@example.com" },
      { list: "10", email: "ada@example.com" },
    ],
  });
  await sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body }));
});

it("erases mail data, contact and suppressions at the stand-in for SendGrid, and nobody else's", async () => {
  const ends = await carryOut(sandbox, erase, settings, ada, { wait });
  expect(ends).toMatchObject([
    { identity: { type: "sendgrid.recipient" }, answer: { outcome: "informed" } },
    { identity: { type: "sendgrid.suppressions" }, answer: { outcome: "erased" } },
    { identity: { type: "sendgrid.contact" }, answer: { outcome: "erased" }, sight: "absent" },
  ]);
  expect(await holds("ada@example.com")).toEqual([]);
  expect(await holds("bob@example.com")).not.toEqual([]);
});

it("keeps the suppressions that the policy keeps, and removes them on their day", async () => {
  await carryOut(sandbox, erase, settings, ada, { wait, keeps: ["suppression_list"] });
  expect(await holds("ada@example.com")).not.toEqual([]);
  const kept = { type: "sendgrid.suppressions", value: ada.value };
  expect(await carryOut(sandbox, erase, settings, kept, { wait })).toMatchObject([{ answer: { outcome: "erased" } }]);
  expect(await holds("ada@example.com")).toEqual([]);
});
