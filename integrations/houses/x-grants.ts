import { z } from "zod";
import { at, bearer, del, get, read, unforeseen } from "../../src/contract/call.ts";
import type { Steps } from "../../src/contract/integration.ts";
import { accountIn, type TokenAnswer, type Whose } from "../../src/contract/oauth.ts";
import type { Sight, Unforeseen } from "../../src/contract/outcome.ts";

/** What X says of grants and tokens, and what an app has subscribed to about the people behind them. */

/** What X says of a code, and of a refresh token, that is spent or revoked, where RFC 6749 section 5.2 has a word of its own. */
const SPENT = /^Value passed for the (authorization code|token|refresh token) was invalid/;

export function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { error, error_description: why } = json;
  const isSpent = error === "invalid_request" && typeof why === "string" && SPENT.test(why);
  return { status, json: isSpent ? { ...json, error: "invalid_grant" } : json };
}

const ME = at`https://api.x.com/2/users/me`;

/** https://docs.x.com/x-api/users/get-my-user */
export function* ownerOf(accessToken: string): Steps<Whose> {
  const me = read(yield get(ME, bearer(accessToken)), z.object({ data: z.looseObject({}) }));
  return me.ok ? accountIn("x.user_id", me.value.data, "id") : me;
}

/** Whether a token still opens what it opened. */
export function* sightOf(accessToken: string): Steps<Sight> {
  const reply = yield get(ME, bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

const Subscriptions = z.object({
  data: z
    .array(
      z.object({
        subscription_id: z.string().regex(/^\d{1,19}$/),
        filter: z.object({ user_id: z.string().optional() }).optional(),
      }),
    )
    .default([]),
  meta: z.object({ next_token: z.string().min(1).optional() }).optional(),
});

/** One call ends so many. */
const MOST_ENDED = 100;

/**
 * Ends the X Activity subscriptions that name a person, since they are about that person too.
 * https://docs.x.com/x-api/activity/delete-x-activity-subscriptions-by-ids
 */
export function* unsubscribe(bearerToken: string, user: string): Steps<Unforeseen | undefined> {
  const app = bearer(bearerToken);
  const theirs: string[] = [];
  let token: string | undefined;
  do {
    const page =
      token === undefined
        ? at`https://api.x.com/2/activity/subscriptions?max_results=1000`
        : at`https://api.x.com/2/activity/subscriptions?max_results=1000&pagination_token=${{ token }}`;
    const listed = read(yield get(page, app), Subscriptions);
    if (!listed.ok) return listed.problem;
    const { data, meta } = listed.value;
    theirs.push(...data.filter(({ filter }) => filter?.user_id === user).map(({ subscription_id: id }) => id));
    token = meta?.next_token;
  } while (token !== undefined);
  for (let from = 0; from < theirs.length; from += MOST_ENDED) {
    const ids = theirs.slice(from, from + MOST_ENDED).join(",");
    const reply = yield del(at`https://api.x.com/2/activity/subscriptions?ids=${{ ids }}`, app);
    if (reply.status !== 200) return unforeseen(reply);
  }
  return undefined;
}
