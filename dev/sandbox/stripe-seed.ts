import { z } from "zod";
import { derivedId, everyone } from "./shelf.ts";
import type { StripeState } from "./stripe-wire.ts";
import type { Json } from "./vendor.ts";

const Payment = z.strictObject({
  /** Days before now. */
  age_days: z.number().min(0).default(120),
  amount: z.int().positive().default(2500),
  /** `requires_payment_method` is an unused payment: no charge and no invoice. */
  status: z.enum(["succeeded", "requires_payment_method"]).default("succeeded"),
});

/** `{vendor: "stripe", account?: "sk_test_…" | "acct_…", customers?, connected?}`; without an account every key sees it. */
export const Seed = z.object({
  account: z.string().default(everyone),
  customers: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        email: z.string(),
        name: z.string().nullable().default(null),
        phone: z.string().nullable().default(null),
        metadata: z.record(z.string(), z.string()).default({}),
        age_days: z.number().min(0).default(200),
        /** How many, or each one. */
        payments: z.union([z.int().min(0), z.array(Payment)]).default(0),
        payment_methods: z.int().min(0).default(0),
        subscriptions: z.int().min(0).default(0),
      }),
    )
    .default([]),
  /** Accounts that connected to a platform by OAuth; a platform without a key is anyone's. */
  connected: z
    .array(z.strictObject({ id: z.string(), client_id: z.string(), platform: z.string().default(everyone) }))
    .default([]),
});

/**
 * Puts a customer and what hangs off it on the shelves; the ids of the rest are made from the customer's.
 *
 * Customers have all fields that Stripe always sends; the rest only those that say whose they are, when and in what state.
 */
export function plant(
  state: StripeState,
  account: string,
  { payments, payment_methods, subscriptions, age_days, ...person }: z.infer<typeof Seed>["customers"][number],
  now: number,
): Json {
  const id = person.id ?? derivedId("cus_", account, person.email);
  const tail = id.replace(/^cus_/, "");
  const made: string[] = [id];
  const created = now - Math.round(age_days * 86_400);
  const put = (kind: keyof StripeState, prefix: string, nth: number, thing: { readonly [field: string]: Json }) => {
    made.push(`${prefix}_${tail}_${nth}`);
    return state[kind].put(account, {
      id: `${prefix}_${tail}_${nth}`,
      created,
      livemode: false,
      customer: id,
      ...thing,
    });
  };
  const { email, name, phone, metadata } = person;
  const personal = { address: null, email, name, phone };
  state.customers.put(account, {
    id,
    object: "customer",
    balance: 0,
    created,
    currency: "eur",
    default_source: null,
    delinquent: false,
    description: null,
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata,
    shipping: null,
    ...personal,
  });
  for (let nth = 1; nth <= payment_methods; nth++)
    put("payment_methods", "pm", nth, { object: "payment_method", type: "card", billing_details: personal });
  for (let nth = 1; nth <= subscriptions; nth++)
    put("subscriptions", "sub", nth, { object: "subscription", status: "active", canceled_at: null, ended_at: null });
  const each = typeof payments === "number" ? Array.from({ length: payments }, () => Payment.parse({})) : payments;
  for (const [index, { age_days: age, amount, status }] of each.entries()) {
    const money = { amount, currency: "eur", created: now - Math.round(age * 86_400) };
    const intent = put("payment_intents", "pi", index + 1, {
      object: "payment_intent",
      ...money,
      status,
      receipt_email: email,
    });
    if (status !== "succeeded") continue;
    put("charges", "ch", index + 1, {
      object: "charge",
      ...money,
      status,
      payment_intent: intent.id,
      receipt_email: email,
      billing_details: personal,
    });
    put("invoices", "in", index + 1, {
      object: "invoice",
      status: "paid",
      total: amount,
      currency: "eur",
      created: money.created,
      payment_intent: intent.id,
      customer_address: null,
      customer_email: email,
      customer_name: name,
      customer_phone: phone,
    });
  }
  return made;
}
