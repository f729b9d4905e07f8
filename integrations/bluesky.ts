import { z } from "zod";
import { get, read } from "../src/contract/call.ts";
import { type Authority, absent, defineIntegration } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, documentProof, grantOf, ofNobody, revokeTokens } from "../src/contract/oauth.ts";
import { stoppedBecause } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, parse, type Signal, type SignalType, unreadable } from "../src/contract/signal.ts";
import { type Confirmation, type Stream, type StreamEvent, tells } from "../src/contract/stream.ts";
import {
  DID,
  Did,
  DidDocument,
  DNS,
  documentOf,
  HANDLE,
  hostIn,
  RecordKey,
  sessionAt,
  sessionEnded,
  sightOfRecord,
  unpublishRecord,
  whereaboutsOf,
  XrpcError,
} from "./houses/atproto.ts";

/**
 * Bluesky and the AT Protocol: people link their account, known by its DID, and the tenant stores or schedules posts.
 * The network tells everybody when an account is deleted, taken down, suspended, deactivated or active again, and when a post
 * is deleted: on a public stream (Jetstream), or by a self-run Tap that posts the same to us. Nothing tells of a revoked
 * session. People connect at the host where their account lies, whichever that is; we can end such a session.
 */
const JETSTREAM = "https://github.com/bluesky-social/jetstream/blob/main/docs/README.md";
const TAP = "https://github.com/bluesky-social/indigo/blob/main/cmd/tap/README.md";
const STATUS = "https://github.com/bluesky-social/atproto/blob/main/lexicons/com/atproto/sync/getRepoStatus.json";
const OAUTH = "https://atproto.com/specs/oauth";

const POSTS = "app.bsky.feed.post";

/**
 * What a status means. `deleted` and `takendown` are meant to last and ask for the same; the others may be lifted, and
 * `deactivated` is also what the old host says of a person who moves to another. New ones may come: those are only counted.
 * https://atproto.com/specs/account
 */
const STATUSES: Readonly<Record<string, SignalType>> = {
  deleted: "account_deleted",
  takendown: "account_deleted",
  suspended: "account_disabled",
  deactivated: "account_disabled",
  active: "account_restored",
};
const meaning = (status: string): SignalType | undefined =>
  Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;

const accountSignals = (status: string, did: string, at: number): Signal[] => {
  const type = meaning(status);
  return type === undefined ? [] : [{ type, identity: { type: "bluesky.did", value: did }, at }];
};
const postSignals = (did: string, rkey: string, at: number): Signal[] => [
  { type: "content_deleted", identity: { type: "bluesky.post", value: `at://${did}/${POSTS}/${rkey}` }, at },
];

/** An account's end is meant for all that is held of the person; whether it is so, is asked first. */
const AUTHORITY: Partial<Readonly<Record<SignalType, Authority>>> = {
  account_deleted: "everywhere",
  account_disabled: "record",
  account_restored: "record",
  content_deleted: "record",
};

const RepoStatus = z.object({ did: z.string(), active: z.boolean(), status: z.string().optional() });

/**
 * A status comes hop by hop and nobody signs it. So the person's own host is asked, which their DID document names: a host
 * that is offline or odd is no deletion, and one that knows a living account contradicts it.
 */
const atTheirHost: Confirmation = {
  source: STATUS,
  signals: ["account_deleted"],
  *run({ value: did }) {
    const address = documentOf(did);
    if (address === undefined) return "unknown";
    const resolved = yield get({ url: address, template: "{did document}" }, { accept: "application/json" });
    // A tombstone: the directory has it from the keys of the DID itself. https://web.plc.directory/spec/v0.1/did-plc
    if (resolved.status === 410 && did.startsWith("did:plc:")) return "confirmed";
    const document = read(resolved, DidDocument);
    if (!document.ok || document.value.id !== did) return "unknown";
    const host = hostIn(document.value);
    if (host === undefined) return "unknown";
    const url = `${host}/xrpc/com.atproto.sync.getRepoStatus?did=${encodeURIComponent(did)}`;
    const reply = yield get(
      { url, template: "{host}/xrpc/com.atproto.sync.getRepoStatus" },
      { accept: "application/json" },
    );
    if (reply.status === 400) {
      const error = parse(XrpcError, reply.text);
      // The reference server forgets an account that it deletes.
      return error.ok && error.value.error === "RepoNotFound" ? "confirmed" : "unknown";
    }
    const known = read(reply, RepoStatus);
    if (!known.ok || known.value.did !== did) return "unknown";
    const { active, status = "" } = known.value;
    const type = meaning(active ? "active" : status);
    if (type === undefined) return "unknown";
    return type === "account_deleted" ? "confirmed" : "contradicted";
  },
};

