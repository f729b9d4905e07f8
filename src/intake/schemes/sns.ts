import { exportSPKI, importX509 } from "jose";
import { z } from "zod";
import type { SnsSignature } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, strictBase64, utf8 } from "./bytes.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Verified } from "./scheme.ts";

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
const Message = z.looseObject({
  Type: z.enum(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]),
  // What is signed is joined by line breaks, so nothing signed may hold what could pass for the next field.
  MessageId: z.uuid(),
  TopicArn: z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/),
  Subject: z
    .string()
    .regex(/^[^\r\n]*$/)
    .nullish(),
  Message: z.string(),
  Timestamp: z.iso.datetime(),
  Token: z.string().optional(),
  SubscribeURL: z.url().optional(),
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
  const ours = (await means.values(topics.setting)).flatMap((text) => text.split(",").map((each) => each.trim()));
  if (!ours.includes(message.TopicArn)) return fail({ reason: "not_for_us", what: "TopicArn" });
  if (!isSigningCertificate(message.SigningCertURL)) return malformed("SigningCertURL");
  const signature = strictBase64(message.Signature);
  if (signature === undefined) return malformed("Signature");
  const certificate = await means.keySets.text(message.SigningCertURL);
  if (certificate === undefined) return fail({ reason: "keys_unavailable" });
  const key = await keyIn(certificate, message.SignatureVersion);
  if (key === undefined) return fail({ reason: "keys_unavailable" });
  const text = SIGNED[message.Type]
    .flatMap((name) => {
      const value = message[name];
      return value === undefined || value === null ? [] : [`${name}\n${value}\n`];
    })
    .join("");
  const genuine = await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, utf8(text));
  return genuine ? proven(body.value, delivery, means.now) : badSignature;
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

/** Only SNS itself has its certificates, at hosts of this form: anything else would be a certificate of the sender's choice. */
export function isSigningCertificate(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host, username, password, pathname, search, hash } = new URL(address);
  return (
    protocol === "https:" &&
    /^sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?$/.test(host) &&
    /^\/SimpleNotificationService-[0-9a-f]+\.pem$/.test(pathname) &&
    username + password + search + hash === ""
  );
}

/** Version 1 is signed with SHA-1, version 2 with SHA-256; the certificate is the same. */
async function keyIn(certificate: string, version: Message["SignatureVersion"]): Promise<CryptoKey | undefined> {
  try {
    const key = await importX509(certificate, "RS256", { extractable: true });
    const pem = await exportSPKI(key);
    const spki = strictBase64(pem.replace(/-----[A-Z ]+-----|\s/g, ""));
    if (spki === undefined) return undefined;
    const hash = version === "1" ? "SHA-1" : "SHA-256";
    return await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash }, false, ["verify"]);
  } catch (error) {
    // Neither jose nor the platform says more of a certificate that is none.
    if (error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}
