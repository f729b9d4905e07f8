import { z } from "zod";
import {
  type Address,
  type AwsSigV4,
  at,
  type Call,
  del,
  get,
  noCall,
  type Reply,
  unauthorized,
  unforeseen,
} from "../../src/contract/call.ts";
import type { Steps } from "../../src/contract/integration.ts";
import type { Answer, Sight } from "../../src/contract/outcome.ts";
import { one, oneOrNone, readXml } from "../../src/contract/xml.ts";

/**
 * The S3 protocol, as Amazon and Cloudflare speak it: everything under a prefix, in all its versions, and the parts of uploads
 * that were begun and never ended, which are in no list of objects.
 *
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export type Bucket = {
  /** The bucket itself, to which a query is added, and the beginning of what lies in it, to which a key is. */
  readonly at: Address;
  readonly keys: Address;
  readonly sign: AwsSigV4;
  /** Whether what is deleted without its version stays as a version. */
  readonly versioned: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** For deletions only. */
  readonly deleting?: Readonly<Record<string, string>>;
};

/** What is to be emptied: all that begins with a prefix, or only the object of that very key. */
export type Place = { readonly prefix: string; readonly exactly: boolean };

export type Entry = { readonly key: string; readonly version: string };

/** How many entries are gone, and which the bucket will not let go. */
export type Emptied = { readonly removed: number; readonly denied: readonly Entry[] };

/**
 * A call may take a thousand. 250 with keys of 1,024 bytes, of which each may be written as three characters, stay below the
 * size of an answer that is read.
 */
const PAGE = 250;

/** One attempt's part of one place. With eight places, and the locks asked about, it stays below the calls that a run may make. */
const MOST_PAGES = 8;
const MOST_UPLOADS = 30;

const flag = z.tuple([z.enum(["true", "false"])]).transform(([text]) => text === "true");
const Version = z.object({ Key: one, VersionId: one });
const Versions = z.object({
  EncodingType: oneOrNone,
  IsTruncated: flag,
  NextKeyMarker: oneOrNone,
  NextVersionIdMarker: oneOrNone,
  Version: z.array(Version).default([]),
  DeleteMarker: z.array(Version).default([]),
});
const Objects = z.object({
  EncodingType: oneOrNone,
  IsTruncated: flag,
  Contents: z.array(z.object({ Key: one })).default([]),
});
const Uploads = z.object({
  EncodingType: oneOrNone,
  Upload: z.array(z.object({ Key: one, UploadId: one })).default([]),
});
const Failures = z.object({
  Error: z.array(z.object({ Key: one, VersionId: oneOrNone, Code: one })).default([]),
});

/** Empties one place. Deletes by version, which erases, and never by key alone where that would only hide. */
export function* empty(bucket: Bucket, place: Place): Steps<Emptied | Answer> {
  let removed = 0;
  const denied: Entry[] = [];
  let after: Entry | undefined;
  for (let number = 1; ; number++) {
    const page = yield* listed(bucket, place, after, PAGE);
    if ("outcome" in page) return page;
    const refused = page.entries.length === 0 ? [] : yield* deleted(bucket, page.entries);
    if ("outcome" in refused) return refused;
    removed += page.entries.length - refused.length;
    denied.push(...refused);
    if (page.next === undefined) break;
    if (number === MOST_PAGES) return removed > 0 ? { outcome: "more" } : TOO_MANY_LOCKED;
    after = page.next;
  }
  const aborted = yield* withoutUploads(bucket, place);
  return typeof aborted === "number" ? { removed: removed + aborted, denied } : aborted;
}

/** A later look: neither a version, nor a marker, nor a part of an upload is listed any more. */
export function* emptiness(bucket: Bucket, place: Place): Steps<Sight> {
  const page = yield* listed(bucket, place, undefined, 1);
  if ("outcome" in page) return seen(page);
  if (page.entries.length > 0) return "present";
  const uploads = yield* uploadsAt(bucket, place);
  if ("outcome" in uploads) return seen(uploads);
  return uploads.length === 0 ? "absent" : "present";
}

const TOO_MANY_LOCKED = unforeseen(noCall, `the bucket will not let go of the first ${PAGE * MOST_PAGES} versions`);

/** What a reply that is no answer means to a look. */
const seen = (answer: Answer): Sight =>
  answer.outcome === "unauthorized" || answer.outcome === "unforeseen" || answer.outcome === "slow_down"
    ? answer
    : unforeseen(noCall, "the look came to nothing");

type Page = { readonly entries: readonly Entry[]; readonly next?: Entry };

