import { beforeEach, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { mailchimp } from "../../integrations/mailchimp.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = {
  apiKey: "0123456789abcdef0123456789abcdef-us21",
  dataCenter: "us21",
  clientId: "",
  clientSecret: "",
  signingSecret: "",
  addressSecret: "",
};
const { erase } = mailchimp.actions;

let sandbox: Sandbox;
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

beforeEach(async () => {
  sandbox = createSandbox();
  const ada = (status: string) => ({ email: "ada@example.com", status });
  const lists = [
    { id: "list1", name: "News", members: [ada("subscribed"), { email: "bob@example.com" }] },
    { id: "list2", name: "Offers", members: [ada("archived")] },
    { id: "list3", name: "Others" },
  ];
  const body = JSON.stringify({ vendor: "mailchimp", account: "us21", lists });
  await sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body }));
});

it("erases a person from every audience at the stand-in for Mailchimp, archived members too, and nobody else", async () => {
  const ends = await carryOut(sandbox, erase, settings, { type: "email", value: "Ada@example.com" });
  expect(ends).toMatchObject([
    { answer: { outcome: "erased" }, sight: "absent" },
    { answer: { outcome: "erased" }, sight: "absent" },
  ]);
  expect(await holds("ada@example.com")).toEqual([]);
  expect(await holds("bob@example.com")).not.toEqual([]);
});

it("finds a person by the id that a webhook gives, and nothing a second time", async () => {
  const member = Object(await (await sandbox.admin(new Request("http://sandbox/holdings"))).json()).mailchimp.members
    .list1;
  const ada = Object.values<{ email_address: string; unique_email_id: string }>(member).find(
    ({ email_address }) => email_address === "ada@example.com",
  );
  const identity = { type: "mailchimp.address_id", value: ada?.unique_email_id ?? "" };
  expect(await carryOut(sandbox, erase, settings, identity)).toHaveLength(2);
  expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
});
