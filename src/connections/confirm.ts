import type { Ports } from "../ports.ts";
import type { Problem } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { type Consent, link, rejoin } from "../request/link.ts";
import { fail, ok, type Result } from "../result.ts";
import { connectionIdentity, digestOf, openGrant } from "./connection.ts";
import { scheduleTending } from "./tend.ts";

const NOT_FOUND: Problem = { reason: "not_found", what: "such connection" };
const REFUSED: Problem = {
  reason: "conflict",
  detail: "This code does not belong to this connection, or it was used for another subject. Nothing was changed.",
};
const TOO_LATE: Problem = {
  reason: "conflict",
  detail: "This connection has ended, or was not confirmed in time and is being revoked. Let the person connect again.",
};

/**
 * The product says, in its own session, whose connection this is, and shows that the person who has that session is the one who came
 * back from the vendor: the code was in the address that only their browser got. Until then a connection is nobody's.
 *
 * An account that was erased is not taken up again without a fresh consent. What is linked joins an erasure that is open.
 */
export async function confirmConnection(
  ports: Ports,
  context: Context,
  id: string,
  code: string,
  subject: string,
  consent: Consent | undefined,
): Promise<Result<{ readonly joins: readonly string[] }, Problem>> {
  const { tenant, keys } = context;
  const { n } = tenant;
  const digest = await digestOf(code);
  const [hash = {}] = await ports.store.connections([{ n, id }]);
  const { st, p: subprocessor, k: wrapped, t: sealed, at } = hash;
  if (st === undefined || subprocessor === undefined) return fail(NOT_FOUND);
  // What is compared are digests, so the time taken tells nothing of the code.
  if (hash.c !== digest) return fail(st === "ended" ? TOO_LATE : REFUSED);
  if ((st !== "unconfirmed" && st !== "active") || wrapped === undefined || sealed === undefined) return fail(TOO_LATE);
  if (st === "active" && hash.s !== subject) return fail(REFUSED);

  const { account } = await openGrant(keys, id, wrapped, sealed);
  const [suppressed] = await ports.store.suppressed(n, [await keys.pseudonym("suppression", account)]);
  if (suppressed?.startsWith("erased ") === true && consent === undefined)
    return fail({
      reason: "conflict",
      detail:
        "The person of this account was erased. Ask for their consent and repeat this with `consent`; without it the connection is revoked.",
    });
  const since = Number(at);
  const own = { ...connectionIdentity(id, subprocessor), since };
  const both = await link(ports, context, subject, [own, { ...account, subprocessor, account: true, since }], consent);
  // An account may be connected by two people; its own id then stays with the first.
  const isShared = !both.ok && both.problem.taken === 1;
  const linked = isShared ? await link(ports, context, subject, [own], consent) : both;
  if (!linked.ok) return linked;
  // Before it: a connection in use that nobody looks after would not be noticed to be over.
  await scheduleTending(ports, context, subprocessor, id);
  const confirmed = await ports.store.confirm(n, id, digest, subject, ports.now());
  if (confirmed !== "confirmed") return fail(confirmed === "refused" ? REFUSED : TOO_LATE);
  if (consent !== undefined) ports.log("consent_recorded", { tenant: tenant.slug });
  ports.log("connection_confirmed", { tenant: tenant.slug, subprocessor, connection: id });
  await rejoin(ports, context, linked.value.requests);
  return ok({ joins: linked.value.requests });
}
