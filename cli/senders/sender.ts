/**
 * How a vendor signs and sends what it tells us, for `quittance send` and for the contract test. Nothing here uses the
 * gateway's own code: a mistake there must not be repeated here.
 */
export type Occasion = {
  /** The subprocessor's settings, with their secrets; of several values the newest. */
  readonly settings: Readonly<Record<string, string>>;
  /** The vendor's clock, in epoch milliseconds. */
  readonly at: number;
  /** Makes this delivery's ids unlike those of another. */
  readonly seed: string;
  /** Whom it concerns, by the vendor's own id; plainly invented where nobody is named. */
  readonly person: string;
  /** Where it is sent to, as it was registered with the vendor. */
  readonly url: string;
  /** Signs a JSON Web Token as a vendor with published keys would. */
  readonly token: (claims: Readonly<Record<string, unknown>>, header?: { readonly typ?: string }) => Promise<string>;
  /** Signs as a vendor with a published certificate would: RSASSA-PKCS1-v1_5, in base64. */
  readonly sign: (text: string, hash: "SHA-1" | "SHA-256") => Promise<string>;
};

export type Made = {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What stands in the query of the address that was registered, where a secret does. */
  readonly query?: Readonly<Record<string, string>>;
};

export type SampleEvent = {
  /** The id that is used where nobody is named. */
  readonly person: string;
  readonly make: (occasion: Occasion) => Promise<Made>;
};

/** By endpoint, and by the vendor's name of the event. */
export type Sender = Readonly<Record<string, Readonly<Record<string, SampleEvent>>>>;

const encoder = new TextEncoder();

/** The newest value of a setting that the vendor needs to sign with. */
export function setting({ settings }: Pick<Occasion, "settings">, name: string): string {
  const value = settings[name];
  if (value === undefined || value === "") throw new MissingSetting(name);
  return value;
}

export class MissingSetting extends Error {
  override readonly name = "MissingSetting";
  constructor(setting: string) {
    super(`the subprocessor has no ${setting}`);
  }
}

/** RFC 2104, with the key as its text or as bytes. */
export async function hmac(
  hash: "SHA-1" | "SHA-256",
  key: string | Uint8Array<ArrayBuffer>,
  text: string,
): Promise<Uint8Array> {
  const bytes = typeof key === "string" ? new Uint8Array(encoder.encode(key)) : key;
  const imported = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const base64url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export const seconds = ({ at }: Pick<Occasion, "at">): number => Math.floor(at / 1000);

export const json = (body: unknown, headers: Readonly<Record<string, string>>): Made => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

/** ECDSA as it travels (RFC 3279 section 2.2.3): two integers as a DER sequence, each without leading zeroes and with one before a first bit that is set. */
export function der(raw: Uint8Array): Uint8Array {
  const integers = [raw.subarray(0, 32), raw.subarray(32)].map((half) => {
    const start = half.findIndex((byte) => byte !== 0);
    const digits = [...half.subarray(start)];
    const padded = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits;
    return [0x02, padded.length, ...padded];
  });
  const content = integers.flat();
  return Uint8Array.from([0x30, content.length, ...content]);
}
