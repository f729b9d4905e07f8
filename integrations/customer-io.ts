import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Customer.io sends messages to the tenant's people. It tells us when a person unsubscribed; not when a profile was deleted.
 */
const WEBHOOKS = "https://docs.customer.io/journeys/webhooks/";
const SUPPRESS = "https://docs.customer.io/api/track/#operation/suppress";

const Text = z.string().min(1).nullish().catch(undefined);
const Event = z.object({
  event_id: z.string().min(1),
  object_type: z.string().min(1),
  metric: z.string().min(1),
  timestamp: UnixSeconds,
  data: z
    .object({
      customer_id: Text,
      identifiers: z.object({ id: Text, email: Text, cio_id: Text }).nullish().catch(undefined),
    })
    .nullish(),
});
type Data = z.infer<typeof Event>["data"];

/** By the id that the tenant gave, else by Customer.io's own, else by e-mail. */
function whom(data: Data) {
  const { id, cio_id, email } = data?.identifiers ?? {};
  const own = id ?? data?.customer_id;
  if (own != null) return { type: "customer-io.id", value: own };
  if (cio_id != null) return { type: "customer-io.cio_id", value: cio_id };
  return email == null ? undefined : { type: "email", value: email };
}

export const customerIo = defineIntegration({
  id: "customer-io",
  name: "Customer.io",
  about: "Sends messages to people, by what they did.",
  origins: [],
  settings: { signingKey: secret("Signing key of the reporting webhook") },
  identities: {
    "customer-io.id": "The id under which the tenant keeps a person there",
    "customer-io.cio_id": "Customer.io's own id of a person",
  },

  hooks: {
    reporting: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "signingKey",
        signature: { header: "x-cio-signature", encoding: "hex" },
        over: [{ text: "v0:" }, { header: "x-cio-timestamp" }, { text: ":" }, "body"],
        // No age: Customer.io states none, repeats for seven days, and whether a repeat has a new time is unconfirmed.
      },
      contentTypes: ["application/json"],
      read: json(Event, ({ event_id: id, object_type, metric, timestamp, data }) => {
        const name = `${object_type}.${metric}`;
        const identity = name === "customer.unsubscribed" ? whom(data) : undefined;
        // A refusal would hold up all later events, so one who cannot be told is counted like what is not known.
        if (identity === undefined) return [{ id, name, signals: [] }];
        return [{ id, name, signals: [{ type: "consent_withdrawn", identity, at: withinSecond(timestamp) }] }];
      }),
      authority: { consent_withdrawn: "record" },
      answer: 200,
      retriesForHours: 168,
      events: ["customer.unsubscribed"],
    },
  },

  oauth: absent("Customer.io has API keys only", "https://docs.customer.io/api/track/"),

  actions: {
    erase: absent(
      "Customer.io deletes and suppresses people by API, which is not yet connected by Quittance",
      SUPPRESS,
      "In Customer.io, find the person by id and by e-mail address, choose Delete, and Suppress where they must not be taken again; then search again.",
    ),
    revoke: absent("people grant Customer.io nothing", WEBHOOKS),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
