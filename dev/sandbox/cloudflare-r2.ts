import { s3 } from "./s3.ts";

/**
 * Cloudflare R2: the S3 protocol without versions; a rule of the bucket may keep what lies under a prefix.
 *
 * @see https://developers.cloudflare.com/r2/api/s3/api/
 */
export const cloudflareR2 = s3({
  id: "cloudflare-r2",
  about: "{account}.r2.cloudflarestorage.com and its jurisdictions",
  host: /^[a-z0-9-]+(\.(eu|us|fedramp))?\.r2\.cloudflarestorage\.com$/,
  region: () => "auto",
  hasVersions: false,
});
