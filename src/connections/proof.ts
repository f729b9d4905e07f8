import type { Call } from "../contract/call.ts";
import { type Grant, homeOf } from "../contract/oauth.ts";
import { signed } from "../platform/sign.ts";
import type { Ports } from "../ports.ts";

/** A call that a product means to make in a person's name, and the nonce that the host last asked for. */
type ProductCall = {
  readonly method: Call["method"];
  readonly url: string;
  readonly nonce?: string | undefined;
};

/**
 * The proof for one call of a product's with a token that is bound to a key (RFC 9449 section 7): the key stays here, and what leaves is of
 * use for this method at this address, for minutes. Undefined where the call does not go to the host at which the account lies:
 * that of the address that tells whose a token is, or the issuer's.
 */
export async function proofFor(
  ports: Pick<Ports, "now">,
  grant: Grant,
  { method, url, nonce }: ProductCall,
): Promise<string | undefined> {
  const { binding, accessToken } = grant;
  if (binding === undefined || !URL.canParse(url) || new URL(url).origin !== homeOf(grant)) return undefined;
  const call = {
    method,
    at: { url, template: "" },
    headers: {},
    sign: { scheme: "dpop", key: binding.key, accessToken } as const,
  };
  return (await signed(call, ports.now(), nonce)).headers.dpop;
}
