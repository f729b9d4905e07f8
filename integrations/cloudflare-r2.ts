import { at, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { erased, notFound, type Unforeseen } from "../src/contract/outcome.ts";
import { dnsLabel, optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { prefixes, prefixesOf } from "./houses/key-prefix.ts";
import { type Bucket, emptiness, empty, joined, NO_ADDRESS, type Place } from "./houses/s3.ts";

/**
 * A bucket of Cloudflare R2 holds files of the tenant's people, under prefixes with their ids or under keys that are registered.
 * R2 speaks the S3 protocol and has no versions: what is deleted is gone, unless a lock rule of the bucket keeps it.
 */
const S3 = "https://developers.cloudflare.com/r2/api/s3/api/";
const TOKENS = "https://developers.cloudflare.com/r2/api/tokens/";

const settings = {
  accountId: dnsLabel("Account id"),
  bucket: text("Bucket", /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/),
  // https://developers.cloudflare.com/r2/reference/data-location/#using-jurisdictions-with-the-s3-api
  jurisdiction: optional(text("Jurisdiction of the bucket, where it has one: eu, us or fedramp", /^(eu|us|fedramp)$/)),
  accessKeyId: text("Access key id of an R2 token", /^\w{16,128}$/),
  secretAccessKey: secret("Secret access key of the token"),
  prefixes: prefixes("Prefixes of one person, such as users/{id}/, separated by commas", ["/"]),
} satisfies Settings;
type R2Order = Order<typeof settings>;

export const cloudflareR2 = defineIntegration({
  id: "cloudflare-r2",
  name: "Cloudflare R2",
  about: "Stores files for the tenant.",
  origins: [
    "https://{accountId}.r2.cloudflarestorage.com",
    "https://{accountId}.eu.r2.cloudflarestorage.com",
    "https://{accountId}.us.r2.cloudflarestorage.com",
    "https://{accountId}.fedramp.r2.cloudflarestorage.com",
  ],
  settings,
  identities: {
    "cloudflare-r2.id": "The id under which the bucket's prefixes have a person, where it is not the user_id",
    "cloudflare-r2.object": "The key of one object",
  },

  hooks: absent("R2 tells queues of the account, and nobody by HTTP", S3),
  oauth: absent("access keys only", TOKENS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", TOKENS),
    erase: {
      source: S3,
      by: ["user_id", "cloudflare-r2.id", "cloudflare-r2.object"],
      each: "identity",
      *run(order) {
        const places = placesOf(order);
        if ("outcome" in places) return places;
        let removed = 0;
        for (const place of places) {
          const emptied = yield* empty(bucketOf(order), place);
          if ("outcome" in emptied) return emptied;
          if (emptied.denied.length > 0) return locked(emptied.denied.length);
          removed += emptied.removed;
        }
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
  retainable: [],
  limits: { connections: 2, account: { settings: ["accountId", "bucket"] } },
});

/**
 * Unconfirmed: how a deletion of many answers for what a lock rule keeps. People saw `ObjectLockedByBucketPolicy` for one object;
 * it is read for each key, and for the whole call. Either way a person has to look: the rules, which another API tells
 * (https://developers.cloudflare.com/r2/buckets/bucket-locks/), may keep things for ever.
 */
const locked = (count: number) =>
  unforeseen({ status: 403 }, `R2 will not delete ${count} objects; a lock rule of the bucket may keep them`);

function placesOf({ identity, settings }: R2Order): readonly Place[] | Unforeseen {
  if (identity.type === "cloudflare-r2.object") {
    const isKey = !/^\.{1,2}$/.test(identity.value);
    return isKey ? [{ prefix: identity.value, exactly: true }] : NO_ADDRESS;
  }
  const all = prefixesOf(settings.prefixes, identity.value);
  return "outcome" in all ? all : all.map((prefix) => ({ prefix, exactly: false }));
}

function bucketOf({ settings }: R2Order): Bucket {
  const { accountId, bucket, jurisdiction, accessKeyId, secretAccessKey } = settings;
  const host = `https://${accountId}.${jurisdiction === "" ? "" : `${jurisdiction}.`}r2.cloudflarestorage.com`;
  const here = joined({ url: host, template: host }, at`/${{ bucket }}`);
  return {
    at: here,
    keys: joined(here, at`/`),
    sign: { scheme: "aws-sigv4", accessKeyId, secretAccessKey, region: "auto", service: "s3" },
    versioned: false,
    headers: {},
  };
}
