import { base64url, hmac, type Occasion, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback */
const callback: SampleEvent = { person: "1000000000001", make: signedRequest };

export const facebook: Sender = {
  "data-deletion": { data_deletion: callback },
  deauthorize: { deauthorize: callback },
};

async function signedRequest(occasion: Occasion) {
  const payload = { algorithm: "HMAC-SHA256", issued_at: seconds(occasion), user_id: occasion.person };
  const encoded = base64url(new TextEncoder().encode(JSON.stringify(payload)));
  const mac = await hmac("SHA-256", setting(occasion, "appSecret"), encoded);
  return {
    body: `signed_request=${base64url(mac)}.${encoded}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };
}
