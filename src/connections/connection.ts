import { base64url } from "jose";
import type { Identity } from "../contract/identity.ts";
import { type Integration, isAbsent } from "../contract/integration.ts";
import { CONNECTION, type Grant } from "../contract/oauth.ts";
import { type Instant, type TenantNumber, tenantNumber } from "../ids.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports, TenantKeys } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { KnownIdentity } from "../request/plan.ts";

/** Where a connection stands: landed and not confirmed, in use, to be revoked, or over with its tokens destroyed. */
export type ConnectionState = "unconfirmed" | "active" | "ending" | "ended";

/** What stands beside the tokens, and is nobody's secret. */
export type ConnectionFacts = { readonly integration: string; readonly scopes: readonly string[] };

/** How it ended: `request` is the one that asked for it. */
type ConnectionEnding = { readonly outcome: string; readonly at: Instant; readonly request: string };

/** A vendor's callback; an issuer that is a tenant's own setting has one of its own, so that no other can answer for it. */
export function callbackPath(n: TenantNumber, { id, oauth }: Integration, subprocessor: string): string {
  const path = `/oauth/${id}/callback`;
  return !isAbsent(oauth) && "discovered" in oauth.server ? `${path}/${n}.${subprocessor}` : path;
}

type Random = Ports["random"];

/** `con_`, the length of the tenant's number, the number, 32 random hexadecimal digits. */
export function newConnectionId(n: TenantNumber, random: Random): string {
  const digits = Array.from(random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `con_${n.length}${n}${digits}`;
}

export function parseConnectionId(text: string): { readonly n: TenantNumber; readonly id: string } | undefined {
  const match = /^con_([1-9])([0-9a-z]{1,9})([0-9a-f]{32})$/.exec(text);
  return match !== null && Number(match[1]) === match[2]?.length ? { n: tenantNumber(match[2]), id: text } : undefined;
}

/** What is shown once, to somebody who knows whose it is: 256 random bits in base64url. */
export const newSecret = (random: Random): string => base64url.encode(random(32));

/** A secret's place in the store: whoever reads the store cannot go the way on. */
export async function digestOf(secret: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return base64url.encode(new Uint8Array(bytes));
}

const place = (id: string): string => `connection ${id}`;

export async function sealGrant(
  keys: TenantKeys,
  id: string,
  grant: Grant,
): Promise<{ readonly wrapped: string; readonly sealed: string }> {
  const { key, wrapped } = await keys.newKey(place(id));
  return { wrapped, sealed: await key.seal(place(id), JSON.stringify(grant)) };
}

/** Under the connection's own key, which its first sealing made. */
export const resealGrant = async (keys: TenantKeys, id: string, wrapped: string, grant: Grant): Promise<string> =>
  (await keys.unwrap(place(id), wrapped)).seal(place(id), JSON.stringify(grant));

export const openGrant = async (keys: TenantKeys, id: string, wrapped: string, sealed: string): Promise<Grant> =>
  // Sealed above and by nobody else, as the seal itself proves.
  JSON.parse(await (await keys.unwrap(place(id), wrapped)).open(place(id), sealed)) as Grant;

/** A connection among a person's identities. */
export const connectionIdentity = (id: string, subprocessor: string): KnownIdentity => ({
  type: CONNECTION,
  value: id,
  subprocessor,
});

export const connectionsIn = <T extends Identity>(identities: readonly T[]): readonly T[] =>
  identities.filter(({ type }) => type === CONNECTION);

/** Destroys the tokens of connections, whatever became of them at the vendor; those that have ended stay as they ended. */
export async function destroyTokens(
  ports: Pick<Ports, "store" | "now" | "log">,
  { tenant }: Context,
  ends: readonly { readonly id: string; readonly outcome: string; readonly request: string }[],
): Promise<void> {
  if (ends.length === 0) return;
  const { n } = tenant;
  const hashes = await ports.store.connections(ends.map(({ id }) => ({ n, id })));
  await ports.store.endConnections(
    n,
    ends.flatMap(({ id, outcome, request }, index) => {
      const { p: subprocessor, a: account, h: household, st } = hashes[index] ?? {};
      if (subprocessor === undefined || account === undefined || household === undefined) return [];
      const how: ConnectionEnding = { outcome, at: ports.now(), request };
      if (st !== "ended") ports.log("connection_ended", { tenant: tenant.slug, connection: id, outcome });
      return [{ id, subprocessor, account, household, how: JSON.stringify(how) }];
    }),
  );
}

// Written by `destroyTokens` and by nobody else.
export const endingIn = (hash: Hash): ConnectionEnding | undefined =>
  hash.r === undefined ? undefined : (JSON.parse(hash.r) as ConnectionEnding);
