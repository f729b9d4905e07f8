import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CompactJWSHeaderParameters, CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { afterAll } from "vitest";
import { run } from "../../cli/commands.ts";
import { type Receipt, subjectReference } from "../../src/request/receipt.ts";

export const ISSUER = "https://erasure.example.com";
export const REQUEST = `req_1a${"0123456789abcdefghijklmnopqrstuv"}`;
export const SALT = "the-salt-of-this-receipt";
export const RECEIPT_TYP = "quittance-receipt+jwt";
export const CHECKPOINT_TYP = "quittance-checkpoint+jwt";

export type Signer = Awaited<ReturnType<typeof newSigner>>;

export async function newSigner() {
  const { privateKey, publicKey } = await generateKeyPair("Ed25519", { extractable: true });
  const { kty, crv, x } = await exportJWK(publicKey);
  const jwk = { kty: kty ?? "OKP", crv: crv ?? "", x: x ?? "" };
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    x: jwk.x,
    jwk: { ...jwk, kid, alg: "Ed25519", use: "sig" },
    sign: (payload: unknown, header: Partial<CompactJWSHeaderParameters> = {}) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "Ed25519", kid, typ: RECEIPT_TYP, ...header })
        .sign(privateKey),
  };
}

export const task = (over: Partial<Receipt["tasks"][number]> = {}): Receipt["tasks"][number] => ({
  id: "acme.erase",
  subprocessor: "acme",
  integration: "acme-mail",
  action: "erase",
  outcome: "erased",
  level: "verified_absent",
  read_back: "all",
  at: "2026-03-02T10:00:00.000Z",
  attempts: 1,
  evidence: [
    {
      method: "DELETE",
      host: "api.acmemail.example",
      path: "/v2/contacts/{id}",
      status: 204,
      at: "2026-03-02T09:59:59.000Z",
    },
  ],
  ...over,
});

export const billing = task({
  id: "billing.erase",
  subprocessor: "billing",
  outcome: "retained",
  level: "retained",
  retained: [{ category: "invoices", until: "2036-12-31T22:59:59.999Z", ground: "tax_law" }],
});

export async function receipt(over: Partial<Receipt> & Record<string, unknown> = {}): Promise<Receipt> {
  return {
    iss: ISSUER,
    iat: Date.parse("2026-03-02T10:00:01.000Z") / 1000,
    jti: REQUEST,
    request: REQUEST,
    tenant: "acme-shop",
    type: "erasure",
    source: "api",
    complete: true,
    sub: [await subjectReference(SALT, { type: "email", value: "ada@example.com" })],
    received_at: "2026-03-01T08:00:00.000Z",
    due_at: "2026-04-01T21:59:59.999Z",
    closed_at: "2026-03-02T10:00:01.000Z",
    policy_version: 3,
    registry_version: 7,
    shredded_by: "2026-04-01T10:00:01.000Z",
    tasks: [task(), billing],
    ...over,
  };
}

/** What `GET /v1/receipts/{request}` answers. */
export const documentOf = (jws: string, over: Readonly<Record<string, unknown>> = {}) => ({
  request: REQUEST,
  final: true,
  receipt: jws,
  salt: SALT,
  jwks: "https://elsewhere.example.net/.well-known/jwks.json",
  ...over,
});

/** The log of a tenant with this receipt at `index`, built from the definition of RFC 9162 section 2.1. */
export async function proofOf(signer: Signer, jws: string, index: number, size: number, head: object = {}) {
  const leaves = Array.from({ length: size }, (_, at) => leafOf(at === index ? jws : `another receipt ${at}`));
  const signed = {
    origin: `${ISSUER}/log/acme-shop`,
    size,
    root: rootOf(leaves).toString("base64url"),
    at: "2026-03-03T00:00:00.000Z",
    ...head,
  };
  return {
    index,
    path: pathOf(index, leaves).map((each) => each.toString("base64url")),
    ...signed,
    signed: await signer.sign(signed, { typ: CHECKPOINT_TYP }),
  };
}

const hash = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const leafOf = (jws: string): Buffer => hash(Buffer.of(0), hash(Buffer.from(jws)));
const halfOf = (count: number): number => (count <= 2 ? 1 : 2 * halfOf(Math.ceil(count / 2)));

function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return hash();
  if (leaves.length === 1) return only;
  const half = halfOf(leaves.length);
  return hash(Buffer.of(1), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}

function pathOf(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const half = halfOf(leaves.length);
  return index < half
    ? [...pathOf(index, leaves.slice(0, half)), rootOf(leaves.slice(half))]
    : [...pathOf(index - half, leaves.slice(half)), rootOf(leaves.slice(0, half))];
}

/** Runs one command line, and returns all that it printed. Whatever is sent goes through the real `fetch`. */
export async function quittance(
  args: readonly string[],
  over: { readonly env?: Record<string, string>; readonly stdin?: string; readonly colours?: boolean } = {},
) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(
    {
      env: over.env ?? {},
      stdin: (async function* () {
        yield Buffer.from(over.stdin ?? "");
      })(),
      fetch,
      print: (line) => out.push(line),
      complain: (line) => err.push(line),
      colours: over.colours ?? false,
    },
    args,
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** A folder for one test file; returns the path of each file that is put there. */
export function folder() {
  const home = mkdtempSync(join(tmpdir(), "quittance-cli-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  let files = 0;
  return (content: unknown): string => {
    files += 1;
    const path = join(home, String(files));
    writeFileSync(
      path,
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
    return path;
  };
}

/** A folder for one test file, whose files have names; returns the path of each that is put there. */
export function home() {
  const folder = mkdtempSync(join(tmpdir(), "quittance-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name: string, content: unknown): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
}
