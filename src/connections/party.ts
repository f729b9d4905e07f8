import * as oauth from "oauth4webapi";
import { z } from "zod";
import type { Binding } from "../contract/call.ts";
import type { Identity } from "../contract/identity.ts";
import { type Integration, isAbsent } from "../contract/integration.ts";
import type { FoundServer, Grant, OAuth, Server } from "../contract/oauth.ts";
import { isPublicEndpoint, originOf, type Settings, type SettingValues } from "../contract/settings.ts";
import { isPublicLook, stepped } from "../lanes/call.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { fail, ok, type Result } from "../result.ts";
import { newBinding } from "./client.ts";
import { type Addressee, attempt, type KnownServer, type OAuthProblem, over } from "./wire.ts";

/** A vendor's authorization server, as one tenant's subprocessor uses it. */
export type Party = Addressee & {
  readonly integration: Integration;
  readonly subprocessor: string;
  readonly client: oauth.Client;
  /** Whom the tokens have to be of, where the server was found by what the person said. */
  readonly expected?: Identity;
};

/**
 * What is known of one connection: its own value of the setting that says where the account lies, or what the person said; and from when
 * a person has left, what was found by it and which keys are its own.
 */
export type Where = {
  readonly site?: string | undefined;
  readonly server?: Grant["server"] | undefined;
  readonly binding?: Binding | undefined;
  readonly expected?: Identity | undefined;
};

/** Who is at the other end, by the registry; undefined where this subprocessor grants nothing. */
export async function partyOf(
  ports: Pick<Ports, "integrations" | "send" | "now" | "store" | "origin">,
  context: Context,
  subprocessor: string,
  where: Where,
): Promise<Result<Party, OAuthProblem> | undefined> {
  const entry = context.tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(entry?.integration ?? "");
  if (integration === undefined || isAbsent(integration.oauth)) return undefined;
  const { oauth: facts } = integration;
  const { site } = where;
  const entered = await settingsOf(context, subprocessor, integration.settings);
  const settings = { ...entered, ...(facts.site !== undefined && site !== undefined && { [facts.site]: site }) };
  const { client } = facts;
  // What was granted stays bound as it is; what was granted unbound is bound from its next renewal on, where that is asked for now.
  const binding = where.binding ?? (await newBinding(ports, context, client, settings));
  const id = "id" in client ? (settings[client.id] ?? "") : (binding?.client?.id ?? "");
  if (id === "")
    return fail({
      reason: "misconfigured",
      what: `${"id" in client ? client.id : "the client"} is not filled in`,
    });
  const known = { integration, subprocessor, oauth: facts, settings, client: { client_id: id } };
  const own = { ...known, ...(binding !== undefined && { binding }) };
  if ("find" in facts.server) {
    const found = await whereabouts(ports, integration, facts.server, where);
    if (!found.ok) return found;
    const { account, server } = found.value;
    return ok({ ...own, server: metadataOf(server), ...(account !== undefined && { expected: account }) });
  }
  const server = await serverOf(ports, context, subprocessor, integration, facts, settings);
  return server.ok ? ok({ ...own, server: server.value }) : server;
}

type Found = Result<{ readonly account: Identity | undefined; readonly server: FoundServer }, OAuthProblem>;

/** As it was found when the person left: whatever their name leads to later, these tokens are of this server. */
async function whereabouts(
  ports: Pick<Ports, "send" | "now">,
  { origins }: Integration,
  { find }: Extract<Server, { find: unknown }>,
  { site = "", server, expected }: Where,
): Promise<Found> {
  if (server !== undefined) {
    const { issuer, authorize, token } = server;
    if (issuer === undefined || authorize === undefined || token === undefined)
      return fail({ reason: "misconfigured", what: "this connection was made in another way" });
    return ok({ account: expected, server: { ...server, issuer, authorize, token } });
  }
  const until = ports.now() + FINDING_MS;
  let calls = 0;
  const looked = await stepped(find(site), async (call) => {
    if (!isPublicLook(call, origins)) return { problem: { reason: "forbidden_address", host: "" } };
    if (++calls > MOST_LOOKS || ports.now() >= until) return { problem: { reason: "out_of_time" } };
    const sent = await ports.send(call);
    return sent.ok ? { reply: sent.value } : { problem: sent.problem };
  });
  if ("problem" in looked) {
    const isOdd = looked.problem.reason === "forbidden_address" || looked.problem.reason === "broken";
    return fail(isOdd ? { reason: "unreadable", what: looked.problem.reason } : { reason: "unreachable" });
  }
  const { answer } = looked;
  return answer.ok ? answer : fail({ reason: "unknown_account", what: answer.problem.what });
}

/** A person waits. */
const FINDING_MS = 20_000;
const MOST_LOOKS = 6;

const metadataOf = ({ issuer, authorize, token, pushed, revocation, userinfo }: FoundServer): KnownServer => ({
  issuer,
  authorization_endpoint: authorize,
  token_endpoint: token,
  ...(pushed !== undefined && { pushed_authorization_request_endpoint: pushed }),
  ...(revocation !== undefined && { revocation_endpoint: revocation }),
  ...(userinfo !== undefined && { userinfo_endpoint: userinfo }),
  authorization_response_iss_parameter_supported: true,
});

