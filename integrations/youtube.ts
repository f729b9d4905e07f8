import { absent, defineIntegration } from "../src/contract/integration.ts";
import { ACCOUNT, clientIds, crossAccountProtection, REFRESH_TOKEN, WEB_SERVER } from "./houses/google.ts";

/**
 * YouTube: people grant the tenant access to their channel, by a Google project of its own. YouTube itself tells us nothing;
 * that the grant ended comes from Google's Cross-Account Protection (RISC), its only inbound, and starts a clock: what was
 * got under the grant is deleted within 30 days. We can tell it nothing without the person's token.
 */
const POLICIES = "https://developers.google.com/youtube/terms/developer-policies";
const VIDEOS = "https://developers.google.com/youtube/v3/docs/videos/delete";

/**
 * Section III.E.4: 30 calendar days where consent was revoked at Google. The 7 days of a request that is made to the tenant
 * itself begin there, not here.
 */
const withinMonth = { hours: 30 * 24, source: POLICIES };

export const youtube = defineIntegration({
  id: "youtube",
  name: "YouTube",
  about: "Access to people's channels under their grant.",
  origins: ["https://www.googleapis.com"],
  settings: { clientIds },
  identities: {
    "youtube.google_account": ACCOUNT,
    "youtube.refresh_token": REFRESH_TOKEN,
  },

  hooks: {
    "security-events": crossAccountProtection(
      { account: "youtube.google_account", token: "youtube.refresh_token" },
      { account_deleted: withinMonth, deauthorized: withinMonth, token_revoked: withinMonth },
    ),
  },

  oauth: absent("not yet connected by Quittance", WEB_SERVER),

  actions: {
    erase: absent("needs the person's token, which connections will hold", VIDEOS),
    revoke: absent("needs the person's token, which connections will hold", `${WEB_SERVER}#tokenrevoke`),
  },

  duties: {
    refresh: {
      everyHours: 29 * 24,
      what: "Read again or delete what was got from YouTube: nothing may be stored for longer than 30 days unrefreshed.",
      source: POLICIES,
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
