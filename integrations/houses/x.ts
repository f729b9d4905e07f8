import { z } from "zod";
import type { List } from "../../src/contract/integration.ts";
import { jsonLine, parse, type Signal, type SignalType, type VendorEvent } from "../../src/contract/signal.ts";
import { type Stream, type StreamEvent, tells } from "../../src/contract/stream.ts";

/**
 * What X says of accounts and posts by its two ways of compliance: the files of batch jobs, about ids that were handed to it,
 * and the streams that it opens to Enterprise customers. Nobody has signed either.
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
} as const satisfies Readonly<Record<string, List>>;

const OfUser = z.object({ user: z.object({ id: Id }), event_at: Time });
const OfPost = z.object({ tweet: z.object({ id: Id, author_id: Id.optional() }), event_at: Time });

/** Either news, under the name of what happened, or X's word that something is wrong with the stream. */
const news = <T extends z.ZodRawShape>(shape: T) =>
  z
    .object({
      data: z
        .object(shape)
        .catchall(z.object({ event_at: Time.optional().catch(undefined) }).catch({}))
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

/** A stream that reports errors may have left something out; it has no time. */
const FAULTY: StreamEvent = { id: "errors", name: "errors", signals: [], knownBy: [], alarm: true };

/** What happened, whether it is of concern here or not, and when: a line has one piece of news. */
function told(
  data: Readonly<Record<string, { readonly event_at?: number | undefined } | undefined>>,
  of: readonly StreamEvent[],
) {
  const at = Object.values(data).find((each) => each?.event_at !== undefined)?.event_at;
  const known = new Set(of.map(({ name }) => name));
  const others = Object.keys(data)
    .filter((name) => !known.has(name))
    .map((name): StreamEvent => ({ id: name, name, signals: [], knownBy: [] }));
  return tells({ events: [...of, ...others], ...(at !== undefined && { place: { cursor: String(at), at } }) });
}

/** X says of a deletion that it is not permanent: for 30 days it may be taken back, and it says when it is. */
const USER_NEWS = {
  user_delete: "account_deleted",
  user_undelete: "account_restored",
  user_suspend: "account_disabled",
} as const satisfies Readonly<Record<string, SignalType>>;
const USER_NAMES = ["user_delete", "user_undelete", "user_suspend"] as const;

const ORIGIN = "https://api.x.com";
/** `YYYY-MM-DDTHH:mm:ssZ`. */
const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

/**
 * One of the two: four parts, all of which are needed (https://docs.x.com/x-api/stream/stream-users-compliance-data), with an
 * app-only token. At most 100 connections in 15 minutes, five minutes told again (`backfill_minutes`, 1 to 5)
 * (https://developer.x.com/en/docs/x-api/compliance/streams/api-reference/get-users-compliance-stream), and whatever lies in
 * the last 24 hours by `start_time` and `end_time`, at whose end X disconnects
 * (https://docs.x.com/x-api/fundamentals/recovery-and-redundancy).
 * Unconfirmed: whether those two go by when something happened or by when it was published, and how many such recoveries may
 * run at once; the page says two, of another stream. What is refused for that is asked for again.
 */
const streamAt = (path: string) =>
  ({
    reach: "tenant",
    source: STREAMS,
    origins: [ORIGIN],
    bearer: "complianceToken",
    parts: ["1", "2", "3", "4"],
    lookbackHours: 24,
    // X delivers nearly all within seconds, and at high volume within a minute; whole minutes add half of one on average.
    overlapSeconds: 45,
    follow: {
      mostMinutes: 5,
      address: (origin: string, part: string, minutes: number) =>
        `${origin}${path}?${new URLSearchParams({ partition: part, backfill_minutes: String(minutes) })}`,
    },
    replay: {
      mostMinutes: 10,
      address: (origin: string, part: string, from: number, to: number) =>
        `${origin}${path}?${new URLSearchParams({ partition: part, start_time: seconds(from), end_time: seconds(to) })}`,
    },
  }) as const;

/** X itself tells it, over TLS, to whoever has the tenant's token: nobody else has to be asked. */
export const streams = {
  "users-stream": {
    ...streamAt("/2/users/compliance/stream"),
    read: (line) => {
      const parsed = parse(UserNews, line);
      if (!parsed.ok) return parsed;
      const { data } = parsed.value;
      if (data === undefined) return tells({ events: [FAULTY] });
      const concerned = USER_NAMES.flatMap((name): StreamEvent[] => {
        const { user, event_at } = data[name] ?? {};
        if (user === undefined || event_at === undefined) return [];
        const knownBy = [{ type: "x.user_id", value: user.id }];
        return [{ ...ofUser(name, USER_NEWS[name], user.id, event_at), knownBy }];
      });
      return told(data, concerned);
    },
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
    ...streamAt("/2/tweets/compliance/stream"),
    read: (line) => {
      const parsed = parse(PostNews, line);
      if (!parsed.ok) return parsed;
      const { data } = parsed.value;
      if (data === undefined) return tells({ events: [FAULTY] });
      // A post that was only taken from public view (`drop`) comes back with `undrop`.
      const { delete: gone } = data;
      if (gone === undefined) return told(data, []);
      const { id, author_id } = gone.tweet;
      const author = author_id === undefined ? [] : [{ type: "x.user_id", value: author_id }];
      return told(data, [
        { ...deleted("delete", id, gone.event_at), knownBy: [{ type: "x.post", value: id }, ...author] },
      ]);
    },
    authority: { content_deleted: "record" },
    deadlines: { content_deleted: A_DAY },
    events: ["delete", "drop", "undrop", "withheld", "tweet_edit", "errors"],
  },
} as const satisfies Readonly<Record<string, Stream>>;
