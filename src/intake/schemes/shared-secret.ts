import type { Hmac, SharedSecret } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded, sameSecret, strictBase64 } from "./bytes.ts";
import { forUs } from "./expected.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Verified } from "./scheme.ts";
import { signedText } from "./signed-text.ts";

/** RFC 7617 for Basic; elsewhere the secret as it is. */
export async function sharedSecret(
  { key, at, signed, expects = [] }: SharedSecret,
  delivery: Delivery,
  means: Means,
): Promise<Verified> {
  const { values, now } = means;
  const secrets = await values(key);
  if (secrets.length === 0) return fail({ reason: "no_key" });
  const given = givenIn(at, delivery);
  if (given === undefined || given === "") return malformed("secret");
  for (const secret of secrets) {
    if (!(await sameSecret(given, secret))) continue;
    const body = decoded(delivery.body);
    if (!body.ok) return body;
    if (signed !== undefined && !(await holds(signed, delivery, means))) return badSignature;
    const meant = await forUs(expects, body.value, means);
    return meant.ok ? proven(body.value, delivery, now) : meant;
  }
  return badSignature;
}

async function holds(signed: Hmac, delivery: Delivery, means: Means): Promise<boolean> {
  if (delivery.header(signed.signature.header) === undefined) return true;
  const result = await signedText(signed, delivery, means);
  return result.ok || result.problem.reason === "no_key";
}

function givenIn(at: SharedSecret["at"], { header, url }: Delivery): string | undefined {
  if ("header" in at) return header(at.header);
  if ("query" in at) {
    const values = new URL(url).searchParams.getAll(at.query);
    return values.length === 1 ? values[0] : undefined;
  }
  const bytes = strictBase64(/^Basic (\S+)$/i.exec(header("authorization") ?? "")?.[1] ?? "");
  const credentials = bytes === undefined ? undefined : decoded(bytes);
  const user = `${at.basic}:`;
  return credentials?.ok === true && credentials.value.startsWith(user)
    ? credentials.value.slice(user.length)
    : undefined;
}
