import type { Ports } from "../ports.ts";
import { CannotOpen } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { Residue } from "./close.ts";
import { days } from "./deadline.ts";
import { isHeld } from "./hold.ts";
import { record } from "./record.ts";
import { dropped, later, type Step, type StepVerb } from "./step.ts";

/**
 * The day has come on which something kept may be kept no longer: opens a request that continues the first, with the
 * vendor ids that were kept for this one purpose. A held residue waits until its hold is lifted, asked once a day.
 */
export const resume: StepVerb = async (ports, context, _token, steps) => {
  const settlements = await Promise.all(steps.map((step) => one(ports, context, step)));
  return { settlements, woken: [] };
};

async function one(ports: Ports, context: Context, step: Step) {
  const { n, holds } = context.tenant;
  const hash = await ports.store.residue(n, step.subject);
  if (hash.k === undefined || hash.s === undefined) return dropped(step.order);
  const residue = await opened(context, step.subject, hash.k, hash.s);
  if (residue === undefined) {
    ports.log("residue_unreadable", { tenant: context.tenant.slug, residue: step.subject });
    return later(step.order, ports.now() + days(1));
  }
  const { subprocessor, identities, subject } = residue;
  if (residue.held && isHeld(holds, subject, subprocessor) !== undefined) {
    ports.log("hold_to_be_reviewed", { tenant: context.tenant.slug, residue: step.subject });
    return later(step.order, ports.now() + days(1));
  }
  const continues = step.subject.slice(0, step.subject.indexOf("/"));
  await record(ports, context, () => [
    {
      type: "erasure",
      source: "residue",
      delivery: step.subject,
      authority: "here",
      identities,
      scope: subprocessor,
      continues,
      ...(subject !== undefined && { subject }),
    },
  ]);
  await ports.store.dropResidue(n, step.subject);
  return dropped(step.order);
}

async function opened(context: Context, id: string, wrapped: string, sealed: string): Promise<Residue | undefined> {
  try {
    const key = await context.keys.unwrap(`residue ${id}`, wrapped);
    // Sealed by `close` and by nobody else, as the seal itself proves.
    return JSON.parse(await key.open(`residue ${id}`, sealed)) as Residue;
  } catch (error) {
    if (error instanceof CannotOpen) return undefined;
    throw error;
  }
}
