import { base64, der, type Made, type Occasion, type SampleEvent, type Sender, seconds } from "./sender.ts";

/** The verification key of a subprocessor that is to believe these deliveries: the public half of the next one. */
export const SENDGRID_VERIFICATION_KEY =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvh2++qE9Po/Wy7gd95EUrjHXck02ztoRGsc3SKt1Rewf2+9E1OVU8PndpbEkTPv1jNZe9kfe3egZtBHH9ZqMlQ==";

/** Stands for SendGrid's private key in development and tests only. */
const DEVELOPMENT_KEY =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglgNrPty294UUY7s2R4ovlPSh1ZKtCkH8JUEpWb+3yyOhRANCAAS+Hb76oT0+j9bLuB33kRSuMddyTTbO2hEaxzdIq3VF7B/b70TU5VTw+d2lsSRM+/WM1l72R97d6Bm0Ecf1moyV";

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event */
export const sendgrid: Sender = {
  events: {
    unsubscribe: one("unsubscribe", {}),
    group_unsubscribe: one("group_unsubscribe", { asm_group_id: 10 }),
    group_resubscribe: one("group_resubscribe", { asm_group_id: 10 }),
    spamreport: one("spamreport", {}),
  },
};

function one(event: string, more: object): SampleEvent {
  return {
    person: "ada@example.com",
    make: (occasion) => {
      const timestamp = seconds(occasion);
      const about = {
        sg_event_id: `event-${occasion.seed}`,
        sg_message_id: `message-${occasion.seed}.filter0001.1.1-0`,
      };
      return signed(occasion, [{ email: occasion.person, timestamp, event, ...about, ...more }]);
    },
  };
}

/** The body as it is sent ends in CRLF, which is signed like the rest of it. */
async function signed(occasion: Occasion, events: readonly object[]): Promise<Made> {
  const body = `[${events.map((event) => JSON.stringify(event)).join(",\r\n")}]\r\n`;
  const timestamp = String(seconds(occasion));
  const pkcs8 = Uint8Array.from(atob(DEVELOPMENT_KEY), (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(timestamp + body);
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, text));
  return {
    body,
    headers: {
      "content-type": "application/json",
      "x-twilio-email-event-webhook-signature": base64(der(raw)),
      "x-twilio-email-event-webhook-timestamp": timestamp,
    },
  };
}
