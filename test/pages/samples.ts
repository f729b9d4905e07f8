import type { Names } from "../../src/pages/name.ts";
import type { RequestView } from "../../src/request/request.ts";
import type { TaskView } from "../../src/request/task.ts";

/** Requests in every state, of an invented person at an invented company. */
const holders: Readonly<Record<string, string>> = {
  "own-system": "Larch’s own systems",
  facebook: "Facebook Login",
  openai: "OpenAI",
  stripe: "Stripe",
  mail: "Acme Mail",
};
export const names: Names = {
  controller: "Larch",
  holder: ({ subprocessor }) => holders[subprocessor] ?? subprocessor,
};

export const NOW = Date.parse("2026-12-01T09:00:00.000Z");

type Step = Omit<TaskView, "id" | "integration" | "attempts" | "due_at">;
export const task = (step: Step): TaskView => ({
  ...step,
  id: `${step.subprocessor}.${step.action}`,
  integration: step.subprocessor,
  attempts: 1,
  due_at: "2026-12-21T23:59:59.999Z",
});

const at = "2026-11-22T10:00:00.000Z";
export const erased = task({
  subprocessor: "own-system",
  action: "erase",
  state: "ended",
  outcome: "erased",
  level: "deleted_reported",
  ended_at: at,
});
export const lookedAt = task({ ...erased, subprocessor: "mail", level: "verified_absent" });
export const revoked = task({
  subprocessor: "facebook",
  action: "revoke",
  state: "ended",
  outcome: "revoked",
  level: "revoked",
  ended_at: at,
});
export const notFound = task({ ...erased, subprocessor: "mail", outcome: "not_found", level: "verified_absent" });
export const residual = task({
  ...erased,
  subprocessor: "openai",
  retained: [
    {
      category: "abuse_monitoring_logs",
      until: "2026-12-22T10:00:00.000Z",
      ground: "OpenAI keeps logs of API content to detect abuse",
    },
  ],
});
export const retained = task({
  ...erased,
  subprocessor: "stripe",
  outcome: "retained",
  level: "retained",
  retained: [
    { category: "billing_records", until: "2033-11-21T22:59:59.999Z", ground: "legal_obligation: § 147 AO" },
    { category: "recent_payments", until: "2027-02-19T00:00:00.000Z", ground: "contract_open" },
  ],
});
export const held = task({
  ...retained,
  subprocessor: "mail",
  retained: [{ category: "all", until: "2027-06-01T00:00:00.000Z", ground: "legal_hold" }],
  reason: "a legal hold stops this erasure",
});
export const stuck = task({
  subprocessor: "stripe",
  action: "erase",
  state: "stuck",
  reason: "credential refused: mend it with PUT /v1/subprocessors",
});
export const waiting = task({
  subprocessor: "facebook",
  action: "revoke",
  state: "waiting",
  reason: "waits for x.erase",
});
export const byHand = task({
  subprocessor: "mail",
  action: "manual",
  state: "manual",
  reason: "no API does this",
  instructions: "open the settings and press the red button",
});
export const inWork = task({ subprocessor: "openai", action: "erase", state: "in_flight" });
export const accepted = task({ subprocessor: "mail", action: "erase", state: "accepted", reason: "we ask again" });
export const queued = task({ subprocessor: "own-system", action: "erase", state: "queued" });
export const refused = task({ ...erased, subprocessor: "mail", outcome: "refused", level: "failed", by: "key_1" });
export const unresolved = task({
  ...erased,
  subprocessor: "stripe",
  outcome: "unresolved",
  level: "failed",
  by: "policy",
  reason: "the deadline came and the policy ends what has not ended",
});

export const request = (more: Partial<RequestView>): RequestView => ({
  id: "req_119xq4v7k2m5c8r3t6y1w0z9d4f7h2j5n8",
  tenant: "larch",
  type: "erasure",
  source: "facebook/deletion",
  status: "open",
  complete: false,
  received_at: "2026-11-21T08:30:00.000Z",
  due_at: "2026-12-21T23:59:59.999Z",
  tasks: [],
  ...more,
});

const closed = { status: "closed", closed_at: "2026-11-25T12:00:00.000Z" } as const;
export const views = {
  scheduled: request({
    type: "closure",
    source: "api",
    status: "scheduled",
    start_at: "2026-12-21T08:30:00.000Z",
    due_at: "2027-01-21T23:59:59.999Z",
  }),
  checked: request({ status: "scheduled", start_at: "2026-11-21T08:30:00.000Z", held: "ceiling" }),
  working: request({ tasks: [erased, residual, stuck, waiting, byHand], alarms: ["at_risk@2026-12-12"] }),
  finished: request({ ...closed, complete: true, tasks: [erased, lookedAt, revoked] }),
  kept: request({ ...closed, complete: true, tasks: [erased, notFound, residual, retained, revoked] }),
  onHold: request({ ...closed, complete: true, tasks: [erased, held] }),
  nothingFound: request({ ...closed, complete: true, tasks: [notFound] }),
  partly: request({ ...closed, tasks: [erased, refused, unresolved] }),
  nowhere: request({ ...closed, tasks: [] }),
  cancelled: request({ type: "closure", source: "api", status: "cancelled" }),
  revocation: request({
    type: "revocation",
    ...closed,
    complete: true,
    tasks: [
      task({ ...revoked, scope: "facebook" }),
      task({ ...revoked, subprocessor: "own-system", scope: "facebook" }),
    ],
  }),
  followUp: request({ ...closed, source: "residue", complete: true, continues: "req_11earlier", tasks: [erased] }),
} satisfies Readonly<Record<string, RequestView>>;
