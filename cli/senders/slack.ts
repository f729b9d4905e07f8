import { hex, hmac, json, type Occasion, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
const TEAM = "T0ADALAB";

const event = (person: string, said: (person: string) => object): SampleEvent => ({
  person,
  make: (occasion) =>
    signed(occasion, {
      token: "not-to-be-trusted",
      team_id: TEAM,
      api_app_id: "A0LOVELACE",
      event: said(occasion.person),
      type: "event_callback",
      event_id: `Ev${occasion.seed}`,
      event_time: seconds(occasion),
    }),
});

export const slack: Sender = {
  events: {
    tokens_revoked: event("U0ADA", (user) => ({ type: "tokens_revoked", tokens: { oauth: [user], bot: ["U0BOT"] } })),
    app_uninstalled: event(TEAM, () => ({ type: "app_uninstalled" })),
    message_deleted: event("C0NOTES", (channel) => ({
      type: "message",
      subtype: "message_deleted",
      hidden: true,
      channel,
      ts: "1763715601.000200",
      deleted_ts: "1763715600.000100",
      previous_message: { type: "message", user: "U0ADA", ts: "1763715600.000100" },
    })),
    file_deleted: event("F0DRAFT", (file_id) => ({ type: "file_deleted", file_id })),
    user_change: event("U0ADA", (id) => ({ type: "user_change", user: { id, team_id: TEAM, deleted: true } })),
    app_rate_limited: {
      person: TEAM,
      make: (occasion) =>
        signed(occasion, {
          token: "not-to-be-trusted",
          type: "app_rate_limited",
          team_id: TEAM,
          minute_rate_limited: seconds(occasion),
          api_app_id: "A0LOVELACE",
        }),
    },
  },
};

async function signed(occasion: Occasion, said: object) {
  const time = `${seconds(occasion)}`;
  const mac = await hmac("SHA-256", setting(occasion, "signingSecret"), `v0:${time}:${JSON.stringify(said)}`);
  return json(said, { "x-slack-request-timestamp": time, "x-slack-signature": `v0=${hex(mac)}` });
}
