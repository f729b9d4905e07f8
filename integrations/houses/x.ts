import { z } from "zod";
import type { List } from "../../src/contract/integration.ts";
import { jsonLine, type Signal, type SignalType, type VendorEvent } from "../../src/contract/signal.ts";

/**
 * What X says of accounts and posts by its two ways of compliance: the files of batch jobs, about ids that were handed to it,
 * and the lines of the streams that Enterprise customers keep open. Nobody has signed either.
 */
const POLICY = "https://docs.x.com/developer-terms/policy";
const BATCH = "https://docs.x.com/x-api/compliance/batch-compliance/quickstart";
const STREAMS = "https://developer.x.com/en/docs/x-api/compliance/streams/integrate/compliance-data-objects";

/** Ids exceed what a number holds, so they come as text; a number can only be an old, short one. */
export const Id = z.union([z.string().min(1), z.int().positive()]).transform(String);

/** X writes whole seconds: then it is the last moment that they may mean. */
export const Time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text) + (text.includes(".") ? 0 : 999));

/** "As soon as reasonably possible", and within a day of a written request by X or the person: the stricter for all. */
export const A_DAY = { hours: 24, source: POLICY };

/** A post is deleted once, whoever tells of it and when. */
export const deleted = (name: string, post: string, at: number): VendorEvent => {
  const signal: Signal = { type: "content_deleted", identity: { type: "x.post", value: post }, at };
  return { id: `post.delete:${post}`, name, signals: [signal] };
};

/** Whoever came back may leave again, so that an account's news is known by its time, too. */
const ofUser = (name: string, type: SignalType, user: string, at: number): VendorEvent => ({
  id: `${name}:${user}:${at}`,
  name,
  signals: [{ type, identity: { type: "x.user_id", value: user }, at }],
});

/** A line of a finished job. `created_at` is the age of the account or the post; `redacted_at` is when it happened. */
const Line = z.object({
  id: Id,
  action: z.string().max(100),
  reason: z.string().max(100).optional(),
  redacted_at: Time.optional(),
});

/**
 * What becomes of an account. Unconfirmed: that `deleted` is what lasts, because `deactivated` is what may be taken back; who
 * is suspended may come back too, and no deletion follows from it. Who has protected their posts still has an account:
 * which posts that concerns is said by a job about posts.
 */
const ACCOUNTS: ReadonlyMap<string, SignalType> = new Map([
  ["deleted", "account_deleted"],
  ["deactivated", "account_disabled"],
  ["suspended", "account_disabled"],
]);

/**
 * The action is `delete` for each of them, and X's policy wants whatever is deleted, protected or suspended to be deleted.
 * After `scrub_geo` the post stays, without its place: there is nothing here that takes away a part.
 */
const GONE: ReadonlySet<string> = new Set(["deleted", "bounced", "protected", "suspended", "deactivated"]);

/** Without its time nobody could tell one end of an account from the next. */
const UserLine = Line.refine(({ reason = "", redacted_at }) => redacted_at !== undefined || !ACCOUNTS.has(reason), {
  path: ["redacted_at"],
});

/** What else a job may say of an id: it is counted, by its reason, and causes nothing. */
const counted = (what: string, { id, action, reason = "none" }: z.infer<typeof Line>): VendorEvent => {
  const name = `${what} ${action === "delete" ? reason : action}`;
  return { id: `${name}:${id}`, name, signals: [] };
};

const OfUser = z.object({ user: z.object({ id: Id }), event_at: Time });
const OfPost = z.object({ tweet: z.object({ id: Id }), event_at: Time });

/** Either news, under the name of what happened, or X's word that something is wrong with the stream. */
const news = <T extends z.ZodRawShape>(shape: T) =>
  z
    .object({
      data: z
        .looseObject(shape)
        .refine((data) => Object.keys(data).length > 0)
        .optional(),
      errors: z.array(z.unknown()).optional(),
    })
    .refine(({ data, errors = [] }) => data !== undefined || errors.length > 0, { path: ["data"] });
const UserNews = news({
  user_delete: OfUser.optional(),
  user_undelete: OfUser.optional(),
  user_suspend: OfUser.optional(),
});
const PostNews = news({ delete: OfPost.optional() });

/** A stream that reports errors may have left something out. */
const FAULTY: VendorEvent = { id: "errors", name: "errors", signals: [], alarm: true };

const others = (data: object, known: readonly string[]): VendorEvent[] =>
  Object.keys(data)
    .filter((name) => !known.includes(name))
    .map((name) => ({ id: name, name, signals: [] }));

/** X says of a deletion that it is not permanent: for 30 days it may be taken back, and it says when it is. */
const USER_NEWS = {
  user_delete: "account_deleted",
  user_undelete: "account_restored",
  user_suspend: "account_disabled",
} as const satisfies Readonly<Record<string, SignalType>>;
const USER_NAMES = ["user_delete", "user_undelete", "user_suspend"] as const;

export const compliance = {
  users: {
    source: BATCH,
    read: jsonLine(UserLine, (line, receivedAt) => {
      const { id, action, reason = "", redacted_at: at = receivedAt } = line;
      const type = action === "delete" ? ACCOUNTS.get(reason) : undefined;
      return [type === undefined ? counted("user", line) : ofUser(`user ${reason}`, type, id, at)];
    }),
    authority: { account_deleted: "everywhere", account_disabled: "record" },
    deadlines: { account_deleted: A_DAY },
    events: ["user deleted", "user deactivated", "user suspended", "user protected"],
  },
  tweets: {
    source: BATCH,
    read: jsonLine(Line, (line, receivedAt) => {
      const { id, action, reason = "", redacted_at: at = receivedAt } = line;
      return [action === "delete" && GONE.has(reason) ? deleted(`tweet ${reason}`, id, at) : counted("tweet", line)];
    }),
    authority: { content_deleted: "record" },
    deadlines: { content_deleted: A_DAY },
    events: ["tweet deleted", "tweet bounced", "tweet protected", "tweet suspended", "tweet scrub_geo"],
  },
  "users-stream": {
    source: STREAMS,
    read: jsonLine(UserNews, ({ data }) => {
      if (data === undefined) return [FAULTY];
      const told = USER_NAMES.flatMap((name) => {
        const said = data[name];
        return said === undefined ? [] : [ofUser(name, USER_NEWS[name], said.user.id, said.event_at)];
      });
      return [...told, ...others(data, USER_NAMES)];
    }),
    authority: { account_deleted: "everywhere", account_restored: "record", account_disabled: "record" },
    deadlines: { account_deleted: A_DAY },
    events: [
      ...USER_NAMES,
      "user_unsuspend",
      "user_protect",
      "user_unprotect",
      "user_withheld",
      "user_profile_modification",
      "scrub_geo",
      "errors",
    ],
  },
  "tweets-stream": {
    source: STREAMS,
    read: jsonLine(PostNews, ({ data }) => {
      if (data === undefined) return [FAULTY];
      const { delete: gone } = data;
      // A post that was only taken from public view (`drop`) comes back with `undrop`.
      const told = gone === undefined ? [] : [deleted("delete", gone.tweet.id, gone.event_at)];
      return [...told, ...others(data, ["delete"])];
    }),
    authority: { content_deleted: "record" },
    deadlines: { content_deleted: A_DAY },
    events: ["delete", "drop", "undrop", "withheld", "tweet_edit", "errors"],
  },
} as const satisfies Readonly<Record<string, List>>;
