/**
 * The Merkle tree over a tenant's receipts, as RFC 9162 section 2.1 defines it: a leaf is the SHA-256 of a receipt's JWS,
 * domain bytes keep a node from passing as a leaf.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1
 */
export type Hash256 = Uint8Array;

export const leafHash = (data: Uint8Array): Promise<Hash256> => sha256(concat([0x00], data));

export async function rootOf(leaves: readonly Hash256[]): Promise<Hash256> {
  const [only] = leaves;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return only;
  const k = split(leaves.length);
  const [left, right] = await Promise.all([rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k))]);
  return nodeHash(left, right);
}

/** The audit path of one leaf, from its sibling to the root's child. */
export async function inclusionProof(index: number, leaves: readonly Hash256[]): Promise<readonly Hash256[]> {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  if (index < k) return [...(await inclusionProof(index, leaves.slice(0, k))), await rootOf(leaves.slice(k))];
  return [...(await inclusionProof(index - k, leaves.slice(k))), await rootOf(leaves.slice(0, k))];
}

/**
 * RFC 9162 section 2.1.3.2, step by step; a proof that is too long or too short fails, and so does what is no index, no
 * size or no hash.
 */
export async function verifyInclusion(
  index: number,
  size: number,
  leaf: Hash256,
  proof: readonly Hash256[],
  root: Hash256,
): Promise<boolean> {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (![leaf, root, ...proof].every(({ length }) => length === 32)) return false;
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = await nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else r = await nodeHash(r, p);
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && r.every((byte, at) => byte === root[at]);
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

/** The largest power of two smaller than n. */
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

const nodeHash = (left: Hash256, right: Hash256): Promise<Hash256> => sha256(concat([0x01], left, right));

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Hash256> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
