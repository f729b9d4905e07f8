import { absent, defineIntegration } from "../src/contract/integration.ts";
import { ACCOUNT, clientIds, crossAccountProtection, REFRESH_TOKEN, WEB_SERVER } from "./houses/google.ts";

/**
 * Google accounts: people sign in to the tenant's product with them, and grant it access to Gmail, Calendar and the rest of
 * Workspace. It tells us, by Cross-Account Protection (RISC), when a grant ends or an account is disabled; only of people who
 * granted `profile` or `email`, and with few retries, so a refused refresh says the same. We can tell it nothing without the
 * person's token.
 */

export const google = defineIntegration({
  id: "google",
  name: "Google",
  about: "Sign-in with Google accounts, and access to Workspace under a person's grant.",
  origins: ["https://www.googleapis.com"],
  settings: { clientIds },
  identities: {
    "google.sub": ACCOUNT,
    "google.refresh_token": REFRESH_TOKEN,
  },

  hooks: {
    "security-events": crossAccountProtection({ account: "google.sub", token: "google.refresh_token", email: true }),
  },

  oauth: absent("not yet connected by Quittance", WEB_SERVER),

  actions: {
    erase: absent("Google offers no API that erases what it holds about a person as their own controller", WEB_SERVER),
    revoke: absent("needs the person's token, which connections will hold", `${WEB_SERVER}#tokenrevoke`),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
