import { fail, ok, type Result } from "../src/result.ts";
import { type Check, checkOf, examine, type Findings, holds } from "./check.ts";
import { parseHanded } from "./document.ts";
import { type Jws, parseJws } from "./jws.ts";
import { type VerifyOptions, verifyOptions } from "./option.ts";
import { type PublicKey, parseJwks } from "./signature.ts";
import { nameOf, type Place, readText } from "./source.ts";
import { summary } from "./summary.ts";
import { complain, type ExitCode, printJson, printLines, type Terminal } from "./terminal.ts";

/** `quittance receipt verify`: read → examine → say. */
export async function verify(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const options = verifyOptions(args, terminal.env);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance receipt --help");
    return 2;
  }
  const found = await findings(terminal, options.value);
  if (!found.ok) {
    complain(terminal, found.problem);
    return 2;
  }
  const { jws, ...rest } = found.value;
  if (options.value.json) printJson(terminal, report(rest, jws));
  else printLines(terminal, summary(rest));
  return holds(rest) ? 0 : 1;
}

type Found = Findings & { readonly jws: Jws | undefined };

/** Reads what the options name, and judges it; refused where something cannot be read at all. */
async function findings(terminal: Terminal, options: VerifyOptions): Promise<Result<Found, string>> {
  const source = await readText(terminal, options.receipt, keyFor(options, options.receipt));
  if (!source.ok) return source;
  const handed = parseHanded(source.value);
  if (!handed.ok) return ok(formless(handed.problem));
  const jws = parseJws(handed.value.jws);
  if (!jws.ok) return ok(formless(jws.problem));

  const { about } = handed.value;
  const salt = options.salt ?? about?.salt;
  if (options.identities.length > 0 && salt === undefined)
    return fail("--identity needs the receipt's salt: --salt, or the JSON document that came with the receipt");

  const expected = expectedIssuer(options);
  const issuer = expected === undefined ? undefined : issuerCheck(jws.value, expected);
  const keys = await keysOf(terminal, options, issuer?.ok === false ? undefined : expected);
  if (!keys.ok) return keys;
  const proof =
    options.proof === undefined
      ? ok(undefined)
      : await readText(terminal, options.proof, keyFor(options, options.proof));
  if (!proof.ok) return proof;

  const examined = await examine({
    jws: jws.value,
    about,
    asked: askedFor(options.receipt),
    issuer,
    keys: keys.value,
    identities: options.identities,
    salt,
    proof: proof.value,
  });
  return ok({ ...examined, jws: jws.value });
}

/** The API key is for the origin that the receipt comes from; only where that is a file, for the proof's. */
function keyFor({ receipt, proof, key }: VerifyOptions, place: Place): string | undefined {
  const owner = receipt.at === "url" ? receipt : proof;
  return place.at === "url" && owner?.at === "url" && owner.url.origin === place.url.origin ? key : undefined;
}

/** Whom the receipt must be from: whom the caller named, or, where its keys are to be fetched, whoever handed it out. */
function expectedIssuer({ issuer, jwks, receipt }: VerifyOptions): string | undefined {
  if (issuer !== undefined) return issuer;
  return jwks === undefined && receipt.at === "url" ? receipt.url.origin : undefined;
}

function issuerCheck({ payload }: Jws, expected: string): Check {
  const { iss } = payload;
  return checkOf(
    "issuer",
    iss === expected
      ? ok(expected)
      : fail(
          `expected ${expected}, and it says ${typeof iss === "string" ? iss.slice(0, 200) : "nothing that is text"}`,
        ),
  );
}

/** The published keys: those that the caller gave, else the expected issuer's. The receipt itself never says where. */
async function keysOf(
  terminal: Terminal,
  { jwks }: VerifyOptions,
  issuer: string | undefined,
): Promise<Result<readonly PublicKey[], string>> {
  const place: Place | undefined =
    jwks ?? (issuer === undefined ? undefined : { at: "url", url: new URL("/.well-known/jwks.json", issuer) });
  if (place === undefined) return ok([]);
  const source = await readText(terminal, place);
  if (!source.ok) return source;
  const keys = parseJwks(source.value);
  return keys.ok ? keys : fail(`${nameOf(place)}: ${keys.problem}`);
}

/** The request that an address of the API names. */
const askedFor = (place: Place): string | undefined =>
  place.at === "url" ? /\/v1\/receipts\/(req_[0-9a-z]+)$/.exec(place.url.pathname)?.[1] : undefined;

const formless = (problem: string): Found => ({
  checks: [checkOf("form", fail(problem))],
  claims: undefined,
  notChecked: [],
  jws: undefined,
});

/** The receipt stands in it only if it is proven, whole, with what this version does not know. */
const report = (found: Findings, jws: Jws | undefined) => ({
  holds: holds(found),
  checks: found.checks,
  not_checked: found.notChecked,
  ...(found.claims !== undefined && { receipt: jws?.payload }),
});
