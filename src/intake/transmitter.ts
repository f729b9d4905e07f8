import { z } from "zod";
import type { Address } from "../contract/call.ts";
import { type Hook, isAbsent } from "../contract/integration.ts";
import { isPublicEndpoint, isPublicHost } from "../contract/settings.ts";
import type { Transmitter } from "../contract/transmitter.ts";
import type { Ports } from "../ports.ts";
import type { StreamAgreed, Subprocessor } from "../registry/subprocessor.ts";
import type { Tenant } from "../registry/tenant.ts";

/** The hook of a subprocessor whose sender keeps a stream, and where that is polled; undefined where it is not. */
export type Streaming = {
  readonly subprocessor: Subprocessor;
  readonly endpoint: string;
  readonly hook: Hook;
  readonly transmitter: Transmitter;
  readonly polledAt: string | undefined;
};

/**
 * How a subprocessor's stream stands. What was agreed through this gateway counts before an address that was entered by hand.
 * Who is retired, or whose tenant is closed, is not polled.
 */
export function streamingOf(
  { integrations }: Pick<Ports, "integrations">,
  tenant: Pick<Tenant, "subprocessors" | "status">,
  id: string,
): Streaming | undefined {
  const subprocessor = tenant.subprocessors[id];
  const hooks = integrations.get(subprocessor?.integration ?? "")?.hooks;
  if (subprocessor === undefined || hooks === undefined || isAbsent(hooks)) return undefined;
  const [named] = Object.entries(hooks).filter(([, { transmitter }]) => transmitter !== undefined);
  if (named === undefined) return undefined;
  const [endpoint, hook] = named;
  const { transmitter } = hook;
  if (transmitter === undefined) return undefined;
  const isInUse = subprocessor.status === "active" && tenant.status === "active";
  return {
    subprocessor,
    endpoint,
    hook,
    transmitter,
    polledAt: isInUse ? addressOf(subprocessor, transmitter, subprocessor.stream) : undefined,
  };
}

function addressOf(
  { settings }: Subprocessor,
  transmitter: Transmitter,
  agreed: StreamAgreed | undefined,
): string | undefined {
  if (agreed === undefined) return settings[transmitter.poll];
  if (agreed.delivery !== "poll" || agreed.endpoint === undefined) return undefined;
  return isOfTransmitter(agreed.endpoint, transmitter, settings) ? agreed.endpoint : undefined;
}

/** Section 7.2 of the framework: the well-known part stands between host and path. */
export function configurationAt(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/ssf-configuration${pathname.replace(/\/+$/, "")}`;
}

/**
 * Whether an address that the transmitter named may be called with its credentials: public, and of its issuer's origin or of
 * the one that the operator named for its management, whatever its configuration says.
 */
export function isOfTransmitter(
  address: string,
  { issuer, management }: Pick<Transmitter, "issuer" | "management">,
  settings: Readonly<Record<string, string>>,
): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, port, username, password, hash, hostname, origin } = new URL(address);
  if (protocol !== "https:" || `${port}${username}${password}${hash}` !== "" || !isPublicHost(hostname)) return false;
  return [settings[issuer], settings[management]].some(
    (own) => own !== undefined && isPublicEndpoint(own) && new URL(own).origin === origin,
  );
}

/** An address of the transmitter's; evidence and logs show it by its name in the framework. */
export function addressAt(address: string, name: string, query: Readonly<Record<string, string>> = {}): Address {
  const url = new URL(address);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return { url: url.href, template: `{${name}}` };
}

export const PUSH = "urn:ietf:rfc:8935";
export const POLL = "urn:ietf:rfc:8936";

/** What its configuration says, as far as it is used here. */
export const Metadata = z.looseObject({
  issuer: z.string(),
  configuration_endpoint: z.url().optional(),
  status_endpoint: z.url().optional(),
  verification_endpoint: z.url().optional(),
});

const Audience = z.union([z.string(), z.array(z.string())]);

/** Section 8.1.1. What was delivered is what counts, not what was asked for. */
export const Configuration = z.looseObject({
  stream_id: z.string().min(1).max(256),
  iss: z.string(),
  aud: Audience,
  events_delivered: z.array(z.string()).max(200).optional(),
  delivery: z.looseObject({ method: z.string(), endpoint_url: z.string().optional() }),
});
export type Configuration = z.infer<typeof Configuration>;

export const StreamStatus = z.looseObject({ status: z.string().max(64), reason: z.string().optional() });

export const AccessToken = z.looseObject({
  access_token: z.string().min(1).max(8192),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive().optional(),
});

/** RFC 8936 section 2.3. A value that is no text is that one token's own trouble. */
export const PollReply = z.looseObject({
  sets: z.record(z.string(), z.unknown()).default({}),
  moreAvailable: z.boolean().optional(),
});

/** What a transmitter is told of a token that is refused (RFC 8935 section 2.4; `invalid_state` is the framework's). */
export type SetError =
  | "invalid_request"
  | "invalid_key"
  | "invalid_issuer"
  | "invalid_audience"
  | "authentication_failed"
  | "invalid_state";
