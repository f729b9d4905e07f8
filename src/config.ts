import { base64url, type JWK } from "jose";
import { z } from "zod";
import type { MasterKey } from "./platform/vault.ts";
import { fail, ok, type Result } from "./result.ts";

/** What a deployment gives the Worker: bindings and secrets, named in wrangler.toml and README. */
export type Env = {
  readonly LANES: Queue<unknown>;
  readonly [name: string]: unknown;
};

export type Config = {
  readonly redisUrl: string;
  readonly redisToken: string;
  readonly masterKeys: readonly MasterKey[];
  readonly signingKeys: readonly JWK[];
  readonly adminKey: string;
  /** The address under which people reach this Worker: it stands in receipts and on status links. */
  readonly origin: string;
};

const PrivateJwk = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  d: z.string(),
  kid: z.string().optional(),
});

/**
 * Reads the bindings, and names everything that is missing or malformed at once, never a value. Development keys carry
 * `dev_` and are refused where `QUITTANCE_LOCAL` is not set, which only local tools do.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Result<Config, readonly string[]> {
  const wrong: string[] = [];
  const local = env.QUITTANCE_LOCAL === "true";
  const text = (name: string, expected: string, fits: (value: string) => boolean): string => {
    const value = env[name];
    if (typeof value !== "string" || value === "") wrong.push(`${name} is missing (expected ${expected})`);
    else if (!local && value.includes("dev_"))
      wrong.push(`${name} is a development key, which a deployed Worker refuses`);
    else if (!fits(value)) wrong.push(`${name} is malformed (expected ${expected})`);
    else return value;
    return "";
  };
  const isUrl = (value: string) => URL.canParse(value) && (local || value.startsWith("https://"));
  const redisUrl = text("UPSTASH_REDIS_REST_URL", "the REST address of the database", isUrl);
  const redisToken = text("UPSTASH_REDIS_REST_TOKEN", "its REST token", (value) => value.length >= 8);
  const master = text(
    "MASTER_KEY",
    "<id>:<32 bytes in base64url>, newest first, separated by commas",
    (value) => masterKeys(value) !== undefined,
  );
  const signing = text(
    "SIGNING_KEY",
    "one private Ed25519 JWK or a list of them, newest first",
    (value) => jwks(value) !== undefined,
  );
  const adminKey = text("ADMIN_KEY", "at least 24 random characters", (value) => value.length >= 24);
  const origin = text("PUBLIC_ORIGIN", "the https address under which people reach this Worker", isUrl);
  if (typeof env.LANES !== "object" || env.LANES === null) wrong.push("LANES is missing (expected a queue binding)");
  if (wrong.length > 0) return fail(wrong);
  return ok({
    redisUrl,
    redisToken,
    masterKeys: masterKeys(master) ?? [],
    signingKeys: jwks(signing) ?? [],
    adminKey,
    origin: new URL(origin).origin,
  });
}

function masterKeys(text: string): MasterKey[] | undefined {
  const keys = text.split(",").map((each) => /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]{43})$/.exec(each.trim()));
  if (keys.length === 0 || keys.some((match) => match === null)) return undefined;
  return keys.flatMap((match) =>
    match === null ? [] : [{ id: match[1] ?? "", bytes: new Uint8Array(base64url.decode(match[2] ?? "")) }],
  );
}

function jwks(text: string): JWK[] | undefined {
  try {
    const parsed = z
      .union([z.array(PrivateJwk).min(1), PrivateJwk.transform((jwk) => [jwk])])
      .safeParse(JSON.parse(text));
    // zod's optional members are `undefined` where jose leaves them out, which is the same to both.
    return parsed.success ? (parsed.data as JWK[]) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
