import { dutyNoticeId, listeners } from "../lanes/notice.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { dropped, later, type StepVerb } from "./step.ts";

const HOUR_MS = 3_600_000;

/** A duty's order in the gateway's lane: `duty:<subprocessor>/<duty>`. */
const dutyId = (subprocessor: string, duty: string): string => `duty:${subprocessor}/${duty}`;

const dutyIn = ({ integrations }: Pick<Ports, "integrations">, { tenant }: Context, subject: string) => {
  const [subprocessor = "", name = ""] = subject.split("/");
  const entry = tenant.subprocessors[subprocessor];
  const duty = integrations.get(entry?.integration ?? "")?.duties?.[name];
  return entry?.status === "active" && duty !== undefined ? { subprocessor, name, duty } : undefined;
};

/** Reminds own systems of what a vendor's terms want done again, for as long as its subprocessor is in use. */
export const duty: StepVerb = async (ports, context, _token, steps) => {
  const now = ports.now();
  const settlements = [];
  for (const { order, subject } of steps) {
    const found = dutyIn(ports, context, subject);
    if (found === undefined) {
      settlements.push(dropped(order));
      continue;
    }
    const { subprocessor, name } = found;
    ports.log("duty_due", { tenant: context.tenant.slug, subprocessor, duty: name });
    await ports.store.tell(context.tenant.n, dutyNoticeId(subprocessor, name, now), listeners(ports, context), now);
    settlements.push(later(order, now + found.duty.everyHours * HOUR_MS));
  }
  return { settlements, woken: [] };
};

/** A subprocessor that comes into use brings its duties; those that run already go on as they are. */
export async function scheduleDuties(ports: Ports, { tenant }: Context, subprocessor: string): Promise<void> {
  const entry = tenant.subprocessors[subprocessor];
  const duties = ports.integrations.get(entry?.integration ?? "")?.duties ?? {};
  if (entry?.status !== "active") return;
  const now = ports.now();
  const steps = Object.entries(duties).map(([name, { everyHours }]) => ({
    id: dutyId(subprocessor, name),
    due: now + everyHours * HOUR_MS,
  }));
  await ports.store.schedule(tenant.n, steps, now);
}
