import { createHash } from "node:crypto";
import { z } from "zod";
import { derivedId } from "./shelf.ts";
import { unsigned } from "./sigv4.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const Lock = z.strictObject({ mode: z.enum(["GOVERNANCE", "COMPLIANCE"]), until: z.iso.datetime() });
const Entry = z.strictObject({
  key: z.string().min(1).max(1024),
  version: z.string().optional(),
  marker: z.boolean().default(false),
  content: z.string().default(""),
  lock: Lock.optional(),
  hold: z.boolean().default(false),
});
type Entry = z.infer<typeof Entry> & { version: string };

/**
 * `{vendor, bucket, owner?, versioned?, keys?, objects?, uploads?}`. Objects of one key stand newest first; without versions the
 * version is `null`. `keys` are secrets by access key id, which are then checked. `locked` are prefixes that a rule of R2 keeps.
 */
const Seed = z.strictObject({
  vendor: z.string(),
  bucket: z.string(),
  owner: z.string().optional(),
  versioned: z.boolean().default(false),
  keys: z.record(z.string(), z.string()).default({}),
  objects: z.array(Entry).default([]),
  uploads: z.array(z.strictObject({ key: z.string().min(1), id: z.string().optional() })).default([]),
  locked: z.array(z.string()).default([]),
});

type Bucket = {
  owner: string | undefined;
  objects: Entry[];
  uploads: { key: string; id: string }[];
  locked: string[];
};

type Kind = {
  readonly id: string;
  readonly about: string;
  readonly host: RegExp;
  /** The region that signatures name: what the host says, or one for all. */
  readonly region: (host: string) => string | undefined;
  /** Whether it has versions and locks by version; R2 has neither. */
  readonly hasVersions: boolean;
};

/**
 * The S3 protocol with the bucket in the path. 200 for a deletion of many says only that each key was tried; a deletion without
 * a version hides what has versions; an upload that was begun is in no list of objects.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html and its neighbours
 */
export const s3 =
  (kind: Kind): MakeVendor =>
  (world) => {
    const buckets = new Map<string, Bucket>();
    const secrets = new Map<string, string>();

    const call = async (request: Request): Promise<Response> => {
      const url = new URL(request.url);
      const body = await request.text();
      const region = kind.region(url.hostname);
      const odd = unsigned(request, body, { service: "s3", region, now: world.now(), secrets });
      if (odd !== undefined) return failure(odd === "XAmzContentSHA256Mismatch" ? 400 : 403, odd);
      const [, name = "", key = ""] = /^\/([^/]+)(?:\/(.*))?$/s.exec(decodeURIComponent(url.pathname)) ?? [];
      const bucket = buckets.get(name);
      if (bucket === undefined) return failure(404, "NoSuchBucket");
      const owner = request.headers.get("x-amz-expected-bucket-owner");
      if (owner !== null && !kind.hasVersions) return failure(501, "NotImplemented");
      if (owner !== null && owner !== bucket.owner) return failure(403, "AccessDenied");
      const { searchParams: query } = url;
      const does = (method: string, parameter: string) => request.method === method && query.has(parameter);
      if (key === "") {
        if (does("POST", "delete")) return deletion(kind, bucket, request, body, world.now());
        if (does("GET", "uploads")) return uploads(bucket, query);
        if (does("GET", "versions") && kind.hasVersions) return versions(bucket, query);
        if (does("GET", "list-type")) return objects(bucket, query);
      } else {
        if (does("DELETE", "uploadId")) return abort(bucket, key, query.get("uploadId"));
        const entry = bucket.objects.find((each) => each.key === key && each.version === query.get("versionId"));
        if (kind.hasVersions && does("GET", "retention")) return retention(entry);
        if (kind.hasVersions && does("GET", "legal-hold")) return legalHold(entry);
      }
      return failure(501, "NotImplemented");
    };

    return {
      id: kind.id,
      about: kind.about,
      serves: (host) => kind.host.test(host),
      call,
      refuse: ({ reason, status }: Refusal) => failure(status, WORDS[reason]),
      seed(body) {
        const { bucket: name, owner, versioned, keys, ...seed } = Seed.parse(body);
        for (const [id, secret] of Object.entries(keys)) secrets.set(id, secret);
        const bucket = buckets.get(name) ?? { owner, objects: [], uploads: [], locked: [] };
        buckets.set(name, bucket);
        for (const [nth, entry] of seed.objects.entries()) {
          const version = entry.version ?? (versioned ? derivedId("v", name, entry.key, nth) : "null");
          bucket.objects = bucket.objects.filter((each) => each.key !== entry.key || each.version !== version);
          bucket.objects.push({ ...entry, version });
        }
        for (const { key, id = derivedId("u", name, key) } of seed.uploads) bucket.uploads.push({ key, id });
        bucket.locked.push(...seed.locked);
        return { objects: bucket.objects.map(({ key, version }) => ({ key, version })) };
      },
      holdings: () => ({
        objects: [...buckets].flatMap(([bucket, held]) => held.objects.map((each): Json => shown({ bucket, ...each }))),
        uploads: [...buckets].flatMap(([bucket, held]) => held.uploads.map((each): Json => ({ bucket, ...each }))),
      }),
      reset() {
        buckets.clear();
        secrets.clear();
      },
    };
  };

