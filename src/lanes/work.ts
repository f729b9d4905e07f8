import { isTending, tend } from "../connections/tend.ts";
import { isBulk } from "../contract/integration.ts";
import type { Instant } from "../ids.ts";
import { parseLane } from "../platform/keys.ts";
import type { Claimed, Frozen, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { failed } from "../request/step.ts";
import { type Attempted, concludedOrders, isOpened, type Opened, open, readPayload, untouched } from "./attempt.ts";
import { type BulkOpened, isBulkOpened, workBulk } from "./bulk.ts";
import { type Confirmed, confirmed } from "./confirm.ts";
import { isConfirmation } from "./confirmation.ts";
import { isContent } from "./content.ts";
import { type Attempt, drive, type Pace } from "./drive.ts";
import { joint, ownAttempt, together } from "./joint.ts";
import type { Meter } from "./meter.ts";
import { noticed } from "./notice.ts";
import { turns } from "./pace.ts";
import { isPoll, poll } from "./poll.ts";
import { tell } from "./tell.ts";

export type Worked = {
  readonly settlements: readonly Settlement[];
  /** Until when the holder asked for rest; 0 if it did not. */
  readonly rest: Instant;
  /** When a bulk batch whose answer was lost is to be repeated; 0 if none is. */
  readonly repeat: Instant;
  readonly timeouts: number;
  /** Orders that went back because one bulk call does not take them. */
  readonly left: number;
  /** The bulk batch that need not be repeated any more. */
  readonly thaws: string | undefined;
};

export type Bounds = {
  readonly run: string;
  readonly end: Instant;
  readonly until: Instant;
  readonly timeouts: number;
  readonly quota?: Meter;
};

/** Drives a batch over as many connections as the holder bears. Once it asks for rest, the others go back untouched. */
export async function work(
  ports: Ports,
  context: Context,
  lane: string,
  claimed: { readonly token: string; readonly orders: readonly Claimed[]; readonly frozen: Frozen | undefined },
  bounds: Bounds,
): Promise<Worked> {
  const { subprocessor } = parseLane(lane);
  const integration = ports.integrations.get(context.tenant.subprocessors[subprocessor]?.integration ?? "");
  const pace: Pace = {
    turn: turns(ports, integration?.limits.perSecond),
    until: bounds.until,
    ...(bounds.quota !== undefined && { quota: bounds.quota }),
  };
  const settlements: Settlement[] = [];
  const bulk: BulkOpened[] = [];
  const attempted: Attempted[] = [];
  let rest = 0;
  let timeouts = 0;
  const mayGoOn = () =>
    rest === 0 && timeouts < bounds.timeouts && ports.now() < bounds.end && bounds.quota?.isSpent() !== true;
  const goesBack = (orders: readonly Claimed[]) =>
    settlements.push(...orders.map((order) => untouched(order, ports.now())));

  const queue = joint(claimed.orders);
  const worker = async (): Promise<void> => {
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
      if (!mayGoOn()) {
        goesBack(group);
        continue;
      }
      const [first] = group;
      if (first !== undefined && isContent(first)) {
        const told = await tell(ports, context, lane, { order: first, token: claimed.token }, pace, mayGoOn);
        settlements.push(...told.settlements);
        rest = Math.max(rest, told.rest);
        if (told.hung) timeouts++;
        continue;
      }
      if (first !== undefined && isConfirmation(first)) {
        const made = await confirm(ports, context, subprocessor, first, pace);
        settlements.push(made.settlement);
        rest = Math.max(rest, made.rest);
        if (made.hung) timeouts++;
        continue;
      }
      if (first !== undefined && isPoll(first)) {
        const asked = await poll(ports, context, lane, first, pace, mayGoOn);
        settlements.push(...asked.settlements);
        rest = Math.max(rest, asked.rest);
        if (asked.hung) timeouts++;
        continue;
      }
      if (first !== undefined && isTending(first)) {
        const tended = await tend(ports, context, subprocessor, first, pace);
        settlements.push(tended.settlement);
        rest = Math.max(rest, tended.rest);
        if (tended.hung) timeouts++;
        continue;
      }
      const begun = await Promise.all(group.map((order) => begin(ports, context, subprocessor, order, pace)));
      settlements.push(...begun.flatMap((each) => (isOpened(each) ? [] : [each])));
      const opened = begun.filter(isOpened);
      bulk.push(...opened.filter(isBulkOpened));
      for (const party of together(opened.filter((each) => !isBulkOpened(each)))) {
        if (!mayGoOn()) {
          goesBack(party.map(({ order }) => order));
          continue;
        }
        const { attempt, ...made } = await oneForAll(ports, party, pace);
        attempted.push(...made.attempted);
        settlements.push(...made.failures);
        rest = Math.max(rest, attempt?.rest ?? 0);
        if (attempt?.hung === true) timeouts++;
      }
    }
  };
  await Promise.all(Array.from({ length: integration?.limits.connections ?? 1 }, worker));
  settlements.unshift(...(await concludedOrders(ports, context, attempted)));
  if (!mayGoOn()) {
    goesBack(bulk.map(({ order }) => order));
    return { settlements, rest, repeat: 0, timeouts, left: 0, thaws: undefined };
  }
  // In the order of the claim, which is that of a fixed batch: its call is made again to the letter.
  const places = new Map(claimed.orders.map(({ id }, place) => [id, place]));
  const placeOf = ({ order }: Opened) => places.get(order.id) ?? 0;
  const inOrder = bulk.toSorted((a, b) => placeOf(a) - placeOf(b));
  const left = { ...bounds, timeouts: bounds.timeouts - timeouts };
  const done = await workBulk(ports, context, lane, inOrder, claimed.frozen, pace, left);
  return {
    ...done,
    settlements: [...settlements, ...done.settlements],
    rest: Math.max(rest, done.rest),
    timeouts: timeouts + done.timeouts,
  };
}

/** What is wrong with one order is its own, and holds up nobody else of the batch. */
async function begin(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  pace: Pace,
): Promise<Opened | Settlement> {
  try {
    const payload = readPayload(order.payload);
    if (payload === undefined) return await noticed(ports, context, subprocessor, order, pace);
    return await open(ports, context, subprocessor, payload, order);
  } catch (error) {
    return failed(ports, order, error);
  }
}

/** What is wrong with it is its own, too. */
async function confirm(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  pace: Pace,
): Promise<Confirmed> {
  try {
    return await confirmed(ports, context, subprocessor, order, pace);
  } catch (error) {
    return { settlement: failed(ports, order, error), rest: 0, hung: false };
  }
}

/** One attempt for all of a party: each of them ends, or goes on, as the one that leads. */
async function oneForAll(
  ports: Ports,
  party: readonly Opened[],
  pace: Pace,
): Promise<{
  readonly attempt?: Attempt;
  readonly attempted: readonly Attempted[];
  readonly failures: readonly Settlement[];
}> {
  const [leader] = party;
  if (leader === undefined) return { attempted: [], failures: [] };
  const { salt, action, ...job } = leader.job;
  if (isBulk(action)) return { attempted: [], failures: [] };
  try {
    // A digest is salted for one receipt; what is answered for several belongs to none.
    const salted = party.length === 1 && salt !== undefined ? { salt } : {};
    const attempt = await drive(ports, { ...job, action, ...salted, ...pace });
    const attempted = party.map((opened) => ({ opened, attempt: ownAttempt(attempt, leader, opened) }));
    return { attempt, attempted, failures: [] };
  } catch (error) {
    return { attempted: [], failures: party.map(({ order }) => failed(ports, order, error)) };
  }
}
