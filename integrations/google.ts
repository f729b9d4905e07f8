import { absent, defineIntegration } from "../src/contract/integration.ts";
import { CONNECTION } from "../src/contract/oauth.ts";
import {
  ACCOUNT,
  clientIds,
  clientSettings,
  crossAccountProtection,
  grants,
  lookAtGoogle,
  ORIGINS,
  REFRESH_TOKEN,
  revokeAtGoogle,
  WEB_SERVER,
} from "./houses/google.ts";

/**
 * Google accounts: people sign in to the tenant's product with them, and grant it access to Gmail, Calendar and the rest of
 * Workspace. It tells us, by Cross-Account Protection (RISC), when a grant ends or an account is disabled; only of people who
 * granted `profile` or `email`, and with few retries, so a refused refresh says the same. We revoke a person's
 * grant, which ends all that the account granted to the project.
 */

export const google = defineIntegration({
  id: "google",
  name: "Google",
  about: "Sign-in with Google accounts, and access to Workspace under a person's grant.",
  origins: ["https://www.googleapis.com", ...ORIGINS],
  settings: { clientIds, ...clientSettings },
  identities: {
    "google.sub": ACCOUNT,
    "google.refresh_token": REFRESH_TOKEN,
  },

  hooks: {
    "security-events": crossAccountProtection({ account: "google.sub", token: "google.refresh_token", email: true }),
  },

  oauth: grants("google.sub", ["email", "profile"]),

  actions: {
    erase: absent("Google offers no API that erases what it holds about a person as their own controller", WEB_SERVER),
    revoke: {
      source: `${WEB_SERVER}#tokenrevoke`,
      by: [CONNECTION],
      each: "identity",
      run: (order) => revokeAtGoogle(order),
      // "It might take some time before the revocation has full effect."
      look: { afterSeconds: 60, run: (order) => lookAtGoogle(order) },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