/** Unix microseconds. What is smaller is the sequence number of another kind of stream. */
const Micros = z.int().min(1e15);

const Message = z.object({
  did: Did,
  time_us: Micros,
  kind: z.string(),
  account: z
    .object({ did: Did, active: z.boolean(), status: z.string().max(100).optional(), time: z.unknown().optional() })
    .optional(),
  commit: z.object({ operation: z.string(), collection: z.string(), rkey: z.unknown().optional() }).optional(),
});

const Upstream = z.iso.datetime({ offset: true });

/**
 * One message of Jetstream's first protocol, which its second version serves unchanged. Another instance numbers anew, so
 * that an event is known by what happened: the time that its first host gave it, or the record that is gone.
 */
const told: Stream["read"] = (message) => {
  const parsed = parse(Message, message);
  if (!parsed.ok) return parsed;
  const { did, time_us, kind, account, commit } = parsed.value;
  const at = Math.floor(time_us / 1000);
  const events = ((): readonly StreamEvent[] | undefined => {
    if (kind === "account") return account?.did === did ? [accountEvent(did, account, at)] : undefined;
    if (kind === "commit") return commit === undefined ? undefined : commitEvents(did, commit, at);
    return [{ id: `${kind}:${did}:${time_us}`, name: kind, signals: [], knownBy: [] }];
  })();
  return events === undefined ? unreadable(kind) : tells({ place: { cursor: String(time_us), at }, events });
};

const owner = (did: string) => [
  { type: "bluesky.did", value: did },
  { type: "did", value: did },
];

function accountEvent(
  did: string,
  { active, status, time }: NonNullable<z.infer<typeof Message>["account"]>,
  seenAt: number,
): StreamEvent {
  const now = active ? "active" : (status ?? "inactive");
  const first = Upstream.safeParse(time);
  // Any host may write any time: none is later than when the stream saw it.
  const at = first.success ? Math.min(Date.parse(first.data), seenAt) : seenAt;
  const name = `account ${meaning(now) === undefined ? "other" : now}`;
  return { id: `account:${did}:${now}:${at}`, name, signals: accountSignals(now, did, at), knownBy: owner(did) };
}

function commitEvents(
  did: string,
  { operation, collection, rkey }: NonNullable<z.infer<typeof Message>["commit"]>,
  at: number,
): readonly StreamEvent[] | undefined {
  // Most of what comes is of no concern, and not worth an event.
  if (operation !== "delete" || collection !== POSTS) return [];
  const key = RecordKey.safeParse(rkey);
  if (!key.success) return undefined;
  const signals = postSignals(did, key.data, at);
  const posts = signals.map(({ identity }) => identity);
  return [{ id: `post:${did}/${key.data}`, name: "post deleted", signals, knownBy: [...posts, ...owner(did)] }];
}

const TapEvent = z.union([
  z.object({
    id: z.int(),
    type: z.literal("user"),
    user: z.object({ did: Did, isActive: z.boolean().optional(), status: z.string().min(1).max(100) }),
  }),
  z.object({
    id: z.int(),
    type: z.literal("record"),
    record: z.object({ did: Did, collection: z.string(), rkey: RecordKey, action: z.string() }),
  }),
  z.object({ id: z.int(), type: z.string().refine((type) => type !== "user" && type !== "record") }),
]);

