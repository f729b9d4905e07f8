import { z } from "zod";
import { gone, googleError, googleRefusal, withoutAccess } from "./google-access.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "google-cloud-storage", buckets: [{name, versioning?, soft_delete_seconds?, retention_seconds?, objects: [...]}]}`. */
const Seed = z.object({
  buckets: z
    .array(
      z.strictObject({
        name: z.string(),
        versioning: z.boolean().default(false),
        /** Seven days, as Google has it; 0 is none. */
        soft_delete_seconds: z
          .int()
          .nonnegative()
          .default(7 * 86_400),
        /** Of a retention policy: what is younger cannot be deleted. */
        retention_seconds: z.int().nonnegative().default(0),
        objects: z
          .array(
            z.strictObject({
              name: z.string(),
              content: z.string().default(""),
              temporary_hold: z.boolean().default(false),
              event_based_hold: z.boolean().default(false),
              /** RFC 3339, of the object's own retention. */
              retain_until: z.string().optional(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

type Stored = {
  readonly name: string;
  readonly generation: string;
  readonly content: string;
  readonly createdAt: number;
  readonly temporaryHold: boolean;
  readonly eventBasedHold: boolean;
  readonly retainUntil: string | undefined;
  isLive: boolean;
  hardDeleteAt?: number;
};
type Bucket = {
  readonly versioning: boolean;
  readonly softMs: number;
  readonly retentionMs: number;
  objects: Stored[];
};

const SCOPES = ["devstorage.read_write", "devstorage.full_control"].map(
  (name) => `https://www.googleapis.com/auth/${name}`,
);
const DEFAULT_PAGE = 1000;

/**
 * Cloud Storage's JSON API: lists of objects, of all their generations and of what is soft-deleted, and deletions.
 *
 * @see https://docs.cloud.google.com/storage/docs/json_api/v1/objects
 */
export const googleCloudStorage: MakeVendor = (world) => {
  const buckets = new Map<string, Bucket>();
  let generations = 1_700_000_000_000_000;
  const catchUp = () => {
    for (const bucket of buckets.values())
      bucket.objects = bucket.objects.filter(
        ({ hardDeleteAt = Number.POSITIVE_INFINITY }) => hardDeleteAt > world.now(),
      );
  };

  const list = (bucket: Bucket, query: URLSearchParams): Response => {
    const isSoft = query.get("softDeleted") === "true";
    const isAll = query.get("versions") === "true";
    if (isSoft && isAll)
      return googleError(400, "INVALID_ARGUMENT", "versions and softDeleted exclude each other.", "invalid");
    const found = bucket.objects
      .filter(({ name }) => name.startsWith(query.get("prefix") ?? ""))
      .filter((one) =>
        isSoft ? one.hardDeleteAt !== undefined : one.hardDeleteAt === undefined && (isAll || one.isLive),
      )
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const after = Buffer.from(query.get("pageToken") ?? "", "base64url").toString();
    const rest = found.filter((one) => keyOf(one) > after);
    const page = rest.slice(0, Number(query.get("maxResults") ?? DEFAULT_PAGE));
    const last = page.at(-1);
    return Response.json({
      ...(page.length > 0 && { items: page.map((one) => wire(one, bucket)) }),
      ...(last !== undefined &&
        page.length < rest.length && { nextPageToken: Buffer.from(keyOf(last)).toString("base64url") }),
    });
  };

  const remove = (bucket: Bucket, name: string, generation: string | null): Response => {
    const one = bucket.objects.find(
      (each) =>
        each.name === name &&
        each.hardDeleteAt === undefined &&
        (generation === null ? each.isLive : each.generation === generation),
    );
    if (one === undefined) return googleError(404, "NOT_FOUND", `No such object: ${name}`, "notFound");
    if (generation === null && bucket.versioning) {
      one.isLive = false;
      return new Response(null, { status: 204 });
    }
    if (one.temporaryHold || one.eventBasedHold)
      return googleError(403, "PERMISSION_DENIED", "The object is under active hold.", "objectUnderActiveHold");
    if (retainedUntil(one, bucket) > world.now())
      return googleError(403, "PERMISSION_DENIED", "The retention policy is not met.", "retentionPolicyNotMet");
    if (bucket.softMs > 0) one.hardDeleteAt = world.now() + bucket.softMs;
    else bucket.objects = bucket.objects.filter((each) => each !== one);
    return new Response(null, { status: 204 });
  };

  return {
    id: "google-cloud-storage",
    about: "storage.googleapis.com: objects of Cloud Storage",
    serves: (host) => host === "storage.googleapis.com",
    async call(request) {
      const without = withoutAccess(request, SCOPES, world.now());
      if (without !== undefined) return without;
      catchUp();
      const { pathname, searchParams } = new URL(request.url);
      const [, name = "", object] = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(pathname) ?? [];
      const bucket = buckets.get(decodeURIComponent(name));
      if (bucket === undefined) return gone();
      if (object === undefined) return request.method === "GET" ? list(bucket, searchParams) : gone();
      return request.method === "DELETE"
        ? remove(bucket, decodeURIComponent(object), searchParams.get("generation"))
        : gone();
    },
    refuse: googleRefusal,
    seed(body) {
      const seeded = Seed.parse(body).buckets;
      for (const { name, versioning, soft_delete_seconds, retention_seconds, objects } of seeded) {
        const bucket = buckets.get(name) ?? {
          versioning,
          softMs: soft_delete_seconds * 1000,
          retentionMs: retention_seconds * 1000,
          objects: [],
        };
        for (const each of objects) {
          for (const older of bucket.objects) if (older.name === each.name) older.isLive = false;
          bucket.objects.push({
            name: each.name,
            generation: `${++generations}`,
            content: each.content,
            createdAt: world.now(),
            temporaryHold: each.temporary_hold,
            eventBasedHold: each.event_based_hold,
            retainUntil: each.retain_until,
            isLive: true,
          });
        }
        buckets.set(name, bucket);
      }
      return { buckets: seeded.map(({ name }) => name) };
    },
    holdings() {
      catchUp();
      const objects = [...buckets].flatMap(([name, { objects }]) => objects.map((one) => [name, one] as const));
      const shown = (isSoft: boolean) =>
        Object.fromEntries(
          objects
            .filter(([, { hardDeleteAt }]) => (hardDeleteAt !== undefined) === isSoft)
            .map(([bucket, one]) => [`gs://${bucket}/${one.name}#${one.generation}`, { content: one.content }]),
        );
      return { objects: shown(false), soft_deleted: shown(true) };
    },
    reset: () => buckets.clear(),
  };
};

const keyOf = ({ name, generation }: Stored): string => `${name}\n${generation}`;

const retainedUntil = ({ createdAt, retainUntil }: Stored, { retentionMs }: Bucket): number =>
  Math.max(retentionMs === 0 ? 0 : createdAt + retentionMs, retainUntil === undefined ? 0 : Date.parse(retainUntil));

const rfc3339 = (at: number): string => new Date(at).toISOString();

const wire = (one: Stored, { retentionMs }: Bucket) => ({
  name: one.name,
  generation: one.generation,
  ...(one.temporaryHold && { temporaryHold: true }),
  ...(one.eventBasedHold && { eventBasedHold: true }),
  // Not for what is under an event-based hold: its time begins when that is released.
  ...(retentionMs > 0 && !one.eventBasedHold && { retentionExpirationTime: rfc3339(one.createdAt + retentionMs) }),
  ...(one.retainUntil !== undefined && { retention: { mode: "Locked", retainUntilTime: one.retainUntil } }),
  ...(one.hardDeleteAt !== undefined && { hardDeleteTime: rfc3339(one.hardDeleteAt) }),
});