function* listed(bucket: Bucket, place: Place, after: Entry | undefined, most: number): Steps<Page | Answer> {
  const reply = yield listing(bucket, place, after, most);
  if (reply.status !== 200) return refusal(reply);
  const page = bucket.versioned ? versionsIn(reply) : objectsIn(reply);
  if ("outcome" in page) return page;
  // Whatever a list says, nothing outside the place is touched.
  if (page.entries.some(({ key }) => !key.startsWith(place.prefix))) return ELSEWHERE(reply);
  if (!place.exactly) return page;
  const entries = page.entries.filter(({ key }) => key === place.prefix);
  // Lists are in the order of keys, so that the very key stands first.
  return entries.length === page.entries.length ? page : { entries };
}

const ELSEWHERE = (reply: Reply) => unforeseen(reply, "the list has keys that were not asked for");
const NO_MARKER = (reply: Reply) => unforeseen(reply, "the list goes on and does not say where");

function listing(bucket: Bucket, { prefix }: Place, after: Entry | undefined, most: number): Call {
  const query = bucket.versioned
    ? at`?versions&encoding-type=url&max-keys=${{ most: `${most}` }}&prefix=${{ prefix }}`
    : at`?list-type=2&encoding-type=url&max-keys=${{ most: `${most}` }}&prefix=${{ prefix }}`;
  return get(joined(bucket.at, query, marker(bucket, after)), bucket.headers, { sign: bucket.sign });
}

function marker({ versioned }: Bucket, after: Entry | undefined): Address {
  if (after === undefined) return at``;
  if (!versioned) return at`&start-after=${{ key: after.key }}`;
  if (after.version === "") return at`&key-marker=${{ key: after.key }}`;
  return at`&key-marker=${{ key: after.key }}&version-id-marker=${{ version: after.version }}`;
}

/** An object without versions has the version `null`, which is good in deletions, too. A delete marker is an entry as any other. */
function versionsIn(reply: Reply): Page | Answer {
  const page = readXml(reply, "ListVersionsResult", Versions);
  if (!page.ok) return page.problem;
  const { EncodingType: written, Version: versions, DeleteMarker: markers } = page.value;
  const entries = keyed([...versions, ...markers], written);
  const [next] = keyed([{ Key: page.value.NextKeyMarker, VersionId: page.value.NextVersionIdMarker }], written) ?? [];
  if (entries === undefined || next === undefined) return unforeseen(reply, "the list has keys that cannot be read");
  if (!page.value.IsTruncated) return { entries };
  return next.key === "" ? NO_MARKER(reply) : { entries, next };
}

function objectsIn(reply: Reply): Page | Answer {
  const page = readXml(reply, "ListBucketResult", Objects);
  if (!page.ok) return page.problem;
  const entries = keyed(page.value.Contents, page.value.EncodingType);
  if (entries === undefined) return unforeseen(reply, "the list has keys that cannot be read");
  const next = entries.at(-1);
  if (!page.value.IsTruncated) return { entries };
  return next === undefined ? NO_MARKER(reply) : { entries, next };
}

