import { randomBytes } from "node:crypto";
import type { Verification } from "../src/contract/verification.ts";
import { fail, ok, type Result } from "../src/result.ts";
import type { KnownEvent } from "./events.ts";
import type { Asked } from "./send-option.ts";
import { VENDOR_KEY_FILE, type VendorKey, vendorKeyOf } from "./senders/keys.ts";
import { type Made, MissingSetting } from "./senders/sender.ts";
import { object, parseJson, text } from "./shape.ts";
import { readText } from "./source.ts";
import type { Target } from "./target.ts";
import type { Terminal } from "./terminal.ts";

export type Delivery = Made & { readonly seed: string; readonly at: number; readonly url: string };

/** Makes each delivery as its vendor would; refused where something that it signs with is missing. */
export async function made(
  terminal: Terminal,
  known: KnownEvent,
  target: Target,
  options: Asked,
): Promise<Result<readonly Delivery[], string>> {
  const { integration, endpoint, sample } = known;
  const seed = options.seed ?? randomBytes(6).toString("hex");
  const at = options.at ?? timeOf(known, options.seed);
  const path = [target.tenant, target.subprocessor, endpoint].map(encodeURIComponent).join("/");
  const address = new URL(`/hooks/${path}`, target.gateway);
  const key = lazyKey(terminal, target.vendorKeyFile);
  const deliveries: Delivery[] = [];
  try {
    for (let nth = 1; nth <= options.count; nth++) {
      const own = options.count === 1 ? seed : `${seed}-${nth}`;
      const signed = await sample.make({
        settings: target.settings,
        at,
        seed: own,
        person: options.person ?? sample.person,
        url: address.href,
        token: async (claims, header) => (await key()).token(claims, header),
        sign: async (text, hash) => (await key()).sign(text, hash),
      });
      const url = new URL(address);
      for (const [name, value] of Object.entries(signed.query ?? {})) url.searchParams.set(name, value);
      deliveries.push({ ...signed, seed: own, at, url: url.href });
    }
    return ok(deliveries);
  } catch (error) {
    if (error instanceof MissingSetting)
      return fail(
        `${error.message}, with which ${integration.name} signs${target.vendorKeyFile === undefined ? ": --setting-env NAME=VARIABLE gives it" : ""}`,
      );
    if (error instanceof NoVendorKey) return fail(error.message);
    // A key of another form than the vendor's: the platform says so in many ways, and some repeat the key.
    if (error instanceof Error)
      return fail(`these settings do not make a delivery of ${integration.name} (${error.name})`);
    throw error;
  }
}

/**
 * When it happened, where nobody says so: now; with a seed of somebody's own, the beginning of the hour, or of half the window
 * in which the vendor's signature is taken, so that the same seed makes the same delivery for a while.
 */
function timeOf({ hook: { verify } }: KnownEvent, seed: string | undefined): number {
  const now = Date.now();
  if (seed === undefined) return now;
  const seconds =
    "withinSeconds" in verify ? verify.withinSeconds : "fresh" in verify ? verify.fresh?.withinSeconds : 0;
  const period = Math.min(3600, seconds ? Math.floor(seconds / 2) : 3600) * 1000;
  return now - (now % period);
}

class NoVendorKey extends Error {
  override readonly name = "NoVendorKey";
}

/** Stands for a vendor's private key; read when a vendor signs with one. */
function lazyKey(terminal: Terminal, file: string | undefined): () => Promise<VendorKey> {
  let key: Promise<VendorKey> | undefined;
  return () => {
    key ??= vendorKeyIn(terminal, file ?? VENDOR_KEY_FILE);
    return key;
  };
}

const PrivateKey = object({ kty: text, n: text, e: text, d: text, p: text, q: text, dp: text, dq: text, qi: text });

async function vendorKeyIn(terminal: Terminal, path: string): Promise<VendorKey> {
  const source = await readText(terminal, { at: "file", path });
  if (!source.ok)
    throw new NoVendorKey(`${source.problem}: it stands for the vendor's own key, and npm start makes it`);
  const parsed = parseJson(source.value, path);
  const key = parsed.ok ? PrivateKey(parsed.value, path) : parsed;
  if (!key.ok) throw new NoVendorKey(key.problem);
  return vendorKeyOf(key.value);
}

/** Schemes whose key the vendor shares with the tenant, so that whoever has the settings can sign. */
const SHARED: ReadonlySet<Verification["scheme"]> = new Set([
  "signed-request",
  "stripe",
  "hmac",
  "standard-webhooks",
  "shared-secret",
]);

/** Whether a delivery can be signed with what the tenant knows. */
export const isShared = ({ scheme }: Verification): boolean => SHARED.has(scheme);
