import { base64, hmac, type Sender, setting } from "./sender.ts";

/** https://www.twilio.com/docs/usage/security */
export const twilio: Sender = {
  "connect-deauthorize": {
    deauthorize: {
      person: "AC00000000000000000000000000000001",
      async make(occasion) {
        const fields = [
          ["AccountSid", occasion.person],
          ["ConnectAppSid", "CN00000000000000000000000000000002"],
        ] as const;
        const text = occasion.url + fields.flat().join("");
        const mac = await hmac("SHA-1", setting(occasion, "authToken"), text);
        return {
          body: fields.map((field) => field.join("=")).join("&"),
          headers: { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": base64(mac) },
        };
      },
    },
  },
};
