import fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import { type Identity, normalise, sameIdentity } from "../../src/contract/identity.ts";
import { createVault, type MasterKey } from "../../src/platform/vault.ts";
import { CannotOpen } from "../../src/ports.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
const master = (id: string): MasterKey => ({ id, bytes: random(32) });
const first = master("m1");
const second = master("m2");
const vault = createVault([first], random);
const tenant = async (number: string) => vault.tenant(number, await vault.newTenant(number));
const ada = { type: "email", value: "ada@example.com" };

/** The same sealed text with one bit of one part changed. */
function spoiled(sealed: string, part: 1 | 2, at: number): string {
  const parts = sealed.split(".");
  const bytes = Uint8Array.from(base64url.decode(parts[part] ?? ""));
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  parts[part] = base64url.encode(bytes);
  return parts.join(".");
}

describe("sealing", () => {
  it("opens what was sealed, in its place, with its key", async () => {
    const keys = await tenant("1");
    const { key } = await keys.newKey("request a");
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string(), async (text, place) => {
        expect(await key.open(place, await key.seal(place, text))).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it("[I7] shows nothing of the text, and never the same twice", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const [one, two] = await Promise.all([key.seal("place", "ada@example.com"), key.seal("place", "ada@example.com")]);
    expect(one).toMatch(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(one).not.toBe(two);
    expect(one).not.toContain(base64url.encode("ada@example.com"));
  });

  it("[I7] opens nothing in another place, such as another request's or another field's", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const sealed = await key.seal("request a order mail.erase", "text");
    for (const place of ["request b order mail.erase", "request a cursor mail.erase", "request a order mail.eras", ""])
      await expect(key.open(place, sealed)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens nothing with another key, even of the same name", async () => {
    const keys = await tenant("1");
    const [one, two] = await Promise.all([keys.newKey("request a"), keys.newKey("request a")]);
    await expect(two.key.open("place", await one.key.seal("place", "text"))).rejects.toBeInstanceOf(CannotOpen);
  });

  it("[I6] opens nothing of another tenant, even with the very same keys", async () => {
    const wrapped = await vault.newTenant("1");
    const one = await vault.tenant("1", wrapped);
    await expect(vault.tenant("2", wrapped)).rejects.toBeInstanceOf(CannotOpen);
    const two = await tenant("2");
    const { wrapped: key } = await one.newKey("request a");
    await expect(two.unwrap("request a", key)).rejects.toBeInstanceOf(CannotOpen);
    await expect(two.openSetting("place", await one.sealSetting("place", "sk_1"))).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens nothing that was changed: iv, text or tag", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const sealed = await key.seal("place", "a text of some length");
    for (const changed of [
      spoiled(sealed, 1, 0),
      spoiled(sealed, 1, -1),
      spoiled(sealed, 2, 0),
      spoiled(sealed, 2, -16),
      spoiled(sealed, 2, -1),
    ])
      await expect(key.open("place", changed)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens nothing whose tag was cut short, by however much", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const [version, iv, text = ""] = (await key.seal("place", "text")).split(".");
    const bytes = base64url.decode(text);
    for (let cut = 1; cut <= bytes.length; cut++)
      await expect(
        key.open("place", `${version}.${iv}.${base64url.encode(bytes.subarray(0, bytes.length - cut))}`),
        `${cut} bytes less`,
      ).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens no text whose parts come from two", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const [one, two] = (await Promise.all([key.seal("place", "one"), key.seal("place", "two")])).map((sealed) =>
      sealed.split("."),
    );
    await expect(key.open("place", `v1.${one?.[1]}.${two?.[2]}`)).rejects.toBeInstanceOf(CannotOpen);
  });

  it.each([
    "",
    ".",
    "..",
    "v1",
    "v1.",
    "v1..",
    "v1.AAAA",
    "v2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
    "v1.!.!",
    "null",
    "{}",
  ])("says only that %j does not open", async (text) => {
    const { key } = await (await tenant("1")).newKey("request a");
    await expect(key.open("place", text)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("[I7] names neither place nor text in its errors", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const sealed = await key.seal("place of ada@example.com", "text of ada@example.com");
    const error: unknown = await key.open("elsewhere", sealed).catch((reason: unknown) => reason);
    expect(String(error)).not.toContain("ada");
  });

  it("takes a new iv for each of ten thousand texts", async () => {
    const { key } = await (await tenant("1")).newKey("request a");
    const sealed = await Promise.all(Array.from({ length: 10_000 }, () => key.seal("place", "x")));
    expect(new Set(sealed.map((text) => text.split(".")[1])).size).toBe(10_000);
  });
});

describe("keys within keys", () => {
  it("unwraps a key where it belongs, and opens what it sealed", async () => {
    const keys = await tenant("1");
    const { key, wrapped } = await keys.newKey("subject s1");
    const sealed = await key.seal("place", "text");
    expect(await (await keys.unwrap("subject s1", wrapped)).open("place", sealed)).toBe("text");
    await expect(keys.unwrap("subject s2", wrapped)).rejects.toBeInstanceOf(CannotOpen);
    await expect(keys.unwrap("residue s1", wrapped)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens settings in their place only, and not as keys", async () => {
    const keys = await tenant("1");
    const sealed = await keys.sealSetting("shop secretKey", "sk_1");
    expect(await keys.openSetting("shop secretKey", sealed)).toBe("sk_1");
    await expect(keys.openSetting("shop webhookSecret", sealed)).rejects.toBeInstanceOf(CannotOpen);
    await expect(keys.unwrap("shop secretKey", sealed)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("gives the same tenant keys from the same wrapped root", async () => {
    const wrapped = await vault.newTenant("7");
    const [one, two] = await Promise.all([vault.tenant("7", wrapped), vault.tenant("7", wrapped)]);
    expect(await one.pseudonym("index", ada)).toBe(await two.pseudonym("index", ada));
    expect(await two.openSetting("place", await one.sealSetting("place", "x"))).toBe("x");
  });

  it("gives every new tenant a root of its own, even under the same number", async () => {
    const [one, two] = await Promise.all([tenant("1"), tenant("1")]);
    expect(await one.pseudonym("index", ada)).not.toBe(await two.pseudonym("index", ada));
  });
});

describe("rotating the master key", () => {
  it("opens a tenant wrapped by an older key, and wraps new ones by the newest", async () => {
    const wrapped = await vault.newTenant("1");
    const rotated = createVault([second, first], random);
    const old = await vault.tenant("1", wrapped);
    expect(await (await rotated.tenant("1", wrapped)).pseudonym("index", ada)).toBe(await old.pseudonym("index", ada));
    expect((await rotated.newTenant("2")).startsWith("m2~")).toBe(true);
    expect(wrapped.startsWith("m1~")).toBe(true);
  });

  it("knows its own marks, those of an older key too, and none that is made up or for something else", async () => {
    const mark = await vault.mark("state", "11text");
    expect(mark).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const rotated = createVault([second, first], random);
    for (const each of [vault, rotated]) expect(await each.isMarked("state", "11text", mark)).toBe(true);
    expect(await rotated.mark("state", "11text")).not.toBe(mark);
    expect(await vault.isMarked("ticket", "11text", mark)).toBe(false);
    expect(await vault.isMarked("state", "12text", mark)).toBe(false);
    expect(await createVault([second], random).isMarked("state", "11text", mark)).toBe(false);
    expect(await createVault([master("m1")], random).isMarked("state", "11text", mark)).toBe(false);
    const last = mark.slice(-1);
    // Another spelling of the same bits is another text.
    const alike = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      .split("")
      .filter((x) => x !== last);
    for (const other of ["", mark.slice(1), `${mark}A`, ...alike.map((each) => mark.slice(0, -1) + each)])
      expect(await vault.isMarked("state", "11text", other), other).toBe(false);
  });

  it("opens nothing once the key is gone, or is another of the same name", async () => {
    const wrapped = await vault.newTenant("1");
    await expect(createVault([second], random).tenant("1", wrapped)).rejects.toBeInstanceOf(CannotOpen);
    await expect(createVault([master("m1")], random).tenant("1", wrapped)).rejects.toBeInstanceOf(CannotOpen);
  });

  it("opens nothing under another key's name", async () => {
    const wrapped = await vault.newTenant("1");
    const same = createVault([first, { ...first, id: "m2" }], random);
    await expect(same.tenant("1", wrapped.replace("m1~", "m2~"))).rejects.toBeInstanceOf(CannotOpen);
  });

  it("makes no tenant without a master key", async () => {
    await expect(createVault([], random).newTenant("1")).rejects.toBeInstanceOf(CannotOpen);
    await expect(vault.tenant("1", "rubbish")).rejects.toBeInstanceOf(CannotOpen);
  });
});

describe("pseudonyms", () => {
  it("[I7] are 128 bits that say nothing of the identity, and the same each time", async () => {
    const keys = await tenant("1");
    const pseudonym = await keys.pseudonym("index", ada);
    expect(pseudonym).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(await keys.pseudonym("index", ada)).toBe(pseudonym);
  });

  it("come two at once, each the same as alone", async () => {
    const keys = await tenant("1");
    const [index, suppression] = [await keys.pseudonym("index", ada), await keys.pseudonym("suppression", ada)];
    expect(await keys.pseudonyms(ada)).toEqual({ index, suppression });
  });

  it("[I6] differ by tenant, purpose, type and value", async () => {
    const [one, two] = await Promise.all([tenant("1"), tenant("2")]);
    const all = await Promise.all([
      one.pseudonym("index", ada),
      one.pseudonym("suppression", ada),
      two.pseudonym("index", ada),
      two.pseudonym("suppression", ada),
      one.pseudonym("index", { ...ada, type: "user_id" }),
      one.pseudonym("index", { ...ada, value: "grace@example.com" }),
    ]);
    expect(new Set(all).size).toBe(all.length);
  });

  it("cannot be confused by moving the border between type and value", async () => {
    const keys = await tenant("1");
    expect(await keys.pseudonym("index", { type: "a", value: "bc" })).not.toBe(
      await keys.pseudonym("index", { type: "ab", value: "c" }),
    );
  });

  it("are those of the normalised identity", async () => {
    const keys = await tenant("1");
    expect(await keys.pseudonym("index", { type: "email", value: " ADA@Example.com\n" })).toBe(
      await keys.pseudonym("index", ada),
    );
  });
});

describe("derived ids", () => {
  it("are 160 bits in lower-case base 32, and differ by purpose, text and tenant", async () => {
    const [one, two] = await Promise.all([tenant("1"), tenant("2")]);
    const all = await Promise.all([
      one.derive("request", "a"),
      one.derive("status", "a"),
      one.derive("subject", "a"),
      one.derive("receipt", "a"),
      one.derive("request", "b"),
      two.derive("request", "a"),
    ]);
    for (const id of all) expect(id).toMatch(/^[a-z2-7]{32}$/);
    expect(new Set(all).size).toBe(all.length);
    expect(await one.derive("request", "a")).toBe(all[0]);
  });
});

describe("the spelling under which an identity is indexed", () => {
  it.each<readonly [string, string, string]>([
    ["email", " Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"],
    ["email", "ada+news@example.com", "ada+news@example.com"],
    ["email", "U\u0308ber@example.com", "über@example.com"],
    ["email", "\u00DCber@example.com", "über@example.com"],
    ["handle", "@AdaLovelace", "adalovelace"],
    ["handle", "adalovelace", "adalovelace"],
    ["phone", "+44 (20) 7946-0000", "+442079460000"],
    ["phone", "+44.20.7946.0000", "+442079460000"],
    ["user_id", " Ada ", "Ada"],
    ["did", "did:plc:Abc", "did:plc:Abc"],
    ["stripe.customer", "cus_AbC", "cus_AbC"],
  ])("of %s %j is %j", (type, value, spelled) => {
    expect(normalise({ type, value })).toEqual({ type, value: spelled });
  });

  // The characters that spelling is about, and some that it is not.
  const SPELLINGS = fc.constantFrom(
    "a",
    "A",
    "@",
    " ",
    "+",
    "-",
    "(",
    ".",
    "\u0308",
    "\u00DC",
    "\u0130",
    "\u0000",
    "\u{1F600}",
  );

  it("stays the same when it is spelled again", () => {
    const type = fc.constantFrom("email", "phone", "handle", "user_id", "stripe.customer");
    fc.assert(
      fc.property(type, fc.string({ unit: SPELLINGS }), (kind, value) => {
        const once: Identity = normalise({ type: kind, value });
        expect(normalise(once)).toEqual(once);
      }),
      { numRuns: 1000 },
    );
  });

  it("tells identities apart by type and by value", () => {
    expect(sameIdentity(ada, { ...ada })).toBe(true);
    expect(sameIdentity(ada, { ...ada, type: "handle" })).toBe(false);
    expect(sameIdentity(ada, { ...ada, value: "x" })).toBe(false);
  });
});
