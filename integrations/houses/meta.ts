import { z } from "zod";
import {
  type Address,
  bearer,
  type Call,
  del,
  get,
  type Reply,
  read,
  readRefusal,
  unforeseen,
} from "../../src/contract/call.ts";
import type { Hook, Order, Steps } from "../../src/contract/integration.ts";
import {
  type Alive,
  accountIn,
  grantOf,
  type NotByThis,
  notByThis,
  type TokenAnswer,
  type Whose,
} from "../../src/contract/oauth.ts";
import {
  type Answer,
  erased,
  notFound,
  type Sight,
  type SlowDown,
  stoppedBecause,
  type Unforeseen,
} from "../../src/contract/outcome.ts";
import { json, type Read, type SignalType, UnixSeconds, withinSecond } from "../../src/contract/signal.ts";

/** What Meta's products have in common: two signed callbacks, webhooks with a challenge, and one way of refusing. */
export const DELETION =
  "https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback";

/** Ids are text; old data of Meta's SDKs shows them as numbers too. */
export const MetaId = z.union([z.string().min(1), z.int().positive()]).transform(String);

const Payload = z.object({ user_id: MetaId, issued_at: UnixSeconds });

const callback = (type: SignalType, identity: string) => ({
  verify: { scheme: "signed-request", key: "appSecret" } as const,
  contentTypes: ["application/x-www-form-urlencoded"] as const,
  // There is no delivery id: the same person asking at the same second is the same delivery.
  read: json(Payload, ({ user_id, issued_at }) => [
    {
      id: `${user_id}:${issued_at}`,
      name: type,
      signals: [{ type, identity: { type: identity, value: user_id }, at: withinSecond(issued_at) }],
    },
  ]),
  retriesForHours: "unknown" as const,
});

/** A person asks for deletion, and is given a code and a page that shows how far it is. */
export const dataDeletion = (identity: string): Hook => ({
  ...callback("erasure_requested", identity),
  source: DELETION,
  authority: { erasure_requested: "everywhere" },
  answer: ({ statusUrl, code }) => ({ url: statusUrl, confirmation_code: code }),
  events: ["data_deletion"],
});

/** A person has removed the app. */
export const deauthorize = (identity: string, source: string): Hook => ({
  ...callback("deauthorized", identity),
  source,
  authority: { deauthorized: "here" },
  // Unconfirmed: which body Meta expects; its documents ask for none and name 200 as the safe answer.
  answer: () => ({}),
  events: ["deauthorize"],
});

