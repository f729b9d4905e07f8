import { type Integration, isAbsent } from "../contract/integration.ts";
import { CONNECTION, type Grant } from "../contract/oauth.ts";
import type { Instant } from "../ids.ts";
import type { Cursor, Target } from "../lanes/order.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { connectionsIn, endingIn, openGrant } from "./connection.ts";
import { type FreshProblem, freshGrant } from "./fresh.ts";
import { isOfAnother, OF_ANOTHER } from "./party.ts";
import { haveSiblings } from "./sibling.ts";

export type Held = { readonly cursor: Cursor; readonly grants: ReadonlyMap<string, Grant> };

/** There is no token to act with now, which says nothing of its grant: the order comes back. */
export class NoTokenNow extends Error {
  override readonly name = "NoTokenNow";
  /** What is said of it, in words of our own. */
  readonly reason: string;
  /** It may pass by itself. */
  readonly passes: boolean;
  constructor(reason: string, passes: boolean) {
    super(reason);
    this.reason = reason;
    this.passes = passes;
  }
}

/**
 * The grants of the connections that an order is to revoke. What has ended before ends here as it ended then. A connection whose
 * revocation would end another one in use, because the vendor ends all that an account has granted, is not revoked: its tokens are
 * destroyed, which is all that can be done for it alone.
 */
export async function grantsFor(
  ports: Ports,
  context: Context,
  subprocessor: string,
  integration: Integration,
  cursor: Cursor,
): Promise<Held> {
  const { oauth } = integration;
  const open = cursor.targets.filter(
    ({ identity, state }) => identity.type === CONNECTION && state.at !== "done" && state.at !== "gone",
  );
  if (open.length === 0 || isAbsent(oauth)) return { cursor, grants: new Map() };
  const { n } = context.tenant;
  const ids = open.map(({ identity }) => identity.value);
  const hashes = await ports.store.connections(ids.map((id) => ({ n, id })));
  const grants = new Map<string, Grant>();
  const over = new Map<string, Target["state"]>();
  for (const [index, id] of ids.entries()) {
    const hash = hashes[index] ?? {};
    const { k: wrapped, t: sealed } = hash;
    const state = open[index]?.state;
    if (wrapped === undefined || sealed === undefined) {
      over.set(id, state?.at === "look" ? { at: "done", answer: state.was } : endedAs(hash));
      continue;
    }
    const grant = await openGrant(context.keys, id, wrapped, sealed);
    if (isOfAnother(oauth, grant, context.tenant.subprocessors[subprocessor]?.settings ?? {}))
      throw new NoTokenNow(OF_ANOTHER, false);
    // What the vendor has taken is only looked at from then on: with the tokens that it took.
    if (state?.at !== "todo") {
      grants.set(id, grant);
      continue;
    }
    // The vendor may be giving new tokens in place of these: to revoke these then could leave those alive, unknown to anybody.
    if (isLeased(hash, ports.now())) throw new NoTokenNow("its tokens are being renewed", true);
    const sibling = { subprocessor, account: hash.h ?? "", except: [id] };
    if (oauth.kills === "account" && (await haveSiblings(ports, context, [sibling])).includes(true)) {
      over.set(id, { at: "done", answer: "stopped", because: SIBLING });
      continue;
    }
    const needs = oauth.revokesWithAccess === true && (grant.expiresAt ?? Number.POSITIVE_INFINITY) <= ports.now();
    const fresh = needs ? await freshGrant(ports, context, id, "") : undefined;
    if (fresh === undefined) grants.set(id, grant);
    else if (fresh.ok) grants.set(id, fresh.value);
    // The vendor itself says that there is no grant left that could be revoked.
    else if (fresh.problem.reason === "over") over.set(id, { at: "done", answer: "not_found" });
    else throw noTokenNow(fresh.problem);
  }
  const targets = cursor.targets.map((target) => {
    const state = target.identity.type === CONNECTION ? over.get(target.identity.value) : undefined;
    return state === undefined || target.state.at === "done" ? target : { ...target, state };
  });
  return { cursor: { ...cursor, targets }, grants };
}

/**
 * Spares what has been connected since the revocation was planned, by whomever: an account by its own id is not ended at a vendor that
 * would end another connection of it, which is in use, with it.
 */
