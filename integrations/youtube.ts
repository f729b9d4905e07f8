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
 * YouTube: people grant the tenant access to their channel, by a Google project of its own. YouTube itself tells us nothing;
 * that the grant ended comes from Google's Cross-Account Protection (RISC), its only inbound, and starts a clock: what was
 * got under the grant is deleted within 30 days. We revoke a person's grant; it ends all that the account granted to the project.
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
  origins: ["https://www.googleapis.com", ...ORIGINS],
  settings: { clientIds, ...clientSettings },
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

  oauth: grants("youtube.google_account", ["https://www.googleapis.com/auth/youtube.readonly"]),

  actions: {
    erase: absent(
      "what was published lies in the person's own channel, and no request states that it is to go",
      VIDEOS,
    ),
    revoke: {
      source: `${WEB_SERVER}#tokenrevoke`,
      by: [CONNECTION],
      each: "identity",
      run: (order) => revokeAtGoogle(order),
      // "It might take some time before the revocation has full effect."
      look: { afterSeconds: 60, run: (order) => lookAtGoogle(order) },
    },
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
