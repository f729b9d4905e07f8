import { compactVerify, createLocalJWKSet, errors } from "jose";
import { z } from "zod";
import { isPublicEndpoint } from "../../contract/settings.ts";
import type { SignedToken } from "../../contract/verification.ts";
import { fail, ok, type Result } from "../../result.ts";
import { decoded, strictBase64url } from "./bytes.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Refused, type Verified } from "./scheme.ts";

/** A clock of a vendor's may be ahead of ours by so much. */
const AHEAD_SECONDS = 300;

const MAX_TOKEN = 65_536;

const Claims = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  iat: z.number().optional(),
  exp: z.number().optional(),
});
type Claims = z.infer<typeof Claims>;

/** RFC 7515 and RFC 7519, with the checks of RFC 8725: algorithm, type, issuer and audience are ours to say, not the token's. */
export async function signedToken(scheme: SignedToken, delivery: Delivery, means: Means): Promise<Verified> {
  const body = decoded(delivery.body);
  if (!body.ok) return body;
  const token = tokenIn(scheme.at, body.value, delivery);
  if (token === undefined || token.length > MAX_TOKEN || !isCompact(token)) return malformed("token");
  const address = typeof scheme.keys === "string" ? scheme.keys : (await means.values(scheme.keys.setting))[0];
  if (address === undefined || (typeof scheme.keys !== "string" && !isPublicEndpoint(address)))
    return fail({ reason: "no_key" });
  const opened = await openedBy(token, scheme, address, means);
  if (!opened.ok) return opened;
  const claims = claimsIn(opened.value);
  if (claims === undefined) return malformed("claims");
  const fits = await fitting(claims, scheme, delivery, means);
  if (!fits.ok) return fits;
  // Beside the body, a token says who sent it; otherwise the token is what is said.
  const text = typeof scheme.at === "object" && "bearer" in scheme.at ? body.value : JSON.stringify(claims);
  return proven(text, delivery, means.now);
}

/** Three parts, each in its one spelling: unused bits at a part's end would make two texts of one token. */
const isCompact = (token: string): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && token.split(".").every((part) => strictBase64url(part) !== undefined);

function tokenIn(at: SignedToken["at"], body: string, { header }: Delivery): string | undefined {
  if (at === "body") return body.trim();
  if ("bearer" in at) return /^(?:Bearer )?(\S+)$/i.exec(header(at.bearer) ?? "")?.[1];
  try {
    const parsed = z.looseObject({ [at.member]: z.string() }).safeParse(JSON.parse(body));
    return parsed.success ? String(parsed.data[at.member]) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A key that is not among those at hand may have been made since: they are asked for once more, now and then. */
async function openedBy(
  token: string,
  { algorithms, typ }: SignedToken,
  address: string,
  { keySets }: Means,
): Promise<Result<Uint8Array, Refused>> {
  for (const isFresh of [false, true]) {
    const keys = await keySets.keys(address, isFresh);
    if (keys === undefined) return fail({ reason: "keys_unavailable" });
    try {
      const { payload, protectedHeader } = await compactVerify(token, createLocalJWKSet(keys), {
        algorithms: [...algorithms],
      });
      const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
      return typ === undefined || type === typ ? ok(payload) : malformed("typ");
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      if (!(error instanceof errors.JWKSNoMatchingKey)) return badSignature;
    }
  }
  return badSignature;
}

function claimsIn(payload: Uint8Array): Claims | undefined {
  const text = decoded(payload);
  if (!text.ok) return undefined;
  try {
    const parsed = Claims.safeParse(JSON.parse(text.value));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function fitting(
  claims: Claims,
  { issuer, audience, claims: others = {}, expires }: SignedToken,
  { url }: Delivery,
  { values, now }: Means,
): Promise<Result<undefined, Refused>> {
  const listed = async (setting: string) =>
    (await values(setting)).flatMap((text) => text.split(",").map((each) => each.trim()));
  const issuers = "setting" in issuer ? await listed(issuer.setting) : issuer;
  if (!issuers.includes(claims.iss)) return fail({ reason: "not_for_us", what: "iss" });
  const ours = audience === "url" ? [url] : await listed(audience.setting);
  const named = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
  if (!named.some((each) => ours.includes(each))) return fail({ reason: "not_for_us", what: "aud" });
  for (const [name, wanted] of Object.entries(others)) {
    const allowed: readonly unknown[] = wanted === true ? [true, "true"] : await listed(wanted.setting);
    if (!allowed.includes(claims[name])) return fail({ reason: "not_for_us", what: name });
  }
  const seconds = now / 1000;
  if (claims.iat !== undefined && claims.iat > seconds + AHEAD_SECONDS) return fail({ reason: "stale" });
  if (expires && (claims.exp === undefined || claims.exp + AHEAD_SECONDS < seconds)) return fail({ reason: "stale" });
  return ok(undefined);
}