const shown = ({ lock, ...entry }: { bucket: string } & Entry): Json => ({ ...entry, ...(lock && { lock }) });

const WORDS = { rate_limited: "SlowDown", server_error: "InternalError", unauthorized: "InvalidAccessKeyId" };

/** In the order of keys by code unit; within one, as they were put. */
const under = <T extends { key: string }>(things: readonly T[], query: URLSearchParams): T[] =>
  things
    .filter(({ key }) => key.startsWith(query.get("prefix") ?? ""))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

const most = (query: URLSearchParams, name: string) => Math.min(1000, Number(query.get(name) ?? 1000));
const isWritten = (query: URLSearchParams) => query.get("encoding-type") === "url";
const encoding = (query: URLSearchParams) => (isWritten(query) ? "<EncodingType>url</EncodingType>" : "");
/** As S3 does: slashes stay, and a space is a plus. */
const keyIn = (key: string, query: URLSearchParams) =>
  isWritten(query) ? encodeURIComponent(key).replaceAll("%2F", "/").replaceAll("%20", "+") : escaped(key);

function versions({ objects }: Bucket, query: URLSearchParams): Response {
  const all = under(objects, query);
  const [afterKey, afterVersion] = [query.get("key-marker"), query.get("version-id-marker")];
  const at = all.findIndex(({ key, version }) => key === afterKey && version === afterVersion);
  const start = afterKey === null ? 0 : at >= 0 ? at + 1 : all.findIndex(({ key }) => key > afterKey);
  const rest = start < 0 ? [] : all.slice(start);
  const page = rest.slice(0, most(query, "max-keys"));
  const last = page.at(-1);
  const isTruncated = rest.length > page.length && last !== undefined;
  const next = isTruncated
    ? `<NextKeyMarker>${keyIn(last.key, query)}</NextKeyMarker><NextVersionIdMarker>${last.version}</NextVersionIdMarker>`
    : "";
  const entries = page.map(({ key, version, marker, content }) => {
    const isLatest = all.find((each) => each.key === key)?.version === version;
    const about = `<Key>${keyIn(key, query)}</Key><VersionId>${version}</VersionId><IsLatest>${isLatest}</IsLatest>`;
    return marker
      ? `<DeleteMarker>${about}</DeleteMarker>`
      : `<Version>${about}<ETag>&quot;e&quot;</ETag><Size>${content.length}</Size></Version>`;
  });
  return xml(
    200,
    "ListVersionsResult",
    `${encoding(query)}<IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join("")}`,
  );
}

function objects(bucket: Bucket, query: URLSearchParams): Response {
  const after = query.get("start-after") ?? "";
  const rest = under(bucket.objects, query).filter(({ key }) => key > after);
  const page = rest.slice(0, most(query, "max-keys"));
  const entries = page.map(
    ({ key, content }) => `<Contents><Key>${keyIn(key, query)}</Key><Size>${content.length}</Size></Contents>`,
  );
  const isTruncated = rest.length > page.length;
  return xml(200, "ListBucketResult", `${encoding(query)}<IsTruncated>${isTruncated}</IsTruncated>${entries.join("")}`);
}

