import { hex, hmac, json, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://dev.twitch.tv/docs/eventsub/handling-webhook-events/ */
const subscription = (type: string, status: string, condition: object) => ({
  id: "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
  type,
  version: "1",
  status,
  cost: 1,
  condition,
});

const ended = (status: string): SampleEvent => ({
  person: "1337",
  make: (occasion) =>
    signed(occasion, "revocation", {
      subscription: subscription("channel.follow", status, {
        broadcaster_user_id: occasion.person,
        moderator_user_id: occasion.person,
      }),
    }),
});

export const twitch: Sender = {
  eventsub: {
    "user.authorization.revoke": {
      person: "1337",
      make: (occasion) =>
        signed(occasion, "notification", {
          subscription: subscription("user.authorization.revoke", "enabled", {
            client_id: "crq72vsaoijkc83xx42hz6i37",
          }),
          event: {
            client_id: "crq72vsaoijkc83xx42hz6i37",
            user_id: occasion.person,
            user_login: null,
            user_name: null,
          },
        }),
    },
    "revocation.user_removed": ended("user_removed"),
    "revocation.authorization_revoked": ended("authorization_revoked"),
  },
};

async function signed(occasion: Occasion, kind: string, said: object) {
  const id = `befa7b53-d79d-478f-86b9-${occasion.seed.padStart(12, "0")}`;
  const time = new Date(occasion.at).toISOString().replace("Z", "000000Z");
  const secret = setting(occasion, "subscriptionSecret");
  const mac = await hmac("SHA-256", secret, id + time + JSON.stringify(said));
  return json(said, {
    "twitch-eventsub-message-id": id,
    "twitch-eventsub-message-timestamp": time,
    "twitch-eventsub-message-type": kind,
    "twitch-eventsub-message-signature": `sha256=${hex(mac)}`,
  });
}
