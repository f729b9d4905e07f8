import { z } from "zod";
import type { Hook } from "../../src/contract/integration.ts";
import { json, type Read, type SignalType, UnixSeconds, withinSecond } from "../../src/contract/signal.ts";

/** What Meta's products have in common: two signed callbacks, and webhooks with a challenge. */
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
