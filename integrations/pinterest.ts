import { z } from "zod";
import { at, bearer, byStatus, del, get, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import {
  accountIn,
  byOneOf,
  CONNECTION,
  grantOf,
  type NotByThis,
  notByThis,
  seenByAny,
  type TokenAnswer,
} from "../src/contract/oauth.ts";
import { type Answer, erased, notFound, type Sight, stoppedBecause } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";

/**
 * Pinterest: people grant the tenant's app access to their boards and pins, and the tenant may upload customer lists to
 * Pinterest Ads. It tells us nothing about people: a removed app shows in the next call with the token. A grant cannot be
 * revoked by API, and customer lists need a token of the tenant's own ad account.
 */
const DESCRIPTION = "https://github.com/pinterest/api-description";
const GUIDELINES = "https://policy.pinterest.com/en/developer-guidelines";
const OAUTH = "https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/";

const ME = at`https://api.pinterest.com/v5/user_account`;

/** "The authorization grant is invalid." Unconfirmed: no page lists it. 2, "authentication failed", may as well be about the app. */
const INVALID_GRANT = 283;

/** Refusals have a number of Pinterest's own in place of a name; scopes may come with commas. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { code, scope } = json;
  if (typeof code === "number")
    return { status: 400, json: { error: code === INVALID_GRANT ? "invalid_grant" : "invalid_request" } };
  return { status, json: { ...json, ...(typeof scope === "string" && { scope: scope.replaceAll(",", " ") }) } };
}

const pinAt = (pin: string) => at`https://api.pinterest.com/v5/pins/${{ pin }}`;

/** 204, 403 (not authorized) and 404 (pin not found) are what the description has; it wants `pins:write`. */
function* deletion(accessToken: string, pin: string): Steps<Answer | NotByThis> {
  const reply = yield del(pinAt(pin), bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return notByThis("Pinterest does not take its token any more, or wants pins:write");
  if (reply.status === 403) return notByThis("Pinterest forbids it: another's pin, or a scope is missing");
  return byStatus(reply, { 204: erased, 404: notFound });
}

function* sightOf(accessToken: string, pin: string): Steps<Sight> {
  const reply = yield get(pinAt(pin), bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return "no_view";
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

export const pinterest = defineIntegration({
  id: "pinterest",
  name: "Pinterest",
  about: "Platform access under a person's grant; customer lists for advertising.",
  origins: ["https://api.pinterest.com"],
  settings: { clientId: optional(text("App id", /^\d{5,20}$/)), clientSecret: optional(secret("App secret key")) },
  identities: {
    "pinterest.user_id": "User id, from `GET /v5/user_account`",
    "pinterest.pin": "Pin id",
  },

  hooks: absent("its only webhook brings leads from ads; removed apps, accounts and pins are not told", DESCRIPTION),
  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://www.pinterest.com",
      authorize: "https://www.pinterest.com/oauth/",
      token: "https://api.pinterest.com/v5/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic", exchange: { adds: { continuous_refresh: "true" } } },
    pkce: absent("its API's description has none", DESCRIPTION),
    scopes: { standard: ["user_accounts:read"], separator: "," },
    // Apps from before 25 September 2025 have to ask for refresh tokens that are renewed with each use; newer ones get them anyway.
    adapt,
    *account({ accessToken }) {
      const me = read(yield get(ME, bearer(accessToken)), z.looseObject({}));
      return me.ok ? accountIn("pinterest.user_id", me.value, "id") : me;
    },
    refresh: { source: OAUTH },
    *alive({ grant }) {
      const reply = yield get(ME, bearer(grant.accessToken), { expects: [401] });
      if (reply.status === 401) return "ended";
      return reply.status === 200 ? "alive" : unforeseen(reply);
    },
    kills: "grant",
  },

  actions: {
    erase: absent(
      "pins and boards are the person's own, and customer lists need a short-lived token of the ad account",
      DESCRIPTION,
      "If you upload customer lists to Pinterest Ads: take this person's addresses and device ids off every list, by " +
        "`PATCH /v5/ad_accounts/{ad_account_id}/customer_lists/{customer_list_id}` with `operation_type` `REMOVE`, or by " +
        "uploading the list anew without them. Matching runs in the background and its end is not reported. If you " +
        "upload none, complete this task as not_found.",
    ),
    unpublish: {
      source: DESCRIPTION,
      by: ["pinterest.pin"],
      each: "identity",
      run: (order) => byOneOf(order, ({ accessToken }) => deletion(accessToken, order.identity.value)),
      look: {
        afterSeconds: 5,
        run: (order) => seenByAny(order, ({ accessToken }) => sightOf(accessToken, order.identity.value)),
      },
    },
    revoke: {
      source: DESCRIPTION,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken, expiresAt = Number.POSITIVE_INFINITY } = grantOf(order);
        const reply = yield get(ME, bearer(accessToken), { expects: [401] });
        // What is refused before its time has been taken away; of one that has expired, the refresh token may live.
        if (reply.status === 401 && expiresAt > Date.parse(order.attemptedAt)) return notFound;
        return reply.status === 200 || reply.status === 401
          ? stoppedBecause(
              "Pinterest revokes tokens of system users only; the tokens held here are destroyed, and the person can remove the app in Pinterest",
            )
          : unforeseen(reply);
      },
    },
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
