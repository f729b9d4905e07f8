import { base64url } from "jose";
import { CONNECTION, type Grant } from "../contract/oauth.ts";
import type { Instant } from "../ids.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { TakenGrant } from "../platform/store/connections.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { notInForce } from "../registry/subprocessor.ts";
import { type Entry, record } from "../request/record.ts";
import { fail, ok, type Result } from "../result.ts";
import { type ConnectionState, connectionIdentity, openGrant, resealGrant } from "./connection.ts";
import { partyOf } from "./party.ts";
import { isRenewable, renew } from "./protocol.ts";
import type { OAuthProblem } from "./wire.ts";

/** An access token is renewed so long before its end, and each connection a little earlier or later than the next. */
const AHEAD_MS = 60_000;
const JITTER_MS = 30_000;

/** Longer than a call to a vendor may take, and the store's tries after it. */
const LEASE_MS = 45_000;

/** How often, and how long after each other, a runner looks whether another has renewed a token that it waits for. */
const LOOKS = 60;
const LOOK_MS = 250;

/** What was renewed stands nowhere but here until it is saved. */
const SAVES = 5;
const SAVE_MS = 500;

export type FreshProblem =
  | { readonly reason: "none" }
  | { readonly reason: "not_active"; readonly state: ConnectionState }
  /** Whoever is not in force gets no new data, and so nobody a token to bring it with. */
  | { readonly reason: "not_in_force"; readonly subprocessor: string }
  /** The vendor says that the grant is over; a request has been opened that ends it here too. */
  | { readonly reason: "over"; readonly request: string | undefined }
  | OAuthProblem;

/**
 * A grant whose access token works for a while yet. One runner renews it, the others wait for that; what was renewed is saved
 * before anybody uses it. A refresh token that rotates is lost only where the vendor has answered and every try to save the
 * answer has failed: the next runner then shows the old one again, which servers that allow for a lost answer still take; of
 * others it is an `invalid_grant`, and the connection ends as one whose renewal was lost.
 *
 * `by` is the API key that is given the token, where its subprocessor is in force; "" for an act of the gateway's own. `aheadMs`: how much
 * longer than usual its access token has to last.
 */
export async function freshGrant(
  ports: Ports,
  context: Context,
  id: string,
  by: string,
  aheadMs = 0,
): Promise<Result<Grant, FreshProblem>> {
  const { n } = context.tenant;
  const runner = base64url.encode(ports.random(9));
  const except = by === "" ? [] : outOfForce(context, ports.now());
  for (let look = 0; look < LOOKS; look++) {
    const now = ports.now();
    const until = now + aheadMs + AHEAD_MS + Math.floor(((ports.random(1)[0] ?? 0) / 256) * JITTER_MS);
    const taken = await ports.store.takeGrant({ n, id, now, until, runner, leaseUntil: now + LEASE_MS, by, except });
    switch (taken.result) {
      case "busy":
        await ports.sleep(LOOK_MS);
        continue;
      case "none":
        return fail({ reason: "none" });
      case "ended":
        return fail({ reason: "not_active", state: "ended" });
      case "not_active":
        // The states are written by the scripts, and there are no others.
        return fail({ reason: "not_active", state: taken.state as ConnectionState });
      case "not_in_force":
        return fail({ reason: "not_in_force", subprocessor: taken.subprocessor });
      case "held":
        return ok(await openGrant(context.keys, id, taken.wrapped, taken.grant));
      case "renew":
        return renewed(ports, context, id, runner, by, now, taken);
    }
  }
  return fail({ reason: "unreachable" });
}

const outOfForce = ({ tenant }: Context, now: Instant): readonly string[] =>
  Object.values(tenant.subprocessors).flatMap((entry) => (notInForce(entry, now) === undefined ? [] : entry.id));

async function renewed(
  ports: Ports,
  context: Context,
  id: string,
  runner: string,
  by: string,
  now: Instant,
  taken: Extract<TakenGrant, { result: "held" | "renew" }>,
): Promise<Result<Grant, FreshProblem>> {
  const { tenant, keys } = context;
  const { n } = tenant;
  const grant = await openGrant(keys, id, taken.wrapped, taken.grant);
  const { subprocessor } = taken;
  const party = await partyOf(ports, context, subprocessor, grant);
  if (party === undefined) return fail({ reason: "misconfigured", what: "this subprocessor grants nothing any more" });
  const got = party.ok ? await renew(ports, party.value, grant) : party;
  if (got.ok) {
    const sealed = await resealGrant(keys, id, taken.wrapped, got.value);
    const { expiresAt } = got.value;
    const renewal = { n, id, now, runner, by, version: taken.version, grant: sealed, expiresAt };
    const stands = await saved(ports, {
      ...renewal,
      isRenewable: party.ok && isRenewable(party.value.oauth, got.value),
    });
    ports.log("token_refreshed", { tenant: tenant.slug, subprocessor, connection: id, stands });
    return stands ? got : fail({ reason: "unreachable" });
  }
  const isOver = got.problem.reason === "refused" && got.problem.error === "invalid_grant";
  ports.log("token_not_refreshed", {
    tenant: tenant.slug,
    subprocessor,
    connection: id,
    reason: got.problem.reason === "refused" ? got.problem.error : got.problem.reason,
    was_cut_off: taken.wasCutOff,
  });
  // An access token that is not renewed ahead of its end is good until then.
  const isGood = !isOver && grant.expiresAt !== undefined && grant.expiresAt > now;
  await ports.store.letGo({ n, id, runner, ...(isGood && by !== "" && { given: { by, now } }) });
  if (!isOver) return isGood ? ok(grant) : got;
  // Another runner has renewed it since: what was refused is the token in whose place the new one came.
  const [present = {}] = await ports.store.connections([{ n, id }]);
  if (present.v !== undefined && present.v !== taken.version) return freshGrant(ports, context, id, by);
  const cause = taken.wasCutOff ? "renewal-lost" : "invalid-grant";
  const request = await endedByVendor(ports, context, { id, subprocessor }, cause);
  return fail({ reason: "over", request: request?.id });
}

/** The new tokens are nowhere else: an unreachable store is asked again, for as long as the lease goes. */
async function saved(ports: Ports, renewal: Parameters<Ports["store"]["renewed"]>[0]): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ports.store.renewed(renewal);
    } catch (error) {
      if (!(error instanceof StoreUnreachable) || attempt === SAVES) throw error;
      await ports.sleep(attempt * SAVE_MS);
    }
  }
}

/** A connection that is over by its vendor's own word: nobody is given its tokens any more, and a request ends it here. */
export async function endedByVendor(
  ports: Ports,
  context: Context,
  { id, subprocessor }: { readonly id: string; readonly subprocessor: string },
  cause: "invalid-grant" | "renewal-lost" | "check",
): Promise<Entry | undefined> {
  const [entry] = await record(ports, context, () => [
    {
      type: "revocation",
      source: `${subprocessor}/${CONNECTION}`,
      delivery: `${id} ${cause}`,
      authority: "here",
      identities: [connectionIdentity(id, subprocessor)],
      scope: subprocessor,
      endedByHolder: true,
    },
  ]);
  // Last: what is shut and has no request that ends it would be shut for ever.
  await ports.store.ending(context.tenant.n, [id]);
  return entry;
}
