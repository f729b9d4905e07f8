import { isAbsent } from "../contract/integration.ts";
import type { Alive } from "../contract/oauth.ts";
import { sender, stepped } from "../lanes/call.ts";
import { failed, type Pace } from "../lanes/drive.ts";
import { firstCursor } from "../lanes/order.ts";
import { laneName } from "../platform/keys.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { notInForce } from "../registry/subprocessor.ts";
import { days } from "../request/deadline.ts";
import { dropped, later, failed as stepFailed } from "../request/step.ts";
import { endedByVendor, freshGrant } from "./fresh.ts";
import { isOfAnother } from "./party.ts";

const PREFIX = "tend:";

/** The order in a subprocessor's lane by which a connection is looked after: `tend:<connection>`. */
export const isTending = (order: { readonly id: string } | undefined): boolean => order?.id.startsWith(PREFIX) === true;

/** A grant that was removed at its vendor is noticed within a day. */
const EVERY_MS = days(1);

/** So that those who connected in one hour are not all asked about in one minute. */
const SPREAD_MS = 2 * 3_600_000;

const nextLook = (ports: Pick<Ports, "now" | "random">): number =>
  ports.now() + EVERY_MS - Math.floor(((ports.random(1)[0] ?? 0) / 256) * SPREAD_MS);

function aliveOf({ integrations }: Pick<Ports, "integrations">, { tenant }: Context, subprocessor: string) {
  const entry = tenant.subprocessors[subprocessor];
  const integration = integrations.get(entry?.integration ?? "");
  if (entry === undefined || integration === undefined || isAbsent(integration.oauth)) return undefined;
  const { oauth } = integration;
  const { alive, site, refresh } = oauth;
  const aheadMs = isAbsent(refresh) ? 0 : days(refresh.aheadDays ?? 0);
  return alive === undefined ? undefined : { entry, integration, oauth, alive, site, aheadMs };
}

/** Looks after a connection from now on, where its vendor has no event for the end of a grant. */
export async function scheduleTending(ports: Ports, context: Context, subprocessor: string, id: string): Promise<void> {
  if (aliveOf(ports, context, subprocessor) === undefined) return;
  await ports.store.scheduleAt(
    laneName(context.tenant.n, subprocessor),
    `${PREFIX}${id}`,
    nextLook(ports),
    ports.now(),
  );
}

type Tended = { readonly settlement: Settlement; readonly rest: number; readonly hung: boolean };

/** Asks the vendor whether a grant still works; where it does not, a request ends it here too. */
export async function tend(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  pace: Pace,
): Promise<Tended> {
  const plain = (settlement: Settlement): Tended => ({ settlement, rest: 0, hung: false });
  try {
    const found = aliveOf(ports, context, subprocessor);
    if (found === undefined) return plain(dropped(order));
    const id = order.id.slice(PREFIX.length);
    const [{ st } = {}] = await ports.store.connections([{ n: context.tenant.n, id }]);
    // What is being revoked is not renewed meanwhile: the new tokens could outlive the old. Who is not in force may be so again.
    if (st === "ending" || notInForce(found.entry, ports.now()) !== undefined)
      return plain(later(order, nextLook(ports)));
    const grant = await freshGrant(ports, context, id, "", found.aheadMs);
    if (!grant.ok) {
      const { reason } = grant.problem;
      const isLater =
        reason === "unreachable" || reason === "refused" || reason === "unreadable" || reason === "misconfigured";
      return plain(isLater ? later(order, nextLook(ports)) : dropped(order));
    }
    const { integration, oauth, alive, site } = found;
    const entered = await settingsOf(context, subprocessor, integration.settings);
    if (isOfAnother(oauth, grant.value, entered)) return plain(later(order, nextLook(ports)));
    const settings = { ...entered, ...(site !== undefined && { [site]: grant.value.site ?? "" }) };
    const discovered = Object.values(grant.value.server ?? {});
    const send = sender(ports, { integration, settings, discovered, ...pace }, []);
    const asked = await stepped<Alive>(alive({ settings, grant: grant.value }), send);
    if ("problem" in asked) {
      const attempt = failed(asked.problem, false, firstCursor([]), ports);
      const { rest = 0, hung = false } = attempt;
      return { settlement: later(order, nextLook(ports)), rest, hung };
    }
    const { answer } = asked;
    if (answer === "alive") return plain(later(order, nextLook(ports)));
    if (answer === "ended") {
      await endedByVendor(ports, context, { id, subprocessor }, "check");
      return plain(dropped(order));
    }
    ports.log("connection_not_checked", { tenant: context.tenant.slug, connection: id, outcome: answer.outcome });
    const rest = answer.outcome === "slow_down" ? ports.now() + answer.seconds * 1000 : 0;
    return { settlement: later(order, nextLook(ports)), rest, hung: false };
  } catch (error) {
    return plain(stepFailed(ports, order, error));
  }
}
