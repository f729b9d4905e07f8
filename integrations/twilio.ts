import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { form } from "../src/contract/signal.ts";

/**
 * Twilio carries the tenant's messages and calls. It tells us when a customer removes the tenant's Connect App; nothing of
 * the people whose numbers it handles.
 */
const CONNECT = "https://www.twilio.com/docs/iam/connect-apps/api";

const Sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`));
const never = z.never().optional();

/**
 * Unconfirmed: which fields come. Every callback of Twilio's has the account, so those of a message or a call, which the same
 * token signs, are refused by what else they have; and the signature covers this address.
 */
const Deauthorized = z.object({
  AccountSid: Sid("AC"),
  ConnectAppSid: Sid("CN").optional(),
  MessageSid: never,
  SmsSid: never,
  CallSid: never,
});

export const twilio = defineIntegration({
  id: "twilio",
  name: "Twilio",
  about: "Messages and calls.",
  origins: [],
  settings: { authToken: secret("Auth token of the account that owns the Connect App", /^[0-9a-f]{32}$/) },
  identities: { "twilio.account": "Account id of a customer (`AC…`)" },

  hooks: {
    "connect-deauthorize": {
      source: CONNECT,
      verify: {
        scheme: "hmac",
        hash: "SHA-1",
        key: "authToken",
        signature: { header: "x-twilio-signature", encoding: "base64" },
        over: ["url", "form"],
      },
      contentTypes: ["application/x-www-form-urlencoded"],
      read: form(Deauthorized, ({ AccountSid: value }, { receivedAt: at }) => [
        {
          // Neither id nor time is sent: the same account on the same day is the same, and may come and go again later.
          id: `deauthorize:${value}:${new Date(at).toISOString().slice(0, 10)}`,
          name: "deauthorize",
          signals: [{ type: "deauthorized", identity: { type: "twilio.account", value }, at }],
        },
      ]),
      authority: { deauthorized: "here" },
      answer: 200,
      retriesForHours: "unknown",
      events: ["deauthorize"],
    },
  },

  oauth: absent("Connect is Twilio's own way, and not yet connected by Quittance", CONNECT),

  actions: {
    erase: absent(
      "Twilio deletes messages, calls and recordings one by one by API, which is not yet connected by Quittance",
      "https://www.twilio.com/docs/messaging/api/message-resource#delete-a-message-resource",
      "In Twilio's Console, search messages, calls and recordings from and to the person's telephone numbers and delete each, media included. What is not in a final state (error 20009) has to wait.",
    ),
    revoke: absent(
      "Twilio offers no API by which an app gives up a customer's account; the customer removes it",
      CONNECT,
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
