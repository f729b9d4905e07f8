import { z } from "zod";
import { at, bearer, del, get, type Reply, read, readRefusal, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { byOneOf, CONNECTION, type NotByThis, notByThis, seenByAny } from "../src/contract/oauth.ts";
import { type Answer, erased, notFound, type Sight, type SlowDown, type Unforeseen } from "../src/contract/outcome.ts";
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

/** Section III.E.4: 30 calendar days where consent was revoked at Google. */
const withinMonth = { hours: 30 * 24, source: POLICIES };

/** https://developers.google.com/youtube/v3/docs/errors */
const Refusal = z.object({ error: z.object({ errors: z.array(z.object({ reason: z.string() })).min(1) }) });

/** A project has 10,000 units a day, of which a deletion takes 50; what is over is refused until midnight in California. */
const OVER_QUOTA: ReadonlySet<string> = new Set(["quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"]);
const REST: SlowDown = { outcome: "slow_down", seconds: 3600 };
const isOverQuota = (reasons: readonly string[]): boolean => reasons.some((reason) => OVER_QUOTA.has(reason));

/** Why it refuses, in its own words. */
function reasonsIn(reply: Reply): readonly string[] | Unforeseen {
  const refused = readRefusal(reply, Refusal);
  return refused.ok ? refused.value.error.errors.map(({ reason }) => reason) : refused.problem;
}

/** By whose channel it lies in, with `youtube.force-ssl` or `youtube`. */
function* deletion(accessToken: string, video: string): Steps<Answer | NotByThis> {
  const address = at`https://www.googleapis.com/youtube/v3/videos?id=${{ video }}`;
  const reply = yield del(address, bearer(accessToken), { expects: [401] });
  if (reply.status === 204) return erased;
  if (reply.status === 401) return notByThis("YouTube does not take its token any more");
  const reasons = reasonsIn(reply);
  if ("outcome" in reasons) return reasons;
  if (reply.status === 404 && reasons.includes("videoNotFound")) return notFound;
  if (isOverQuota(reasons)) return REST;
  return reply.status === 403
    ? notByThis("YouTube forbids it: another channel's, or a scope is missing")
    : unforeseen(reply);
}

/** https://developers.google.com/youtube/v3/docs/videos/list: what is not there is not listed. */
function* sightOf(accessToken: string, video: string): Steps<Sight> {
  const address = at`https://www.googleapis.com/youtube/v3/videos?part=id&id=${{ video }}`;
  const reply = yield get(address, bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return "no_view";
  if (reply.status === 403) {
    const reasons = reasonsIn(reply);
    return !("outcome" in reasons) && isOverQuota(reasons) ? REST : unforeseen(reply);
  }
  const told = read(reply, z.object({ items: z.array(z.object({ id: z.string() })) }));
  if (!told.ok) return told.problem;
  return told.value.items.length === 0 ? "absent" : "present";
}

export const youtube = defineIntegration({
  id: "youtube",
  name: "YouTube",
  about: "Access to people's channels under their grant.",
  origins: ["https://www.googleapis.com", ...ORIGINS],
  settings: { clientIds, ...clientSettings },
  identities: {
    "youtube.google_account": ACCOUNT,
    "youtube.refresh_token": REFRESH_TOKEN,
    "youtube.video": "Video id",
  },

  hooks: {
    "security-events": crossAccountProtection(
      { account: "youtube.google_account", token: "youtube.refresh_token" },
      { account_deleted: withinMonth, deauthorized: withinMonth, token_revoked: withinMonth },
    ),
  },

  oauth: grants("youtube.google_account", ["https://www.googleapis.com/auth/youtube.readonly"]),

  actions: {
    erase: absent("what was published lies in the person's own channel", VIDEOS),
    unpublish: {
      source: VIDEOS,
      by: ["youtube.video"],
      each: "identity",
      run: (order) => byOneOf(order, ({ accessToken }) => deletion(accessToken, order.identity.value)),
      look: {
        afterSeconds: 5,
        run: (order) => seenByAny(order, ({ accessToken }) => sightOf(accessToken, order.identity.value)),
      },
    },
    revoke: {
      source: `${WEB_SERVER}#tokenrevoke`,
      by: [CONNECTION],
      each: "identity",
      run: (order) => revokeAtGoogle(order),
      // "It might take some time before the revocation has full effect."
      look: { afterSeconds: 60, run: (order) => lookAtGoogle(order) },
    },
  },

  // Section III.E.4: a person who asks the tenant itself, or disconnects there: seven calendar days.
  requestDeadline: { hours: 7 * 24, source: POLICIES },
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
