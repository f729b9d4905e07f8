import { hex, hmac, type Made, type Occasion, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

const ADDRESS_ID = "8a25ff1d98";

type Proof = (occasion: Occasion, body: string) => Promise<Omit<Made, "body">>;
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/ */
export const mailchimp: Sender = {
  audience: deliveries(async (occasion, body) => {
    const t = seconds(occasion);
    const mac = await hmac("SHA-256", setting(occasion, "signingSecret"), `${t}.${body}`);
    return { headers: { ...FORM, "x-mailchimp-signature": `t=${t},v1=${hex(mac)}` } };
  }),
  "audience-unsigned": deliveries(async (occasion) => ({
    headers: FORM,
    query: { secret: setting(occasion, "addressSecret") },
  })),
};

function deliveries(proof: Proof): Readonly<Record<string, SampleEvent>> {
  const one = (type: string, data: Readonly<Record<string, string>>): SampleEvent => ({
    person: ADDRESS_ID,
    make: async (occasion) => {
      const fired = new Date(occasion.at).toISOString().slice(0, 19).replace("T", " ");
      const about = { id: occasion.person, list_id: `list-${occasion.seed}`, ...data };
      const fields = Object.entries(about).map(([name, value]) => [`data[${name}]`, value]);
      const body = new URLSearchParams([["type", type], ["fired_at", fired], ...fields]).toString();
      return { body, ...(await proof(occasion, body)) };
    },
  });
  const email = "ada@example.com";
  return {
    "unsubscribe/unsub": one("unsubscribe", { action: "unsub", reason: "manual", email }),
    "unsubscribe/delete": one("unsubscribe", { action: "delete", reason: "manual", email }),
    cleaned: one("cleaned", { campaign_id: "4fjk2ma9xd", reason: "hard", email }),
    upemail: one("upemail", { new_id: "51da8c3259", new_email: email, old_email: "ada@old.example" }),
    profile: one("profile", { email, ip_opt: "192.0.2.1" }),
    subscribe: one("subscribe", { email, ip_opt: "192.0.2.1" }),
  };
}
