import { describe, expect, it } from "vitest";
import { type Hash256, inclusionProof, leafHash, rootOf, verifyInclusion } from "../../src/request/log.ts";

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const hex = (hash: Hash256) => Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
const leaves = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => leafHash(new TextEncoder().encode(`receipt ${index}`))));
const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new RangeError(`nothing at ${index}`);
  return found;
};

/** The reference trees of Certificate Transparency, from transparency-dev/merkle (proof/verify_test.go). */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const PROOFS = [
  { index: 0, size: 1, proof: [] },
  {
    index: 0,
    size: 8,
    proof: [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  },
  {
    index: 5,
    size: 8,
    proof: [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  },
  { index: 2, size: 3, proof: ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
  {
    index: 1,
    size: 5,
    proof: [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  },
];

describe("known answers", () => {
  it("hashes a leaf as RFC 6962's test data has it", async () => {
    expect(hex(await leafHash(new TextEncoder().encode("L123456")))).toBe(
      "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56",
    );
    expect(hex(await leafHash(new Uint8Array(0)))).toBe(at(ROOTS, 1));
  });

  it.each(ROOTS.map((root, size) => ({ root, size })))("finds the root of $size leaves", async ({ root, size }) => {
    const hashes = await Promise.all(LEAVES.slice(0, size).map((leaf) => leafHash(bytes(leaf))));
    expect(hex(await rootOf(hashes))).toBe(root);
  });

  it.each(PROOFS)("proves leaf $index of $size", async ({ index, size, proof }) => {
    const hashes = await Promise.all(LEAVES.slice(0, size).map((leaf) => leafHash(bytes(leaf))));
    expect((await inclusionProof(index, hashes)).map(hex)).toEqual(proof);
    const root = bytes(at(ROOTS, size));
    expect(await verifyInclusion(index, size, at(hashes, index), proof.map(bytes), root)).toBe(true);
  });

  it.each(PROOFS)("refuses what the reference refuses about leaf $index of $size", async ({ index, size, proof }) => {
    const leaf = await leafHash(bytes(at(LEAVES, index)));
    const root = bytes(at(ROOTS, size));
    const path = proof.map(bytes);
    const some = bytes("abacaba000000000000000000000000000000000000000000060061e00123456");
    const wrong: readonly (readonly [string, number, number, Hash256, readonly Hash256[], Hash256])[] = [
      ["the index before", index - 1, size, leaf, path, root],
      ["the index after", index + 1, size, leaf, path, root],
      ["the index across", index ^ 2, size, leaf, path, root],
      ["twice the size", index, size * 2, leaf, path, root],
      ["half the size", index, Math.floor(size / 2), leaf, path, root],
      ["no size", index, 0, leaf, path, root],
      ["another leaf", index, size, new TextEncoder().encode("WrongLeaf"), path, root],
      ["no leaf", index, size, new Uint8Array(0), path, root],
      ["the root of nothing", index, size, leaf, path, bytes(at(ROOTS, 0))],
      ["another root", index, size, leaf, path, some],
      ["no root", index, size, leaf, path, new Uint8Array(0)],
      ["neither leaf nor root", index, size, new Uint8Array(0), path, new Uint8Array(0)],
      ["rubbish after", index, size, leaf, [...path, new Uint8Array(0)], root],
      ["the root after", index, size, leaf, [...path, root], root],
      ["rubbish before", index, size, leaf, [new Uint8Array(0), ...path], root],
      ["the root before", index, size, leaf, [root, ...path], root],
      ...path.map((_, changed) => {
        const odd = path.map((hash, nth) =>
          nth === changed ? Uint8Array.from(hash, (b, i) => (i === 0 ? b ^ 8 : b)) : hash,
        );
        return [`a bit of hash ${changed}`, index, size, leaf, odd, root] as const;
      }),
      ...(path.length > 0 ? [["one hash less", index, size, leaf, path.slice(0, -1), root] as const] : []),
      ...(path.length > 1
        ? [["one hash inside", index, size, leaf, [at(path, 0), some, ...path.slice(1)], root] as const]
        : []),
    ];
    for (const [what, i, n, l, p, r] of wrong) expect(await verifyInclusion(i, n, l, p, r), what).toBe(false);
  });
});

describe("against the definition of RFC 9162, written down naively", () => {
  // Web Crypto's promises would take most of the time; the definition needs each node's hash once.
  const known = new Map<string, Promise<Hash256>>();
  const node = (left: Hash256, right: Hash256): Promise<Hash256> => {
    const text = `${hex(left)}${hex(right)}`;
    const made =
      known.get(text) ??
      crypto.subtle.digest("SHA-256", Uint8Array.from([1, ...left, ...right])).then((hash) => new Uint8Array(hash));
    known.set(text, made);
    return made;
  };
  const largestPowerBelow = (n: number): number => {
    let k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  };
  const mth = async (d: readonly Hash256[]): Promise<Hash256> => {
    if (d.length === 0) return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(0)));
    if (d.length === 1) return at(d, 0);
    const k = largestPowerBelow(d.length);
    return node(await mth(d.slice(0, k)), await mth(d.slice(k)));
  };

  it("finds the same root for every size up to 300", async () => {
    const all = await leaves(300);
    for (let size = 0; size <= 300; size++)
      expect(hex(await rootOf(all.slice(0, size))), `size ${size}`).toBe(hex(await mth(all.slice(0, size))));
  });

  it("proves every leaf of every size up to 64, and of some larger ones", async () => {
    const all = await leaves(300);
    const sizes = [...Array.from({ length: 64 }, (_, index) => index + 1), 127, 128, 129, 255, 256, 257, 300];
    for (const size of sizes) {
      const tree = all.slice(0, size);
      const root = await mth(tree);
      const step = size <= 64 ? 1 : 17;
      for (let index = 0; index < size; index += step) {
        const proof = await inclusionProof(index, tree);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
        expect(await verifyInclusion(index, size, at(tree, index), proof, root), `${index} of ${size}`).toBe(true);
      }
    }
  });

  it("refuses a proof with one hash more or less, of another leaf, or of another size", async () => {
    const all = await leaves(40);
    for (const size of [1, 2, 3, 5, 7, 8, 9, 16, 33, 40]) {
      const tree = all.slice(0, size);
      const root = await mth(tree);
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, tree);
        const leaf = at(tree, index);
        expect(await verifyInclusion(index, size, leaf, [...proof, leaf], root)).toBe(false);
        expect(await verifyInclusion(index, size, leaf, [leaf, ...proof], root)).toBe(false);
        if (proof.length > 0) {
          expect(await verifyInclusion(index, size, leaf, proof.slice(1), root)).toBe(false);
          expect(await verifyInclusion(index, size, leaf, proof.slice(0, -1), root)).toBe(false);
        }
        for (let other = 0; other < size; other++)
          if (other !== index) expect(await verifyInclusion(other, size, leaf, proof, root)).toBe(false);
        expect(await verifyInclusion(index, index, leaf, proof, root)).toBe(false);
        expect(await verifyInclusion(index, 0, leaf, proof, root)).toBe(false);
      }
    }
  });

  it("lets no inner node pass for a leaf", async () => {
    const [a, b, c, d] = await leaves(4);
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new RangeError("four leaves");
    const root = await rootOf([a, b, c, d]);
    const inner = new Uint8Array([...a, ...b]);
    expect(await verifyInclusion(0, 2, await leafHash(inner), [await node(c, d)], root)).toBe(false);
  });
});

describe("an index that is none", () => {
  it.each([-1, -8, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", async (index) => {
    const tree = await leaves(8);
    const proof = await inclusionProof(0, tree);
    expect(await verifyInclusion(index, 8, at(tree, 0), proof, await rootOf(tree))).toBe(false);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("refuses %d for a size", async (size) => {
    const [leaf] = await leaves(1);
    if (leaf === undefined) throw new RangeError("one leaf");
    expect(await verifyInclusion(0, size, leaf, [], leaf)).toBe(false);
  });

  it("refuses what is no hash, even where leaf and root agree", async () => {
    for (const length of [0, 31, 33, 64]) {
      const odd = new Uint8Array(length);
      expect(await verifyInclusion(0, 1, odd, [], odd)).toBe(false);
    }
  });
});