export async function sparingOthers(
  ports: Ports,
  context: Context,
  subprocessor: string,
  { oauth }: Integration,
  cursor: Cursor,
): Promise<Cursor> {
  const accounts = cursor.targets.filter(({ identity, state }) => identity.type !== CONNECTION && state.at === "todo");
  if (isAbsent(oauth) || oauth.kills !== "account" || accounts.length === 0) return cursor;
  const except = connectionsIn(cursor.targets.map(({ identity }) => identity)).map(({ value }) => value);
  const asked = await Promise.all(
    accounts.map(async ({ identity }) => ({
      subprocessor,
      account: await context.keys.pseudonym("index", identity),
      except,
    })),
  );
  const inUse = await haveSiblings(ports, context, asked);
  const spared = new Set(accounts.filter((_, at) => inUse[at] === true));
  const over = { at: "done", answer: "stopped", because: OTHERS } as const;
  return { ...cursor, targets: cursor.targets.map((each) => (spared.has(each) ? { ...each, state: over } : each)) };
}

/** A person's grants at one holder; `isPart`: others have ended meanwhile, of accounts that none of these is of. */
export type Theirs = { readonly grants: readonly Grant[]; readonly isPart: boolean };

/**
 * All that a person has granted here, fit for use: for what can be done in their name alone. A grant whose vendor says that it is
 * over, or that is another issuer's, is left out. Where none is left, only the person can do what is to be done; what was done is done
 * without a further look.
 */
export async function theirGrants(
  ports: Ports,
  context: Context,
  subprocessor: string,
  { oauth }: Integration,
  { targets, connections = [] }: Cursor,
): Promise<Theirs> {
  if (isAbsent(oauth)) throw new NoTokenNow(NO_GRANT, false);
  const settings = context.tenant.subprocessors[subprocessor]?.settings ?? {};
  const usable = new Map<string, Grant>();
  for (const id of connections) {
    const fresh = await freshGrant(ports, context, id, "");
    if (fresh.ok) {
      if (!isOfAnother(oauth, fresh.value, settings)) usable.set(id, fresh.value);
      continue;
    }
    const { problem } = fresh;
    if (problem.reason === "over" || problem.reason === "none" || problem.reason === "not_active") continue;
    throw noTokenNow(problem);
  }
  if (usable.size === 0 && targets.some(({ state }) => state.at === "todo")) throw new NoTokenNow(NO_GRANT, false);
  const isPart = usable.size < connections.length && (await isOfMore(ports, context, connections, usable));
  return { grants: [...usable.values()], isPart };
}

/** Whether some of the connections that cannot be used were of other accounts than those that can. */
async function isOfMore(
  ports: Ports,
  { tenant: { n } }: Context,
  connections: readonly string[],
  usable: ReadonlyMap<string, unknown>,
): Promise<boolean> {
  const hashes = await ports.store.connections(connections.map((id) => ({ n, id })));
  const accounts = new Set(hashes.flatMap(({ a }, at) => (usable.has(connections[at] ?? "") ? (a ?? []) : [])));
  return hashes.some(({ a = "" }, at) => !usable.has(connections[at] ?? "") && !accounts.has(a));
}

const NO_GRANT =
  "no grant of this person's is left here, and only with it can what was published be deleted: ask them to do it, and complete the task by hand";

const OTHERS = "the vendor would end another connection of this account with it, which is in use";

const SIBLING =
  "the vendor would end another connection of this account with it, which is in use; the tokens held here are destroyed";

const DESTROYED = "its tokens were destroyed before the vendor had said that they are revoked";

/** What became of it before is what it ended as; of what nobody knows, only that nothing is held here any more. */
const endedAs = (hash: Hash): Target["state"] => {
  const outcome = endingIn(hash)?.outcome;
  if (outcome === "revoked" || outcome === "stopped" || outcome === "not_found") return { at: "done", answer: outcome };
  return { at: "done", answer: "stopped", because: DESTROYED };
};

/** The lease as `takeGrant` writes it: a runner, and until when. */
const isLeased = ({ l: lease = "" }: Hash, now: Instant): boolean => Number(lease.split(" ")[1] ?? 0) > now;

function noTokenNow(problem: Exclude<FreshProblem, { reason: "over" }>): NoTokenNow {
  const without = (why: string) => new NoTokenNow(`no token to do it with: ${why}`, false);
  switch (problem.reason) {
    case "refused":
      return without(`the vendor refused to renew it (${problem.error})`);
    case "unreadable":
      return without("the vendor's answer to its renewal cannot be read");
    case "misconfigured":
      return without(problem.what);
    // Whatever ended it meanwhile is seen when the order comes back.
    default:
      return new NoTokenNow("the vendor gave no token to do it with", true);
  }
}
