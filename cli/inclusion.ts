import { createHash } from "node:crypto";

/**
 * Whether a leaf stands at `index` of the tree of `size` leaves under `root` (RFC 9162 section 2.1). The path must have
 * exactly the length that this place in the tree has.
 *
 * Written from the standard and not shared with the log: a check by the log's own code would prove only that the log
 * agrees with itself.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.1
 */
export function isIncluded(
  index: number,
  size: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  return rootFrom(index, size, leaf, path)?.equals(root) === true;
}

/** The leaf of a receipt: its data is the SHA-256 of the JWS, to the letter. */
export const leafOf = (jws: string): Buffer => sha256([0x00], createHash("sha256").update(jws).digest());

/** A path runs from the leaf's sibling up to the root's child, so its last hash is the other half of the whole tree. */
function rootFrom(index: number, size: number, leaf: Uint8Array, path: readonly Uint8Array[]): Buffer | undefined {
  if (index < 0 || index >= size) return undefined;
  if (size === 1) return path.length === 0 ? Buffer.from(leaf) : undefined;
  const half = largestPowerBelow(size);
  const other = path.at(-1);
  const isLeft = index < half;
  const own = isLeft
    ? rootFrom(index, half, leaf, path.slice(0, -1))
    : rootFrom(index - half, size - half, leaf, path.slice(0, -1));
  if (other === undefined || own === undefined) return undefined;
  return isLeft ? sha256([0x01], own, other) : sha256([0x01], other, own);
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function sha256(domain: readonly number[], ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256").update(Uint8Array.from(domain));
  for (const part of parts) hash.update(part);
  return hash.digest();
}