/** `read`, `authority` and `events` are the product's own. */
export const webhooks = (
  source: string,
  own: { readonly read: Read; readonly authority: Hook["authority"]; readonly events: Hook["events"] },
): Hook => ({
  source,
  verify: {
    scheme: "hmac",
    key: "appSecret",
    hash: "SHA-256",
    // `X-Hub-Signature` with SHA-1 may come along, and is of no use.
    signature: { header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" },
    over: ["body"],
  },
  contentTypes: ["application/json"],
  challenges: [
    {
      ask: "query",
      name: "hub.challenge",
      // "An int you must pass back": with room for another generation's.
      shape: /[\w-]+/,
      token: { name: "hub.verify_token", key: "verifyToken" },
      answer: { give: "value" },
      source,
    },
  ],
  answer: 200,
  // "Immediately, then a few more times with decreasing frequency over the next 36 hours."
  retriesForHours: 36,
  ...own,
});

/** https://developers.facebook.com/docs/graph-api/guides/error-handling */
export const GraphError = z.object({ error: z.object({ code: z.number(), error_subcode: z.number().optional() }) });
type GraphError = z.infer<typeof GraphError>["error"];

/** Graph's refusal; it throttles with 400 and codes of its own. https://developers.facebook.com/docs/graph-api/overview/rate-limiting */
export function refusalOf(reply: Reply): GraphError | SlowDown | Unforeseen {
  const refusal = readRefusal(reply, GraphError);
  if (!refusal.ok) return refusal.problem;
  const { error } = refusal.value;
  return [4, 17, 32, 613].includes(error.code) ? { outcome: "slow_down", seconds: 300 } : error;
}

/** "Access token has expired, been revoked, or is otherwise invalid." */
export const DEAD_TOKEN = 190;

/** Subcodes of it for people who have to see to something at Meta first, after which the same token works again. */
const RESTING: ReadonlySet<number> = new Set([459, 464]);

const isDead = ({ code, error_subcode = 0 }: GraphError): boolean => code === DEAD_TOKEN && !RESTING.has(error_subcode);

/**
 * The person's own view of themselves, which is the cheapest thing that a token is good for. Unconfirmed: that Threads takes a token in
 * a header, as Facebook and Instagram do; where it does not, nobody can be connected.
 *
 * @see https://developers.facebook.com/documentation/instagram-platform/reference/me
 * @see https://developers.facebook.com/documentation/threads/threads-profiles
 */
const ownView = (me: Address, token: string): Call => get(me, bearer(token), { expects: [401] });

/** Whose token it is. Ids in token answers are numbers at times, and longer than a number holds; here they are text. */
export function* ownerOf(type: string, me: Address, token: string): Steps<Whose> {
  const body = read(yield ownView(me, token), z.object({ id: z.string().min(1).max(64) }));
  return body.ok ? accountIn(type, body.value, "id") : body;
}

/** Whether a token still opens what it opened. */
export function* sightOf(me: Address, token: string): Steps<Sight> {
  const reply = yield ownView(me, token);
  if (reply.status === 200) return "present";
  const refusal = refusalOf(reply);
  if ("outcome" in refusal) return refusal;
  return isDead(refusal) ? "absent" : unforeseen(reply, `Graph error ${refusal.code}`);
}

/** Graph has nothing under this id that this token may see or touch. That is not to say that there is nothing. */
const isUnseen = ({ code, error_subcode }: GraphError): boolean => code === 100 && error_subcode === 33;

const Success = z.object({ success: z.literal(true) });

/**
 * Deletes what a token's owner has published. Graph answers alike for what is gone, what is another's and what the token may not touch,
 * so that none of these is taken for gone.
 *
 * @see https://developers.facebook.com/docs/threads/posts/delete-posts
 * @see https://developers.facebook.com/docs/pages-api/posts
 */
export function* deletion(node: Address, token: string): Steps<Answer | NotByThis> {
  const reply = yield del(node, bearer(token), { expects: [401] });
  if (reply.status === 200) {
    const told = read(reply, Success);
    return told.ok ? erased : told.problem;
  }
  const refusal = refusalOf(reply);
  if ("outcome" in refusal) return refusal;
  if (isDead(refusal)) return notByThis("Meta does not take its token any more");
  // 10 and 200 to 299: a permission is missing. https://developers.facebook.com/docs/graph-api/guides/error-handling
  if (refusal.code === 10 || (refusal.code >= 200 && refusal.code < 300))
    return notByThis(`Meta wants a permission that it does not have (error ${refusal.code})`);
  if (isUnseen(refusal)) return notByThis("Meta shows it no such post: it is gone already, or another account's");
  return unforeseen(reply, `Graph error ${refusal.code}`);
}

/**
 * Whether a post is still there. Graph answers alike for what is gone and what is another's, and a dead token sees nothing.
 *
 * @see https://developers.facebook.com/documentation/threads/reference/media-retrieval
 */
export function* sightOfNode(node: Address, token: string): Steps<Sight> {
  const own = { url: `${node.url}?fields=id`, template: node.template };
  const reply = yield get(own, bearer(token), { expects: [401] });
  if (reply.status === 200) return "present";
  const refusal = refusalOf(reply);
  if ("outcome" in refusal) return refusal;
  if (isUnseen(refusal)) return "absent";
  return isDead(refusal) ? "no_view" : unforeseen(reply, `Graph error ${refusal.code}`);
}

/**
 * A call about tokens that Meta documents as a GET with token and secret in its address, and in no other way. Evidence and logs
 * know the address without them.
 */
export const tokenRead = (address: string, fields: Readonly<Record<string, string>>): Call =>
  get({ url: `${address}?${new URLSearchParams(fields)}`, template: address }, { accept: "application/json" });

/** A token of sixty days is renewed by itself while it has not ended; done in time for a vendor or a gateway that is away for long. */
export const RENEWED_AHEAD_DAYS = 20;

/** Where a grant cannot be ended by any call: whether it lives is seen, and what is done about it is said. */
export function* noRevocation(
  me: Address,
  order: Pick<Order, "grant" | "attemptedAt">,
  because: string,
): Steps<Answer> {
  const { accessToken, expiresAt = Number.POSITIVE_INFINITY } = grantOf(order);
  const sight = yield* sightOf(me, accessToken);
  // What is refused before its time has been taken away; where it has expired, the app may still stand in the account.
  if (sight === "absent" && expiresAt > Date.parse(order.attemptedAt)) return notFound;
  return typeof sight === "string" ? stoppedBecause(because) : sight;
}

export function* isAlive(me: Address, token: string): Steps<Alive> {
  const sight = yield* sightOf(me, token);
  if (sight === "absent") return "ended";
  return sight === "present" || sight === "no_view" ? "alive" : sight;
}

const Refused = z.union([
  // graph.facebook.com, graph.instagram.com and graph.threads.net.
  GraphError,
  // api.instagram.com, for codes.
  z.object({ error_type: z.string(), code: z.number(), error_message: z.string().optional() }),
]);

/**
 * Subcodes of error 100, an invalid parameter: a code that is expired, does not fit or has been used.
 * Unconfirmed: no page lists them. Whatever has another is refused all the same, under another name.
 */
const BAD_CODE: ReadonlySet<number> = new Set([36_007, 36_008, 36_009]);

/**
 * What Instagram says of a code is in a list, or was when its page was written; its permissions are a list too, or text with
 * commas; and it names no type of token, nor does Threads.
 */
const Listed = z.object({ data: z.tuple([z.record(z.string(), z.unknown())]) });
const Permissions = z.union([z.array(z.string()), z.string().transform((text) => text.split(","))]);

function plain({ status, json }: TokenAnswer): TokenAnswer {
  const listed = Listed.safeParse(json);
  const { permissions, ...said } = listed.success ? listed.data.data[0] : json;
  const granted = Permissions.safeParse(permissions);
  return {
    status,
    json: { token_type: "bearer", ...said, ...(granted.success && { scope: granted.data.join(" ") }) },
  };
}

/** Meta's token endpoints refuse in Graph's way: here in the words of RFC 6749 section 5.2. */
export function graphAnswer(answer: TokenAnswer): TokenAnswer {
  const refused = Refused.safeParse(answer.json);
  if (!refused.success) return plain(answer);
  const { data } = refused;
  const isGrant =
    "error" in data
      ? isDead(data.error) || (data.error.code === 100 && BAD_CODE.has(data.error.error_subcode ?? 0))
      : data.error_type === "OAuthException" && /code/i.test(data.error_message ?? "");
  return { status: 400, json: { error: isGrant ? "invalid_grant" : "invalid_request" } };
}
