import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Pinterest: people grant the tenant's app access to their boards and pins, and the tenant may upload customer lists to
 * Pinterest Ads. It tells us nothing about people: a removed app shows in the next call with the token. A grant cannot be
 * revoked by API, pins and boards need the person's token, customer lists that of the tenant's own ad account.
 */
const DESCRIPTION = "https://github.com/pinterest/api-description";
const GUIDELINES = "https://policy.pinterest.com/en/developer-guidelines";
const OAUTH = "https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/";

export const pinterest = defineIntegration({
  id: "pinterest",
  name: "Pinterest",
  about: "Platform access under a person's grant; customer lists for advertising.",
  origins: [],
  settings: {},
  identities: { "pinterest.user_id": "User id, from `GET /v5/user_account`" },

  hooks: absent("its only webhook brings leads from ads; removed apps, accounts and pins are not told", DESCRIPTION),
  oauth: absent("not yet connected by Quittance", OAUTH),

  actions: {
    erase: absent(
      "pins and boards need the person's token, and customer lists a short-lived token of the ad account",
      DESCRIPTION,
      "If you upload customer lists to Pinterest Ads: take this person's addresses and device ids off every list, by " +
        "`PATCH /v5/ad_accounts/{ad_account_id}/customer_lists/{customer_list_id}` with `operation_type` `REMOVE`, or by " +
        "uploading the list anew without them. Matching runs in the background and its end is not reported. If you " +
        "upload none, complete this task as not_found.",
    ),
    // Without instructions: only the person can remove the app, in the settings of their account.
    revoke: absent("`POST /v5/oauth/token/revoke` takes tokens of system users only", DESCRIPTION),
  },

  duties: {
    audiences: {
      // Unconfirmed: how often. The guidelines say "regularly" and name no days; a week is ours.
      everyHours: 7 * 24,
      what: "Bring customer lists at Pinterest up to date, without those who opted out; delete what was got from its API, except campaign analytics.",
      source: GUIDELINES,
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
