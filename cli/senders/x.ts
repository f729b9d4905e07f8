import { base64, hmac, json, type Made, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** By the page of https://docs.x.com/x-api/activity/event-payloads, and that of the older Account Activity API. */
export const x: Sender = {
  webhooks: {
    "oauth.revoke": of("1600000000000000001", (occasion) => ({
      data: {
        event_uuid: `-59345409410474${occasion.seed}`,
        filter: {},
        event_type: "oauth.revoke",
        payload: { date_time: dateTime(occasion), user_id: occasion.person, app_id: "29820954" },
      },
    })),
    "post.delete": of("1900000000000000009", (occasion) => ({
      data: {
        event_uuid: `-27811499768779${occasion.seed}`,
        filter: { user_id: "1600000000000000001" },
        event_type: "post.delete",
        tag: "post-deletes",
        payload: { id: occasion.person, author_id: "1600000000000000001" },
      },
    })),
    "user_event.revoke": of("1600000000000000001", (occasion) => ({
      user_event: {
        revoke: {
          date_time: dateTime(occasion),
          target: { app_id: "29820954" },
          source: { user_id: occasion.person },
        },
      },
    })),
    tweet_delete_events: of("1900000000000000009", (occasion) => ({
      for_user_id: "1600000000000000001",
      tweet_delete_events: [
        {
          status: { id: occasion.person, user_id: "1600000000000000001" },
          timestamp_ms: String(occasion.at),
        },
      ],
    })),
  },
};

const dateTime = ({ at }: Occasion): string => new Date(at).toISOString().replace(/\.\d+Z$/, "+00:00");

function of(person: string, said: (occasion: Occasion) => object): SampleEvent {
  return {
    person,
    make: async (occasion): Promise<Made> => {
      const made = json(said(occasion), {});
      const mac = base64(await hmac("SHA-256", setting(occasion, "consumerSecret"), made.body));
      return { ...made, headers: { ...made.headers, "x-twitter-webhooks-signature": `sha256=${mac}` } };
    },
  };
}
