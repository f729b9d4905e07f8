import { hex, hmac, json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** https://docs.sentry.io/organization/integrations/integration-platform/webhooks/installation/ */
const installation = (action: string): SampleEvent => ({
  person: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de",
  async make(occasion) {
    const said = {
      action,
      actor: { type: "user", id: 1, name: "Ada Example" },
      installation: { uuid: occasion.person },
      data: {
        installation: {
          uuid: occasion.person,
          status: "installed",
          organization: { slug: "ada-example" },
          app: { uuid: "b3f28d64-696c-4c54-adb5-a8e5d37a0001", slug: "quittance-example" },
        },
      },
    };
    const mac = await hmac("SHA-256", setting(occasion, "clientSecret"), JSON.stringify(said));
    return json(said, {
      "sentry-hook-resource": "installation",
      "sentry-hook-timestamp": `${seconds(occasion)}`,
      "sentry-hook-signature": hex(mac),
    });
  },
});

export const sentry: Sender = {
  events: {
    "installation.deleted": installation("deleted"),
    "installation.created": installation("created"),
  },
};
