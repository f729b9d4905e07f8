import { z } from "zod";
import {
  type Address,
  type AwsSigV4,
  type Call,
  type Reply,
  readRefusal,
  unauthorized,
} from "../../src/contract/call.ts";
import type { SlowDown, Unauthorized } from "../../src/contract/outcome.ts";
import { dnsLabel, secret, text } from "../../src/contract/settings.ts";

/** What the services of AWS have in common that speak JSON: access keys, hosts by region, and refusals by name. */
export const SIGV4 = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html";

export const awsSettings = {
  region: dnsLabel("Region, such as eu-central-1"),
  accessKeyId: text("Access key id of a user, not a temporary one", /^(?!ASIA)\w{16,128}$/),
  secretAccessKey: secret("Secret access key"),
};
export type Keys = { readonly [K in keyof typeof awsSettings]: string };

/** Both partitions: China's hosts end otherwise. */
export const originsOf = (host: string): readonly string[] => [
  `https://${host}.{region}.amazonaws.com`,
  `https://${host}.{region}.amazonaws.com.cn`,
];

/** An address at a service of the region; the template has the same host. */
export function atService(host: string, { region }: Keys, { url, template }: Address): Address {
  const origin = `https://${host}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  return { url: origin + url, template: origin + template };
}

export const signedFor = (service: string, { region, accessKeyId, secretAccessKey }: Keys): AwsSigV4 => ({
  scheme: "aws-sigv4",
  accessKeyId,
  secretAccessKey,
  region,
  service,
});

/** The protocol in which a header names what is to be done. Service and host have one name. */
export const operation = (
  service: string,
  protocol: { readonly type: string; readonly target: string },
  name: string,
  keys: Keys,
  body: unknown,
): Call => ({
  method: "POST",
  at: atService(service, keys, { url: "/", template: "/" }),
  headers: { "content-type": protocol.type, "x-amz-target": `${protocol.target}.${name}` },
  body: JSON.stringify(body),
  sign: signedFor(service, keys),
});

const Refusal = z.object({ __type: z.string() });

/** The name of a refusal (400 in these protocols), without the namespace before and the address after it; "" if there is none. */
export function refusalOf(reply: Reply): string {
  if (reply.status !== 400) return "";
  const refusal = readRefusal(reply, Refusal);
  return refusal.ok ? (/^(?:[^#]*#)?(\w{1,100})(?::.*)?$/s.exec(refusal.value.__type)?.[1] ?? "") : "";
}

/** What stops the lane and not only this order; undefined where a refusal is about this very call. */
export function stopping(reply: Reply): Unauthorized | SlowDown | undefined {
  const name = refusalOf(reply);
  if (reply.status === 403 || CREDENTIAL.has(name))
    return unauthorized(reply, `AWS refused the access key${name === "" ? "" : `: ${name}`}`);
  return BUSY.has(name) ? { outcome: "slow_down", seconds: 10 } : undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, and each service's own word for "may not". */
const CREDENTIAL: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "NotAuthorizedException",
  "OptInRequired",
  "UnrecognizedClientException",
]);
const BUSY: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
  "TooManyRequestsException",
]);
