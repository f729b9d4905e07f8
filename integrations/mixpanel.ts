import { z } from "zod";
import {
  at,
  bearer,
  type Call,
  cameToNothing,
  get,
  postJson,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Mixpanel counts what people do in the tenant's product. It holds events and profiles under distinct ids: the device's and
 * the person's own, as the product's tracking sends them, so the product registers each. One job deletes the data of many.
 */
const GDPR = "https://docs.mixpanel.com/reference/gdpr-api";
/** For the token: who makes it, and that it expires. */
const TOKEN = "https://docs.mixpanel.com/docs/privacy/end-user-data-management";

/** "Multiple weeks"; "up to 30 days". There is one request a second for all jobs of a project, so each is asked about daily. */
const ASK_AFTER_SECONDS = 86_400;

/** A job's recorded time may differ from ours by so much and still be of the same moment. */
const CLOCKS_MS = 5 * 60_000;

/** Jobs that one answer may refer us to. Each costs a call, of which there is one a second. */
const MOST_CONFLICTS = 20;

/**
 * What was created. The description (https://docs.mixpanel.com/openapi/gdpr.openapi.yaml) shows `{task_id}`, the guide
 * `[{tracking_id, …}]`, and clients have seen either; both are what the later question calls `tracking_id`.
 */
const JobId = z.union([
  z.object({ tracking_id: z.string().min(1) }).transform(({ tracking_id }) => tracking_id),
  z.object({ task_id: z.string().min(1) }).transform(({ task_id }) => task_id),
]);
const Created = z.object({
  status: z.literal("ok"),
  results: z.union([
    JobId,
    z
      .array(JobId)
      .length(1)
      .transform(([id = ""]) => id),
  ]),
});

const Job = z.object({
  status: z.literal("ok"),
  results: z.object({
    status: z.enum(["PENDING", "STAGING", "STARTED", "SUCCESS", "FAILURE", "REVOKED", "NOT_FOUND", "UNKNOWN"]),
    date_requested: z.string().optional(),
    distinct_ids: z.array(z.string()).optional(),
  }),
});
type Job = z.infer<typeof Job>["results"];

/**
 * Unconfirmed by Mixpanel's documents, but seen in production: an id whose job is not over is refused, and with it the whole
 * call. https://github.com/rudderlabs/rudder-transformer/pull/5578
 */
const Conflict = z.object({
  error: z.object({ conflicting_distinct_ids: z.array(z.string()), conflicting_task_ids: z.array(z.string().min(1)) }),
});

const settings = {
  projectToken: text("Project token", /^[0-9A-Za-z]{16,64}$/),
  oauthToken: secret("GDPR OAuth token (expires one year after it is made: enter a new one before)"),
  residency: text("Data residency of the project: US, EU or IN", /^(US|EU|IN)$/),
} satisfies Settings;

export const mixpanel = defineIntegration({
  id: "mixpanel",
  name: "Mixpanel",
  about: "Counts what people do in the tenant's product.",
  origins: ["https://mixpanel.com", "https://eu.mixpanel.com", "https://in.mixpanel.com"],
  settings,
  identities: { "mixpanel.distinct_id": "Distinct id, of a device or of the person, as tracking sends it" },

  hooks: absent("its webhooks carry cohorts, and never tell of an erasure or a deauthorization", GDPR),
  oauth: absent("a token that an owner or admin makes in the settings", TOKEN),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", GDPR),
    erase: {
      source: GDPR,
      by: ["mixpanel.distinct_id"],
      each: "identity",
      bulk: {
        // The guide says 1999 for deletions and 2000 elsewhere on the same page; 1999 fits both. Unconfirmed: that the limit of
        // 500 in the form of the settings is the form's alone.
        most: 1999,
        // There is no look: this token asks about jobs only, and what it could retrieve is a report of days (data-retrievals).
        run: begin,
        *check(job, orders) {
          const seen = jobIn(yield get(endpointsOf(orders).job(job), auth(orders)));
          return orders.map((order) => ("outcome" in seen ? seen : progress(seen, job, order)));
        },
      },
    },
  },

  // Mixpanel "may retain records of deletion tasks", which name the ids, for a time that it does not state.

  check: {
    source: GDPR,
    shows:
      "the token may ask about this project's deletions; one who may ask may delete. It ends a year after it was made",
    *run(settings) {
      const account = [{ settings }];
      // Of a job that never was: its state is NOT_FOUND, which is all that is wanted.
      const reply = yield get(endpointsOf(account).job("quittance-check"), auth(account));
      return readable(reply, Job, "the token's owner may not delete this project's data");
    },
  },

  residuals: [],
  retainable: [],
  // "1 request per second for GDPR APIs"; what waits at the same time is limited for each project.
  limits: { perSecond: 1, connections: 1, account: { settings: ["projectToken"] } },
});

type MixpanelOrder = Order<typeof settings>;
type Orders = readonly MixpanelOrder[];
type Accounts = readonly Pick<MixpanelOrder, "settings">[];

