import { z } from "zod";
import { at, get, noCall, type Reply, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, notYet, retained, type Unforeseen } from "../src/contract/outcome.ts";
import { dnsLabel, optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { Rfc3339 } from "../src/contract/signal.ts";
import { one, readXml } from "../src/contract/xml.ts";
import { prefixes, prefixesOf } from "./houses/key-prefix.ts";
import { type Bucket, type Entry, emptiness, empty, joined, keyAt, NO_ADDRESS, type Place } from "./houses/s3.ts";

/**
 * A bucket of Amazon S3 holds files of the tenant's people, under prefixes with their ids or under keys that are registered.
 * We erase every version and delete marker there, and uploads that were never ended. What Object Lock keeps is kept until the
 * day that S3 names. (What S3 itself tells comes through `aws`.)
 */
const DELETE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html";
const LOCK = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html";
const SIGV4 = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html";

const LOCKED = "locked_versions";
const HELD = "legal_hold";

/** Each takes two calls to ask about. */
const MOST_LOCKED = 50;

const settings = {
  region: dnsLabel("Region, such as eu-central-1"),
  bucket: text("Bucket", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  accessKeyId: text("Access key id of a user, not a temporary one", /^(?!ASIA)\w{16,128}$/),
  secretAccessKey: secret("Secret access key"),
  prefixes: prefixes("Prefixes of one person, such as users/{id}/, separated by commas", ["/"]),
  owner: optional(text("Account that owns the bucket", /^\d{12}$/)),
  bypassGovernance: optional(text("Erase what governance retention keeps: yes or no", /^(yes|no)$/)),
} satisfies Settings;
type S3Order = Order<typeof settings>;

const Retention = z.object({
  Mode: z.tuple([z.enum(["GOVERNANCE", "COMPLIANCE"])]),
  RetainUntilDate: z.tuple([Rfc3339]),
});
const LegalHold = z.object({ Status: one });

export const awsS3 = defineIntegration({
  id: "aws-s3",
  name: "Amazon S3",
  about: "Stores files for the tenant.",
  origins: ["https://s3.{region}.amazonaws.com", "https://s3.{region}.amazonaws.com.cn"],
  settings,
  identities: {
    "aws-s3.id": "The id under which the bucket's prefixes have a person, where it is not the user_id",
    "aws-s3.object": "The key of one object, with all its versions",
  },

  hooks: absent("what S3 tells comes through topics of SNS, which the integration aws takes", DELETE),
  oauth: absent("access keys only", SIGV4),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SIGV4),
    erase: {
      source: DELETE,
      by: ["user_id", "aws-s3.id", "aws-s3.object"],
      each: "identity",
      *run(order) {
        const places = placesOf(order);
        if ("outcome" in places) return places;
        let removed = 0;
        const denied: Entry[] = [];
        for (const place of places) {
          const emptied = yield* empty(bucketOf(order), place);
          if ("outcome" in emptied) return emptied;
          removed += emptied.removed;
          denied.push(...emptied.denied);
        }
        if (denied.length > 0) return yield* locked(denied, order);
        return removed > 0 ? erased : notFound;
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          const places = placesOf(order);
          if ("outcome" in places) return places;
          for (const place of places) {
            const sight = yield* emptiness(bucketOf(order), place);
            if (sight !== "absent") return sight;
          }
          return "absent";
        },
      },
    },
  },

  residuals: [],
  // A person has to lift a legal hold, and nobody knows when: the tenant's policy says for how long it is waited for.
  retainable: [HELD],
  limits: { connections: 2, account: { settings: ["bucket"] } },
});

function placesOf({ identity, settings }: S3Order): readonly Place[] | Unforeseen {
  if (identity.type === "aws-s3.object") {
    // A URL would lose these, and an empty key would be the whole bucket.
    const isKey = !/^\.{1,2}$/.test(identity.value);
    return isKey ? [{ prefix: identity.value, exactly: true }] : NO_ADDRESS;
  }
  const all = prefixesOf(settings.prefixes, identity.value);
  return "outcome" in all ? all : all.map((prefix) => ({ prefix, exactly: false }));
}

function bucketOf({ settings }: S3Order): Bucket {
  const { region, bucket, accessKeyId, secretAccessKey, owner, bypassGovernance } = settings;
  // The bucket stands in the path, not in the host's name: that is allowed for all buckets, also for those with dots.
  const host = `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const here = joined({ url: host, template: host }, at`/${{ bucket }}`);
  return {
    at: here,
    keys: joined(here, at`/`),
    sign: { scheme: "aws-sigv4", accessKeyId, secretAccessKey, region, service: "s3" },
    versioned: true,
    headers: owner === "" ? {} : { "x-amz-expected-bucket-owner": owner },
    ...(bypassGovernance === "yes" && { deleting: { "x-amz-bypass-governance-retention": "true" } }),
  };
}

type Lock = { readonly until: number; readonly mode: string } | "held" | "ending" | "none";

/** Clocks may differ by so much, which is what signatures are granted, too. */
const SKEW_MS = 15 * 60_000;

/**
 * Why versions are not let go. A legal hold has no end; a retention has one, and the last of them counts. A refusal for which
 * there is neither is about what the access key may do.
 */
function* locked(denied: readonly Entry[], order: S3Order): Steps<Answer> {
  if (denied.length > MOST_LOCKED) return unforeseen(noCall, `S3 will not let go of more than ${MOST_LOCKED} versions`);
  let last = { until: 0, mode: "" };
  for (const entry of denied) {
    const lock = yield* lockOf(entry, order);
    if (lock === "held") return retained(HELD, [order.identity]);
    if (lock === "ending") return { outcome: "slow_down", seconds: 60 };
    if (lock === "none") return unforeseen({ status: 403 }, "S3 will not delete a version, and tells of no lock on it");
    if (lock.until > last.until) last = lock;
  }
  const until = new Date(last.until).toISOString();
  return notYet(LOCKED, [order.identity], until, `S3 Object Lock keeps them (${last.mode} mode): ${LOCK}`);
}

function* lockOf({ key, version }: Entry, order: S3Order): Steps<Lock> {
  const bucket = bucketOf(order);
  const ask = function* (query: ReturnType<typeof at>): Steps<Reply | undefined> {
    const address = keyAt(bucket, key, query);
    // 403: the access key may not ask, which must not stop what else it may do.
    return address && (yield get(address, bucket.headers, { sign: bucket.sign }));
  };
  const hold = yield* ask(at`?legal-hold&versionId=${{ version }}`);
  const status = hold && readXml(hold, "LegalHold", LegalHold);
  if (status?.ok === true && status.value.Status === "ON") return "held";
  const reply = yield* ask(at`?retention&versionId=${{ version }}`);
  const retention = reply && readXml(reply, "Retention", Retention);
  if (retention?.ok !== true) return "none";
  const [until] = retention.value.RetainUntilDate;
  const now = Date.parse(order.attemptedAt);
  if (until <= now) return until > now - SKEW_MS ? "ending" : "none";
  return { until, mode: retention.value.Mode[0].toLowerCase() };
}
