import Stripe from "stripe";
import { type Occasion, type Sender, seconds, setting } from "./sender.ts";

/** Signed by the generator that Stripe's own SDK has for tests. https://docs.stripe.com/webhooks#verify-manually */
export const stripe: Sender = {
  events: {
    "customer.deleted": {
      person: "cus_1",
      make: (occasion) =>
        event(occasion, { type: "customer.deleted", data: { object: { id: occasion.person, object: "customer" } } }),
    },
    "account.application.deauthorized": {
      person: "acct_1",
      make: (occasion) =>
        event(occasion, {
          type: "account.application.deauthorized",
          account: occasion.person,
          data: { object: { id: "ca_1", object: "application" } },
        }),
    },
  },
};

async function event(occasion: Occasion, said: object) {
  const created = seconds(occasion);
  const payload = JSON.stringify({ id: `evt_${occasion.seed}`, object: "event", created, ...said });
  const signature = await Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret: setting(occasion, "webhookSecret"),
    timestamp: created,
    scheme: "v1",
    signature: "",
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  });
  return { body: payload, headers: { "content-type": "application/json", "stripe-signature": signature } };
}
