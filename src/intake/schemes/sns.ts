import { z } from "zod";
import type { SnsSignature } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, strictBase64, utf8 } from "./bytes.ts";
import { isInForce } from "./certificate.ts";
import { badSignature, type Delivery, listed, type Means, malformed, proven, type Verified } from "./scheme.ts";

const OneLine = z.string().regex(/^[^\r\n]*$/);

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
const Message = z.looseObject({
  Type: z.enum(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]),
  // What is signed is joined by line breaks, so nothing signed may hold what could pass for the next field.
  MessageId: z.uuid(),
  TopicArn: z.string().regex(/^arn:aws[a-z-]*:sns:[a-z]{2}(?:-[a-z]+)+-\d{1,2}:\d{12}:[\w.-]{1,256}$/),
  Subject: OneLine.nullish(),
  Message: z.string(),
  Timestamp: z.iso.datetime(),
  Token: OneLine.optional(),
  SubscribeURL: OneLine.optional(),
  SignatureVersion: z.enum(["1", "2"]),
  Signature: z.string(),
  SigningCertURL: z.string(),
});
type Message = z.infer<typeof Message>;

/** In the order in which they are signed; a field that is not there is left out. */
const SIGNED = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
} as const;

/** https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
export async function sns({ topics }: SnsSignature, delivery: Delivery, means: Means): Promise<Verified> {
  const body = decoded(delivery.body);
  if (!body.ok) return body;
  const message = messageIn(body.value);
  if (message === undefined) return malformed("message");
  if (!(await listed(means, topics.setting)).includes(message.TopicArn))
    return fail({ reason: "not_for_us", what: "TopicArn" });
  if (!isSigningCertificate(message.SigningCertURL, message.TopicArn)) return malformed("SigningCertURL");
  const signature = strictBase64(message.Signature);
  if (signature === undefined || signature.length > 512) return malformed("Signature");
  const names = SIGNED[message.Type].filter((name) => message[name] !== undefined && message[name] !== null);
  if (message.Type !== "Notification" && names.length !== SIGNED[message.Type].length) return malformed("message");
  const text = names.map((name) => `${name}\n${message[name]}\n`).join("");
  // Half a surrogate pair has no bytes of its own: it would pass for the character that stands for what cannot be read.
  if (!text.isWellFormed()) return malformed("message");
  const pem = await means.keySets.text(message.SigningCertURL);
  if (!pem.ok) return pem.problem === "absent" ? malformed("certificate") : fail({ reason: "keys_unavailable" });
  // Version 1 is signed with SHA-1, version 2 with SHA-256; the certificate is the same.
  const certificate = await means.certificate(pem.value, message.SignatureVersion === "1" ? "SHA-1" : "SHA-256");
  if (certificate === undefined) return fail({ reason: "keys_unavailable" });
  if (!isInForce(certificate, means.now)) return malformed("certificate");
  const genuine = await crypto.subtle.verify("RSASSA-PKCS1-v1_5", certificate.key, signature, utf8(text));
  if (!genuine) return badSignature;
  // What else stands in the message is not signed.
  const said = Object.fromEntries(names.map((name) => [name, message[name]]));
  return proven(JSON.stringify(said), delivery, means.now);
}

function messageIn(text: string): Message | undefined {
  try {
    const parsed = Message.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Only SNS itself, in the topic's own region, has its certificates. A looser rule would take a bucket called `sns` for it, at
 * `sns.s3-us-west-2.amazonaws.com`: a certificate of the sender's choice.
 */
export function isSigningCertificate(address: string, topic: string): boolean {
  const [, partition, , region] = topic.split(":");
  const host = `sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
  const path = address.startsWith(`https://${host}/`) ? address.slice(`https://${host}`.length) : "";
  return /^\/SimpleNotificationService-[0-9a-f]{1,64}\.pem$/.test(path);
}
