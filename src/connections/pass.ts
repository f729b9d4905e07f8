import { base64url } from "jose";
import { type TenantNumber, tenantNumber } from "../ids.ts";
import type { Ports } from "../ports.ts";

/** What a browser brings once: the ticket with which a way to a vendor begins, or the state with which it comes back. */
export type PassKind = "ticket" | "state";

/** 128 random bits in base64url, and a mark. */
const SECRET = 22;
const MARK = 43;

/**
 * A pass that finds its own tenant and shows that it was made here, for this: the length of the tenant's number, the number, what nobody
 * can guess, and a mark of all of that. Who makes one up costs nobody a look into the store; one that was used before still does.
 */
export async function newPass(
  { vault, random }: Pick<Ports, "vault" | "random">,
  kind: PassKind,
  n: TenantNumber,
): Promise<string> {
  const secret = `${n.length}${n}${base64url.encode(random(16))}`;
  return secret + (await vault.mark(kind, secret));
}

/** Whose it is; undefined where it was not made here, or for something else. */
export async function ownerOf(
  { vault }: Pick<Ports, "vault">,
  kind: PassKind,
  pass: string,
): Promise<TenantNumber | undefined> {
  const length = Number(pass[0]);
  if (pass.length !== 1 + length + SECRET + MARK) return undefined;
  if (!(await vault.isMarked(kind, pass.slice(0, -MARK), pass.slice(-MARK)))) return undefined;
  // Made above: nobody else can mark it.
  return tenantNumber(pass.slice(1, 1 + length));
}
