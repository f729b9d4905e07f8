import { base64, hmac, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/ */
export const mailchimpTransactional: Sender = {
  events: { unsub: one("unsub"), spam: one("spam"), hard_bounce: one("hard_bounce"), reject: one("reject") },
};

function one(event: string): SampleEvent {
  return {
    person: "ada@example.com",
    make: async (occasion) => {
      const _id = `message-${occasion.seed}`;
      const message = {
        ts: seconds(occasion),
        subject: "Welcome",
        email: occasion.person,
        tags: [],
        state: "sent",
        _id,
      };
      const events = JSON.stringify([{ event, ts: seconds(occasion), _id, msg: message }]);
      const mac = await hmac("SHA-1", setting(occasion, "webhookKey"), `${occasion.url}mandrill_events${events}`);
      return {
        body: new URLSearchParams({ mandrill_events: events }).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded", "x-mandrill-signature": base64(mac) },
      };
    },
  };
}
