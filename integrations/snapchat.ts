import { z } from "zod";
import { at, bearer, type Call, get, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf, revokeTokens } from "../src/contract/oauth.ts";
import type { Sight } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";

/**
 * Snapchat: people sign in with their account, and the tenant may upload customer lists to Snapchat Ads.
 * It tells us nothing about people: an unlinked app shows in the next refusal of a token. We can end a grant; customer lists need
 * a token of the tenant's own ad account.
 */
const LOGIN = "https://developers.snap.com/snap-kit/login-kit/overview";
const WEB = "https://developers.snap.com/snap-kit/login-kit/Tutorials/web";
const LISTS = "https://developers.snap.com/api/marketing-api/Ads-API/customer-lists";

const EXTERNAL_ID = "https://auth.snapchat.com/oauth2/api/user.external_id";

const me = (accessToken: string): Call =>
  get(at`https://kit.snapchat.com/v1/me?query=${{ query: "{me{externalId}}" }}`, bearer(accessToken), {
    expects: [401],
  });

function* sightOf(accessToken: string): Steps<Sight> {
  const reply = yield me(accessToken);
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

export const snapchat = defineIntegration({
  id: "snapchat",
  name: "Snapchat",
  about: "Social sign-in under a person's grant; customer lists for advertising.",
  origins: ["https://accounts.snapchat.com", "https://kit.snapchat.com"],
  settings: {
    clientId: optional(text("Confidential OAuth client id of Login Kit")),
    clientSecret: optional(secret("Its client secret")),
  },
  identities: { "snapchat.external_id": "App-scoped user id (externalId)" },

  hooks: absent("its developer documents describe no webhook that tells of a person", LOGIN),
  oauth: {
    source: LOGIN,
    server: {
      issuer: "https://accounts.snapchat.com",
      authorize: "https://accounts.snapchat.com/accounts/oauth2/auth",
      token: "https://accounts.snapchat.com/accounts/oauth2/token",
    },
    // Unconfirmed: clients are seen to do it so, and by HTTP Basic.
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: "S256",
    scopes: { standard: [EXTERNAL_ID] },
    *account({ accessToken }) {
      const Me = z.object({ data: z.object({ me: z.looseObject({}) }) });
      const told = read(yield me(accessToken), Me);
      return told.ok ? accountIn("snapchat.external_id", told.value.data.me, "externalId") : told;
    },
    refresh: { source: WEB },
    *alive({ grant }) {
      const sight = yield* sightOf(grant.accessToken);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    kills: "grant",
  },

  actions: {
    erase: absent(
      "no call erases a profile, and customer lists need a short-lived token of the ad account",
      LISTS,
      "If you upload customer lists to Snapchat Ads: take this person's e-mail address, telephone number and device ids off " +
        "every list, in Ads Manager under Audiences or with the Marketing API. If you upload none, complete this task as " +
        "not_found.",
    ),
    revoke: {
      source: LOGIN,
      by: [CONNECTION],
      each: "identity",
      // Unconfirmed: no page of Snap's describes the endpoint; its own clients, and others, use it in the way of RFC 7009. So the look
      // decides, and an endpoint that answers otherwise is shown.
      *run(order) {
        const { clientId: id, clientSecret } = order.settings;
        const client = { id, secret: clientSecret, by: "post" } as const;
        return yield* revokeTokens("https://accounts.snapchat.com/accounts/oauth2/revoke", grantOf(order), client);
      },
      look: {
        afterSeconds: 5,
        run: (order) => sightOf(grantOf(order).accessToken),
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
