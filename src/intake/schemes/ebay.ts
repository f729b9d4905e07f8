import { z } from "zod";
import type { EbaySignature } from "../../contract/verification.ts";
import type { ClientCredentials } from "../../ports.ts";
import { fail, ok, type Result } from "../../result.ts";
import { decoded, strictBase64 } from "./bytes.ts";
import { isEcdsa } from "./check.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Refused, type Verified } from "./scheme.ts";

const HEADER = "x-ebay-signature";
const MAX_HEADER = 1024;

/** `kid` becomes a part of an address, so nothing but a UUID will do. The hash is not taken from here: anybody can write it. */
const Signature = z.looseObject({
  // As deliveries have it, and as the documents do.
  alg: z.enum(["ecdsa", "ECDSA"]),
  kid: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  signature: z.string().max(200),
  digest: z.enum(["SHA1", "SHA256"]),
});

/** https://developer.ebay.com/api-docs/commerce/notification/resources/public_key/methods/getPublicKey */
const Key = z.looseObject({
  key: z.string().regex(/^-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,1000}-----END PUBLIC KEY-----\s*$/),
  algorithm: z.string().regex(/^(ECDSA|EC)$/i),
  digest: z.string().regex(/^SHA-?(1|256)$/i),
});

const SCOPE = "https://api.ebay.com/oauth/api_scope";

/**
 * The bytes are those of the body. eBay's SDKs sign for what they have parsed and written again, which is the same: its
 * deliveries are JSON without spaces.
 *
 * https://developer.ebay.com/marketplace-account-deletion#verify
 */
export async function ebay(scheme: EbaySignature, delivery: Delivery, means: Means): Promise<Verified> {
  const clients = await clientsOf(scheme, means);
  if (clients.length === 0) return fail({ reason: "no_key" });
  const said = signatureIn(delivery.header(HEADER) ?? "");
  const signature = said === undefined ? undefined : strictBase64(said.signature);
  if (said === undefined || signature === undefined) return malformed(HEADER);
  const published = await keyOf(said.kid, clients, means);
  if (!published.ok) return published;
  const { key: pem, digest } = published.value;
  const key = await means.key("ecdsa-p256 spki", pem.replace(/-----[A-Z ]+-----|\s/g, ""));
  if (key === undefined) return fail({ reason: "keys_unavailable" });
  if (!(await isEcdsa(key, [signature], delivery.body, digest.endsWith("256") ? "SHA-256" : "SHA-1")))
    return badSignature;
  const body = decoded(delivery.body);
  return body.ok ? proven(body.value, delivery, means.now) : body;
}

type Client = Pick<ClientCredentials, "id" | "secret"> & { readonly origin: string };

/** Every secret with every id, newest first, while either is rotated. */
async function clientsOf({ client, environment }: EbaySignature, { values }: Means): Promise<readonly Client[]> {
  const [ids, secrets, [where]] = await Promise.all([
    values(client.id.setting),
    values(client.secret.setting),
    values(environment.setting),
  ]);
  const origin = where === "sandbox" ? "https://api.sandbox.ebay.com" : "https://api.ebay.com";
  return ids.flatMap((id) => secrets.map((secret) => ({ id, secret, origin })));
}

function signatureIn(header: string): z.infer<typeof Signature> | undefined {
  const bytes = header.length > MAX_HEADER ? undefined : strictBase64(header);
  const text = bytes === undefined ? undefined : decoded(bytes);
  // Nothing around it, or one signature would come in several headers.
  return text?.ok === true && /^\{.*\}$/.test(text.value) ? parsed(Signature, text.value) : undefined;
}

/** The first credential to which eBay shows the key; that it has no such key is what any of them may find out. */
async function keyOf(
  kid: string,
  clients: readonly Client[],
  { keySets }: Means,
): Promise<Result<z.infer<typeof Key>, Refused>> {
  let isAbsent = false;
  for (const { id, secret, origin } of clients) {
    const text = await keySets.text(`${origin}/commerce/notification/v1/public_key/${kid}`, {
      tokenAddress: `${origin}/identity/v1/oauth2/token`,
      scope: SCOPE,
      id,
      secret,
    });
    const key = text.ok ? parsed(Key, text.value) : undefined;
    if (key !== undefined) return ok(key);
    isAbsent ||= !text.ok && text.problem === "absent";
  }
  return isAbsent ? malformed("kid") : fail({ reason: "keys_unavailable" });
}

function parsed<S extends z.ZodType>(schema: S, text: string): z.infer<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
