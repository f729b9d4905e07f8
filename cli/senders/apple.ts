import { json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** Observed deliveries: `events` is JSON in a text, `exp` a day after `iat`. https://developer.apple.com/forums/thread/655485 */
const event = (type: string, more: object = {}): SampleEvent => ({
  person: "000001.0123456789abcdef0123456789abcdef.0001",
  make: async (occasion) => {
    const issued = seconds(occasion);
    const payload = await occasion.token({
      iss: "https://appleid.apple.com",
      aud: setting(occasion, "clientIds").split(",").at(-1)?.trim() ?? "",
      iat: issued,
      exp: issued + 86_400,
      jti: `apple-${occasion.seed}`,
      events: JSON.stringify({ type, sub: occasion.person, event_time: occasion.at - 12_300, ...more }),
    });
    return json({ payload }, {});
  },
});

const relay = { email: "0a1b2c3d4e@privaterelay.appleid.com", is_private_email: "true" };

export const apple: Sender = {
  notifications: {
    "consent-revoked": event("consent-revoked"),
    "account-deleted": event("account-deleted"),
    "account-delete": event("account-delete"),
    "email-disabled": event("email-disabled", relay),
    "email-enabled": event("email-enabled", relay),
  },
};
