import { leafHash, verifyInclusion } from "../src/request/log.ts";
import { fail, ok, type Result } from "../src/result.ts";
import type { Claims } from "./claims.ts";
import { bytesOf, type Jws, parseJws } from "./jws.ts";
import { count, list, object, parseJson, type ReadBy, text, textThat, time } from "./shape.ts";
import { checkSignature, type PublicKey } from "./signature.ts";

const CHECKPOINT_TYP = "quittance-checkpoint+jwt";

/** How much earlier than the receipt a checkpoint may be dated: two machines' clocks are never quite the same. */
const SKEW_MS = 5 * 60_000;

const hash = textThat((value) => bytesOf(value)?.length === 32, "a SHA-256 hash in base64url");
const Head = object({ origin: text, size: count, root: hash, at: time });
const Proof = object({ index: count, path: list(hash), origin: text, size: count, root: hash, at: time, signed: text });

export type Proof = ReadBy<typeof Proof>;

/** The document of `GET /v1/log/proofs/{request}`. */
export function parseProof(source: string): Result<Proof, string> {
  const parsed = parseJson(source.trim(), "the proof");
  return parsed.ok ? Proof(parsed.value, "proof") : parsed;
}

/** Whether the tree's head is signed by a published key, says what the proof says, and is the head of this tenant's log. */
export async function checkCheckpoint(
  proof: Proof,
  claims: Claims,
  keys: readonly PublicKey[],
): Promise<Result<string, string>> {
  const jws = parseJws(proof.signed);
  if (!jws.ok) return jws;
  if (jws.value.typ !== CHECKPOINT_TYP) return fail(`it is not a checkpoint: expected the type ${CHECKPOINT_TYP}`);
  const signature = await checkSignature(jws.value, keys);
  if (!signature.ok) return signature;
  const head = Head(jws.value.payload, "checkpoint");
  if (!head.ok) return head;
  const { origin, size, root, at } = head.value;
  if (origin !== proof.origin || size !== proof.size || root !== proof.root || at !== proof.at)
    return fail("the proof says something else than the checkpoint that was signed");
  const log = `${claims.iss}/log/${claims.tenant}`;
  if (origin !== log) return fail(`it is of the log ${origin}; this receipt belongs in ${log}`);
  if (Date.parse(at) + SKEW_MS < claims.iat * 1000) return fail(`it was signed at ${at}, before the receipt was`);
  return ok(`${origin} with ${size} receipts, signed at ${at}`);
}

/** Whether the receipt stands in the log where the proof says. A leaf's data is the SHA-256 of the JWS, to the letter. */
export async function checkInclusion(
  proof: Proof,
  jws: Jws,
  index: number | undefined,
): Promise<Result<string, string>> {
  if (index !== undefined && index !== proof.index)
    return fail(`the proof is for entry ${proof.index}, and the receipt came as entry ${index}`);
  const leaf = await leafHash(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(jws.text))),
  );
  return (await verifyInclusion(proof.index, proof.size, leaf, proof.path.map(bytes), bytes(proof.root)))
    ? ok(`entry ${proof.index} of ${proof.size}`)
    : fail(`the path does not lead from this receipt at entry ${proof.index} to the root of ${proof.size}`);
}

/** Hashes have been read as 32 bytes, so nothing is left out here. */
const bytes = (encoded: string): Uint8Array => bytesOf(encoded) ?? new Uint8Array(0);
