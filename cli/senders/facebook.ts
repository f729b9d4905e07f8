import {
  base64url,
  hex,
  hmac,
  json,
  type Made,
  type Occasion,
  type SampleEvent,
  type Sender,
  seconds,
  setting,
} from "./sender.ts";

/** https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback */
export const callback: SampleEvent = { person: "1000000000001", make: signedRequest };

export const facebook: Sender = {
  "data-deletion": { data_deletion: callback },
  deauthorize: { deauthorize: callback },
  webhooks: {
    "permissions.connected": permission("connected", "disconnected"),
    "permissions.{permission}": permission("email", "revoked"),
  },
};

function permission(field: string, verb: string): SampleEvent {
  return {
    person: "1000000000001",
    make: (occasion) => {
      const changes = [{ field, value: { verb } }];
      const entry = [{ id: occasion.person, uid: occasion.person, time: seconds(occasion), changes }];
      return hubSigned(occasion, { object: "permissions", entry });
    },
  };
}

async function signedRequest(occasion: Occasion) {
  const payload = { algorithm: "HMAC-SHA256", issued_at: seconds(occasion), user_id: occasion.person };
  const encoded = base64url(new TextEncoder().encode(JSON.stringify(payload)));
  const mac = await hmac("SHA-256", setting(occasion, "appSecret"), encoded);
  return {
    body: `signed_request=${base64url(mac)}.${encoded}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };
}

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validating-payloads */
export async function hubSigned(occasion: Occasion, said: object): Promise<Made> {
  const made = json(said, {});
  const mac = await hmac("SHA-256", setting(occasion, "appSecret"), made.body);
  return { ...made, headers: { ...made.headers, "x-hub-signature-256": `sha256=${hex(mac)}` } };
}
