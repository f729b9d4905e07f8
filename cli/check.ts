import type { Identity } from "../src/contract/identity.ts";
import { RECEIPT_TYP, subjectReference } from "../src/request/receipt.ts";
import { fail, ok, type Result } from "../src/result.ts";
import { type Claims, isComplete, isInterim, parseClaims, unfinished } from "./claims.ts";
import type { Handed } from "./document.ts";
import type { Jws } from "./jws.ts";
import { checkCheckpoint, checkInclusion, parseProof } from "./proof.ts";
import { checkSignature, isAllowed, type PublicKey } from "./signature.ts";

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };

/** What was found. `claims` are there only if the signature vouches for them. */
export type Findings = {
  readonly checks: readonly Check[];
  readonly claims: Claims | undefined;
  /** What the caller gave nothing to check with. */
  readonly notChecked: readonly string[];
};

/** All that there is to judge a receipt by. */
export type Given = {
  readonly jws: Jws;
  readonly about: Handed["about"];
  /** The request that was asked for, where the receipt came from an address that names one. */
  readonly asked: string | undefined;
  readonly issuer: Check | undefined;
  readonly keys: readonly PublicKey[];
  readonly identities: readonly Identity[];
  readonly salt: string | undefined;
  /** The document of the log's proof, as text. */
  readonly proof: string | undefined;
};

export const holds = ({ checks }: Findings): boolean => checks.length > 0 && checks.every((check) => check.ok);

export const checkOf = (name: string, result: Result<string, string>): Check => ({
  name,
  ok: result.ok,
  detail: result.ok ? result.value : result.problem,
});

/** Judges a receipt: proof before meaning, so nothing that it says is looked at before its signature holds. */
export async function examine(given: Given): Promise<Findings> {
  const { jws, issuer, keys } = given;
  const proven = [
    ...(issuer === undefined ? [] : [issuer]),
    checkOf("type", checkType(jws)),
    checkOf("algorithm", checkAlgorithm(jws)),
    checkOf("signature", await signature(jws, issuer, keys)),
  ];
  const nothing = { claims: undefined, notChecked: ["everything else: what is not proven is not read"] };
  if (!proven.every((check) => check.ok)) return { checks: proven, ...nothing };

  const claims = parseClaims(jws.payload);
  if (!claims.ok) return { checks: [...proven, checkOf("claims", claims)], ...nothing };
  const checks = [
    ...proven,
    checkOf("claims", ok("all that a receipt states is there, and fits")),
    ...handedOver(given, claims.value),
    checkOf("complete", checkComplete(claims.value)),
    ...(await Promise.all(given.identities.map((identity) => checkIdentity(claims.value, identity, given.salt)))),
    ...(given.proof === undefined ? [] : await checkProof(given.proof, given, claims.value)),
  ];
  return { checks, claims: claims.value, notChecked: omitted(given) };
}

function checkType({ typ }: Jws): Result<string, string> {
  return typ === RECEIPT_TYP ? ok(typ) : fail(`expected ${RECEIPT_TYP}, and found ${typ ?? "none"}`);
}

function checkAlgorithm({ alg }: Jws): Result<string, string> {
  return alg !== undefined && isAllowed(alg) ? ok(alg) : fail(`expected Ed25519, and found ${alg ?? "none"}`);
}

async function signature(jws: Jws, issuer: Check | undefined, keys: readonly PublicKey[]) {
  if (issuer?.ok === false) return fail("not looked at: keys are taken from the expected issuer only");
  const checked = await checkSignature(jws, keys);
  return checked.ok ? ok(`by the published key ${checked.value}`) : checked;
}

/** What came with the receipt must speak of the same request. */
function handedOver({ about, asked }: Given, claims: Claims): readonly Check[] {
  const named = [...(asked === undefined ? [] : [asked]), ...(about === undefined ? [] : [about.request])];
  if (named.length === 0) return [];
  const other = named.find((request) => request !== claims.request);
  if (other !== undefined)
    return [checkOf("document", fail(`it is about ${other}, and the receipt is about ${claims.request}`))];
  if (about !== undefined && about.final === isInterim(claims))
    return [checkOf("document", fail(`it says ${about.final ? "final" : "not final"}, and the receipt is not so`))];
  return [checkOf("document", ok(`about ${claims.request}, as the receipt is`))];
}

/** Recomputed from the tasks: the receipt's own word for it is not taken. */
function checkComplete(claims: Claims): Result<string, string> {
  const says = claims.complete ? "complete" : "not complete";
  if (claims.complete === isComplete(claims)) return ok(`${says}, as its tasks bear out`);
  const open = unfinished(claims).map(({ id, outcome }) => `${id} is ${outcome}`);
  const why = isInterim(claims) ? ["it is interim"] : claims.tasks.length === 0 ? ["it has no task"] : open;
  return fail(`it says ${says}, and ${why.join(", ") || "every task has ended"}`);
}

async function checkIdentity(claims: Claims, identity: Identity, salt: string | undefined): Promise<Check> {
  const reference = salt === undefined ? undefined : await subjectReference(salt, identity);
  return checkOf(
    `identity ${identity.type}`,
    reference !== undefined && claims.sub.includes(reference)
      ? ok(`it is one of those that the receipt is about (${reference})`)
      : fail("the receipt is not about it, or the salt is another receipt's"),
  );
}

async function checkProof(source: string, { jws, about, keys }: Given, claims: Claims): Promise<readonly Check[]> {
  const proof = parseProof(source);
  if (!proof.ok) return [checkOf("log", proof)];
  return [
    checkOf("checkpoint", await checkCheckpoint(proof.value, claims, keys)),
    checkOf("log", await checkInclusion(proof.value, jws, about?.log?.index)),
  ];
}

const omitted = ({ identities, proof }: Given): readonly string[] => [
  ...(identities.length === 0 ? ["whom it is about: give --identity type=value"] : []),
  ...(proof === undefined ? ["its place in the log: give --proof"] : []),
];
