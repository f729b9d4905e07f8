import { z } from "zod";
import { type Address, get, postForm, postJson, read, unforeseen } from "../../src/contract/call.ts";
import type { Order, Steps } from "../../src/contract/integration.ts";
import {
  byOneOf,
  documentProof,
  errorIn,
  type FoundServer,
  foundAt,
  type Grant,
  homeOf,
  type NotByThis,
  notByThis,
  ofNobody,
  tokenSight,
  type Whereabouts,
} from "../../src/contract/oauth.ts";
import { type Answer, erased, type Sight } from "../../src/contract/outcome.ts";
import { isPublicEndpoint } from "../../src/contract/settings.ts";
import { parse } from "../../src/contract/signal.ts";

/**
 * The AT Protocol: where an account lies, the server that signs its owner in, the session that they granted, and what is published
 * with it.
 */

/** https://atproto.com/specs/did and https://atproto.com/specs/record-key */
export const DID = /^did:[a-z]+:[\w.:%-]*[\w.-]$/;
export const Did = z.string().max(2048).regex(DID);
export const RecordKey = z.string().regex(/^[\w.:~-]{1,512}$/);

export const DidDocument = z.object({
  id: z.string(),
  alsoKnownAs: z.array(z.string()).max(100).optional(),
  service: z
    .array(z.object({ id: z.string(), type: z.unknown().optional(), serviceEndpoint: z.unknown().optional() }))
    .max(100)
    .optional(),
});
export const XrpcError = z.object({ error: z.string() });

/** https://atproto.com/specs/did: these two methods, `did:web` only for whole hosts. */
export function documentOf(did: string): string | undefined {
  if (/^did:plc:[a-z2-7]{24}$/.test(did)) return `https://plc.directory/${did}`;
  const [, host = ""] = /^did:web:([a-z0-9.-]+)$/.exec(did) ?? [];
  const address = `https://${host}/.well-known/did.json`;
  return isPublicEndpoint(address) ? address : undefined;
}

export function hostIn({ service = [] }: z.infer<typeof DidDocument>): string | undefined {
  const host = service.find(({ id, type }) => id.endsWith("#atproto_pds") && type === "AtprotoPersonalDataServer");
  const endpoint = host?.serviceEndpoint;
  if (typeof endpoint !== "string" || !isPublicEndpoint(endpoint)) return undefined;
  const { origin, pathname } = new URL(endpoint);
  return pathname === "/" ? origin : undefined;
}

/** https://atproto.com/specs/handle */
export const HANDLE = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const Resource = z.object({ resource: z.string(), authorization_servers: z.tuple([z.string()]) });

/** What the profile demands of a server; what it offers beyond is not used. https://atproto.com/specs/oauth */
const Server = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  pushed_authorization_request_endpoint: z.string(),
  revocation_endpoint: z.string().optional(),
  require_pushed_authorization_requests: z.literal(true),
  authorization_response_iss_parameter_supported: z.literal(true),
  client_id_metadata_document_supported: z.literal(true),
  scopes_supported: z.array(z.string()).refine((scopes) => scopes.includes("atproto")),
  code_challenge_methods_supported: z.array(z.string()).refine((methods) => methods.includes("S256")),
  token_endpoint_auth_methods_supported: z.array(z.string()).refine((methods) => methods.includes("private_key_jwt")),
  dpop_signing_alg_values_supported: z.array(z.string()).refine((algorithms) => algorithms.includes("ES256")),
});

/**
 * From what a person calls themselves to the server that signs them in. Each place that names the next is the only one to do so, and a
 * handle counts only where the account it leads to has it too.
 */
