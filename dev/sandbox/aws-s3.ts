import { s3 } from "./s3.ts";

const HOST = /^s3\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/;

/** Amazon S3 with versions, retention and legal holds. */
export const awsS3 = s3({
  id: "aws-s3",
  about: "s3.{region}.amazonaws.com, with the bucket in the path",
  host: HOST,
  region: (host) => HOST.exec(host)?.[1],
  hasVersions: true,
});
