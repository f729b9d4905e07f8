import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What a stand-in expects of AWS Signature Version 4. */
export type Expected = {
  readonly service: string;
  /** Any region where it is not said. */
  readonly region?: string | undefined;
  readonly now: number;
  /** Secrets by access key id. Of a key that is not here, only the form of its signature is checked. */
  readonly secrets: ReadonlyMap<string, string>;
};

/** The clocks may differ by so much. */
const SKEW_MS = 15 * 60_000;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<id>\w+)\/(?<date>\d{8})\/(?<region>[\w-]+)\/(?<service>[\w-]+)\/aws4_request, ?SignedHeaders=(?<names>[\w;-]+), ?Signature=(?<signature>[0-9a-f]{64})$/;

/**
 * Why a signature is refused, in S3's words; undefined where it is good. Written from AWS's description and with none of the
 * gateway's code, so that a mistake there is seen here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function unsigned(request: Request, body: string, expected: Expected): string | undefined {
  const { id, date, region, service, names, signature } =
    AUTHORIZATION.exec(request.headers.get("authorization") ?? "")?.groups ?? {};
  const time = request.headers.get("x-amz-date") ?? "";
  if (!id || !date || !region || !service || !names || !signature) return "AccessDenied";
  if (service !== expected.service || region !== (expected.region ?? region)) return "AuthorizationHeaderMalformed";
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!time.startsWith(date) || !(Math.abs(at - expected.now) <= SKEW_MS)) return "RequestTimeTooSkewed";
  const signed = names.split(";");
  const must = [
    "host",
    ...[...request.headers.keys()].filter((name) => name.startsWith("x-amz-") || name === "content-type"),
  ];
  if (must.some((name) => !signed.includes(name))) return "AccessDenied";
  const digest = hex(body);
  const said = request.headers.get("x-amz-content-sha256");
  if (service === "s3" && said === null) return "MissingSecurityHeader";
  if (said !== null && said !== digest) return "XAmzContentSHA256Mismatch";
  const secret = expected.secrets.get(id);
  if (secret === undefined) return undefined;
  const text = [
    "AWS4-HMAC-SHA256",
    time,
    `${date}/${region}/${service}/aws4_request`,
    hex(canonical(request, signed, digest, service)),
  ];
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(mac, `AWS4${secret}`);
  const right = mac(key, text.join("\n"));
  return timingSafeEqual(right, Buffer.from(signature, "hex")) ? undefined : "SignatureDoesNotMatch";
}

function canonical(request: Request, signed: readonly string[], digest: string, service: string): string {
  const url = new URL(request.url);
  // S3 signs the path as it is decoded; all others encode it once more.
  const path = service === "s3" ? decodeURIComponent(url.pathname) : url.pathname;
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).toSorted();
  const headers = signed.map((name) => {
    const value = name === "host" ? url.host : (request.headers.get(name) ?? "");
    return `${name}:${value.trim().replace(/ +/g, " ")}\n`;
  });
  const lines = [
    request.method,
    path.split("/").map(encoded).join("/"),
    query.join("&"),
    headers.join(""),
    signed.join(";"),
  ];
  return [...lines, digest].join("\n");
}

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
const mac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