/** A project lives in one region, and its jobs are asked for there. */
function endpointsOf([order]: Accounts) {
  const project = order?.settings.projectToken ?? "";
  switch (order?.settings.residency) {
    case "EU":
      return {
        jobs: at`https://eu.mixpanel.com/api/app/data-deletions/v3.0/?token=${{ project }}`,
        job: (job: string) => at`https://eu.mixpanel.com/api/app/data-deletions/v3.0/${{ job }}?token=${{ project }}`,
      };
    case "IN":
      return {
        jobs: at`https://in.mixpanel.com/api/app/data-deletions/v3.0/?token=${{ project }}`,
        job: (job: string) => at`https://in.mixpanel.com/api/app/data-deletions/v3.0/${{ job }}?token=${{ project }}`,
      };
    default:
      return {
        jobs: at`https://mixpanel.com/api/app/data-deletions/v3.0/?token=${{ project }}`,
        job: (job: string) => at`https://mixpanel.com/api/app/data-deletions/v3.0/${{ job }}?token=${{ project }}`,
      };
  }
}

const auth = ([order]: Accounts) => bearer(order?.settings.oauthToken ?? "");

/**
 * One job for all. Ids that have a job already (of a call whose answer was lost, of an earlier request, or made by somebody
 * else) wait for that one, and the rest is asked for again.
 */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const ids = orders.map(({ identity }) => identity.value);
  const first = yield submit(orders, ids);
  if (first.status !== 409) return orders.map(() => begun(first));
  const running = yield* runningJobs(first, orders);
  if ("outcome" in running) return orders.map(() => running);
  const rest = ids.filter((id) => !running.has(id));
  const answer = rest.length === 0 ? TAKEN : begun(yield submit(orders, rest));
  return ids.map((id) => {
    const job = running.get(id);
    return job === undefined ? answer : accepted(job, ASK_AFTER_SECONDS);
  });
}

const submit = (orders: Orders, ids: readonly string[]): Call =>
  postJson(endpointsOf(orders).jobs, auth(orders), { distinct_ids: ids, compliance_type: "GDPR" });

/** Somebody else was quicker in between. */
const TAKEN: Answer = { outcome: "slow_down", seconds: 60 };

function begun(reply: Reply): Answer {
  if (reply.status === 403) return forbidden(reply);
  if (reply.status === 409) return TAKEN;
  const created = read(reply, Created, [201]);
  return created.ok ? accepted(created.value.results, ASK_AFTER_SECONDS) : created.problem;
}

/** Which job each of the refused ids has. The refusal names ids and jobs, and not which belongs to which. */
function* runningJobs(refusal: Reply, orders: Orders): Steps<ReadonlyMap<string, string> | Answer> {
  const conflict = readRefusal(refusal, Conflict);
  if (!conflict.ok) return conflict.problem;
  const { conflicting_distinct_ids: ids, conflicting_task_ids: jobs } = conflict.value.error;
  if (jobs.length > MOST_CONFLICTS) return unforeseen(refusal, `more than ${MOST_CONFLICTS} jobs stand in the way`);
  const running = new Map<string, string>();
  for (const job of jobs) {
    const seen = jobIn(yield get(endpointsOf(orders).job(job), auth(orders)));
    if ("outcome" in seen) return seen;
    for (const id of seen.distinct_ids ?? []) running.set(id, job);
  }
  return ids.length > 0 && ids.every((id) => running.has(id))
    ? running
    : unforeseen(refusal, "Mixpanel says that jobs stand in the way, and they do not name these ids");
}

/** What is known of a job, or why nothing is. */
function jobIn(reply: Reply): Job | Answer {
  if (reply.status === 403) return forbidden(reply);
  const job = read(reply, Job);
  return job.ok ? job.value.results : job.problem;
}

/** What a job's state means for one who waits for it. */
function progress(job: Job, id: string, order: MixpanelOrder): Answer {
  switch (job.status) {
    case "PENDING":
    case "STAGING":
    case "STARTED":
      return accepted(id, ASK_AFTER_SECONDS);
    case "SUCCESS":
      return isOlder(job, order) ? { outcome: "more" } : erased;
    case "FAILURE":
      return cameToNothing("Mixpanel's deletion job failed; retry makes a new one");
    case "REVOKED":
      return cameToNothing("the deletion job was canceled at Mixpanel; retry makes a new one");
    // It is the job that is not found, which says nothing of the person.
    case "NOT_FOUND":
      return cameToNothing("Mixpanel knows no such deletion job; retry makes a new one");
    case "UNKNOWN":
      return unforeseen({ status: 200 }, "Mixpanel could not locate the deletion job; retry asks again");
  }
}

/**
 * Whether a job was asked for before the request was received: it says nothing of what was tracked since. Times are in UTC
 * without saying so (the guide's example, whose id is a time too, shows it). One that cannot be read is no objection.
 */
function isOlder({ date_requested = "" }: Job, { requestedAt }: MixpanelOrder): boolean {
  const asked = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(date_requested) ? date_requested : `${date_requested}Z`);
  return asked + CLOCKS_MS < Date.parse(requestedAt);
}

/** 401 is the driver's business, 403 is not. */
const forbidden = (reply: Reply): Answer =>
  unauthorized(
    reply,
    "Mixpanel answered 403, as for a GDPR OAuth token whose owner may not delete this project's data",
  );
