import * as oauth from "oauth4webapi";
import type { Binding, Call } from "../contract/call.ts";
import { type Client, type OAuth, possession, type SecretClient, type TokenAnswer } from "../contract/oauth.ts";
import type { Settings, SettingValues } from "../contract/settings.ts";
import type { Ports } from "../ports.ts";
import { fail, ok, type Result } from "../result.ts";

/** What can go wrong between a vendor's authorization server and us. */
export type OAuthProblem =
  /** No answer, or the vendor's own trouble: the same may work later. */
  | { readonly reason: "unreachable" }
  /** RFC 6749 section 5.2: the error's own name. */
  | { readonly reason: "refused"; readonly error: string }
  | { readonly reason: "unreadable"; readonly what: string }
  /** What a person said of themselves leads to no account. */
  | { readonly reason: "unknown_account"; readonly what: string }
  | { readonly reason: "misconfigured"; readonly what: string };

/** An authorization server that people and codes can be brought to. */
export type KnownServer = oauth.AuthorizationServer & {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
};

/** What of a party decides how a call to it leaves. */
export type Addressee = {
  readonly oauth: OAuth;
  readonly settings: SettingValues<Settings>;
  readonly server: KnownServer;
  /** The keys that the grant is bound to. */
  readonly binding?: Binding;
};

/** The library's calls go the way of all calls: bounded in time and size, no redirect followed, no forbidden host. */
export function over(ports: Pick<Ports, "send">, party?: Addressee) {
  const sign = party?.binding === undefined ? undefined : possession(party.binding, party.server.issuer);
  return (
    url: string,
    {
      method,
      headers,
      body,
    }: { method: "GET" | "POST"; headers: Record<string, string>; body?: URLSearchParams | undefined },
  ): Promise<Response> => {
    // The library names itself; the gateway does where nothing is said.
    const { "user-agent": _, ...own } = headers;
    const isJson = party !== undefined && wordsOf(party.oauth.client).body === "json";
    return sent(ports, party, {
      method,
      at: { url, template: url },
      headers: isJson ? { ...own, "content-type": "application/json" } : own,
      ...(body !== undefined && { body: isJson ? JSON.stringify(Object.fromEntries(body)) : body.toString() }),
      ...(sign !== undefined && { sign }),
    });
  };
}

/** A call of the library's, or of the vendor's own that is answered as its token endpoint answers. Throws where no answer came. */
export async function sent(ports: Pick<Ports, "send">, party: Addressee | undefined, call: Call): Promise<Response> {
  const agent = party === undefined ? "" : (party.settings[wordsOf(party.oauth.client).userAgent ?? ""] ?? "");
  const got = await ports.send({ ...call, headers: { ...call.headers, ...(agent !== "" && { "user-agent": agent }) } });
  if (!got.ok) throw new NoAnswer(got.problem.reason);
  const { status, header, text } = got.value;
  if (status >= 500 || status === 429) throw new NoAnswer(`status ${status}`);
  const adapt = party?.oauth.adapt;
  const adapted = adapt === undefined ? undefined : adaptedBy(adapt, status, text);
  if (adapted !== undefined) return Response.json(adapted.json, { status: adapted.status });
  const type = header("content-type") ?? "";
  // These statuses may have no body, by the standard that makes responses.
  const isBare = status < 200 || status > 599 || [204, 205, 304].includes(status);
  return new Response(isBare ? null : text, { status: isBare ? 204 : status, headers: { "content-type": type } });
}

/** What a vendor has its own words for; a client that is a document is of a standard. */
export const wordsOf = (client: Client): Partial<SecretClient> => (client.by === "document" ? {} : client);

function adaptedBy(adapt: NonNullable<OAuth["adapt"]>, status: number, text: string): TokenAnswer | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return adapt({ status, json: { ...json } });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The library says by its exceptions what does not fit; none of them goes further. */
export async function attempt<T>(make: () => Promise<T>): Promise<Result<T, OAuthProblem>> {
  try {
    return ok(await make());
  } catch (error) {
    if (error instanceof CannotSign) return fail({ reason: "misconfigured", what: "the client's key does not sign" });
    if (error instanceof NoAnswer) return fail({ reason: "unreachable" });
    if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError)
      return fail({ reason: "refused", error: /^[a-zA-Z_]{1,64}$/.test(error.error) ? error.error : "unknown" });
    if (error instanceof oauth.WWWAuthenticateChallengeError)
      return fail({ reason: "refused", error: "invalid_client" });
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
      return fail({ reason: "unreadable", what: error.message.slice(0, 120) });
    throw error;
  }
}

/** No answer came that could be gone on with; it never says more. */
class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The key that was entered does not sign. */
export class CannotSign extends Error {
  override readonly name = "CannotSign";
}
