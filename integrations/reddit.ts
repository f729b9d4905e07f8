import { z } from "zod";
import { at, bearer, byStatus, type Call, get, postForm, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import {
  accountIn,
  byOneOf,
  type ClientProof,
  CONNECTION,
  errorIn,
  type Grant,
  grantOf,
  type NotByThis,
  notByThis,
  seenByAny,
  type TokenAnswer,
  tokenCall,
} from "../src/contract/oauth.ts";
import { type Answer, erased, notFound, revoked, type Sight, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, type SettingValues, secret, text } from "../src/contract/settings.ts";

/**
 * Reddit Data API: people grant the tenant's app access, and the tenant may hold posts and comments of anybody.
 * It tells us nothing: whoever holds its content has to read it again, and drop what is gone. We can end a grant.
 */
const WIKI = "https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki";
const OAUTH = "https://github.com/reddit-archive/reddit/wiki/OAuth2";
const SOURCE = "https://github.com/reddit-archive/reddit/blob/master/r2/r2/controllers/api.py";

const settings = {
  clientId: optional(text("Client id of the app")),
  clientSecret: optional(secret("Client secret of the app")),
  userAgent: optional(
    text("User-Agent of the app: <platform>:<app id>:<version> (by /u/<name>)", /^[\x20-\x7e]{1,200}$/),
  ),
};
type Values = SettingValues<typeof settings>;

const clientOf = ({ clientId, clientSecret }: Values): ClientProof => ({
  id: clientId,
  secret: clientSecret,
  by: "basic",
});

/** Reddit slows down whoever does not say who they are, in a form of its own. */
const named = ({ userAgent }: Values, call: Call): Call =>
  userAgent === "" ? call : { ...call, headers: { ...call.headers, "user-agent": userAgent } };

/**
 * A code that is no good is refused inside 200. A refresh token that is none is 400 and `invalid_request`, and nothing else is.
 * Unconfirmed: that it still is so, since the source is archived. Clients are seen to get the bare status as `error` too.
 */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { error } = json;
  if (status === 200 && typeof error === "string") return { status: 400, json };
  const isSpent = status === 400 && (error === "invalid_request" || error === 400);
  return { status, json: isSpent ? { error: "invalid_grant" } : json };
}

const me = (settings: Values, accessToken: string): Call =>
  named(settings, get(at`https://oauth.reddit.com/api/v1/me`, bearer(accessToken), { expects: [401] }));

