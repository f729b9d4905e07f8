import { parseRequestId, tenantNumber } from "../ids.ts";
import { laneName } from "../platform/keys.ts";
import { gatewayOf, orderId } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { RequestRecord } from "./request.ts";
import { tasksOf } from "./task.ts";

const TENANTS_A_SWEEP = 4;
const REQUESTS_A_TENANT = 25;

/**
 * Looks at a slice of the open requests, a different one each minute, for what the store may have lost in a failover: the
 * start of one that is scheduled, the close of one that is done, the orders of tasks that are open. What is missing is
 * put back.
 */
export async function audit(ports: Ports): Promise<number> {
  const now = ports.now();
  const minute = Math.floor(now / 60_000);
  const count = await ports.store.tenantCount();
  if (count === 0) return 0;
  const slice = Array.from({ length: Math.min(TENANTS_A_SWEEP, count) }, (_, index) =>
    tenantNumber(((minute * TENANTS_A_SWEEP + index) % count) + 1),
  );
  const found = await ports.store.openSlices(slice, minute, REQUESTS_A_TENANT);
  const requests = found.flatMap((id) => parseRequestId(id) ?? []);
  if (requests.length === 0) return 0;
  return mend(ports, requests, now);
}

async function mend(
  ports: Ports,
  requests: readonly NonNullable<ReturnType<typeof parseRequestId>>[],
  now: number,
): Promise<number> {
  const hashes = await ports.store.load(requests);
  const live = requests.flatMap((request, index) => {
    const hash = hashes[index];
    if (hash?.d === undefined) return [];
    try {
      return [{ ...request, record: JSON.parse(hash.d) as RequestRecord, tasks: tasksOf(hash) }];
    } catch {
      // What is damaged is said, and holds up nobody else of the slice.
      ports.log("request_unreadable", { request: request.id });
      return [];
    }
  });
  const open = await ports.store.audit(
    live.map(({ n, id, record }) => ({ n, id, ...timesOf(record) })),
    now,
  );
  const orders = live.flatMap(({ n, id, record, tasks }, index) => {
    const ids = new Set(open[index]?.slice(1));
    return tasks
      .filter((task) => ids.has(task.id) && (task.state === "queued" || task.state === "accepted"))
      .map((task) => ({
        n,
        id,
        record,
        task: task.id,
        lane: laneName(n, task.subprocessor),
        order: orderId(id, task.id),
      }));
  });
  const places = await ports.store.look(orders.map(({ lane, order }) => ({ lane, id: order })));
  const missing = orders.filter((_, index) => places[index] === "missing");
  // A task that ended between the two looks has no order either, and has lost none.
  const still = await ports.store.audit(
    missing.map(({ n, id, record }) => ({ n, id, ...timesOf(record) })),
    now,
  );
  const lost = new Map(
    missing.filter(({ task }, index) => still[index]?.includes(task) === true).map((each) => [each.id, each]),
  );
  for (const { id } of lost.values()) ports.log("order_lost", { request: id });
  const restarted = await ports.store.restart(
    [...lost.values()].map(({ n, id, record }) => ({
      n,
      id,
      due: now,
      deadline: Date.parse(record.due_at),
      release: false,
    })),
    now,
  );
  const asleep = [...lost.values()].filter((_, index) => restarted[index]?.wake === true);
  if (asleep.length > 0) await ports.wake([...new Set(asleep.map(({ n }) => gatewayOf(n)))]);
  return lost.size;
}

const timesOf = ({ start_at, due_at }: RequestRecord) => ({
  startAt: Date.parse(start_at),
  deadline: Date.parse(due_at),
});