export function* whereaboutsOf(said: string): Steps<Whereabouts> {
  const isDid = said.startsWith("did:");
  const did = isDid ? said : yield* didOf(said.toLowerCase());
  const address = did === undefined ? undefined : documentOf(did);
  if (did === undefined || address === undefined) return ofNobody("this name leads to no account");
  const document = read(yield get({ url: address, template: "{did document}" }, JSON_ONLY), DidDocument);
  if (!document.ok) return document;
  if (document.value.id !== did) return ofNobody("the document is another account's");
  const [handle] = (document.value.alsoKnownAs ?? []).filter((name) => name.startsWith("at://"));
  if (!isDid && handle?.toLowerCase() !== `at://${said.toLowerCase()}`)
    return ofNobody("the account does not have this name");
  const host = hostIn(document.value);
  if (host === undefined) return ofNobody("the account names no public host");
  const resource = read(yield get(wellKnown(host, "oauth-protected-resource"), JSON_ONLY), Resource);
  if (!resource.ok) return resource;
  const [issuer] = resource.value.authorization_servers;
  if (resource.value.resource !== host || !isOrigin(issuer)) return ofNobody("the host names no server to sign in at");
  const server = read(yield get(wellKnown(issuer, "oauth-authorization-server"), JSON_ONLY), Server);
  if (!server.ok) return server;
  const found = serverAt(issuer, host, server.value);
  if (found === undefined) return ofNobody("the server describes another one");
  return foundAt(found, { type: "bluesky.did", value: did });
}

const JSON_ONLY = { accept: "application/json" };
const wellKnown = (origin: string, name: string) => ({
  url: `${origin}/.well-known/${name}`,
  template: `{host}/.well-known/${name}`,
});
const isOrigin = (address: string): boolean => isPublicEndpoint(address) && new URL(address).origin === address;

/** All at its own origin, where the tokens go. */
function serverAt(issuer: string, host: string, server: z.infer<typeof Server>): FoundServer | undefined {
  const revocation = server.revocation_endpoint;
  const found: FoundServer = {
    issuer,
    authorize: server.authorization_endpoint,
    token: server.token_endpoint,
    pushed: server.pushed_authorization_request_endpoint,
    ...(revocation !== undefined && { revocation }),
  };
  const isOwn = Object.values(found).every(
    (address) => isPublicEndpoint(address) && new URL(address).origin === issuer,
  );
  return isOwn && server.issuer === issuer ? { ...found, userinfo: `${host}/xrpc/${SESSION}` } : undefined;
}

/** What a Worker has in place of DNS. https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/ */
export const DNS = "https://cloudflare-dns.com";
const DnsAnswer = z.object({
  Answer: z
    .array(z.object({ type: z.int(), data: z.string() }))
    .max(100)
    .optional(),
});
const TXT = 16;

/** https://atproto.com/specs/handle: a record of the name, or else a file at it. Records that differ are no answer. */
function* didOf(handle: string): Steps<string | undefined> {
  const asked = yield get(
    { url: `${DNS}/dns-query?name=_atproto.${handle}&type=TXT`, template: `${DNS}/dns-query` },
    { accept: "application/dns-json" },
  );
  const records = read(asked, DnsAnswer);
  const texts = records.ok ? (records.value.Answer ?? []).filter(({ type }) => type === TXT) : [];
  const named = new Set(
    texts.flatMap(({ data }) => /^did=(.+)$/.exec(data.replace(/"\s*"/g, "").replace(/^"|"$/g, ""))?.[1] ?? []),
  );
  if (named.size > 1) return undefined;
  const [inDns] = named;
  if (inDns !== undefined) return Did.safeParse(inDns).data;
  const url = `https://${handle}/.well-known/atproto-did`;
  if (!isPublicEndpoint(url)) return undefined;
  const reply = yield get({ url, template: "{handle}/.well-known/atproto-did" }, { accept: "text/plain" });
  return reply.status === 200 ? Did.safeParse(reply.text.trim()).data : undefined;
}

const SESSION = "com.atproto.server.getSession";

export function* sessionAt(grant: Grant): Steps<Sight> {
  const address = grant.server?.userinfo;
  if (address === undefined) return "no_view";
  return yield* tokenSight({ url: address, template: `{host}/xrpc/${SESSION}` }, grant);
}

/**
 * Whether the session is over. The reference server answers 200 to a revocation whatever came of it, and where hosts are many the access
 * token may be taken until it ends (https://github.com/bluesky-social/atproto/issues/4278); so the refresh token is shown to the
 * server that gave it, which says `invalid_grant` of what is over. Were it not over, this would use the token up: it is to end anyway.
 */
