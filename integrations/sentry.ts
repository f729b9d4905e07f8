import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json } from "../src/contract/signal.ts";

/**
 * Sentry collects errors. As the owner of a public integration the tenant is told when an organisation removes it.
 *
 * What a delivery is about stands in a header that is not signed, so it is told by the body: an installation is the only
 * thing in the data of its own events, while all others name it beside what they are about.
 */
const WEBHOOKS = "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/";

const Event = z.looseObject({ action: z.string().min(1), data: z.record(z.string(), z.unknown()) });
const Removed = z.object({
  action: z.literal("deleted"),
  data: z.strictObject({ installation: z.object({ uuid: z.string().min(1) }) }),
});

export const sentry = defineIntegration({
  id: "sentry",
  name: "Sentry",
  about: "Collects the errors of software, with what is sent along.",
  origins: [],
  settings: { clientSecret: secret("Client secret of the integration") },
  identities: { "sentry.installation": "Installation id (UUID)" },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "clientSecret",
        signature: { header: "sentry-hook-signature", encoding: "hex" },
        over: ["body"],
      },
      contentTypes: ["application/json"],
      read: json(Event, (body, { receivedAt: at, claimed }) => {
        const removed = Removed.safeParse(body);
        if (!removed.success) {
          // The header names it for people only.
          const resource = /^[a-z_]{1,40}$/.exec(claimed("sentry-hook-resource") ?? "")?.[0] ?? "unknown";
          return [{ id: `${resource}:${at}`, name: resource, signals: [] }];
        }
        const { uuid: value } = removed.data.data.installation;
        const name = "installation.deleted";
        const identity = { type: "sentry.installation", value };
        // An installation is deleted once; the next has another id.
        return [{ id: `${name}:${value}`, name, signals: [{ type: "deauthorized", identity, at }] }];
      }),
      authority: { deauthorized: "here" },
      // Within one second; a thousand failures a day remove the webhook.
      answer: 200,
      retriesForHours: "unknown",
      events: ["installation.deleted", "installation.created"],
    },
  },

  oauth: absent("not yet connected by Quittance", WEBHOOKS),

  actions: {
    erase: absent(
      "Sentry deletes issues, with everybody's events in them, and has no API that erases one person",
      "https://docs.sentry.io/api/events/remove-an-issue/",
      "Find the person's events in Sentry by e-mail address or user id, delete the issues that hold nobody else's, and ask compliance@sentry.io for the rest; or wait until the events' retention has passed.",
    ),
    revoke: absent("Sentry documents no API by which an integration ends its installation", WEBHOOKS),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
