import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { Residue } from "./close.ts";
import { days } from "./deadline.ts";
import { isHeld } from "./hold.ts";
import { record } from "./record.ts";
import { apart, dropped, later, type Step, type StepVerb } from "./step.ts";

/**
 * The day has come on which something kept may be kept no longer: opens a request that continues the first, with the
 * vendor ids that were kept for this one purpose. A held residue waits until its hold is lifted, asked once a day.
 */
export const resume: StepVerb = async (ports, context, _token, steps) => {
  const each = steps.map((step) => ({ step }));
  const { done, settlements } = await apart(ports, each, ({ step }) => one(ports, context, step));
  return { settlements: [...done, ...settlements], woken: [] };
};

async function one(ports: Ports, context: Context, step: Step) {
  const { n, holds } = context.tenant;
  const hash = await ports.store.residue(n, step.subject);
  if (hash.k === undefined || hash.s === undefined) return dropped(step.order);
  const key = await context.keys.unwrap(`residue ${step.subject}`, hash.k);
  // Sealed by `close` and by nobody else, as the seal itself proves.
  const residue = JSON.parse(await key.open(`residue ${step.subject}`, hash.s)) as Residue;
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