export const bluesky = defineIntegration({
  id: "bluesky",
  name: "Bluesky",
  about: "A person's account in the AT Protocol's network.",
  origins: [
    "https://jetstream2.us-east.bsky.network",
    "https://jetstream1.us-east.bsky.network",
    "https://jetstream2.us-west.bsky.network",
    "https://jetstream1.us-west.bsky.network",
    "https://plc.directory",
    DNS,
  ],
  settings: {
    tapPassword: optional(secret("Tap's admin password, where a Tap posts to this gateway")),
    scopes: optional(
      text(
        "All that people may be asked for beside atproto, by spaces",
        /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
      ),
    ),
  },
  identities: {
    "bluesky.did": "The account's DID, which stays when handle or host change",
    "bluesky.post": "A post's address, at://{did}/app.bsky.feed.post/{key}",
  },

  hooks: {
    tap: {
      source: TAP,
      verify: { scheme: "shared-secret", key: "tapPassword", at: { basic: "admin" } },
      contentTypes: ["application/json"],
      read: json(TapEvent, (event, { receivedAt }) => {
        // Its ids begin anew with an empty database: what it says is part of what a repeat is known by.
        if ("user" in event) {
          const { did, isActive, status } = event.user;
          const now = isActive === true ? "active" : status;
          const name = `user ${meaning(now) === undefined ? "other" : now}`;
          return [{ id: `user:${event.id}:${did}:${now}`, name, signals: accountSignals(now, did, receivedAt) }];
        }
        if (!("record" in event)) return [{ id: `${event.type}:${event.id}`, name: event.type, signals: [] }];
        const { did, collection, rkey, action } = event.record;
        const isGone = collection === POSTS && action === "delete";
        const signals = isGone ? postSignals(did, rkey, receivedAt) : [];
        return [{ id: `record:${event.id}:${did}/${collection}/${rkey}`, name: `record ${action}`, signals }];
      }),
      authority: AUTHORITY,
      confirm: atTheirHost,
      answer: 200,
      // "Until acked", for as long as it runs.
      retriesForHours: "unknown",
      events: ["user deleted", "user takendown", "user suspended", "user deactivated", "user active", "record delete"],
    },
  },

  streams: {
    network: {
      reach: "everybody",
      source: JETSTREAM,
      origins: [
        "https://jetstream2.us-east.bsky.network",
        "https://jetstream1.us-east.bsky.network",
        "https://jetstream2.us-west.bsky.network",
        "https://jetstream1.us-west.bsky.network",
      ],
      // Events of accounts and identities come whatever collections are wanted.
      address: (origin, cursor) =>
        `${origin.replace("https:", "wss:")}/subscribe?wantedCollections=${POSTS}&cursor=${cursor}`,
      begin: (at) => String(at * 1000),
      rewindSeconds: { same: 5, other: 60 },
      rewind: (cursor, seconds) => String(Number(cursor) - seconds * 1_000_000),
      lookbackHours: 36,
      read: told,
      events: [
        "account deleted",
        "account takendown",
        "account suspended",
        "account deactivated",
        "account active",
        "account other",
        "identity",
        "post deleted",
      ],
      authority: AUTHORITY,
      confirm: atTheirHost,
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      asks: text("The person's handle or DID", new RegExp(`${HANDLE.source}|${DID.source}`, "i")),
      find: whereaboutsOf,
    },
    client: { by: "document", scopes: "scopes" },
    pkce: "S256",
    scopes: { standard: ["atproto"] },
    account({ answer }) {
      const scope = z.string().safeParse(answer.scope);
      if (!scope.success || !scope.data.split(" ").includes("atproto"))
        return ofNobody("the answer does not grant atproto");
      return accountIn("bluesky.did", answer, "sub");
    },
    refresh: { source: `${OAUTH}#tokens-and-session-lifetime` },
    *alive({ grant }) {
      const sight = yield* sessionAt(grant);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    kills: "grant",
  },

  actions: {
    erase: absent(
      "posts are the person's own, and accounts cannot be deleted for them: no grant allows it",
      "https://atproto.com/specs/account",
    ),
    unpublish: {
      source: "https://github.com/bluesky-social/atproto/blob/main/lexicons/com/atproto/repo/deleteRecord.json",
      by: ["bluesky.post"],
      each: "identity",
      run: unpublishRecord,
      look: { afterSeconds: 5, run: sightOfRecord },
    },
    revoke: {
      source: "https://www.rfc-editor.org/rfc/rfc7009.html",
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const grant = grantOf(order);
        const revocation = grant.server?.revocation;
        if (revocation === undefined)
          return stoppedBecause("the person's server has no revocation endpoint; the tokens held here are destroyed");
        return yield* revokeTokens(revocation, grant, documentProof(grant));
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return yield* sessionEnded(grantOf(order));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
