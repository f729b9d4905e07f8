import type { StandardWebhooks } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, joined, strictBase64, utf8 } from "./bytes.ts";
import { badSignature, type Delivery, type KeyKind, type Means, malformed, proven, type Verified } from "./scheme.ts";

const MAX_SIGNATURES = 16;

/**
 * The `standardwebhooks` library checks `v1` only and skips `v1a`, so a sender with a public key would always fail with it;
 * this checks both, on the raw bytes.
 */
export async function standardWebhooks(
  { key, withinSeconds }: StandardWebhooks,
  delivery: Delivery,
  means: Means,
): Promise<Verified> {
  const keys = (await means.values(key)).flatMap((text) => keyOf(text) ?? []);
  if (keys.length === 0) return fail({ reason: "no_key" });
  // All three of one set; where both are sent, Svix's own library takes its own.
  const set = delivery.header("svix-id") === undefined ? "webhook" : "svix";
  const names = [`${set}-id`, `${set}-timestamp`, `${set}-signature`] as const;
  const [id = "", time = "", list = ""] = names.map(delivery.header);
  if (id === "" || id.includes(".") || id.length > 256) return malformed(names[0]);
  if (!/^(0|[1-9]\d{0,11})$/.test(time)) return malformed(names[1]);
  const items = list.split(" ").filter((item) => item !== "");
  if (items.length === 0 || items.length > MAX_SIGNATURES) return malformed(names[2]);
  if (Math.abs(means.now - Number(time) * 1000) > withinSeconds * 1000) return fail({ reason: "stale" });
  const signed = joined([utf8(`${id}.${time}.`), delivery.body]);
  for (const item of items) {
    const comma = item.indexOf(",");
    const signature = strictBase64(item.slice(comma + 1));
    for (const { version, kind, text } of keys) {
      // A version that is not known is another generation's, not an error.
      if (signature === undefined || item.slice(0, comma) !== version) continue;
      const imported = await means.key(kind, text);
      const algorithm = version === "v1" ? "HMAC" : "Ed25519";
      // The platform throws at an Ed25519 signature of another length.
      if (algorithm === "Ed25519" && signature.length !== 64) continue;
      if (imported === undefined || !(await crypto.subtle.verify(algorithm, imported, signature, signed))) continue;
      const body = decoded(delivery.body);
      return body.ok ? proven(body.value, delivery, means.now, names.slice(0, 2)) : body;
    }
  }
  return badSignature;
}

type Key = { readonly version: "v1" | "v1a"; readonly kind: KeyKind; readonly text: string };

function keyOf(text: string): Key | undefined {
  if (text.startsWith("whsec_")) return { version: "v1", kind: "hmac SHA-256 base64", text: text.slice(6) };
  if (text.startsWith("whpk_")) return { version: "v1a", kind: "ed25519 base64", text: text.slice(5) };
  return undefined;
}
