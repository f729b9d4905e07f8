import { hex, hmac, json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** By the reasons of https://developers.tiktok.com/doc/webhooks-events. */
export const tiktok: Sender = {
  webhooks: Object.fromEntries(
    [0, 1, 2, 3, 4, 5].map((reason) => [`authorization.removed (${reason})`, removed(reason)]),
  ),
};

function removed(reason: number): SampleEvent {
  return {
    person: "act.meadow12345Lantern",
    make: async (occasion) => {
      const time = String(seconds(occasion));
      const made = json(
        {
          // Whose app it is; a gateway that knows its own refuses another's.
          client_key: occasion.settings.clientKey || "meadow0lantern1cobalt",
          event: "authorization.removed",
          create_time: Number(time),
          user_openid: occasion.person,
          content: JSON.stringify({ reason }),
        },
        {},
      );
      const mac = await hmac("SHA-256", setting(occasion, "clientSecret"), `${time}.${made.body}`);
      return { ...made, headers: { ...made.headers, "tiktok-signature": `t=${time},s=${hex(mac)}` } };
    },
  };
}
