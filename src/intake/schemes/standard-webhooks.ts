import type { StandardWebhooks } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, joined, strictBase64, utf8 } from "./bytes.ts";
import { isEd25519, isHmac, MAX_SIGNATURES } from "./check.ts";
import { badSignature, type Delivery, type KeyKind, type Means, malformed, proven, type Verified } from "./scheme.ts";

/** A longer list is nobody's. */
const MAX_LIST = 4096;

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
  if (!/^[!-~]{1,256}$/.test(id) || id.includes(".")) return malformed(names[0]);
  if (!/^(0|[1-9]\d{0,11})$/.test(time)) return malformed(names[1]);
  const items = list.split(" ").filter((item) => item !== "");
  if (list.length > MAX_LIST || items.length === 0 || items.length > MAX_SIGNATURES) return malformed(names[2]);
  if (Math.abs(means.now - Number(time) * 1000) > withinSeconds * 1000) return fail({ reason: "stale" });
  const signed = joined([utf8(`${id}.${time}.`), delivery.body]);
  let hasKey = false;
  for (const { version, kind, text } of keys) {
    const imported = await means.key(kind, text);
    if (imported === undefined) continue;
    hasKey = true;
    // A version that is not known is another generation's, not an error.
    const signatures = items.flatMap((item) =>
      item.startsWith(`${version},`) ? (strictBase64(item.slice(version.length + 1)) ?? []) : [],
    );
    const check = version === "v1" ? isHmac : isEd25519;
    if (!(await check(imported, signatures, signed))) continue;
    const body = decoded(delivery.body);
    return body.ok ? proven(body.value, delivery, means.now, names.slice(0, 2)) : body;
  }
  return hasKey ? badSignature : fail({ reason: "no_key" });
}

type Key = { readonly version: "v1" | "v1a"; readonly kind: KeyKind; readonly text: string };

function keyOf(text: string): Key | undefined {
  if (text.startsWith("whsec_")) return { version: "v1", kind: "hmac SHA-256 base64", text: text.slice(6) };
  if (text.startsWith("whpk_")) return { version: "v1a", kind: "ed25519 base64", text: text.slice(5) };
  return undefined;
}
