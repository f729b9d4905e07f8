import { z } from "zod";
import {
  at,
  bearer,
  type Call,
  del,
  get,
  noCall,
  postForm,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, refusedCredential, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { byOneOf, CONNECTION, type Grant, type NotByThis, notByThis, seenByAny } from "../src/contract/oauth.ts";
import { type Answer, notFound, revoked, type SlowDown, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type SignalType, UnixSeconds, type VendorEvent, withinSecond } from "../src/contract/signal.ts";
import {
  DEAD_TOKEN,
  DELETION,
  dataDeletion,
  deauthorize,
  deletion,
  GraphError,
  graphAnswer,
  MetaId,
  ownerOf,
  refusalOf,
  sightOf,
  sightOfNode,
  webhooks,
} from "./houses/meta.ts";

/**
 * Facebook Login: people grant the tenant's app access to their account.
 * It tells us when a person removes the app, withdraws a permission or asks for deletion; we can revoke the whole grant.
 * What Meta itself holds cannot be erased by API.
 */
const DEAUTHORIZE = "https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow";
const LONG_LIVED = "https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived";
const PERMISSIONS = "https://developers.facebook.com/docs/graph-api/reference/user/permissions/";
const PAGES = "https://developers.facebook.com/docs/pages-api/posts";
const WEBHOOKS = "https://developers.facebook.com/docs/graph-api/webhooks/getting-started";

/** Graph versions live about two years; this one is pinned and raised with a release. */
const GRAPH = "v23.0";

/**
 * Up to a thousand updates of one kind of object. Without "Include Values" in the app's dashboard only `changed_fields` say
 * what has changed, and not to what.
 */
const Update = z.object({
  object: z.string(),
  entry: z.array(
    z.object({
      id: MetaId,
      /** On objects that are people. */
      uid: MetaId.optional(),
      time: UnixSeconds,
      changes: z.array(z.object({ field: z.string(), value: z.unknown().optional() })).optional(),
      changed_fields: z.array(z.string()).optional(),
    }),
  ),
});
type Entry = z.infer<typeof Update>["entry"][number];
const Verb = z.object({ verb: z.string() });

/**
 * The `permissions` reference says of a person "connected or disconnected", and of a permission "granted or revoked".
 * Unconfirmed: how the first is spelled. Every spelling that can only mean the end is taken for it; any other ends nothing,
 * and the deauthorize callback tells of the same removal.
 */
const ENDED: ReadonlySet<string> = new Set(["disconnected", "disconnect", "removed", "remove", "revoked"]);

function signalOf(object: string, field: string, verb: string | undefined): SignalType | undefined {
  if (object !== "permissions" || verb === undefined || field === "bookmarked") return undefined;
  if (field === "connected") return ENDED.has(verb) ? "deauthorized" : undefined;
  return verb === "revoked" ? "consent_withdrawn" : undefined;
}

function changed(object: string, { id, uid = id, time, changes, changed_fields = [] }: Entry): VendorEvent[] {
  const all = changes ?? changed_fields.map((field) => ({ field, value: undefined }));
  return all.map(({ field, value }) => {
    const verb = Verb.safeParse(value).data?.verb;
    const type = signalOf(object, field, verb);
    const identity = { type: "facebook.user_id", value: uid };
    return {
      // Meta gives no ids, and a repeat may be cut into other batches.
      id: `${object}:${uid}:${time}:${field}:${verb ?? ""}`,
      name: `${object}.${field}`,
      signals: type === undefined ? [] : [{ type, identity, at: withinSecond(time) }],
    };
  });
}

const TOKEN = `https://graph.facebook.com/${GRAPH}/oauth/access_token`;
const ME = at`https://graph.facebook.com/${{ version: GRAPH }}/me?fields=id`;

const settings = {
  appId: text("App id", /^\d{5,20}$/),
  appSecret: secret("App secret"),
  verifyToken: optional(secret("Verify token of the webhooks product")),
};

type FacebookOrder = Order<typeof settings>;

/** By the app's own token, so that a person's that has expired is no matter; by theirs only where it was not learnt who they are. */
function removal({ identity, settings, grant }: FacebookOrder): Call {
  const account = grant?.account ?? identity;
  const isKnown = account.type === "facebook.user_id";
  const user = isKnown ? account.value : "me";
  const token = isKnown ? `${settings.appId}|${settings.appSecret}` : (grant?.accessToken ?? "");
  const permissions = at`https://graph.facebook.com/${{ version: GRAPH }}/${{ user }}/permissions`;
  return del(permissions, bearer(token), { expects: [401] });
}

const Success = z.union([z.literal(true), z.object({ success: z.literal(true) })]);

const node = (id: string) => at`https://graph.facebook.com/${{ version: GRAPH }}/${{ id }}`;

/** Posts are the Page's, and its own token deletes them. A person who manages it is given that token. */
function* pageToken(
  { identity }: Pick<Order, "identity">,
  { accessToken }: Grant,
): Steps<string | NotByThis | SlowDown | Unforeseen> {
  const [, page] = /^(\d{1,30})_\d{1,30}$/.exec(identity.value) ?? [];
  if (page === undefined) return unforeseen(noCall, "a post of a Page is registered as page id_post id");
  const { url, template } = node(page);
  const reply = yield get({ url: `${url}?fields=access_token`, template }, bearer(accessToken), { expects: [401] });
  if (reply.status === 200) {
    const told = read(reply, z.object({ access_token: z.string().min(1).optional() }));
    if (!told.ok) return told.problem;
    return told.value.access_token ?? notByThis("Meta gives it no token for the Page");
  }
  const refusal = refusalOf(reply);
  return "outcome" in refusal ? refusal : notByThis(`Meta gives it no token for the Page (error ${refusal.code})`);
}

export const facebook = defineIntegration({
  id: "facebook",
  name: "Facebook Login",
  about: "Social sign-in and platform access under a person's grant.",
  origins: ["https://graph.facebook.com"],
  settings,
  identities: {
    "facebook.user_id": "App-scoped user id",
    "facebook.post": "A post of a Page that the person manages: page id_post id",
  },

  hooks: {
    "data-deletion": dataDeletion("facebook.user_id"),
    deauthorize: deauthorize("facebook.user_id", DEAUTHORIZE),
    webhooks: webhooks(WEBHOOKS, {
      read: json(Update, ({ object, entry }) => entry.flatMap((each) => changed(object, each))),
      authority: { deauthorized: "here", consent_withdrawn: "record" },
      events: ["permissions.connected", "permissions.{permission}"],
    }),
  },

  oauth: {
    source: DEAUTHORIZE,
    server: {
      issuer: "https://www.facebook.com",
      authorize: `https://www.facebook.com/${GRAPH}/dialog/oauth`,
      token: TOKEN,
    },
    // Unconfirmed: Meta shows the exchange as a GET with the secret in its address. Its endpoint takes the standard's POST too, as
    // clients in general send it, and no secret should stand in an address.
    client: { id: "appId", secret: "appSecret", by: "post" },
    pkce: absent("Meta describes it for OpenID tokens in apps only", DEAUTHORIZE),
    scopes: { standard: ["public_profile"], separator: "," },
    adapt: graphAnswer,
    account: ({ accessToken }) => ownerOf("facebook.user_id", ME, accessToken),
    // From hours to about sixty days.
    lengthen: ({ settings: { appId, appSecret }, accessToken }) =>
      postForm({ url: TOKEN, template: TOKEN }, { accept: "application/json" }, [
        ["grant_type", "fb_exchange_token"],
        ["client_id", appId],
        ["client_secret", appSecret],
        ["fb_exchange_token", accessToken],
      ]),
    refresh: absent("a token that has ended is renewed by the person alone, who signs in again", LONG_LIVED),
    // What is removed is the app from the account, whichever token asks for it.
    kills: "account",
  },

  actions: {
    erase: absent("Meta offers no API that erases what it holds about a person as their own controller", DELETION),
    unpublish: {
      source: PAGES,
      by: ["facebook.post"],
      each: "identity",
      run: (order) =>
        byOneOf(order, function* (grant) {
          const page = yield* pageToken(order, grant);
          return typeof page === "string" ? yield* deletion(node(order.identity.value), page) : page;
        }),
      look: {
        afterSeconds: 5,
        run: (order) =>
          seenByAny(order, function* (grant) {
            const page = yield* pageToken(order, grant);
            return typeof page === "string" ? yield* sightOfNode(node(order.identity.value), page) : page;
          }),
      },
    },
    revoke: {
      source: PERMISSIONS,
      by: [CONNECTION, "facebook.user_id"],
      each: "identity",
      *run(order) {
        return meaning(yield removal(order));
      },
      look: {
        afterSeconds: 5,
        *run({ grant }) {
          return grant === undefined ? "no_view" : yield* sightOf(ME, grant.accessToken);
        },
      },
    },
  },

  check: {
    source: "https://developers.facebook.com/docs/graph-api/reference/application/",
    shows: "the app's id and secret fit each other; ending people's grants needs no more",
    *run({ appId, appSecret }) {
      const app = at`https://graph.facebook.com/${{ version: GRAPH }}/${{ app: appId }}?fields=id`;
      const reply = yield get(app, bearer(`${appId}|${appSecret}`), { expects: [401] });
      const refused = readRefusal(reply, GraphError);
      // 190: the token is none; 101: "invalid application ID"; 1 is used for a secret that does not fit.
      if (refused.ok && [1, 101, 190].includes(refused.value.error.code))
        return refusedCredential(reply, `Meta refused the app's id and secret (error ${refused.value.error.code})`);
      const known = read(reply, z.object({ id: z.literal(appId) }));
      return known.ok ? fine : unclear(known.problem);
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});

function meaning(reply: Reply): Answer {
  if (reply.status === 200) {
    const success = read(reply, Success);
    return success.ok ? revoked : success.problem;
  }
  const refusal = refusalOf(reply);
  if ("outcome" in refusal) return refusal;
  const { code, error_subcode } = refusal;
  // Unconfirmed: what the app's token gets for a person who has already removed the app. "Has not authorised the app"
  // (190/458) and "nothing under this id that the app may see" (100/33) both mean that there is no grant.
  if ((code === DEAD_TOKEN && error_subcode === 458) || (code === 100 && error_subcode === 33)) return notFound;
  if (code === DEAD_TOKEN) return unauthorized(reply, "Meta refused the app's id and secret (error 190)");
  return unforeseen(reply, `Graph error ${code}`);
}
