import { z } from "zod";
import { at, noCall, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { type Answer, notYet } from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import { Rfc3339 } from "../src/contract/signal.ts";
import { authorised, refusal, serviceAccountKey, TOKEN_ORIGIN } from "./houses/google-cloud.ts";

/**
 * Google Analytics measures the use of the tenant's sites and apps, by client id, app instance id or the tenant's user id.
 * It tells us nothing, not even that a deletion is done; we can have it delete what is of one id. The product registers each id that
 * it sends: an id that Analytics does not know is accepted like any other.
 */
const DELETION =
  "https://developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/properties/submitUserDeletion";
const SCOPE = "https://www.googleapis.com/auth/analytics.edit";
const NEEDS = "to be an editor of the property";

/**
 * "Approximately every two months" (https://developers.google.com/analytics/devguides/config/userdeletion/v3/, the older API for the
 * same): at most 62 days, and one for the run itself. Unconfirmed: how approximate that is.
 */
const DAYS_TO_THE_NEXT_RUN = 63;

/** What the id is called in the request, of which there is exactly one. */
const FIELDS: Readonly<Record<string, string>> = {
  "google-analytics.client_id": "clientId",
  "google-analytics.app_instance_id": "appInstanceId",
  "google-analytics.user_id": "userId",
  "google-analytics.user_provided_data": "userProvidedData",
};

/** When it was asked: what came before that is to go, and what comes after it is new. */
const Submitted = z.object({ deletionRequestTime: Rfc3339 });

const settings = {
  serviceAccountKey,
  properties: text("Property ids of Google Analytics 4, separated by commas", /^\d{1,20}(\s*,\s*\d{1,20}){0,49}$/),
} satisfies Settings;

export const googleAnalytics = defineIntegration({
  id: "google-analytics",
  name: "Google Analytics",
  about: "Measures the use of the tenant's sites and apps.",
  origins: ["https://analyticsadmin.googleapis.com", TOKEN_ORIGIN],
  settings,
  identities: {
    "google-analytics.client_id": "Client id of the _ga cookie",
    "google-analytics.app_instance_id": "Firebase app instance id",
    "google-analytics.user_id": "User-ID that the tenant's tags send",
    "google-analytics.user_provided_data": "E-mail address or telephone number that the tenant's tags send, not hashed",
  },
  hooks: absent("it has no webhooks, and no way to ask whether a deletion is done", DELETION),
  oauth: absent("service accounts only; no person grants anything", DELETION),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", DELETION),
    erase: {
      source: DELETION,
      // Neither `user_id` nor `email`: whoever is only known by those may not be known to Analytics at all, and it would not say so.
      by: Object.keys(FIELDS),
      each: "identity",
      *run({ identity: { type, value }, settings: { serviceAccountKey: key, properties } }) {
        const field = FIELDS[type];
        if (field === undefined) return unforeseen(noCall, "no id that Google Analytics has");
        const access = yield* authorised(key, SCOPE);
        if ("outcome" in access) return access;
        let latest = 0;
        for (const property of properties.split(",").map((each) => each.trim())) {
          const address = at`https://analyticsadmin.googleapis.com/v1alpha/properties/${{ property }}:submitUserDeletion`;
          const asked = askedAt(yield postJson(address, access.headers, { [field]: value }));
          if (typeof asked !== "number") return asked;
          latest = Math.max(latest, asked);
        }
        return accepted(latest);
      },
    },
  },

  residuals: [],
  retainable: [],
  // Writes are limited to 180 a minute and user. https://developers.google.com/analytics/devguides/config/admin/v1/quotas
  limits: { perSecond: 3, connections: 1, account: { settings: ["properties"] } },
});

function askedAt(reply: Reply): number | Answer {
  if (reply.status === 403) return refusal(reply, NEEDS);
  const submitted = read(reply, Submitted);
  return submitted.ok ? submitted.value.deletionRequestTime : submitted.problem;
}

/**
 * Accepted is not erased, and nobody will say when it is: what can be claimed is until when Google keeps it, by its own schedule.
 * No id is left for that day, because asking again would only put it off.
 */
const accepted = (at: number): Answer =>
  notYet(
    "analytics_events",
    [],
    new Date(at + DAYS_TO_THE_NEXT_RUN * 86_400_000).toISOString(),
    "Google Analytics has accepted the deletion and does it in its next run, about every two months; it does not say when it is done",
  );
