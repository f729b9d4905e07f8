import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Google Cloud AI: Vertex AI keeps sessions, memories, retrieval files and caches for the tenant; the Natural Language API
 * analyses text and keeps nothing that could be named.
 * It tells us nothing about people. We cannot yet tell it anything: its APIs want access tokens of a service account.
 */
const RETENTION = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/zero-data-retention";
const NATURAL_LANGUAGE = "https://docs.cloud.google.com/natural-language/docs/reference/rest";
const SERVICE_ACCOUNT = "https://developers.google.com/identity/protocols/oauth2/service-account";

export const googleAi = defineIntegration({
  id: "google-ai",
  name: "Google Cloud AI",
  about: "Analyses text, generates content and keeps an agent's sessions and memories for the tenant.",
  origins: [],
  settings: {},
  identities: {},
  hooks: absent("neither Vertex AI nor the Natural Language API reports anything about people", NATURAL_LANGUAGE),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),
  actions: {
    erase: absent("needs access tokens of a service account, which Quittance cannot get yet", SERVICE_ACCOUNT),
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SERVICE_ACCOUNT),
  },
  residuals: [
    {
      category: "in_memory_cache",
      days: 1,
      ground: "Vertex AI caches inputs and outputs for 24 hours unless the project switches it off",
      source: RETENTION,
    },
  ],
  retainable: [],
  limits: { connections: 2 },
});
