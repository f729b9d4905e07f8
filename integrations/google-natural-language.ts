import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * The Natural Language API tells the sentiment, entities and language of a text that the tenant sends, and answers at once. It has
 * no place where a text could be kept for the tenant, and tells us nothing about people.
 */
const REFERENCE = "https://docs.cloud.google.com/natural-language/docs/reference/rest";
const SERVICE_ACCOUNT = "https://developers.google.com/identity/protocols/oauth2/service-account";

export const googleNaturalLanguage = defineIntegration({
  id: "google-natural-language",
  name: "Google Natural Language",
  about: "Tells the sentiment, entities and language of texts.",
  origins: [],
  settings: {},
  identities: {},
  hooks: absent("it answers at once and reports nothing", REFERENCE),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),
  actions: {
    // Unconfirmed: for how long Google itself keeps what it was sent. Its terms make it a processor, and no call names such a text.
    erase: absent("it keeps nothing that could be named: its methods analyse a text, and none stores one", REFERENCE),
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SERVICE_ACCOUNT),
  },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
