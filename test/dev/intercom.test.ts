import { beforeEach, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { intercom } from "../../integrations/intercom.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = {
  region: "eu",
  accessToken: "t0ken",
  clientId: "",
  clientSecret: "",
  workspaceId: "",
  uninstallSecret: "",
};

let sandbox: Sandbox;
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

beforeEach(async () => {
  sandbox = createSandbox();
  const body = JSON.stringify({
    vendor: "intercom",
    contacts: [
      { id: "c1", email: "ada@example.com", external_id: "u-1" },
      { id: "c2", email: "ada@example.com", role: "lead" },
      { id: "c3", email: "bob@example.com" },
    ],
    conversations: [{ contact: "c1", text: "Help for Ada" }],
  });
  await sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body }));
});

it("erases the user and the lead with an address at the stand-in for Intercom, and nobody else", async () => {
  const ends = await carryOut(sandbox, intercom.actions.erase, settings, { type: "email", value: "ada@example.com" });
  const erased = (value: string) => ({
    identity: { type: "intercom.contact", value },
    answer: { outcome: "erased" },
    sight: "absent",
  });
  expect(ends).toEqual([erased("c1"), erased("c2")]);
  expect(await holds("ada")).toEqual([]);
  expect(await holds("bob")).not.toEqual([]);
});

it("finds a contact by the tenant's own id, and nothing a second time", async () => {
  const identity = { type: "user_id", value: "u-1" };
  expect(await carryOut(sandbox, intercom.actions.erase, settings, identity)).toMatchObject([
    { answer: { outcome: "erased" } },
  ]);
  expect(await carryOut(sandbox, intercom.actions.erase, settings, identity)).toMatchObject([
    { answer: { outcome: "not_found" } },
  ]);
  const contact = { type: "intercom.contact", value: "c1" };
  expect(await carryOut(sandbox, intercom.actions.erase, settings, contact)).toMatchObject([
    { answer: { outcome: "not_found" } },
  ]);
});
