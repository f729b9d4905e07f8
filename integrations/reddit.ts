import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Reddit Data API: people grant the tenant's app access, and the tenant may hold posts and comments of anybody.
 * It tells us nothing: whoever holds its content has to read it again, and drop what is gone. What we could tell it, the end
 * of a grant and the deletion of a person's own posts, needs the person's token.
 */
const WIKI = "https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki";
const OAUTH = "https://github.com/reddit-archive/reddit/wiki/OAuth2";
const SOURCE = "https://github.com/reddit-archive/reddit/blob/master/r2/r2/controllers/api.py";

export const reddit = defineIntegration({
  id: "reddit",
  name: "Reddit",
  about: "Platform access under a person's grant; public posts and comments.",
  origins: [],
  settings: {},
  identities: {
    "reddit.user_id": "Account id with its prefix (t2_…)",
    "reddit.item": "Full name of a post or comment (t3_…, t1_…)",
  },

  hooks: absent("it has no webhook, no notice of revocation and no feed of deletions: only reading again tells", WIKI),
  oauth: absent("not yet connected by Quittance", OAUTH),

  actions: {
    // Without instructions: copies of its content lie in the tenant's own systems, which hear of the erasure themselves.
    erase: absent("needs the person's token, which connections will hold", SOURCE),
    revoke: absent("needs the person's token, which connections will hold", OAUTH),
  },

  duties: {
    recheck: {
      everyHours: 24,
      what: "Read stored posts and comments again, and erase what is gone; 48 hours are the longest that Reddit bears.",
      source: WIKI,
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
