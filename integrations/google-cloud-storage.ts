import { z } from "zod";
import { type Address, at, del, get, noCall, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, notYet, type Sight } from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import { Rfc3339 } from "../src/contract/signal.ts";
import {
  authorised,
  refusal,
  refusalIn,
  SERVICE_ACCOUNT,
  serviceAccountKey,
  TOKEN_ORIGIN,
} from "./houses/google-cloud.ts";
import { PREFIX_TEMPLATE, prefixFor } from "./houses/prefix.ts";

/**
 * Cloud Storage holds a person's files for the tenant, under a prefix of their own or each under a name that the product registers.
 * We delete every generation of them. What is deleted stays out of reach for as long as the bucket's soft delete policy says, and
 * what a retention policy keeps is deleted on its day.
 */
const DELETION = "https://docs.cloud.google.com/storage/docs/deleting-objects";
const NOTIFICATIONS = "https://docs.cloud.google.com/storage/docs/pubsub-notifications";
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
const NEEDS =
  "storage.objects.list and .delete on the bucket, and .restore to be shown what is soft-deleted (Storage Object Admin)";

/** A generation has 64 bits, and so is text. */
const Item = z.object({
  name: z.string().min(1),
  generation: z.string().regex(/^\d+$/),
  temporaryHold: z.boolean().optional(),
  eventBasedHold: z.boolean().optional(),
  retentionExpirationTime: Rfc3339.optional(),
  retention: z.object({ retainUntilTime: Rfc3339.optional() }).optional(),
  hardDeleteTime: Rfc3339.optional(),
});
type Item = z.infer<typeof Item>;
const Page = z.object({ items: z.array(Item).default([]), nextPageToken: z.string().min(1).optional() });

/** A page of the longest names there are, of 1,024 bytes each, is well below the largest reply that is read. */
const PAGE = "500";
const FIELDS =
  "items(name,generation,temporaryHold,eventBasedHold,retentionExpirationTime,retention,hardDeleteTime),nextPageToken";
/** Pages and deletions of one attempt: both lists and all of these fit into the calls that a run may make. */
const MOST_PAGES = 100;
const MOST_DELETED = 200;

const settings = {
  serviceAccountKey,
  bucket: text("Bucket", /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/),
  prefix: text("Prefix of one person's objects, {id} where the user id stands, such as users/{id}/", PREFIX_TEMPLATE),
} satisfies Settings;

export const googleCloudStorage = defineIntegration({
  id: "google-cloud-storage",
  name: "Google Cloud Storage",
  about: "Stores people's files for the tenant.",
  origins: ["https://storage.googleapis.com", TOKEN_ORIGIN],
  settings,
  identities: { "google-cloud-storage.object": "One object of the bucket: gs://bucket/name, or its name alone" },

  hooks: absent("what it tells comes by Pub/Sub, to the integration google-cloud", NOTIFICATIONS),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SERVICE_ACCOUNT),
    erase: {
      source: DELETION,
      by: ["user_id", "google-cloud-storage.object"],
      each: "identity",
      *run(order) {
        const place = placeOf(order);
        if (place === undefined) return unsafe;
        const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
        return "outcome" in access ? access : yield* eraseAt({ ...place, headers: access.headers }, order);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const place = placeOf(order);
          if (place === undefined) return unsafe;
          const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
          if ("outcome" in access) return access;
          return seen(pageIn(yield get(listOf(place, "versions", FIRST), access.headers)), place);
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 3, account: { settings: ["bucket"] } },
});

type StorageOrder = Order<typeof settings>;
/** Where somebody's objects are: all whose names begin so, or the one of this very name. */
type Where = { readonly bucket: string; readonly begins: string; readonly isWhole: boolean };
type Place = Where & { readonly headers: Readonly<Record<string, string>> };

const unsafe = unforeseen(noCall, "this identity names no place in the bucket that is one person's alone");

function placeOf({ identity: { type, value }, settings: { bucket, prefix } }: StorageOrder): Where | undefined {
  if (type === "user_id") {
    const begins = prefixFor(prefix, value);
    return begins === undefined ? undefined : { bucket, begins, isWhole: false };
  }
  const [, named, name = value] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(value) ?? [];
  return (named ?? bucket) === bucket ? { bucket, begins: name, isWhole: true } : undefined;
}

/** Deletes what may be deleted, page by page; then says what the rest is kept for, and until when. */
function* eraseAt(place: Place, { identity, attemptedAt }: StorageOrder): Steps<Answer> {
  const kept: number[] = [];
  let held = 0;
  let gone = 0;
  let next: string | undefined = FIRST;
  for (let pages = 0; next !== undefined; pages++) {
    if (pages === MOST_PAGES) return tooMany;
    const page: Listed | Answer = yield* listed(place, "versions", next);
    if ("outcome" in page) return page;
    for (const item of page.items) {
      const until = keptUntil(item);
      if (item.temporaryHold === true || item.eventBasedHold === true) held++;
      else if (until > Date.parse(attemptedAt)) kept.push(until);
      else {
        if (gone === MOST_DELETED) return { outcome: "more" };
        const refused = deleted(yield del(oneOf(place, item), place.headers));
        if (refused !== undefined) return refused;
        gone++;
      }
    }
    next = page.next;
  }
  if (held > 0)
    return unforeseen(noCall, `${held} objects are under a hold: have it released by whoever placed it, then retry`);
  if (kept.length > 0) {
    const until = new Date(Math.max(...kept)).toISOString();
    return notYet("objects_under_retention", [identity], until, "the bucket's or the object's retention policy");
  }
  return (yield* softDeleted(place)) ?? (gone > 0 ? erased : notFound);
}

