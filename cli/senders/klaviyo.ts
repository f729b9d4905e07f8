import { hex, hmac, json, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://developers.klaviyo.com/en/docs/working_with_system_webhooks */
const withdrawal = (topic: string): SampleEvent => ({
  person: "01KP4EGHH8QJ3N3AY2Z6V7RMDK",
  async make(occasion) {
    const at = new Date(occasion.at);
    const id = `73WCCK7JKt${occasion.seed}`;
    const event = {
      type: "event",
      id,
      attributes: {
        datetime: at.toISOString(),
        event_properties: { method: "PROFILE_PAGE", email_address: "ada@example.com" },
      },
      relationships: { profile: { data: { type: "profile", id: occasion.person } } },
    };
    const said = {
      data: [{ external_id: id, topic, payload: { data: event } }],
      meta: {
        klaviyo_account_id: "WBhXHN",
        klaviyo_webhook_id: "01KP4928STE8FKCWB6WDHZ4ZB7",
        timestamp: at.toISOString(),
        version: "2026-07-15",
      },
    };
    const time = at.toUTCString();
    const mac = await hmac("SHA-256", setting(occasion, "secretKey"), JSON.stringify(said) + time);
    return json(said, {
      "klaviyo-timestamp": time,
      "klaviyo-webhook-id": said.meta.klaviyo_webhook_id,
      "klaviyo-signature": hex(mac),
    });
  },
});

export const klaviyo: Sender = {
  events: {
    "event:klaviyo.unsubscribed_from_email_marketing": withdrawal("event:klaviyo.unsubscribed_from_email_marketing"),
    "event:klaviyo.unsubscribed_from_sms_marketing": withdrawal("event:klaviyo.unsubscribed_from_sms_marketing"),
  },
};
