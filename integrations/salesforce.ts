import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Salesforce keeps the tenant's leads, contacts and cases. What it can send (Outbound Messages, Change Data Capture) each
 * customer builds for itself and is not signed, so there is no hook here: the customer's own flow can call the API instead.
 */
const REST = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/";
const REVOKE = "https://developer.salesforce.com/docs/platform/mobile-sdk/guide/oauth-revoking-tokens.html";

export const salesforce = defineIntegration({
  id: "salesforce",
  name: "Salesforce",
  about: "Customer relations: leads, contacts and cases.",
  origins: [],
  settings: {},
  identities: {},

  hooks: absent("Salesforce signs nothing that it sends by itself; flows that customers build can call the API", REST),

  oauth: absent("not yet connected by Quittance", REVOKE),

  actions: {
    erase: absent(
      "Salesforce deletes records by API, which is not yet connected by Quittance",
      REST,
      "In Salesforce, find the person's leads, contacts, person accounts and cases, delete them and empty the recycle bin (or delete them for good); refresh sandboxes that have copies. With Privacy Center, run its right-to-be-forgotten policy.",
    ),
    revoke: absent("needs the token of the org, which connections will hold", REVOKE),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
