import { type Identity, sameIdentity } from "../contract/identity.ts";
import { isAbsent, isBulk, type Order } from "../contract/integration.ts";
import { CONNECTION, type Grant } from "../contract/oauth.ts";
import { sender, stepped } from "../lanes/call.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import { ON_THE_WAY_MS } from "../platform/store/connections.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { notInForce } from "../registry/subprocessor.ts";
import { rfc3339 } from "../request/deadline.ts";
import { fail, ok, type Result } from "../result.ts";
import { callbackPath, digestOf, newConnectionId, newSecret, sealGrant } from "./connection.ts";
import { beside, type Party, partyOf, unfit, type Where } from "./party.ts";
import { newPass, ownerOf, type PassKind } from "./pass.ts";
import { authorizationAddress, type Departure, exchange, isRenewable, newDeparture } from "./protocol.ts";
import type { OAuthProblem } from "./wire.ts";

/** What a product asks a connection for. */
type Wish = {
  readonly subprocessor: string;
  readonly scopes: readonly string[];
  readonly returnTo: string;
  readonly site?: string;
};

/** What is remembered of someone who has gone to a vendor. */
type Away = Wish & {
  readonly departure: Departure;
  /** Digest of the secret that the browser keeps in a cookie. */
  readonly browser: string;
  /** The server that they were sent to. A state that was made before it was noted has none. */
  readonly issuer?: string;
  /** What was found by what they said of themselves, and the keys of this grant. */
  readonly where?: Pick<Where, "server" | "binding" | "expected">;
  /** The path of the callback to which the vendor was told to send them: one for each authorization server (RFC 9700 section 4.4.2). */
  readonly path: string;
};

/** The errors that a product's page is told; whatever else a vendor says is `vendor_error`. */
const RETURN_ERRORS = [
  "access_denied",
  "invalid_scope",
  "temporarily_unavailable",
  "login_required",
  "consent_required",
  "interaction_required",
  "vendor_unreachable",
  "vendor_error",
  "account_unknown",
  "misconfigured",
] as const;
type ReturnError = (typeof RETURN_ERRORS)[number];

const place = (what: PassKind, digest: string): string => `oauth ${what} ${digest}`;

/** The address at which a person's way to a vendor begins: once, within ten minutes. */
export async function startAddress(ports: Ports, { tenant, keys }: Context, wish: Wish): Promise<string> {
  const ticket = await newPass(ports, "ticket", tenant.n);
  const digest = await digestOf(ticket);
  await ports.store.keepTicket(tenant.n, digest, await keys.sealSetting(place("ticket", digest), JSON.stringify(wish)));
  return `${ports.origin}/oauth/start/${ticket}`;
}

type Leaving = {
  readonly address: string;
  readonly cookie: {
    readonly name: string;
    readonly value: string;
    readonly maxAge: number;
    readonly isCrossSite: boolean;
  };
};

/** Where a person who has opened a start address goes on; undefined: it was opened before, is too old, or never was. */
export async function leave(ports: Ports, ticket: string): Promise<Leaving | { readonly back: string } | undefined> {
  const taken = await taking(ports, ticket, "ticket");
  if (taken === undefined) return undefined;
  const { context, digest, sealed } = taken;
  // Sealed by `startAddress` and by nobody else, as the seal itself proves.
  const wish = JSON.parse(await context.keys.openSetting(place("ticket", digest), sealed)) as Wish;
  const party = isInForce(ports, context, wish)
    ? await partyOf(ports, context, wish.subprocessor, { site: wish.site })
    : undefined;
  const stay = (problem: OAuthProblem | undefined) => {
    said(ports, context, wish.subprocessor, "not_begun", whyNot(problem));
    return { back: withError(wish.returnTo, departureError(problem)) };
  };
  if (party?.ok !== true) return stay(party?.problem);
  const misfit = unfit(party.value);
  if (misfit !== undefined) return stay(misfit);
  const { n } = context.tenant;
  const state = await newPass(ports, "state", n);
  const browser = newSecret(ports.random);
  const stateDigest = await digestOf(state);
  const path = callbackPath(n, party.value.integration, wish.subprocessor);
  const departure = newDeparture(state);
  const { server, oauth, binding, expected } = party.value;
  const where = { ...(expected !== undefined && { server: beside(server, oauth), expected }), binding };
  const { issuer } = server;
  const away: Away = { ...wish, departure, browser: await digestOf(browser), path, issuer, where };
  const address = await authorizationAddress(
    ports,
    party.value,
    departure,
    ports.origin + path,
    wish.scopes,
    expected === undefined ? undefined : wish.site,
  );
  if (!address.ok) return stay(address.problem);
  await ports.store.keepState(
    n,
    stateDigest,
    await context.keys.sealSetting(place("state", stateDigest), JSON.stringify(away)),
  );
  return {
    address: address.value,
    cookie: {
      name: cookieName(stateDigest),
      value: browser,
      maxAge: ON_THE_WAY_MS / 1000,
      isCrossSite: oauth.formPost === true,
    },
  };
}

