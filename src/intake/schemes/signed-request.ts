import type { SignedRequest } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, strictBase64url, utf8 } from "./bytes.ts";
import { isHmac } from "./check.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Verified } from "./scheme.ts";

export async function signedRequest({ key }: SignedRequest, delivery: Delivery, means: Means): Promise<Verified> {
  const secrets = await means.values(key);
  if (secrets.length === 0) return fail({ reason: "no_key" });
  const form = decoded(delivery.body);
  if (!form.ok) return form;
  const fields = new URLSearchParams(form.value).getAll("signed_request");
  const [field] = fields;
  if (fields.length !== 1 || field === undefined) return malformed("expected one signed_request");
  const dot = field.indexOf(".");
  const signature = strictBase64url(field.slice(0, dot));
  const payload = field.slice(dot + 1);
  if (dot < 1 || signature === undefined || signature.length !== 32) return malformed("signature");
  for (const secret of secrets) {
    const imported = await means.key("hmac SHA-256 text", secret);
    // The signed text is the payload as it came, before any decoding.
    if (imported === undefined || !(await isHmac(imported, [signature], utf8(payload)))) continue;
    const bytes = strictBase64url(payload);
    if (bytes === undefined) return malformed("payload");
    const text = decoded(bytes);
    if (!text.ok) return text;
    return saysHmacSha256(text.value) ? proven(text.value, delivery, means.now) : malformed("algorithm");
  }
  return badSignature;
}

/** The payload names its algorithm, and Meta's sample checks it, ignoring case. */
function saysHmacSha256(text: string): boolean {
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload !== "object" || payload === null || !("algorithm" in payload)) return false;
    return typeof payload.algorithm === "string" && payload.algorithm.toUpperCase() === "HMAC-SHA256";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
