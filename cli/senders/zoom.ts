import { hex, hmac, json, type Occasion, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://developers.zoom.us/docs/api/webhooks/ */
const user = (event: string): SampleEvent => ({
  person: "uLoRgfbbTayCX6r2Q_qQsQ",
  make: (occasion) =>
    signed(occasion, {
      event,
      event_ts: occasion.at,
      payload: {
        account_id: "AAAAAABBBB",
        operator: "admin@example.com",
        operator_id: "z8yCxjabcdEFGHfp8uQ",
        object: {
          id: occasion.person,
          first_name: "Ada",
          last_name: "Example",
          email: "ada@example.com",
          type: 1,
        },
      },
    }),
});

export const zoom: Sender = {
  deauthorization: {
    app_deauthorized: {
      person: "uLoRgfbbTayCX6r2Q_qQsQ",
      make: (occasion) =>
        signed(occasion, {
          event: "app_deauthorized",
          event_ts: occasion.at,
          payload: {
            account_id: "AAAAAABBBB",
            user_id: occasion.person,
            signature: "827edc3452044f0bc86bdd5684afb7d1e6becfa1a767f24df1b287853cf73000",
            deauthorization_time: new Date(occasion.at).toISOString(),
            client_id: "ADZ9k9bTWmGUoUbECUKU_a",
          },
        }),
    },
  },
  events: {
    "user.deleted": user("user.deleted"),
    "user.disassociated": user("user.disassociated"),
    "user.deactivated": user("user.deactivated"),
    "user.activated": user("user.activated"),
  },
};

async function signed(occasion: Occasion, said: object) {
  const time = `${seconds(occasion)}`;
  const mac = await hmac("SHA-256", setting(occasion, "secretToken"), `v0:${time}:${JSON.stringify(said)}`);
  return json(said, { "x-zm-request-timestamp": time, "x-zm-signature": `v0=${hex(mac)}` });
}