async function serverOf(
  ports: Pick<Ports, "send">,
  context: Context,
  subprocessor: string,
  integration: Integration,
  { server }: OAuth,
  settings: SettingValues<Settings>,
): Promise<Result<KnownServer, OAuthProblem>> {
  if ("find" in server) return fail({ reason: "misconfigured", what: "the server is found by what a person says" });
  if ("discovered" in server) {
    const issuer = settings[server.discovered] ?? "";
    return attempt(() => context.once(`oauth server ${subprocessor} ${issuer}`, () => discovered(ports, issuer)));
  }
  const chosen = "by" in server ? new Map(Object.entries(server.servers)).get(settings[server.by] ?? "") : server;
  if (chosen === undefined) return fail({ reason: "misconfigured", what: "no server is known for these settings" });
  const filled = (address: string) => addressOf(address, integration.settings, settings);
  const [issuer, authorize, token] = [filled(chosen.issuer), filled(chosen.authorize), filled(chosen.token)];
  if (issuer === undefined || authorize === undefined || token === undefined)
    return fail({ reason: "misconfigured", what: "the address of the account is not filled in" });
  return ok({
    issuer,
    authorization_endpoint: authorize,
    token_endpoint: token,
    ...(chosen.namesIssuer === true && { authorization_response_iss_parameter_supported: true }),
  });
}

/** An address whose host may hold settings; no setting stands in its path. */
function addressOf(declared: string, settings: Settings, values: SettingValues<Settings>): string | undefined {
  const [, origin = "", rest = ""] = /^(https:\/\/[^/]+)(.*)$/.exec(declared) ?? [];
  const filled = originOf(origin, settings, values);
  return filled === undefined ? undefined : filled + rest;
}

/** What is used of a provider's description of itself. RFC 8414 section 2, RFC 9126 section 5, RFC 9449 section 5.1, RFC 9207 section 3. */
const Description = z.object({
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  pushed_authorization_request_endpoint: z.string().exactOptional(),
  require_pushed_authorization_requests: z.boolean().exactOptional(),
  revocation_endpoint: z.string().exactOptional(),
  introspection_endpoint: z.string().exactOptional(),
  userinfo_endpoint: z.string().exactOptional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).exactOptional(),
  dpop_signing_alg_values_supported: z.array(z.string()).exactOptional(),
  // Without it, RS256 alone would do.
  id_token_signing_alg_values_supported: z.array(z.string()).exactOptional(),
  authorization_response_iss_parameter_supported: z.boolean().exactOptional(),
});

/** OpenID Connect Discovery 1.0 section 4, and RFC 8414. Endpoints beyond its own origin are not used. */
async function discovered(ports: Pick<Ports, "send">, issuer: string): Promise<KnownServer> {
  if (!isPublicEndpoint(issuer)) throw new oauth.OperationProcessingError("the issuer is no public address");
  const url = new URL(issuer);
  const found = await oauth.processDiscoveryResponse(
    url,
    await oauth.discoveryRequest(url, { algorithm: "oidc", [oauth.customFetch]: over(ports) }),
  );
  const isOwn = (address: unknown) =>
    typeof address === "string" && URL.canParse(address) && new URL(address).origin === url.origin;
  const own = Object.entries(found).filter(([name, value]) => !name.endsWith("_endpoint") || isOwn(value));
  const described = Description.safeParse(Object.fromEntries(own));
  if (!described.success) {
    const at = described.error.issues[0]?.path.join(".") ?? "";
    throw new oauth.OperationProcessingError(
      at.endsWith("_endpoint")
        ? "the provider's endpoints are not at its own origin"
        : `the provider's description has no usable ${at}`,
    );
  }
  return { issuer: found.issuer, ...described.data };
}

/**
 * Why nobody can be sent to a server, by what it says of itself and what the operator asks of it. What was granted before is not touched
 * by it.
 */
export function unfit({ oauth: { client, server: stated }, server, binding }: Party): OAuthProblem | undefined {
  if (!("discovered" in stated)) return undefined;
  const misfit = (what: string) => ({ reason: "misconfigured", what }) as const;
  // RFC 8414 section 2: left out, it is HTTP Basic.
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  if ((client.by === "basic" || client.by === "post") && !methods.includes(`client_secret_${client.by}`))
    return misfit(`the provider does not take client_secret_${client.by}`);
  if (
    server.require_pushed_authorization_requests === true &&
    server.pushed_authorization_request_endpoint === undefined
  )
    return misfit("the provider wants requests to be pushed, and names no endpoint at its own origin for it");
  if (binding !== undefined && server.dpop_signing_alg_values_supported?.includes("ES256") !== true)
    return misfit(
      "tokens are to be bound to a key (DPoP), and the provider does not say that it takes proofs by ES256",
    );
  return undefined;
}

/** One spelling, so that a slash at its end makes no other issuer of it. */
export const issuerIn = (setting = ""): string => (URL.canParse(setting) ? new URL(setting).href : setting);

/** Whether a grant was given by another provider than the one that is entered now: neither is told the other's secrets. */
export function isOfAnother(
  { server }: Pick<OAuth, "server">,
  grant: Pick<Grant, "issuer">,
  settings: Readonly<Record<string, string>>,
): boolean {
  if (!("discovered" in server) || grant.issuer === undefined) return false;
  return grant.issuer !== issuerIn(settings[server.discovered]);
}

export const OF_ANOTHER = "the connection is of another issuer than the one that is entered now";

/** The endpoints beside the token endpoint, where they were discovered; with all others where the server was found. */
export const beside = (server: KnownServer, { server: stated }: OAuth): NonNullable<Grant["server"]> => ({
  ...("find" in stated && {
    issuer: server.issuer,
    authorize: server.authorization_endpoint,
    token: server.token_endpoint,
    ...(server.pushed_authorization_request_endpoint !== undefined && {
      pushed: server.pushed_authorization_request_endpoint,
    }),
  }),
  ...(server.revocation_endpoint !== undefined && { revocation: server.revocation_endpoint }),
  ...(server.introspection_endpoint !== undefined && { introspection: server.introspection_endpoint }),
  ...(server.userinfo_endpoint !== undefined && { userinfo: server.userinfo_endpoint }),
});