/** It may have been retired since the product asked: whoever is not in force gets nothing new. */
function isInForce(ports: Pick<Ports, "now">, { tenant }: Context, { subprocessor }: Wish): boolean {
  const entry = tenant.subprocessors[subprocessor];
  return entry !== undefined && notInForce(entry, ports.now()) === undefined;
}

/** For whoever runs the gateway: in words of our own, or the error's own name. */
function whyNot(problem: OAuthProblem | undefined): string {
  if (problem === undefined) return "no_oauth";
  if (problem.reason === "refused") return problem.error;
  return problem.reason === "unreachable" ? problem.reason : problem.what;
}

/** What a product's page is told of a way that ends before it has begun. */
function departureError(problem: OAuthProblem | undefined): ReturnError {
  if (problem?.reason === "unknown_account") return "account_unknown";
  if (problem?.reason === "misconfigured") return "misconfigured";
  return problem?.reason === "refused" ? returnError(problem.error) : "vendor_unreachable";
}

/** A cookie a way, so that two tabs do not take each other's. `__Host-`: this host's alone, over TLS (RFC 6265bis section 4.1.3.2). */
const cookieName = (stateDigest: string): string => `__Host-quittance-${stateDigest.slice(0, 12)}`;

/** Where the person goes on; or why there is nowhere: then nothing was asked of anybody. */
export type Landed = { readonly to: string; readonly cookie: string } | { readonly refused: Refusal };

type Refusal = "repeated_parameter" | "unknown_state" | "other_browser" | "other_callback";

/**
 * A person comes back from a vendor. The state is taken before anything else; what does not fit ends the way, and the code is
 * never shown to any vendor.
 */
export async function land(
  ports: Ports,
  path: string,
  parameters: URLSearchParams,
  cookieOf: (name: string) => string | undefined,
): Promise<Landed> {
  const names = [...parameters.keys()];
  if (new Set(names).size < names.length) return { refused: "repeated_parameter" };
  const taken = await taking(ports, parameters.get("state") ?? "", "state");
  if (taken === undefined) return { refused: "unknown_state" };
  const { context, digest, sealed } = taken;
  // Sealed by `leave` and by nobody else, as the seal itself proves.
  const away = JSON.parse(await context.keys.openSetting(place("state", digest), sealed)) as Away;
  const cookie = cookieName(digest);
  const refuse = (refused: Refusal): Landed => {
    said(ports, context, away.subprocessor, "refused", refused);
    return { refused };
  };
  // Digests are compared, so the time taken tells nothing of the cookie.
  if ((await digestOf(cookieOf(cookie) ?? "")) !== away.browser) return refuse("other_browser");
  if (path !== away.path) return refuse("other_callback");
  const landed = await landing(ports, context, away, parameters);
  if (!landed.ok) {
    said(ports, context, away.subprocessor, "failed", landed.problem.why);
    return { to: withError(away.returnTo, landed.problem.error), cookie };
  }
  said(ports, context, away.subprocessor, "landed", landed.value.connection);
  return { to: withParameters(away.returnTo, landed.value), cookie };
}

const said = (ports: Ports, { tenant }: Context, subprocessor: string, what: string, why: string): void =>
  ports.log(`oauth_${what}`, { tenant: tenant.slug, subprocessor, why });

type Failure = { readonly error: ReturnError; readonly why: string };

async function landing(
  ports: Ports,
  context: Context,
  away: Away,
  parameters: URLSearchParams,
): Promise<Result<{ readonly connection: string; readonly code: string }, Failure>> {
  const found = isInForce(ports, context, away)
    ? await partyOf(ports, context, away.subprocessor, { site: away.site, ...away.where })
    : undefined;
  if (found?.ok !== true) return fail({ error: "vendor_unreachable", why: found?.problem.reason ?? "no_oauth" });
  const party = found.value;
  // Another may be entered since: a code and its verifier are for the server that gave the one and no other (RFC 9700 section 4.4).
  if (away.issuer !== undefined && party.server.issuer !== away.issuer)
    return fail({ error: "misconfigured", why: "another server than the one that the person was sent to" });
  const { departure, scopes } = away;
  const exchanged = await exchange(ports, party, parameters, departure, ports.origin + away.path, scopes);
  if (!exchanged.ok) {
    const { problem } = exchanged;
    if (problem.reason === "refused") return fail({ error: returnError(problem.error), why: problem.error });
    const error = problem.reason === "unreachable" ? "vendor_unreachable" : "vendor_error";
    return fail({ error, why: problem.reason === "unreadable" ? problem.what : problem.reason });
  }
  const { tokens, answer, claims } = exchanged.value;
  const account = await accountOf(ports, party, tokens.accessToken, answer, claims);
  // Another than the one whose server it is would be whoever that server says: it must not be able to speak for everybody.
  const { expected } = party;
  const isOther = account.ok && expected !== undefined && !sameIdentity(account.value, expected);
  if (!account.ok || isOther) {
    // Where the vendor would end all of an account with it, nobody knows what else that is: it is left to the vendor's expiry.
    if (party.oauth.kills === "grant")
      await giveBack(ports, context, party, { ...tokens, account: { type: CONNECTION, value: "unknown" } });
    else said(ports, context, away.subprocessor, "not_given_back", "account_unknown");
    return fail({ error: "account_unknown", why: account.ok ? "another account than was said" : account.problem });
  }
  const grant = { ...tokens, account: account.value };
  try {
    return ok(await keep(ports, context, party, grant));
  } catch (error) {
    await giveBack(ports, context, party, grant);
    if (!(error instanceof StoreUnreachable)) throw error;
    return fail({ error: "temporarily_unavailable", why: "the store could not be reached" });
  }
}

