import type { Proven } from "../../src/contract/signal.ts";
import type { Verification } from "../../src/contract/verification.ts";
import { importCertificate } from "../../src/intake/schemes/certificate.ts";
import { importKey } from "../../src/intake/schemes/key.ts";
import type { Delivery, Means, Verified } from "../../src/intake/schemes/scheme.ts";
import { verify } from "../../src/intake/verify.ts";
import { fail } from "../../src/result.ts";

const encoder = new TextEncoder();

export const bytes = (text: string | Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(typeof text === "string" ? encoder.encode(text) : text);

/** Text that stands for a proven one where only its reader is asked. */
export const proven = (text: string, headers: Readonly<Record<string, string>> = {}, receivedAt = 0): Proven =>
  // What a scheme alone may make; a reader cannot tell.
  ({
    text,
    signed: (name: string) => headers[name],
    claimed: (name: string) => headers[name],
    covers: Object.keys(headers),
    receivedAt,
  }) as unknown as Proven;

export type Posted = Partial<Omit<Delivery, "body" | "header">> & {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Verifies a delivery with these settings, each with its values, and these published keys. */
export const checked = (
  scheme: Verification,
  { body = "", headers = {}, method = "POST", url = "https://gateway.example.com/hooks/acme/vendor" }: Posted,
  settings: Readonly<Record<string, string | readonly string[]>>,
  { now = 0, keySets = nothingPublished }: Partial<Pick<Means, "now" | "keySets">> = {},
): Promise<Verified> =>
  verify(
    scheme,
    { method, url, body: bytes(body), header: (name) => headers[name.toLowerCase()] },
    {
      values: async (setting) => [settings[setting] ?? []].flat(),
      key: importKey,
      certificate: importCertificate,
      keySets,
      now,
    },
  );

const nothingPublished: Means["keySets"] = { keys: async () => undefined, text: async () => fail("unavailable") };