function uploads(bucket: Bucket, query: URLSearchParams): Response {
  const page = under(bucket.uploads, query).slice(0, most(query, "max-uploads"));
  const entries = page.map(
    ({ key, id }) => `<Upload><Key>${keyIn(key, query)}</Key><UploadId>${id}</UploadId></Upload>`,
  );
  return xml(
    200,
    "ListMultipartUploadsResult",
    `${encoding(query)}<IsTruncated>false</IsTruncated>${entries.join("")}`,
  );
}

function abort(bucket: Bucket, key: string, id: string | null): Response {
  const left = bucket.uploads.filter((each) => each.key !== key || each.id !== id);
  if (left.length === bucket.uploads.length) return failure(404, "NoSuchUpload");
  bucket.uploads = left;
  return new Response(null, { status: 204 });
}

function deletion(kind: Kind, bucket: Bucket, request: Request, body: string, now: number): Response {
  const digest = createHash("md5").update(body).digest("base64");
  const said = request.headers.get("content-md5");
  if (said === null) return failure(400, "InvalidRequest");
  if (said !== digest) return failure(400, "BadDigest");
  const named = [...body.matchAll(/<Object><Key>([^<]*)<\/Key>(?:<VersionId>([^<]*)<\/VersionId>)?<\/Object>/g)];
  if (named.length === 0 || named.length > 1000) return failure(400, "MalformedXML");
  const isQuiet = body.includes("<Quiet>true</Quiet>");
  const bypass = request.headers.get("x-amz-bypass-governance-retention") === "true";
  const results = named.map(([, written = "", version]) => {
    const key = unescaped(written);
    const about = `<Key>${written}</Key>${version === undefined ? "" : `<VersionId>${version}</VersionId>`}`;
    const entry = bucket.objects.find(
      (each) => each.key === key && (version === undefined || each.version === version),
    );
    const refused = entry && refusalOf(kind, bucket, entry, bypass, now);
    if (refused) return `<Error>${about}<Code>${refused}</Code><Message>Access Denied</Message></Error>`;
    if (entry && kind.hasVersions && version === undefined && entry.version !== "null")
      bucket.objects.unshift({
        ...entry,
        content: "",
        marker: true,
        version: derivedId("m", key, bucket.objects.length),
      });
    else bucket.objects = bucket.objects.filter((each) => each !== entry);
    return isQuiet ? "" : `<Deleted>${about}</Deleted>`;
  });
  return xml(200, "DeleteResult", results.join(""));
}

function refusalOf(kind: Kind, { locked }: Bucket, entry: Entry, bypass: boolean, now: number): string | undefined {
  if (!kind.hasVersions)
    return locked.some((prefix) => entry.key.startsWith(prefix)) ? "ObjectLockedByBucketPolicy" : undefined;
  const { lock, hold } = entry;
  const isLocked = lock !== undefined && Date.parse(lock.until) > now && !(bypass && lock.mode === "GOVERNANCE");
  return hold || isLocked ? "AccessDenied" : undefined;
}

function retention(entry: Entry | undefined): Response {
  if (entry === undefined) return failure(404, "NoSuchVersion");
  if (entry.lock === undefined) return failure(404, "NoSuchObjectLockConfiguration");
  const { mode, until } = entry.lock;
  return xml(200, "Retention", `<Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate>`);
}

function legalHold(entry: Entry | undefined): Response {
  if (entry === undefined) return failure(404, "NoSuchVersion");
  if (!entry.hold && entry.lock === undefined) return failure(404, "NoSuchObjectLockConfiguration");
  return xml(200, "LegalHold", `<Status>${entry.hold ? "ON" : "OFF"}</Status>`);
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (each) => `&#${each.codePointAt(0)};`);
const unescaped = (text: string): string => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

const xml = (status: number, root: string, inside: string): Response =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${root}>`,
    { status, headers: { "content-type": "application/xml" } },
  );

const failure = (status: number, code: string): Response =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>refused</Message></Error>`,
    {
      status,
      headers: { "content-type": "application/xml" },
    },
  );
