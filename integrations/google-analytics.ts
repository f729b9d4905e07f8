import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Google Analytics measures the use of the tenant's sites and apps, by client id, app instance id or the tenant's user id.
 * It tells us nothing, not even that a deletion is done. We cannot yet tell it anything: its user deletion wants access
 * tokens of a service account.
 */
const DELETION =
  "https://developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/properties/submitUserDeletion";

export const googleAnalytics = defineIntegration({
  id: "google-analytics",
  name: "Google Analytics",
  about: "Measures the use of the tenant's sites and apps.",
  origins: [],
  settings: {},
  identities: {
    "google-analytics.client_id": "Client id of the _ga cookie",
    "google-analytics.app_instance_id": "Firebase app instance id",
  },
  hooks: absent("it has no webhooks, and no way to ask whether a deletion is done", DELETION),
  oauth: absent("service accounts only; no person grants anything", DELETION),
  actions: {
    erase: absent("needs access tokens of a service account, which Quittance cannot get yet", DELETION),
    revoke: absent("nothing is granted by a person, so nothing can be revoked", DELETION),
  },
  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
