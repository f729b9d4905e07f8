import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from "jose";
import { z } from "zod";
import { isPublicEndpoint } from "../../contract/settings.ts";
import type { SignedToken } from "../../contract/verification.ts";
import { fail, ok, type Result } from "../../result.ts";
import { decoded, strictBase64url } from "./bytes.ts";
import {
  badSignature,
  type Delivery,
  listed,
  type Means,
  malformed,
  proven,
  type Refused,
  type Verified,
} from "./scheme.ts";
import { sharedSecret } from "./shared-secret.ts";

/** A clock of a vendor's may be ahead of ours by so much. */
const AHEAD_SECONDS = 300;

const MAX_TOKEN = 65_536;

const Claims = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  iat: z.number().optional(),
  nbf: z.number().optional(),
  exp: z.number().optional(),
});
type Claims = z.infer<typeof Claims>;

/** RFC 7515 and RFC 7519, with the checks of RFC 8725: algorithm, type, issuer and audience are ours to say, not the token's. */
export async function signedToken(scheme: SignedToken, delivery: Delivery, means: Means): Promise<Verified> {
  const { also } = scheme;
  const beside = also === undefined ? undefined : await sharedSecret(also, delivery, means);
  // A stream without a secret has none to show.
  if (beside?.ok === false && beside.problem.reason !== "no_key") return badSignature;
  const body = decoded(delivery.body);
  if (!body.ok) return body;
  const token = tokenIn(scheme.at, body.value, delivery);
  if (token === undefined || token.length > MAX_TOKEN || !isCompact(token)) return malformed("token");
  const said = saidIn(token);
  if (said === undefined) return malformed("claims");
  // Whom it is for is looked at first: what is not for us costs no key, and does not tell whether a key could be had.
  const fits = await fitting(said.claims, scheme, delivery, means);
  if (!fits.ok && (fits.problem.reason !== "not_for_us" || scheme.explains !== true)) return fits;
  const address = typeof scheme.keys === "string" ? scheme.keys : (await means.values(scheme.keys.setting))[0];
  if (address === undefined || (typeof scheme.keys !== "string" && !isPublicEndpoint(address)))
    return fits.ok ? fail({ reason: "no_key" }) : fits;
  const opened = await openedBy(token, scheme, address, means);
  if (!fits.ok) return opened.ok ? fail({ ...fits.problem, known: true }) : fits;
  if (!opened.ok)
    return beside?.ok === true && opened.problem.reason === "bad_signature"
      ? fail({ reason: "bad_signature", known: true })
      : opened;
  const text = decoded(opened.value);
  // An encoding that the header may ask for (RFC 7797) would have signed another text than the one that was read.
  if (!text.ok || text.value !== said.text) return malformed("claims");
  // Beside the body, a token says who sent it; otherwise the token is what is said.
  const isBeside = typeof scheme.at === "object" && "bearer" in scheme.at;
  return proven(isBeside ? body.value : said.text, delivery, means.now);
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
      const { payload, protectedHeader } = await compactVerify(token, finderIn(keys), { algorithms: [...algorithms] });
      const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
      return typ === undefined || type === typ ? ok(payload) : malformed("typ");
    } catch (error) {
      // A published key that is too short, or none at all, is the platform's to complain of.
      if (!(error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException))
        throw error;
      if (!(error instanceof errors.JWKSNoMatchingKey)) return badSignature;
    }
  }
  return badSignature;
}

/** A set's keys are imported once, for as long as the set is kept. */
const finders = new WeakMap<JSONWebKeySet, ReturnType<typeof createLocalJWKSet>>();

function finderIn(keys: JSONWebKeySet): ReturnType<typeof createLocalJWKSet> {
  const finder = finders.get(keys) ?? createLocalJWKSet(keys);
  finders.set(keys, finder);
  return finder;
}

type Said = { readonly text: string; readonly claims: Claims };

/** What a token says, before anything is known of who says it. */
function saidIn(token: string): Said | undefined {
  const bytes = strictBase64url(token.split(".")[1] ?? "");
  const text = bytes === undefined ? undefined : decoded(bytes);
  if (text?.ok !== true) return undefined;
  try {
    const parsed = Claims.safeParse(JSON.parse(text.value));
    return parsed.success ? { text: text.value, claims: parsed.data } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function fitting(
  claims: Claims,
  { issuer, audience, claims: others = {}, expires }: SignedToken,
  { url }: Delivery,
  means: Means,
): Promise<Result<undefined, Refused>> {
  const issuers = "setting" in issuer ? await listed(means, issuer.setting) : issuer;
  if (!issuers.includes(claims.iss)) return fail({ reason: "not_for_us", what: "iss" });
  const ours = audience === "url" ? [url] : await listed(means, audience.setting);
  const named = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
  if (!named.some((each) => ours.includes(each))) return fail({ reason: "not_for_us", what: "aud" });
  for (const [name, wanted] of Object.entries(others)) {
    const allowed: readonly unknown[] = wanted === true ? [true, "true"] : await listed(means, wanted.setting);
    if (!allowed.includes(claims[name])) return fail({ reason: "not_for_us", what: name });
  }
  const seconds = means.now / 1000;
  if (Math.max(claims.iat ?? 0, claims.nbf ?? 0) > seconds + AHEAD_SECONDS) return fail({ reason: "stale" });
  if (expires && (claims.exp === undefined || claims.exp + AHEAD_SECONDS < seconds)) return fail({ reason: "stale" });
  return ok(undefined);
}