function* sightOf(settings: Values, accessToken: string): Steps<Sight> {
  const reply = yield me(settings, accessToken);
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

const Listing = z.object({
  data: z.object({
    children: z
      .array(
        z.object({
          data: z.object({
            author: z.string(),
            author_fullname: z.string().optional(),
            selftext: z.string().optional(),
            body: z.string().optional(),
          }),
        }),
      )
      .max(1),
  }),
});

/** What stands where a text was, of posts (`selftext`, empty where the post is a link) and comments (`body`). */
const WITHOUT_TEXT = ["", "[deleted]", "[removed]"];

/** Who has written it; `gone` where it is not there, or nobody's any more; empty where the account is gone and the text is not. */
function* authorOf(
  settings: Values,
  { accessToken }: Grant,
  item: string,
): Steps<string | "gone" | NotByThis | Unforeseen> {
  const address = at`https://oauth.reddit.com/api/info?id=${{ item }}`;
  const reply = yield named(settings, get(address, bearer(accessToken), { expects: [401] }));
  if (reply.status === 401) return notByThis("Reddit does not take its token any more");
  const listed = read(reply, Listing);
  if (!listed.ok) return listed.problem;
  const [found] = listed.value.data.children;
  if (found === undefined) return "gone";
  const { author, author_fullname: fullname = "", selftext, body } = found.data;
  // A deleted post or comment stays in its thread, as nobody's; those of a deleted account stay there with what was written.
  const isGone = author === "[deleted]" && WITHOUT_TEXT.includes(selftext ?? body ?? "");
  return isGone ? "gone" : fullname;
}

/** `POST /api/del` answers 200 of another's item too, and does nothing: so its author is looked at first. It wants `edit`. */
function* deletion(settings: Values, grant: Grant, item: string): Steps<Answer | NotByThis> {
  const author = yield* authorOf(settings, grant, item);
  if (typeof author !== "string") return author;
  if (author === "gone") return notFound;
  if (author === "") return notByThis("its account is no more, and what was written is still there");
  if (author !== grant.account.value) return notByThis("another account has written it");
  const headers = { ...bearer(grant.accessToken), accept: "application/json" };
  const call = postForm(at`https://oauth.reddit.com/api/del`, headers, [["id", item]], { expects: [401] });
  const reply = yield named(settings, call);
  if (reply.status === 403) return notByThis("Reddit forbids it: the grant is without edit");
  return byStatus(reply, { 200: erased });
}

function* sightOfItem(settings: Values, grant: Grant, item: string): Steps<Sight> {
  const author = yield* authorOf(settings, grant, item);
  if (typeof author !== "string") return "notByThis" in author ? "no_view" : author;
  return author === "gone" ? "absent" : "present";
}

export const reddit = defineIntegration({
  id: "reddit",
  name: "Reddit",
  about: "Platform access under a person's grant; public posts and comments.",
  origins: ["https://www.reddit.com", "https://oauth.reddit.com"],
  settings,
  identities: {
    "reddit.user_id": "Account id with its prefix (t2_…)",
    "reddit.item": "Full name of a post or comment (t3_…, t1_…)",
  },

  hooks: absent("it has no webhook, no notice of revocation and no feed of deletions: only reading again tells", WIKI),
  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://www.reddit.com",
      authorize: "https://www.reddit.com/api/v1/authorize",
      token: "https://www.reddit.com/api/v1/access_token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic", userAgent: "userAgent" },
    pkce: absent("the page describes none", OAUTH),
    scopes: { standard: ["identity"] },
    // Without it there is no refresh token, and access ends after an hour.
    parameters: { duration: "permanent" },
    adapt,
    *account({ settings, accessToken }) {
      const told = read(yield me(settings, accessToken), z.object({ id: z.string().regex(/^[a-z0-9]{1,20}$/) }));
      return told.ok ? accountIn("reddit.user_id", { fullname: `t2_${told.value.id}` }, "fullname") : told;
    },
    refresh: { source: OAUTH },
    *alive({ settings, grant }) {
      const sight = yield* sightOf(settings, grant.accessToken);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    // A refresh token takes with it the access tokens that came of it.
    kills: "grant",
  },

  actions: {
    // Without instructions: copies of its content lie in the tenant's own systems, which hear of the erasure themselves.
    erase: absent("what people have posted is their own, and Reddit keeps it as their controller", SOURCE),
    unpublish: {
      source: SOURCE,
      by: ["reddit.item"],
      each: "identity",
      run: (order) => byOneOf(order, (grant) => deletion(order.settings, grant, order.identity.value)),
      look: {
        afterSeconds: 5,
        run: (order) => seenByAny(order, (grant) => sightOfItem(order.settings, grant, order.identity.value)),
      },
    },
    revoke: {
      source: OAUTH,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken, refreshToken } = grantOf(order);
        const tokens = [
          ...(refreshToken === "" ? [] : ([[refreshToken, "refresh_token"]] as const)),
          [accessToken, "access_token"] as const,
        ];
        for (const [token, hint] of tokens) {
          const address = "https://www.reddit.com/api/v1/revoke_token";
          const reply = yield named(order.settings, tokenCall(address, token, hint, clientOf(order.settings)));
          // 204, and 200 as RFC 7009 has it; either also for a token that is unknown, so that the look decides.
          if (reply.status !== 204 && reply.status !== 200)
            return unforeseen(reply, `the revocation was refused: ${errorIn(reply) ?? "it does not say why"}`);
        }
        return revoked;
      },
      look: {
        afterSeconds: 5,
        run: (order) => sightOf(order.settings, grantOf(order).accessToken),
      },
    },
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
