import { calculateJwkThumbprint } from "jose";
import type { Binding, PrivateKey } from "../contract/call.ts";
import { isAbsent } from "../contract/integration.ts";
import type { Client, DocumentClient } from "../contract/oauth.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { callbackPath } from "./connection.ts";

/** The id of a tenant's client at servers that read it as a document, and where that lies. */
export const clientAddress = ({ origin }: Pick<Ports, "origin">, { tenant }: Context): string =>
  `${origin}/oauth/client-metadata/${tenant.slug}.json`;

/** The tenant's subprocessors whose servers read the document, and what may be asked of them. */
function using({ integrations }: Pick<Ports, "integrations">, { tenant }: Context) {
  return Object.values(tenant.subprocessors).flatMap(({ id, integration: name, settings }) => {
    const integration = integrations.get(name);
    if (integration === undefined || isAbsent(integration.oauth) || integration.oauth.client.by !== "document")
      return [];
    const { client, scopes } = integration.oauth;
    return [{ path: callbackPath(tenant.n, integration, id), scopes: [...scopes.standard, ...more(client, settings)] }];
  });
}

const more = (client: DocumentClient, settings: Readonly<Record<string, string>>): readonly string[] =>
  (settings[client.scopes] ?? "").split(" ").filter((scope) => scope !== "");

/** The tenant's client as the AT Protocol's servers read it; undefined where nothing of the tenant's has use for it. */
export function clientDocument(
  ports: Pick<Ports, "origin" | "integrations">,
  context: Context,
): Readonly<Record<string, unknown>> | undefined {
  const uses = using(ports, context);
  if (uses.length === 0) return undefined;
  return {
    client_id: clientAddress(ports, context),
    application_type: "web",
    client_name: context.tenant.name,
    client_uri: ports.origin,
    redirect_uris: [...new Set(uses.map(({ path }) => ports.origin + path))],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    scope: [...new Set(uses.flatMap(({ scopes }) => scopes))].join(" "),
    dpop_bound_access_tokens: true,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks_uri: `${ports.origin}/oauth/jwks/${context.tenant.slug}.json`,
  };
}

/** The public part of the key by which the tenant's client proves itself; undefined as above. */
export async function clientKeySet(
  ports: Pick<Ports, "store" | "integrations">,
  context: Context,
): Promise<{ readonly keys: readonly Readonly<Record<string, string>>[] } | undefined> {
  if (using(ports, context).length === 0) return undefined;
  const { d: _, ...jwk } = await clientKey(ports, context);
  return { keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" }] };
}

/** A new grant's keys: its own, and the client's as it is now. Undefined where tokens are for whoever has them. */
export async function newBinding(
  ports: Pick<Ports, "store" | "origin">,
  context: Context,
  client: Client,
  settings: Readonly<Record<string, string>>,
): Promise<Binding | undefined> {
  if (!isBinding(client, settings)) return undefined;
  if (client.by !== "document") return { key: await newKey() };
  const [key, own] = await Promise.all([newKey(), clientKey(ports, context)]);
  return { key, client: { id: clientAddress(ports, context), key: own } };
}

/** Whether a client's new grants are bound to keys: always where it is a document, else where the operator says so. */
export const isBinding = (client: Client, settings: Readonly<Record<string, string>>): boolean =>
  client.by === "document" || (client.dpop !== undefined && (settings[client.dpop] ?? "") !== "");

const PLACE = "oauth client key";

/** Made when it is first asked for. Whoever is later takes what is there. */
const clientKey = ({ store }: Pick<Ports, "store">, { tenant, keys, once }: Context): Promise<PrivateKey> =>
  once(PLACE, async () => {
    const kept = await store.clientKey(tenant.n, () =>
      newKey().then((key) => keys.sealSetting(PLACE, JSON.stringify(key))),
    );
    // Sealed here and nowhere else, as the seal itself proves.
    return JSON.parse(await keys.openSetting(PLACE, kept)) as PrivateKey;
  });

async function newKey(): Promise<PrivateKey> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  // An asymmetric algorithm makes a pair, and its private half is written with these members (RFC 7518 section 6.2).
  const { x, y, d } = (await crypto.subtle.exportKey("jwk", (pair as CryptoKeyPair).privateKey)) as PrivateKey;
  return { kty: "EC", crv: "P-256", x, y, d };
}