export function* sessionEnded(grant: Grant): Steps<Sight> {
  const { server, refreshToken } = grant;
  if (refreshToken === "" || server?.token === undefined) return yield* sessionAt(grant);
  const at = { url: server.token, template: server.token };
  const fields = [["grant_type", "refresh_token"] as const, ["refresh_token", refreshToken] as const];
  const { sign } = documentProof(grant);
  const reply = yield postForm(at, JSON_ONLY, fields, { expects: [401], sign });
  if (reply.status === 400 && errorIn(reply) === "invalid_grant") return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

/** at://{did}/{collection}/{key}: https://atproto.com/specs/at-uri-scheme */
function recordAt(address: string) {
  const [, did = "", collection = "", key = ""] = /^at:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(address) ?? [];
  const isRecord =
    Did.safeParse(did).success && /^[a-zA-Z0-9.-]{1,317}$/.test(collection) && RecordKey.safeParse(key).success;
  return isRecord ? { did, collection, key } : undefined;
}

const NO_RECORD = unforeseen({ status: 0 }, "a record is registered by its address, at://{did}/{collection}/{key}");

const xrpcAt = (host: string, method: string, query = ""): Address => ({
  url: `${host}/xrpc/${method}${query}`,
  template: `{host}/xrpc/${method}`,
});

/**
 * Deletes a record from its owner's repository. "Deletes a repository record, or ensures it doesn't exist": of one that is gone the
 * same is answered.
 *
 * @see https://github.com/bluesky-social/atproto/blob/main/lexicons/com/atproto/repo/deleteRecord.json
 */
export function* unpublishRecord(order: Pick<Order, "identity" | "grants" | "grantsMissing">): Steps<Answer> {
  const record = recordAt(order.identity.value);
  return record === undefined ? NO_RECORD : yield* byOneOf(order, (grant) => deletion(grant, record));
}

function* deletion(
  grant: Grant,
  { did, collection, key }: NonNullable<ReturnType<typeof recordAt>>,
): Steps<Answer | NotByThis> {
  const { account, accessToken, binding } = grant;
  const host = homeOf(grant);
  if (account.value !== did) return notByThis("it lies in another account's repository");
  if (host === undefined || binding === undefined) return notByThis("it does not say where the account lies");
  const sign = { scheme: "dpop", key: binding.key, accessToken } as const;
  const method = "com.atproto.repo.deleteRecord";
  const reply = yield postJson(
    xrpcAt(host, method),
    JSON_ONLY,
    { repo: did, collection, rkey: key },
    { expects: [401], sign },
  );
  if (reply.status === 200) return erased;
  if (reply.status === 401) return notByThis("the account's host does not take its token any more");
  // https://atproto.com/specs/permission: what was not granted.
  if (reply.status === 403) return notByThis("the account's host forbids it: the grant does not reach so far");
  return unforeseen(reply);
}

/** @see https://github.com/bluesky-social/atproto/blob/main/lexicons/com/atproto/repo/getRecord.json */
export function* sightOfRecord({ identity, grants = [] }: Pick<Order, "identity" | "grants">): Steps<Sight> {
  const record = recordAt(identity.value);
  const owner = grants.find(({ account }) => account.value === record?.did);
  const host = owner === undefined ? undefined : homeOf(owner);
  if (record === undefined || host === undefined) return "no_view";
  const { did, collection, key } = record;
  const query = `?${new URLSearchParams({ repo: did, collection, rkey: key })}`;
  // Whatever one person's host refuses is its own, and says nothing of the others'.
  const reply = yield get(xrpcAt(host, "com.atproto.repo.getRecord", query), JSON_ONLY, { expects: [401] });
  if (reply.status === 200) return "present";
  const refused = reply.status === 400 ? parse(XrpcError, reply.text) : undefined;
  return refused?.ok === true && refused.value.error === "RecordNotFound" ? "absent" : unforeseen(reply);
}
