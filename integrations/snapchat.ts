import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Snapchat: people sign in with their account, and the tenant may upload customer lists to Snapchat Ads.
 * It tells us nothing about people: an unlinked app shows in the next refusal of a token. The end of a grant needs the
 * person's token, customer lists that of the tenant's own ad account.
 */
const LOGIN = "https://developers.snap.com/snap-kit/login-kit/overview";
const LISTS = "https://developers.snap.com/api/marketing-api/Ads-API/customer-lists";

export const snapchat = defineIntegration({
  id: "snapchat",
  name: "Snapchat",
  about: "Social sign-in under a person's grant; customer lists for advertising.",
  origins: [],
  settings: {},
  identities: { "snapchat.external_id": "App-scoped user id (externalId)" },

  hooks: absent("its developer documents describe no webhook that tells of a person", LOGIN),
  oauth: absent("not yet connected by Quittance", LOGIN),

  actions: {
    erase: absent(
      "no call erases a profile, and customer lists need a short-lived token of the ad account",
      LISTS,
      "If you upload customer lists to Snapchat Ads: take this person's e-mail address, telephone number and device ids off " +
        "every list, in Ads Manager under Audiences or with the Marketing API. If you upload none, complete this task as " +
        "not_found.",
    ),
    // Unconfirmed: that the endpoint by which tokens are revoked is meant for apps; it takes the person's token anyway.
    revoke: absent("needs the person's token, which connections will hold", LOGIN),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