/** Tokens that cannot be kept are revoked while they are known. What fails is logged: the vendor's own expiry is left. */
async function giveBack(ports: Ports, context: Context, party: Party, grant: Grant): Promise<void> {
  const { integration, settings, server, subprocessor, oauth } = party;
  const action = integration.actions.revoke;
  if (isAbsent(action) || isBulk(action) || !action.by.includes(CONNECTION)) return;
  const identity = { type: CONNECTION, value: "unknown" };
  const at = rfc3339(ports.now());
  const order: Order = {
    settings,
    identity,
    identities: [identity],
    grant,
    requestId: "",
    taskId: "",
    requestedAt: at,
    attemptedAt: at,
    keeps: new Set(),
    idempotencyKey: (step) => step,
  };
  const caller = { ...callerOf(ports, party), discovered: Object.values(beside(server, oauth)) };
  const done = await stepped(action.run(order), sender(ports, caller, []));
  said(ports, context, subprocessor, "given_back", "problem" in done ? done.problem.reason : done.answer.outcome);
}

const returnError = (error: string): ReturnError => RETURN_ERRORS.find((known) => known === error) ?? "vendor_error";

/** A read of a vendor's own while the person waits: twice the time of one call. */
const ASKING_MS = 20_000;

const callerOf = (ports: Ports, { integration, settings }: Party) => ({
  integration,
  settings,
  turn: async () => {},
  until: ports.now() + ASKING_MS,
});

async function accountOf(
  ports: Ports,
  party: Party,
  accessToken: string,
  answer: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): Promise<Result<Identity, string>> {
  const { oauth, settings } = party;
  const send = sender(ports, callerOf(ports, party), []);
  const whose = oauth.account({ settings, accessToken, answer, claims });
  const asked = "ok" in whose ? { answer: whose } : await stepped(whose, send);
  if ("problem" in asked) return fail(asked.problem.reason);
  return asked.answer.ok ? asked.answer : fail(asked.answer.problem.what);
}

/** Unless the product confirms it in so long, it is revoked: whoever sent the person here was not the product. */
const CONFIRM_WITHIN_MS = 10 * 60_000;

const unconfirmedStep = (id: string): string => `connection:${id}`;

async function keep(
  ports: Ports,
  { tenant, keys }: Context,
  { integration, subprocessor, oauth }: Party,
  grant: Grant,
): Promise<{ readonly connection: string; readonly code: string }> {
  const { n } = tenant;
  const now = ports.now();
  const id = newConnectionId(n, ports.random);
  const code = newSecret(ports.random);
  const { wrapped, sealed } = await sealGrant(keys, id, grant);
  const { account } = grant;
  const household = oauth.family === undefined ? account : { ...account, type: oauth.family.name };
  await ports.store.land({
    n,
    id,
    subprocessor,
    account: await keys.pseudonym("index", account),
    household: await keys.pseudonym("index", household),
    document: JSON.stringify({ integration: integration.id, scopes: grant.scopes }),
    wrapped,
    grant: sealed,
    expiresAt: grant.expiresAt,
    isRenewable: isRenewable(oauth, grant),
    code: await digestOf(code),
    now,
    step: { id: unconfirmedStep(id), due: now + CONFIRM_WITHIN_MS },
  });
  return { connection: id, code };
}

/** Takes what is remembered under a pass; the store is asked for none that was made up. */
async function taking(
  ports: Ports,
  pass: string,
  what: PassKind,
): Promise<{ readonly context: Context; readonly digest: string; readonly sealed: string } | undefined> {
  const n = await ownerOf(ports, what, pass);
  if (n === undefined) return undefined;
  const context = await ports.tenants.byNumber(n);
  if (context?.tenant.status !== "active") return undefined;
  const digest = await digestOf(pass);
  const sealed = await (what === "ticket" ? ports.store.takeTicket(n, digest) : ports.store.takeState(n, digest));
  return sealed === undefined ? undefined : { context, digest, sealed };
}

const withError = (returnTo: string, error: ReturnError): string => withParameters(returnTo, { error });

/** The return address keeps its own parameters, but for those that are ours to say. */
function withParameters(returnTo: string, values: Readonly<Record<string, string>>): string {
  const url = new URL(returnTo);
  for (const name of ["connection", "code", "error"]) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  return url.href;
}
