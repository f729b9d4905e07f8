import { base64, hmac, json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const event = (type: string): SampleEvent => ({
  person: "u-1",
  async make(occasion) {
    const said = {
      type,
      timestamp: new Date(occasion.at).toISOString(),
      data: { user_id: occasion.person, email: "ada@example.com" },
    };
    const id = `msg_${occasion.seed}`;
    const time = `${seconds(occasion)}`;
    const key = Uint8Array.from(atob(setting(occasion, "secret").replace(/^whsec_/, "")), (char) => char.charCodeAt(0));
    const mac = await hmac("SHA-256", key, `${id}.${time}.${JSON.stringify(said)}`);
    return json(said, { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${base64(mac)}` });
  },
});

export const standardWebhooks: Sender = {
  events: {
    "erasure.requested": event("erasure.requested"),
    "user.deleted": event("user.deleted"),
    "grant.revoked": event("grant.revoked"),
    "consent.withdrawn": event("consent.withdrawn"),
    "access.requested": event("access.requested"),
    "user.disabled": event("user.disabled"),
    "user.restored": event("user.restored"),
  },
};
