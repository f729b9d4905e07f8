import { parseArgs } from "node:util";
import { Identity } from "../src/contract/identity.ts";
import { fail, ok, type Result } from "../src/result.ts";
import { isSafe } from "./origin.ts";
import { type Place, parsePlace } from "./source.ts";

/** What `quittance receipt verify` was asked to do. */
export type VerifyOptions = {
  readonly receipt: Place;
  readonly jwks: Place | undefined;
  readonly proof: Place | undefined;
  /** Whom the caller expects the receipt to be from: an origin. */
  readonly issuer: string | undefined;
  readonly key: string | undefined;
  readonly identities: readonly Identity[];
  readonly salt: string | undefined;
  readonly json: boolean;
};

/** Reads the arguments; what does not go together is refused before anything is read or sent. */
export function verifyOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Result<VerifyOptions, string> {
  const parsed = parsedArgs(args);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const [first] = positionals;
  if (first === undefined || positionals.length > 1)
    return fail("expected one receipt: a file, - for standard input, or the address of one");

  const receipt = parsePlace(first);
  if (!receipt.ok) return receipt;
  const jwks = placeIn("--jwks", values.jwks);
  if (!jwks.ok) return jwks;
  const proof = placeIn("--proof", values.proof);
  if (!proof.ok) return proof;
  const issuer = issuerIn(values.issuer);
  if (!issuer.ok) return issuer;
  const identities = identitiesIn(values.identity ?? []);
  if (!identities.ok) return identities;
  // An empty variable is one that was not set.
  const key = values.key ?? (env.QUITTANCE_API_KEY || undefined);

  const options = {
    receipt: receipt.value,
    jwks: jwks.value,
    proof: proof.value,
    issuer: issuer.value,
    key,
    identities: identities.value,
    salt: values.salt,
    json: values.json ?? false,
  };
  const clash = clashIn(options, values.offline ?? false);
  return clash === undefined ? ok(options) : fail(clash);
}

function parsedArgs(args: readonly string[]) {
  try {
    return ok(
      parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          jwks: { type: "string" },
          proof: { type: "string" },
          issuer: { type: "string" },
          key: { type: "string" },
          identity: { type: "string", multiple: true },
          salt: { type: "string" },
          offline: { type: "boolean" },
          json: { type: "boolean" },
        },
      }),
    );
  } catch (error) {
    const problem = usageProblem(error);
    if (problem !== undefined) return fail(problem);
    throw error;
  }
}

/** The first sentence of what `parseArgs` refuses: it names the option, never its value. */
export const usageProblem = (error: unknown): string | undefined =>
  error instanceof TypeError &&
  "code" in error &&
  typeof error.code === "string" &&
  error.code.startsWith("ERR_PARSE_ARGS")
    ? error.message.split(/[.\n]/)[0]
    : undefined;

/** Why these options cannot be followed together. */
function clashIn(options: VerifyOptions, offline: boolean): string | undefined {
  const { receipt, jwks, proof, issuer, key } = options;
  const places = [receipt, jwks, proof].filter((place) => place !== undefined);
  if (places.filter(({ at }) => at === "stdin").length > 1) return "only one thing can come from standard input";
  if (offline && places.some(({ at }) => at === "url")) return "--offline reads files only, and an address was given";
  if (offline && jwks === undefined) return "--offline needs the published keys in a file: --jwks FILE";
  if (receipt.at !== "url" && jwks === undefined && issuer === undefined)
    return "whose receipt is this? A receipt's own word for its issuer proves nothing: give --issuer URL, or the published keys with --jwks FILE";
  if (receipt.at === "url" && key === undefined)
    return "an address needs an API key: --key, or QUITTANCE_API_KEY in the environment";
  if (key !== undefined && places.some(({ at }) => at === "url") && !/^[\x21-\x7e]{8,256}$/.test(key))
    return "the API key is not one: it is too short or long, or has characters that no key has";
  return undefined;
}

function placeIn(option: string, value: string | undefined): Result<Place | undefined, string> {
  if (value === undefined) return ok(undefined);
  const place = parsePlace(value);
  return place.ok ? place : fail(`${option}: ${place.problem}`);
}

function issuerIn(value: string | undefined): Result<string | undefined, string> {
  if (value === undefined) return ok(undefined);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !isSafe(url) || url.href !== `${url.origin}/`)
    return fail("--issuer: expected an origin, such as https://erasure.example.com");
  return ok(url.origin);
}

function identitiesIn(values: readonly string[]): Result<readonly Identity[], string> {
  const identities: Identity[] = [];
  for (const each of values) {
    const at = each.indexOf("=");
    const identity = Identity.safeParse({ type: each.slice(0, Math.max(at, 0)), value: each.slice(at + 1) });
    if (!identity.success) return fail("--identity: expected type=value, such as email=ada@example.com");
    identities.push(identity.data);
  }
  return ok(identities);
}
