import type { OAuth } from "../contract/oauth.ts";
import { strictHex, utf8 } from "../intake/schemes/bytes.ts";
import { isHmac } from "../intake/schemes/check.ts";
import { importKey } from "../intake/schemes/key.ts";

/** Whether the vendor, who has the client's secret, has written what a browser brings back. */
export async function isSignedCallback(
  { parameter }: NonNullable<OAuth["signedCallback"]>,
  parameters: URLSearchParams,
  secret: string,
): Promise<boolean> {
  const key = await importKey("hmac SHA-256 text", secret);
  const signature = strictHex(parameters.get(parameter) ?? "");
  if (key === undefined || signature === undefined) return false;
  const others = [...parameters].filter(([name]) => name !== parameter);
  // By their bytes, so that a reader's language has no say in it.
  const sorted = others.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return isHmac(key, [signature], utf8(new URLSearchParams(sorted).toString().replaceAll("+", "%20")));
}
