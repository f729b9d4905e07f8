import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { newVendorKey, VENDOR_KEY_FILE, type VendorKey, vendorKeyOf } from "../cli/senders/keys.ts";
import type { Secrets } from "./gateway.ts";

/** Keys for this checkout only: they carry `dev_`, which a deployed Worker refuses. */
export async function newSecrets(): Promise<Secrets> {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return {
    MASTER_KEY: `dev_1:${randomBytes(32).toString("base64url")}`,
    SIGNING_KEY: JSON.stringify({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, d: jwk.d, kid: "dev_1" }),
    ADMIN_KEY: `dev_admin_${randomBytes(24).toString("base64url")}`,
  };
}

/** The keys under which the data in `folder` was written; made once. */
export async function keptSecrets(folder: string): Promise<Secrets> {
  const file = join(folder, "keys.json");
  // Written below, and by nobody else.
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Secrets;
  const secrets = await newSecrets();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}

/** The key that stands for the vendors' own, beside the data in `folder`, where `quittance send` finds it; made once. */
export async function keptVendorKey(folder: string): Promise<VendorKey> {
  const file = join(folder, VENDOR_KEY_FILE);
  // Written below, and by nobody else.
  if (existsSync(file)) return vendorKeyOf(JSON.parse(readFileSync(file, "utf8")) as JWK);
  const key = await newVendorKey();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(key.jwk, null, 2)}\n`, { mode: 0o600 });
  return key;
}
