/**
 * Every key of the store is made here. `docs/storage.md` says for each what it holds, how long it lives and what erases
 * it. `{n}` is a tenant's number in base 36, so that one tenant's keys can never be spelled with another's credentials;
 * no key holds an identity, only keyed pseudonyms and derived ids.
 */
export const keys = {
  /** slug → number, for ever: slugs are never reused. */
  slugs: "slugs",
  /** The last tenant number given. */
  tenants: "tenants",
  /** A tenant's registry, policy and API keys: `v` its version, `snap` the document. */
  tenant: (n: string) => `t:${n}`,
  /** Who changed what and when in the registry and policy. */
  history: (n: string) => `h:${n}`,
  request: (n: string, request: string) => `r:${n}:${request}`,
  /** The ids of a request's tasks that have not ended. */
  openTasks: (n: string, request: string) => `ro:${n}:${request}`,
  /** Open requests by deadline, and all requests by time of receipt. */
  openRequests: (n: string) => `q:${n}`,
  requests: (n: string) => `z:${n}`,
  subject: (n: string, subject: string) => `u:${n}:${subject}`,
  /** The open requests that a subject's record is needed for. */
  subjectRequests: (n: string, subject: string) => `uo:${n}:${subject}`,
  /** A subject's closures in their grace windows, by when they start. It holds up no shredding, unlike the open requests. */
  closing: (n: string, subject: string) => `y:${n}:${subject}`,
  /** Which subject an identity's pseudonym belongs to, and since when. */
  identity: (n: string, pseudonym: string) => `i:${n}:${pseudonym}`,
  suppression: (n: string, pseudonym: string) => `p:${n}:${pseudonym}`,
  /** A lane: its sorted set, its orders. */
  due: (n: string, subprocessor: string) => `l:${n}:${subprocessor}`,
  orders: (n: string, subprocessor: string) => `o:${n}:${subprocessor}`,
  /** The tenant's lanes that are being worked, until the end of their runs' leases, and below zero those that wait for a run. */
  runs: (n: string) => `k:${n}`,
  /** Until when a vendor account that several lanes share rests. */
  account: (n: string, account: string) => `a:${n}:${account}`,
  /** Calls of a day to a vendor account that has a quota. */
  quota: (n: string, account: string, day: string) => `b:${n}:${account}:${day}`,
  /** Lanes by earliest due time, split so that no key grows with the number of tenants without bound. */
  lanes: (lane: string) => `w:${shardOf(lane)}`,
  lanesShard: (shard: number) => `w:${shard}`,
  /** Erasures that one source has caused in one hour. */
  ceiling: (n: string, source: string, hour: number) => `c:${n}:${source}:${hour}`,
  /** A delivery that was proven and not understood, and all of them by time of receipt. */
  delivery: (n: string, delivery: string) => `d:${n}:${delivery}`,
  deliveries: (n: string) => `dz:${n}`,
  /** How often events came on a day that are of no concern. */
  ignored: (n: string, day: number) => `e:${n}:${day}`,
  /** Chunks of deleted content that a subprocessor has not been told of yet, in their order. */
  content: (n: string, subprocessor: string) => `v:${n}:${subprocessor}`,
  /** How much deleted content was received, told and given up on a day. */
  contentCounts: (n: string, day: number) => `vd:${n}:${day}`,
  /** How far a stream has been read, and by whom. A tenant's own has its number in its name; a public one is all tenants'. */
  stream: (stream: string) => `s:${stream}`,
  /** The numbers of the tenants for whom an integration's streams are read. */
  listening: (integration: string) => `sl:${integration}`,
  /** How a transmitter's stream stands: verified, its status, when it was polled. */
  transmitter: (n: string, subprocessor: string) => `ts:${n}:${subprocessor}`,
  /** A verification that was asked for, and whose answer is awaited. */
  verification: (n: string, subprocessor: string, state: string) => `sv:${n}:${subprocessor}:${state}`,
  /** A connection: its tokens, sealed, until it has ended. */
  connection: (n: string, connection: string) => `n:${n}:${connection}`,
  /** The connections that have not ended of one account at a vendor: `<subprocessor> <connection>`. */
  accountConnections: (n: string, pseudonym: string) => `ca:${n}:${pseudonym}`,
  /** Where a person's way to a vendor begins, and what is remembered until they come back; each is taken once. */
  ticket: (n: string, digest: string) => `ot:${n}:${digest}`,
  oauthState: (n: string, digest: string) => `os:${n}:${digest}`,
  /** The key by which the tenant proves itself as an OAuth client that is a document, sealed. */
  clientKey: (n: string) => `ck:${n}`,
  residue: (n: string, residue: string) => `x:${n}:${residue}`,
  /** The log's leaves, in order. */
  log: (n: string) => `g:${n}`,
} as const;

export const SHARDS = 8;

/** FNV-1a: only for spreading, never for security. */
function shardOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % SHARDS;
}

/** A stream's name in keys and sources: the integration's, and its own. */
export const streamName = (integration: string, stream: string): string => `${integration}/${stream}`;

/** The same of one part of a tenant's own stream. */
export const partName = (n: string, subprocessor: string, stream: string, part: string): string =>
  `${n}:${streamName(subprocessor, stream)}/${part}`;

/** A lane's name in messages and indexes. */
export const laneName = (n: string, subprocessor: string): string => `${n}:${subprocessor}`;

export function parseLane(lane: string): { n: string; subprocessor: string } {
  const cut = lane.indexOf(":");
  return { n: lane.slice(0, cut), subprocessor: lane.slice(cut + 1) };
}

/** The gateway's own lane. No subprocessor may have this id. */
export const GATEWAY = "gateway";