/** Nothing where there are none. Nobody can read them or be rid of them; an administrator could restore them. */
function* softDeleted(place: Place): Steps<Answer | undefined> {
  let latest: number | undefined;
  let next: string | undefined = FIRST;
  for (let pages = 0; next !== undefined; pages++) {
    if (pages === MOST_PAGES) return tooMany;
    // Unconfirmed: what a bucket without soft delete answers; its page suggests an empty list, and all else is unforeseen.
    const page: Listed | Answer = yield* listed(place, "softDeleted", next);
    if ("outcome" in page) return page;
    for (const { hardDeleteTime } of page.items) {
      if (hardDeleteTime === undefined)
        return unforeseen(noCall, "Google states no end for soft-deleted objects, as where hard deletions are paused");
      latest = Math.max(latest ?? 0, hardDeleteTime);
    }
    next = page.next;
  }
  if (latest === undefined) return undefined;
  const ground = "deleted; the bucket's soft delete policy keeps it out of reach until then";
  return notYet("soft_deleted_objects", [], new Date(latest).toISOString(), ground);
}

const elsewhere = unforeseen(noCall, "Google listed objects that are not under the prefix");
const tooMany = unforeseen(noCall, `more than ${MOST_PAGES} pages of objects: delete some by hand, then retry`);

/** The latest of the days on which a policy of the bucket and one of the object let go of it. */
const keptUntil = ({ retentionExpirationTime = 0, retention }: Item): number =>
  Math.max(retentionExpirationTime, retention?.retainUntilTime ?? 0);

type Which = "versions" | "softDeleted";
type Listed = { readonly items: readonly Item[]; readonly next: string | undefined };

const FIRST = "";

/** One page of all generations, in the order of their names: an object stands before those whose names begin with its own. */
function* listed(place: Place, which: Which, from: string): Steps<Listed | Answer> {
  const page = pageIn(yield get(listOf(place, which, from), place.headers));
  if ("outcome" in page) return page;
  const own = page.items.filter((item) => isAt(place, item));
  // A list that leaves its prefix is no list of it: what it ends with would prove nothing.
  if (!place.isWhole && own.length < page.items.length) return elsewhere;
  return { items: own, next: own.length < page.items.length ? undefined : page.nextPageToken };
}

function pageIn(reply: Reply): z.infer<typeof Page> | ReturnType<typeof refusal> {
  if (reply.status === 403) return refusal(reply, NEEDS);
  const page = read(reply, Page);
  return page.ok ? page.value : page.problem;
}

const isAt = ({ begins, isWhole }: Where, { name }: Pick<Item, "name">): boolean =>
  isWhole ? name === begins : name.startsWith(begins);

function listOf({ bucket, begins }: Where, which: Which, from: string): Address {
  const list =
    which === "versions"
      ? at`https://storage.googleapis.com/storage/v1/b/${{ bucket }}/o?versions=true&prefix=${{ prefix: begins }}`
      : at`https://storage.googleapis.com/storage/v1/b/${{ bucket }}/o?softDeleted=true&prefix=${{ prefix: begins }}`;
  const part = at`&maxResults=${{ size: PAGE }}&fields=${{ fields: FIELDS }}`;
  const more = from === FIRST ? at`` : at`&pageToken=${{ page: from }}`;
  return { url: list.url + part.url + more.url, template: list.template + part.template + more.template };
}

/** Without its generation, the live object of a bucket with versions would only become a version. */
const oneOf = ({ bucket }: Where, { name, generation }: Item): Address =>
  at`https://storage.googleapis.com/storage/v1/b/${{ bucket }}/o/${{ object: name }}?generation=${{ generation }}`;

/** Nothing where it is gone. */
function deleted(reply: Reply): Answer | undefined {
  if (reply.status === 204) return undefined;
  const { codes } = refusalIn(reply);
  if (reply.status === 404) return codes.includes("notFound") ? undefined : unforeseen(reply);
  if (codes.some((code) => KEEPING.has(code)))
    return unforeseen(reply, "an object came under a hold or a retention policy meanwhile; retry reads it anew");
  return refusal(reply, NEEDS);
}
const KEEPING: ReadonlySet<string> = new Set(["retentionPolicyNotMet", "objectUnderActiveHold"]);

function seen(page: ReturnType<typeof pageIn>, place: Where): Sight {
  if ("outcome" in page) return page;
  if (!place.isWhole && !page.items.every((item) => isAt(place, item))) return elsewhere;
  if (page.items.some((item) => isAt(place, item))) return "present";
  return page.nextPageToken === undefined || place.isWhole
    ? "absent"
    : unforeseen(noCall, "an empty page of a list that goes on");
}
