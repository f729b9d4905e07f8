import { hex, hmac, json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

const CONTACT = "65f642bf674b9af4e9e46dd1";

/** https://developers.intercom.com/docs/webhooks/webhook-notifications */
export const intercom: Sender = {
  topics: {
    "contact.deleted": topic("contact.deleted", CONTACT, (id) => ({ type: "contact", id, deleted: true })),
    "contact.archived": topic("contact.archived", CONTACT, (id) => ({ type: "contact", id, archived: true })),
    "contact.unsubscribed": topic("contact.unsubscribed", CONTACT, (id) => ({
      type: "contact_unsubscribe",
      contact: { type: "contact", id, unsubscribed_from_emails: true },
    })),
    "contact.merged": topic("contact.merged", CONTACT, (id) => ({ type: "contact", id, merged_from: "65f6" })),
    "conversation.deleted": topic("conversation.deleted", "147", (id) => ({
      type: "conversation",
      conversation_id: id,
    })),
    "user.deleted": topic("user.deleted", CONTACT, (id) => ({ type: "user", id })),
    ping: topic("ping", "", () => ({ type: "ping", message: "something something interzen" })),
  },
  uninstall: {
    uninstall: {
      person: "abc12345",
      make: async (occasion) => ({
        ...json({ app_id: occasion.person }, {}),
        query: { secret: setting(occasion, "uninstallSecret") },
      }),
    },
  },
};

function topic(name: string, person: string, item: (id: string) => object): SampleEvent {
  return {
    person,
    make: async (occasion) => {
      const at = seconds(occasion);
      const content = {
        type: "notification_event",
        app_id: "abc12345",
        data: { type: "notification_event_data", item: item(occasion.person) },
        links: {},
        id: name === "ping" ? null : `notif_${occasion.seed}`,
        topic: name,
        delivery_status: "pending",
        delivery_attempts: 1,
        delivered_at: 0,
        first_sent_at: at,
        created_at: at,
        self: null,
      };
      const mac = await hmac("SHA-1", setting(occasion, "clientSecret"), JSON.stringify(content));
      return json(content, { "x-hub-signature": `sha1=${hex(mac)}` });
    },
  };
}
