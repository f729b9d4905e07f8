import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { fail, ok, type Result } from "../src/result.ts";
import { usageProblem } from "./option.ts";
import { complain, type ExitCode, type Line, printJson, printLines, type Terminal } from "./terminal.ts";

/** The secrets of a deployment, in the formats that `src/config.ts` reads. */
export type DeploymentKeys = {
  readonly MASTER_KEY: string;
  readonly SIGNING_KEY: string;
  readonly ADMIN_KEY: string;
};

/** `quittance keys generate`: prints new keys as a `.env` file with comments, or as JSON. */
export async function generate(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const options = keyOptions(args);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance keys --help");
    return 2;
  }
  const keys = await newKeys(options.value.id);
  if (options.value.json) printJson(terminal, keys);
  else printLines(terminal, lines(keys));
  return 0;
}

/** Fresh keys; `id` names the master key among those that come after it. */
export const newKeys = async (id: string): Promise<DeploymentKeys> => ({
  MASTER_KEY: `${id}:${await unmarked(randomKey)}`,
  SIGNING_KEY: await unmarked(signingKey),
  ADMIN_KEY: await unmarked(randomKey),
});

const randomKey = async (): Promise<string> => randomBytes(32).toString("base64url");

async function signingKey(): Promise<string> {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const { kty, crv, x, d } = jwk;
  return JSON.stringify({ kty, crv, x, d, kid: await calculateJwkThumbprint(jwk) });
}

/** A deployed Worker refuses what carries `dev_`, which once in a while chance writes too. */
async function unmarked(make: () => Promise<string>): Promise<string> {
  const made = await make();
  return made.includes("dev_") ? unmarked(make) : made;
}

function keyOptions(args: readonly string[]): Result<{ id: string; json: boolean }, string> {
  const parsed = parsedArgs(args);
  if (!parsed.ok) return parsed;
  const { id = `k${new Date().toISOString().slice(0, 10).replaceAll("-", "")}`, json = false } = parsed.value;
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || id.includes("dev_"))
    return fail("--id: expected 1 to 32 letters, digits, - or _, without dev_");
  return ok({ id, json });
}

function parsedArgs(args: readonly string[]) {
  try {
    return ok(parseArgs({ args: [...args], options: { id: { type: "string" }, json: { type: "boolean" } } }).values);
  } catch (error) {
    const problem = usageProblem(error);
    if (problem !== undefined) return fail(problem);
    throw error;
  }
}

const lines = ({ MASTER_KEY, SIGNING_KEY, ADMIN_KEY }: DeploymentKeys): readonly Line[] => [
  note("Made on this machine and kept nowhere. Store each as a secret of the Worker now, and keep the first two safe"),
  note("in a second place: once MASTER_KEY is lost, nothing that is stored can be read again."),
  { text: "" },
  note("Wraps every tenant's keys. Store it with: npx wrangler secret put MASTER_KEY"),
  { text: `MASTER_KEY=${MASTER_KEY}` },
  { text: "" },
  note("Signs receipts and the log's checkpoints. Store it with: npx wrangler secret put SIGNING_KEY"),
  { text: `SIGNING_KEY=${SIGNING_KEY}` },
  { text: "" },
  note("Creates tenants; closing and re-keying them are to come. Store it with: npx wrangler secret put ADMIN_KEY"),
  { text: `ADMIN_KEY=${ADMIN_KEY}` },
];

const note = (text: string): Line => ({ text: `# ${text}`, tone: "faint" });
