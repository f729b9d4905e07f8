import { base64url } from "jose";
import { type Identity, normalise } from "../contract/identity.ts";
import { strictBase64url } from "../intake/schemes/bytes.ts";
import { CannotOpen, type SealingKey, type TenantKeys, type Vault } from "../ports.ts";

export type MasterKey = { readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `masters` newest first: the first wraps, all unwrap. */
export function createVault(masters: readonly MasterKey[], random: (bytes: number) => Uint8Array<ArrayBuffer>): Vault {
  const master = async (id: string): Promise<CryptoKey | undefined> => {
    const found = masters.find((each) => each.id === id);
    return found === undefined ? undefined : aesKey(found.bytes);
  };

  // Values are kept and never promises: a promise belongs to the invocation that made it.
  let markers: readonly CryptoKey[] | undefined;
  const markersNow = async (): Promise<readonly CryptoKey[]> => {
    markers ??= await Promise.all(masters.map(({ bytes }) => markerOf(bytes)));
    return markers;
  };

  return {
    mark: async (purpose, text) => {
      const [newest] = await markersNow();
      if (newest === undefined) throw new CannotOpen("there is no master key");
      return base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", newest, marked(purpose, text))));
    },
    isMarked: async (purpose, text, mark) => {
      const bytes = strictBase64url(mark);
      if (bytes === undefined) return false;
      const keys = await markersNow();
      const fits = await Promise.all(
        keys.map((key) => crypto.subtle.verify("HMAC", key, bytes, marked(purpose, text))),
      );
      return fits.includes(true);
    },
    newTenant: async (number) => {
      const newest = masters[0]?.id ?? "";
      const key = await master(newest);
      if (key === undefined) throw new CannotOpen("there is no master key");
      return `${newest}~${await sealBytes(key, `tenant ${number} ${newest}`, random(32), random)}`;
    },
    tenant: async (number, wrapped) => {
      const [id = "", sealed = ""] = wrapped.split("~");
      const key = await master(id);
      if (key === undefined) throw new CannotOpen("the master key of this tenant is not configured");
      const root = await openBytes(key, `tenant ${number} ${id}`, sealed);
      return tenantKeys(number, root, random);
    },
  };
}

/** A key of its own beside the one that wraps, so that nothing made with the one says anything of the other. RFC 5869 */
async function markerOf(master: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", master, "HKDF", false, ["deriveKey"]);
  const info = encoder.encode("quittance mark v1");
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  const kind = { name: "HMAC", hash: "SHA-256", length: 256 };
  return crypto.subtle.deriveKey(derivation, base, kind, false, ["sign", "verify"]);
}

const marked = (purpose: string, text: string) => encoder.encode(`${purpose}\u0000${text}`);

async function tenantKeys(
  number: string,
  root: Uint8Array<ArrayBuffer>,
  random: (bytes: number) => Uint8Array<ArrayBuffer>,
): Promise<TenantKeys> {
  const base = await crypto.subtle.importKey("raw", root, "HKDF", false, ["deriveBits"]);
  const derived = async (purpose: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(
      await crypto.subtle.deriveBits(
        { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode(`quittance ${purpose} v1`) },
        base,
        256,
      ),
    );
  const hmac = async (purpose: string) =>
    crypto.subtle.importKey("raw", await derived(purpose), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const [pseudonym, request, status, subject, receipt, account, delivery, settings, wrap] = await Promise.all([
    hmac("pseudonym"),
    hmac("request id"),
    hmac("status code"),
    hmac("subject id"),
    hmac("receipt salt"),
    hmac("vendor account"),
    hmac("delivery id"),
    derived("settings").then(aesKey),
    derived("wrap").then(aesKey),
  ]);
  const hmacs = { pseudonym, request, status, subject, receipt, account, delivery };
  const sign = async (purpose: keyof typeof hmacs, text: string) =>
    new Uint8Array(await crypto.subtle.sign("HMAC", hmacs[purpose], encoder.encode(text)));
  const place = (what: string) => `${number} ${what}`;
  // Neither half of an HMAC tells anything of the other, so one makes both.
  const pseudonyms = async (identity: Identity) => {
    const { type, value } = normalise(identity);
    const bytes = await sign("pseudonym", `${type}\u0000${value}`);
    return { index: base64url.encode(bytes.subarray(0, 16)), suppression: base64url.encode(bytes.subarray(16)) };
  };

  return {
    pseudonyms,
    pseudonym: async (purpose, identity) => (await pseudonyms(identity))[purpose],
    derive: async (purpose, text) => base32((await sign(purpose, text)).subarray(0, 20)),
    sealSetting: (what, text) => sealBytes(settings, place(what), encoder.encode(text), random),
    openSetting: async (what, sealed) => decoder.decode(await openBytes(settings, place(what), sealed)),
    newKey: async (what) => {
      const bytes = random(32);
      const [key, wrapped] = await Promise.all([aesKey(bytes), sealBytes(wrap, place(`key ${what}`), bytes, random)]);
      return { key: sealingKey(key, number, random), wrapped };
    },
    unwrap: async (what, wrapped) =>
      sealingKey(await aesKey(await openBytes(wrap, place(`key ${what}`), wrapped)), number, random),
  };
}

const sealingKey = (
  key: CryptoKey,
  number: string,
  random: (bytes: number) => Uint8Array<ArrayBuffer>,
): SealingKey => ({
  seal: (place, text) => sealBytes(key, `${number} ${place}`, encoder.encode(text), random),
  open: async (place, sealed) => decoder.decode(await openBytes(key, `${number} ${place}`, sealed)),
});

const aesKey = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

async function sealBytes(
  key: CryptoKey,
  place: string,
  bytes: BufferSource,
  random: (bytes: number) => Uint8Array<ArrayBuffer>,
): Promise<string> {
  const iv = random(12);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: encoder.encode(place) },
    key,
    bytes,
  );
  return `v1.${base64url.encode(iv)}.${base64url.encode(new Uint8Array(sealed))}`;
}

async function openBytes(key: CryptoKey, place: string, sealed: string): Promise<Uint8Array<ArrayBuffer>> {
  const [version, iv, text] = sealed.split(".");
  if (version !== "v1" || iv === undefined || text === undefined) throw new CannotOpen("not a sealed text");
  try {
    const additionalData = encoder.encode(place);
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: new Uint8Array(base64url.decode(iv)), additionalData },
      key,
      new Uint8Array(base64url.decode(text)),
    );
    return new Uint8Array(opened);
  } catch (error) {
    // Web Crypto throws OperationError for every failed check, and nothing else is expected here.
    throw new CannotOpen("sealed text does not open here", { cause: error });
  }
}

/** RFC 4648 section 6, lower case and unpadded. */
function base32(bytes: Uint8Array<ArrayBuffer>): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += "abcdefghijklmnopqrstuvwxyz234567"[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return text;
}
