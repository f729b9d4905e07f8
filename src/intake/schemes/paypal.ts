import { crc32 } from "node:zlib";
import type { PayPalSignature } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, strictBase64, utf8 } from "./bytes.ts";
import { isInForce } from "./certificate.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Verified } from "./scheme.ts";

const ID = "paypal-transmission-id";
const TIME = "paypal-transmission-time";

/** PayPal's simulator signs for whoever asks it, under this id. */
const SIMULATED = "WEBHOOK_ID";

/** https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod */
export async function paypal(
  { webhookId, withinSeconds }: PayPalSignature,
  delivery: Delivery,
  means: Means,
): Promise<Verified> {
  const ours = (await means.values(webhookId.setting)).filter((value) => value !== SIMULATED);
  if (ours.length === 0) return fail({ reason: "no_key" });
  const [id = "", time = ""] = [ID, TIME].map((name) => delivery.header(name));
  // What is signed is joined by bars, so no piece of it may hold one.
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) return malformed(ID);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(time)) return malformed(TIME);
  if (!(Math.abs(means.now - Date.parse(time)) <= withinSeconds * 1000)) return fail({ reason: "stale" });
  if (delivery.header("paypal-auth-algo") !== "SHA256withRSA") return malformed("paypal-auth-algo");
  const signature = strictBase64(delivery.header("paypal-transmission-sig") ?? "");
  if (signature === undefined || signature.length > 512) return malformed("paypal-transmission-sig");
  const address = delivery.header("paypal-cert-url") ?? "";
  if (!isPayPalCertificate(address)) return malformed("paypal-cert-url");
  const text = await means.keySets.text(address);
  if (!text.ok) return text.problem === "absent" ? malformed("certificate") : fail({ reason: "keys_unavailable" });
  const certificate = await means.certificate(text.value, "SHA-256");
  if (certificate === undefined) return fail({ reason: "keys_unavailable" });
  if (!isInForce(certificate, means.now) || !/(^|\.)paypal\.com$/.test(certificate.commonName ?? ""))
    return malformed("certificate");
  const crc = crc32(delivery.body);
  for (const webhook of ours) {
    const signed = utf8(`${id}|${time}|${webhook}|${crc}`);
    if (!(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", certificate.key, signature, signed))) continue;
    const body = decoded(delivery.body);
    return body.ok ? proven(body.value, delivery, means.now, [ID, TIME]) : body;
  }
  return badSignature;
}

/** Only PayPal's API has its certificates; anything else would be a certificate of the sender's choice. */
const isPayPalCertificate = (address: string): boolean =>
  /^https:\/\/api\.(sandbox\.)?paypal\.com\/v1\/notifications\/certs\/[A-Za-z0-9_-]{1,100}$/.test(address);