/** Keys that are written for an address have `+` for a space. Undefined where one is not written so. */
function keyed(
  entries: readonly { readonly Key: string; readonly VersionId?: string }[],
  written: string,
): readonly Entry[] | undefined {
  try {
    return entries.map(({ Key, VersionId = "" }) => ({
      key: written === "url" ? decodeURIComponent(Key.replaceAll("+", " ")) : Key,
      version: VersionId,
    }));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Deletes all of a page in one call, and returns those that are denied. What is unknown counts as deleted. */
function* deleted(bucket: Bucket, entries: readonly Entry[]): Steps<readonly Entry[] | Answer> {
  const reply = yield {
    method: "POST",
    at: joined(bucket.at, at`?delete`),
    headers: { ...bucket.headers, ...bucket.deleting, "content-type": "application/xml" },
    body: deletion(entries),
    sign: { ...bucket.sign, contentMd5: true },
  };
  if (reply.status !== 200) return refusal(reply);
  // 200 says only that each key was tried.
  const failures = readXml(reply, "DeleteResult", Failures);
  if (!failures.ok) return failures.problem;
  const failed = failures.value.Error;
  if (failed.some(({ Code }) => BUSY.has(Code))) return { outcome: "slow_down", seconds: 30 };
  const odd = failed.find(({ Code }) => !DENIED.has(Code));
  if (odd !== undefined)
    return unforeseen(reply, `the bucket did not delete ${failed.length} entries: ${word(odd.Code)}`);
  return failed.map(({ Key, VersionId }) => ({ key: Key, version: VersionId }));
}

/** Amazon's word for what a lock keeps, or the access key may not delete; and Cloudflare's for what a rule of the bucket keeps. */
const DENIED: ReadonlySet<string> = new Set(["AccessDenied", "ObjectLockedByBucketPolicy"]);
const BUSY: ReadonlySet<string> = new Set(["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"]);

/** `Quiet`: the answer names only what failed. Whether all is gone is seen in the next list, not here. */
function deletion(entries: readonly Entry[]): string {
  const objects = entries.map(({ key, version }) => {
    const which = version === "" ? "" : `<VersionId>${escaped(version)}</VersionId>`;
    return `<Object><Key>${escaped(key)}</Key>${which}</Object>`;
  });
  return `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects.join("")}<Quiet>true</Quiet></Delete>`;
}

/** S3 wants control characters as references, too: an XML parser would take a line break for a space. */
const escaped = (text: string): string =>
  text.replace(/[&<>"'\p{Cc}]/gu, (character) => `&#${character.codePointAt(0)};`);

/** Ends uploads that were begun under the place; returns how many. */
function* withoutUploads(bucket: Bucket, place: Place): Steps<number | Answer> {
  let aborted = 0;
  for (;;) {
    const uploads = yield* uploadsAt(bucket, place);
    if ("outcome" in uploads) return uploads;
    if (uploads.length === 0) return aborted;
    for (const { key, version: uploadId } of uploads) {
      if (aborted === MOST_UPLOADS) return { outcome: "more" };
      const upload = keyAt(bucket, key, at`?uploadId=${{ uploadId }}`);
      if (upload === undefined) return NO_ADDRESS;
      const reply = yield del(upload, bucket.headers, { sign: bucket.sign });
      if (reply.status !== 204 && reply.status !== 404) return refusal(reply);
      aborted++;
    }
  }
}

/** An upload's id stands in for a version. */
function* uploadsAt(bucket: Bucket, { prefix, exactly }: Place): Steps<readonly Entry[] | Answer> {
  const query = at`?uploads&encoding-type=url&max-uploads=${{ most: `${PAGE}` }}&prefix=${{ prefix }}`;
  const reply = yield get(joined(bucket.at, query), bucket.headers, { sign: bucket.sign });
  if (reply.status !== 200) return refusal(reply);
  const list = readXml(reply, "ListMultipartUploadsResult", Uploads);
  if (!list.ok) return list.problem;
  const named = list.value.Upload.map(({ Key, UploadId }) => ({ Key, VersionId: UploadId }));
  const uploads = keyed(named, list.value.EncodingType);
  if (uploads === undefined) return unforeseen(reply, "the list has keys that cannot be read");
  if (uploads.some(({ key }) => !key.startsWith(prefix))) return ELSEWHERE(reply);
  return exactly ? uploads.filter(({ key }) => key === prefix) : uploads;
}

/**
 * The address of what has a key. Every part between slashes stands for itself, except where one is empty or made of dots: a URL
 * would lose it, and so the slashes are encoded. Unconfirmed: that every store takes those for slashes; otherwise it finds
 * nothing there, and the later look shows what is left. Undefined where no address can say it.
 */
export function keyAt({ keys }: Bucket, key: string, query: Address): Address | undefined {
  const parts = key.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (!isPlain && parts.length === 1) return undefined;
  const path = isPlain ? parts.map(encodeURIComponent).join("/") : encodeURIComponent(key);
  return joined(keys, { url: path, template: "{key}" }, query);
}

export const NO_ADDRESS = unforeseen(noCall, "there is no address for this key");

export const joined = (...parts: readonly Address[]): Address => ({
  url: parts.map(({ url }) => url).join(""),
  template: parts.map(({ template }) => template).join(""),
});

const Refusal = z.object({ Code: one });

/** Why nothing can be done: 403 is about the key and what it may do, other refusals about this very call. */
export function refusal(reply: Reply): Answer {
  const read = readXml(reply, "Error", Refusal, [301, 307, 400, 403, 404, 405, 409, 412]);
  const code = read.ok ? word(read.value.Code) : "";
  if (reply.status === 403) return unauthorized(reply, `the bucket refused the access key${code && `: ${code}`}`);
  return code === "" ? unforeseen(reply) : unforeseen(reply, `the bucket answered ${code}`);
}

/** A code is one word; anything else is not repeated. */
const word = (code: string): string => (/^\w{1,64}$/.test(code) ? code : "a code that is no word");
