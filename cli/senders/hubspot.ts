import { base64, hmac, json, type Made, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide */
const event = (subscriptionType: string, person = "33"): SampleEvent => ({
  person,
  make: (occasion) =>
    signed(occasion, [
      {
        eventId: 1,
        subscriptionId: 12,
        portalId: 62515,
        appId: 54321,
        occurredAt: occasion.at,
        subscriptionType,
        attemptNumber: 0,
        objectId: Number(occasion.person),
      },
    ]),
});

export const hubspot: Sender = {
  events: {
    "contact.privacyDeletion": event("contact.privacyDeletion"),
    "contact.deletion": event("contact.deletion"),
    "contact.restore": event("contact.restore"),
    "conversation.privacyDeletion": event("conversation.privacyDeletion", "44"),
    "conversation.deletion": event("conversation.deletion", "44"),
  },
};

async function signed(occasion: Occasion, said: readonly object[]): Promise<Made> {
  const time = `${occasion.at}`;
  const text = `POST${occasion.url}${JSON.stringify(said)}${time}`;
  const mac = await hmac("SHA-256", setting(occasion, "clientSecret"), text);
  return json(said, { "x-hubspot-request-timestamp": time, "x-hubspot-signature-v3": base64(mac) });
}
