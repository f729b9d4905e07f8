import { expect, it } from "vitest";
import { absent, defineIntegration, type Integration } from "../../src/contract/integration.ts";
import type { Context } from "../../src/registry/load.ts";
import { duty, scheduleDuties } from "../../src/request/duty.ts";
import { bench, summary } from "./samples.ts";

const SOURCE = "https://vendor.example/terms";
const NONE = absent("none", SOURCE);
const HOUR = 3_600_000;

const silent: Integration = defineIntegration({
  id: "silent",
  name: "Silent",
  about: "Tells nothing.",
  origins: [],
  settings: {},
  identities: {},
  hooks: NONE,
  oauth: NONE,
  actions: { erase: NONE, revoke: NONE },
  duties: { recheck: { everyHours: 24, what: "Read again.", source: SOURCE } },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

const entry = (status: "active" | "retired") => ({ id: "silent", integration: "silent", status, settings: {} });

/** A tenant with a silent vendor, in that state. */
async function stand(status: "active" | "retired") {
  const at = await bench();
  const told: string[] = [];
  const scheduled: { readonly id: string; readonly due: number }[] = [];
  const subprocessors = { ...at.context.tenant.subprocessors, silent: entry(status) };
  // Of an entry, a duty looks at its state and its integration.
  const context = { ...at.context, tenant: { ...at.context.tenant, subprocessors } } as unknown as Context;
  const ports = {
    ...at.ports,
    integrations: new Map([...at.ports.integrations, ["silent", silent] as const]),
    store: {
      ...at.ports.store,
      tell: async (_: string, notice: string) => void told.push(notice),
      schedule: async (_: string, steps: readonly (typeof scheduled)[number][]) => void scheduled.push(...steps),
    },
  };
  const step = { order: { id: "duty:silent/recheck", attempt: 1, payload: "", cursor: "", learned: [], joint: [] } };
  const now = ports.now();
  return {
    told,
    scheduled,
    now,
    run: (subject: string) => duty(ports, context, "token", [{ ...step, subject }]),
    schedule: () => scheduleDuties(ports, context, "silent"),
  };
}

it("comes again and again while the subprocessor is in use, with an id of its own each time", async () => {
  const { told, now, run } = await stand("active");
  const { settlements } = await run("silent/recheck");
  expect(settlements).toMatchObject([{ what: "back", due: now + 24 * HOUR }]);
  expect(told).toEqual([`notice:duty.due:silent/recheck/${now}`]);
});

it.each(["silent/other", "nobody/recheck", "silent", ""])(
  "ends where there is no duty %s any more",
  async (subject) => {
    const { told, run } = await stand("active");
    expect(summary((await run(subject)).settlements)).toEqual(["duty:silent/recheck drop"]);
    expect(told).toEqual([]);
  },
);

it("ends when the subprocessor is retired", async () => {
  const { told, scheduled, run, schedule } = await stand("retired");
  expect(summary((await run("silent/recheck")).settlements)).toEqual(["duty:silent/recheck drop"]);
  await schedule();
  expect([...told, ...scheduled]).toEqual([]);
});

it("begins when the subprocessor comes into use, a whole period later", async () => {
  const { scheduled, now, schedule } = await stand("active");
  await schedule();
  expect(scheduled).toEqual([{ id: "duty:silent/recheck", due: now + 24 * HOUR }]);
});
