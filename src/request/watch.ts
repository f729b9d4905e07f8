import { listeners, noticeId } from "../lanes/notice.ts";
import type { Settlement } from "../platform/store/lanes.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { signed } from "./close.ts";
import { compact } from "./compact.ts";
import { endByHand } from "./complete.ts";
import { days, rfc3339 } from "./deadline.ts";
import type { RequestRecord } from "./request.ts";
import { apart, dropped, later, requestOf, type Step, type StepVerb } from "./step.ts";
import { tasksOf } from "./task.ts";

/**
 * Watches a request's deadline whatever state its tasks are in: an alarm before it, an interim receipt on it, and, where
 * the policy says so, an end for what has not ended. It keeps watching until the request is closed.
 */
export const watch: StepVerb = async (ports, context, _token, steps) => {
  const { n } = context.tenant;
  const hashes = await ports.store.load(steps.map((step) => ({ n, id: requestOf(step) })));
  const all = steps.map((step, index) => ({ step, hash: hashes[index] ?? {} }));
  const { done, settlements } = await apart(ports, all, ({ step, hash }) => one(ports, context, step, hash));
  return {
    settlements: [...done.map(({ settlement }) => settlement), ...settlements],
    woken: done.flatMap(({ woken }) => woken),
  };
};

async function one(
  ports: Ports,
  context: Context,
  step: Step,
  hash: Hash,
): Promise<{ settlement: Settlement; woken: readonly string[] }> {
  if (hash.st !== "scheduled" && hash.st !== "open") return { settlement: dropped(step.order), woken: [] };
  const { n, slug, policy } = context.tenant;
  const id = requestOf(step);
  const record = JSON.parse(hash.d ?? "{}") as RequestRecord;
  const now = ports.now();
  const due = Date.parse(record.due_at);
  const alarm = now < due ? "at_risk" : "overdue";
  ports.log(`request_${alarm}`, { tenant: slug, request: id });
  const alarms = [...(hash.al === undefined ? [] : hash.al.split(" ")), `${alarm}@${rfc3339(now)}`].slice(-10);
  await ports.store.setField(n, id, "al", alarms.join(" "));
  await ports.store.tell(n, noticeId("request.at_risk", id), listeners(ports, context), now);
  if (now < due) return { settlement: later(step.order, due), woken: [] };

  if (hash.k !== undefined && hash.in === undefined) {
    const key = await context.keys.unwrap(`request ${id}`, hash.k);
    const jws = await signed(ports, context, record, hash, key, now, tasksOf(hash), true);
    await ports.store.setField(n, id, "in", await compact(jws));
  }
  const woken: string[] = [];
  if (policy.at_deadline === "unresolved" && hash.st === "open")
    for (const task of tasksOf(hash)) {
      if (task.state === "ended") continue;
      const end = {
        outcome: "unresolved" as const,
        by: "policy",
        reason: "the deadline came and the policy ends what has not ended",
      };
      woken.push(...(await endByHand(ports, context, record, hash, task, end)).woken);
    }
  return { settlement: later(step.order, now + days(1)), woken };
}
