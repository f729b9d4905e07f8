import { describe, expect, it } from "vitest";
import type { Integration } from "../../src/contract/integration.ts";
import type { SignalType } from "../../src/contract/signal.ts";
import { importSignals, namedBy } from "../../src/intake/import.ts";
import { intentsOf } from "../../src/intake/understand.ts";
import { Policy } from "../../src/request/policy.ts";
import { bench, NOW } from "../request/samples.ts";

async function shopAt(policy: object = {}) {
  const at = await bench();
  const { shop: subprocessor } = at.context.tenant.subprocessors;
  const integration = at.ports.integrations.get("shop");
  if (subprocessor === undefined || integration === undefined) throw new Error("there is a shop");
  const context = { ...at.context, tenant: { ...at.context.tenant, policy: Policy.parse(policy) } };
  const silent: Integration = { ...integration, hooks: { absent: "none", source: "https://acme.example/docs" } };
  return { at, context, subprocessor, integration: silent };
}

const signal = (type: SignalType, identity: string, at = NOW) => ({
  type,
  identity: { type: identity, value: "ada@example.com" },
  at,
});

describe("a signal of an identity that its sender may not speak for", () => {
  it("begins no generation, and heeds nobody's", async () => {
    const { context, subprocessor, integration } = await shopAt();
    const teller = { subprocessor, integration, endpoint: "events", hook: { authority: {} } };
    const intents = intentsOf(context, teller, [
      {
        id: "1",
        name: "x",
        signals: [signal("account_restored", "email"), signal("account_restored", "shop.customer")],
      },
    ]);
    expect(intents.map((intent) => intent.signal)).toEqual([undefined, "account_restored"]);
    expect(intents.map(({ authority }) => authority)).toEqual(["record", "record"]);
  });
});

describe("a list for an integration without hooks", () => {
  const ids = [{ type: "shop.customer", value: "cus_1", at: NOW }];

  it("causes what the policy says, and otherwise nothing", async () => {
    for (const [policy, noteOnly] of [
      [{}, true],
      [{ authority: { "shop/import": { account_deleted: "here" } } }, false],
    ] as const) {
      const { at, context, subprocessor, integration } = await shopAt(policy);
      const list = { type: "account_deleted", reference: "list", ids } as const;
      await importSignals(at.ports, context, subprocessor, integration, list);
      expect(at.recorded).toMatchObject([{ noteOnly, heeds: "shop" }]);
    }
  });

  it("may name its own identities, and each that the policy adds, once", async () => {
    const { context, subprocessor, integration } = await shopAt({
      widen: { "shop/import": ["email", "shop.customer"], "shop/events": ["phone"] },
    });
    expect(namedBy(context.tenant, subprocessor, integration)).toEqual(["shop.customer", "email"]);
  });
});
