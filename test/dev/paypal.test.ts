import { beforeEach, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { paypal } from "../../integrations/paypal.ts";
import { carryOut } from "../support/carry-out.ts";

const settings = { environment: "sandbox", clientId: "app-1", clientSecret: "s3cret", webhookId: "" };
const ada = { type: "paypal.customer", value: "customer_ada" };
const { erase } = paypal.actions;

let now: number;
let sandbox: Sandbox;
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();
const seed = (body: object) =>
  sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify({ vendor: "paypal", ...body }) }),
  );

beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
});

it("deletes all of a customer's payment methods, over pages, and nobody else's", async () => {
  const payment_tokens = Array.from({ length: 12 }, (_, at) => ({
    id: `method-${at}`,
    customer: at === 11 ? "customer_bob" : "customer_ada",
    wallet: at % 2 === 0,
  }));
  await seed({ payment_tokens });
  const ends = await carryOut(sandbox, erase, settings, ada, { wait });
  expect(ends).toHaveLength(11);
  for (const { answer, sight } of ends) expect([answer.outcome, sight]).toEqual(["erased", "absent"]);
  expect(await holds("customer_ada")).toEqual([]);
  expect(await holds("customer_bob")).not.toEqual([]);
  expect(await carryOut(sandbox, erase, settings, ada, { wait })).toMatchObject([{ answer: { outcome: "not_found" } }]);
});

it("finds out that a method is gone already, and sees nothing of another app's", async () => {
  await seed({ account: "app-2", payment_tokens: [{ id: "method-1", customer: "customer_ada" }] });
  const method = { type: "paypal.payment_token", value: "method-1" };
  expect(await carryOut(sandbox, erase, settings, method)).toMatchObject([{ answer: { outcome: "not_found" } }]);
  expect(await holds("customer_ada")).not.toEqual([]);
  const other = { ...settings, clientId: "app-2" };
  expect(await carryOut(sandbox, erase, other, method, { wait })).toMatchObject([{ answer: { outcome: "erased" } }]);
});
