import { crc32 } from "node:zlib";
import { type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://developer.paypal.com/api/rest/webhooks/event-names/ */
export const paypal: Sender = {
  webhooks: {
    "IDENTITY.AUTHORIZATION-CONSENT.REVOKED": event(
      "IDENTITY.AUTHORIZATION-CONSENT.REVOKED",
      "authorization_consent_revoked",
      "ADATESTPAYER2",
      (payer_id) => ({ payer_id }),
    ),
    "MERCHANT.PARTNER-CONSENT.REVOKED": event(
      "MERCHANT.PARTNER-CONSENT.REVOKED",
      "partner-consent",
      "ADATESTSHOP22",
      (merchant_id) => ({ merchant_id, tracking_id: "shop-42" }),
    ),
    "VAULT.PAYMENT-TOKEN.DELETED": event("VAULT.PAYMENT-TOKEN.DELETED", "payment_token", "8kk8451t", method),
    "VAULT.PAYMENT-TOKEN.DELETION-INITIATED": event(
      "VAULT.PAYMENT-TOKEN.DELETION-INITIATED",
      "payment_token",
      "8kk8451t",
      method,
    ),
    "MERCHANT.ONBOARDING.COMPLETED": event(
      "MERCHANT.ONBOARDING.COMPLETED",
      "merchant-onboarding",
      "ADATESTSHOP22",
      (merchant_id) => ({ merchant_id, tracking_id: "shop-42", partner_client_id: "partner" }),
    ),
  },
};

function method(id: string): object {
  return { id, customer: { id: "customer_42" } };
}

function event(name: string, resource_type: string, person: string, resource: (person: string) => object): SampleEvent {
  return {
    person,
    make: async (occasion) => {
      const time = `${new Date(occasion.at).toISOString().slice(0, 19)}Z`;
      const body = JSON.stringify({
        id: `WH-${occasion.seed}`,
        event_version: "1.0",
        create_time: time,
        resource_type,
        event_type: name,
        summary: "A sample.",
        resource: resource(occasion.person),
        links: [],
      });
      const id = `transmission-${occasion.seed}`;
      const signed = `${id}|${time}|${setting(occasion, "webhookId")}|${crc32(body)}`;
      return {
        body,
        headers: {
          "content-type": "application/json",
          "paypal-transmission-id": id,
          "paypal-transmission-time": time,
          "paypal-transmission-sig": await occasion.sign(signed, "SHA-256"),
          "paypal-cert-url": `https://${hostOf(occasion.settings)}/v1/notifications/certs/CERT-0123456789abcdef`,
          "paypal-auth-algo": "SHA256withRSA",
        },
      };
    },
  };
}

const hostOf = ({ environment }: Readonly<Record<string, string>>): string =>
  environment === "sandbox" ? "api.sandbox.paypal.com" : "api.paypal.com";
