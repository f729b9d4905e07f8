import { isAbsent } from "../contract/integration.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { rfc3339 } from "../request/deadline.ts";
import { sender, stepped } from "./call.ts";
import { confirmationPlace, endpointOf, readConfirmation } from "./confirmation.ts";
import { failed, type Pace } from "./drive.ts";
import { firstCursor } from "./order.ts";

/** What became of the order, and what it means for the lane. */
export type Confirmed = { readonly settlement: Settlement; readonly rest: number; readonly hung: boolean };

/**
 * Makes the call that a vendor asked for before it sends anything else. What gets no answer comes back until the vendor does
 * not wait any longer; a refusal gives it up, and the operator has the vendor ask anew.
 */
export async function confirmed(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  pace: Pace,
): Promise<Confirmed> {
  const { deadline, key: wrapped, sealed } = readConfirmation(order.payload);
  const { tenant } = context;
  const endpoint = endpointOf(order.id);
  const facts = { tenant: tenant.slug, subprocessor, endpoint };
  const entry = tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(entry?.integration ?? "");
  const hook =
    integration === undefined || isAbsent(integration.hooks)
      ? undefined
      : new Map(Object.entries(integration.hooks)).get(endpoint);
  const base = { id: order.id, attempt: order.attempt, deadline };
  const gone = (reason: string): Confirmed => {
    ports.log("confirmation_given_up", { ...facts, reason });
    return { settlement: { ...base, what: "drop" }, rest: 0, hung: false };
  };
  if (integration === undefined || hook?.handshake === undefined || entry?.status !== "active") return gone("no_hook");
  if (ports.now() >= deadline) return gone("too_late");

  const place = confirmationPlace(subprocessor, order.id);
  const value = await (await context.keys.unwrap(place, wrapped)).open(place, sealed);
  const settings = await settingsOf(context, subprocessor, integration.settings);
  const send = sender(ports, { integration, settings, ...pace }, []);
  const answered = await stepped(hook.handshake.run(value, settings), send);
  if ("answer" in answered) {
    const { answer } = answered;
    if (answer.outcome !== "informed")
      return gone("status" in answer ? `${answer.outcome} ${answer.status}` : answer.outcome);
    ports.log("confirmation_made", facts);
    return { settlement: { ...base, what: "drop" }, rest: 0, hung: false };
  }
  const fails = Number(order.cursor);
  const attempt = failed(answered.problem, false, { ...firstCursor([]), fails }, ports);
  const { reason } = answered.problem;
  // No credential goes with it, so that a refusal of one says nothing of the lane's.
  if (!("again" in attempt) || reason === "credential") return gone(reason);
  const { again: due, rest = 0, hung = false, cursor } = attempt;
  ports.log("confirmation_failed", { ...facts, reason, again: rfc3339(Math.max(due, rest)) });
  return { settlement: { ...base, what: "back", due, cursor: String(cursor.fails) }, rest, hung };
}
