import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isIncluded, leafOf } from "../../cli/inclusion.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** The reference tree of Certificate Transparency: eight entries and the root over them. */
const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const leaves = entries.map((entry) => createHash("sha256").update(Buffer.of(0)).update(hex(entry)).digest());
const root = hex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

/** The audit path of its sixth entry, as published with it. */
const path = [
  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
].map(hex);
const leaf = leaves[5] ?? Buffer.alloc(0);

describe("inclusion in the log", () => {
  it("knows the answers of Certificate Transparency's reference tree", () => {
    expect(leaves[0]?.toString("hex")).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    expect(isIncluded(0, 1, leaves[0] ?? leaf, [], leaves[0] ?? root)).toBe(true);
    expect(isIncluded(5, 8, leaf, path, root)).toBe(true);
  });

  it("fails with any bit of path, leaf or root changed", () => {
    const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at === 7 ? byte ^ 4 : byte)));
    expect(isIncluded(5, 8, flipped(leaf), path, root)).toBe(false);
    expect(isIncluded(5, 8, leaf, path, flipped(root))).toBe(false);
    path.forEach((_, at) => {
      expect(
        isIncluded(
          5,
          8,
          leaf,
          path.map((each, index) => (index === at ? flipped(each) : each)),
          root,
        ),
      ).toBe(false);
    });
  });

  it("fails at another index, beyond the tree, and in a tree whose path would be longer or shorter", () => {
    for (const index of [-1, 0, 1, 2, 3, 4, 6, 7, 8, 9, 13]) expect(isIncluded(index, 8, leaf, path, root)).toBe(false);
    for (const size of [0, 1, 2, 3, 4, 5, 9, 16, 2 ** 52]) expect(isIncluded(5, size, leaf, path, root)).toBe(false);
  });

  it("takes as a leaf's data the SHA-256 of the signed text", () => {
    const data = createHash("sha256").update("a.b.c").digest();
    expect(leafOf("a.b.c")).toEqual(createHash("sha256").update(Buffer.of(0)).update(data).digest());
  });
});
