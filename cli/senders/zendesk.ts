import { base64, hmac, json, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

const USER = "6596848315901";
const TICKET = "35436";

/** https://developer.zendesk.com/api-reference/webhooks/event-types/webhook-event-types/ */
export const zendesk: Sender = {
  events: {
    "zen:event-type:user.deleted": event(USER, "user.deleted", "user", {}),
    "zen:event-type:user.active_changed": event(USER, "user.active_changed", "user", {
      current: false,
      previous: true,
    }),
    "zen:event-type:user.merged": event(USER, "user.merged", "user", { user: { id: "6596848315902" } }),
    "zen:event-type:ticket.soft_deleted": event(TICKET, "ticket.soft_deleted", "ticket", {}),
    "zen:event-type:ticket.permanently_deleted": event(TICKET, "ticket.permanently_deleted", "ticket", {}),
  },
};

function event(person: string, type: string, kind: "user" | "ticket", change: object): SampleEvent {
  return {
    person,
    make: async (occasion) => {
      const time = `${new Date(occasion.at).toISOString().slice(0, 19)}Z`;
      const body = {
        type: `zen:event-type:${type}`,
        account_id: 12514403,
        id: `event-${occasion.seed}`,
        time,
        zendesk_event_version: "2022-06-20",
        subject: `zen:${kind}:${occasion.person}`,
        detail: { id: occasion.person, created_at: time, updated_at: time },
        event: change,
      };
      return signed(occasion, body, time);
    },
  };
}

/** https://developer.zendesk.com/documentation/webhooks/verifying/ */
async function signed(occasion: Occasion, content: object, time: string) {
  const { body } = json(content, {});
  const mac = await hmac("SHA-256", setting(occasion, "webhookSecret"), time + body);
  return json(content, {
    "x-zendesk-webhook-signature": base64(mac),
    "x-zendesk-webhook-signature-timestamp": time,
  });
}
