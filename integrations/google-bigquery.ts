import { z } from "zod";
import { type Address, at, cameToNothing, get, postJson, type Reply, read } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound } from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import {
  authorised,
  PROJECT,
  refusal,
  refusalIn,
  SERVICE_ACCOUNT,
  serviceAccountKey,
  TOKEN_ORIGIN,
} from "./houses/google-cloud.ts";

/**
 * BigQuery keeps tables for the tenant, in which a column says whose a row is. One job deletes the rows of many people from all
 * tables that are entered. What is deleted can be brought back for days, and the job itself is remembered for months.
 */
const DML = "https://docs.cloud.google.com/bigquery/docs/data-manipulation-language";
const JOBS = "https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job";
const TIME_TRAVEL = "https://docs.cloud.google.com/bigquery/docs/time-travel";
const MANAGING_JOBS = "https://docs.cloud.google.com/bigquery/docs/managing-jobs";
const SCOPE = "https://www.googleapis.com/auth/bigquery";
const NEEDS = "to run jobs (BigQuery Job User) and to change the tables (BigQuery Data Editor)";

const ASK_AFTER_SECONDS = 30;

/** Rows that were streamed in the last half hour, at times an hour and a half, cannot be deleted. */
const STREAMED_SECONDS = 1800;
/** What passes by itself: another change of the same table, a quota, a fault. */
const BUSY_SECONDS = 600;
/** Stands for a job that is to be made anew when its time has come; jobs of ours are called otherwise. */
const ANEW = "anew";

const Job = z.object({
  status: z.object({
    state: z.enum(["PENDING", "RUNNING", "DONE"]),
    errorResult: z.object({ reason: z.string().default("unknown"), message: z.string().default("") }).optional(),
  }),
  statistics: z.object({ query: z.object({ numDmlAffectedRows: z.string().optional() }).optional() }).optional(),
});
type Job = z.infer<typeof Job>;

/** `dataset.table:column`; of a record, `column.field`. No name can hold what ends a backticked one. */
const TABLE = /[A-Za-z0-9_]{1,1024}\.[A-Za-z0-9_-]{1,1024}:[A-Za-z_]\w{0,299}(?:\.[A-Za-z_]\w{0,299})*/;
const TABLES = new RegExp(`^${TABLE.source}(?:\\s*,\\s*${TABLE.source})*$`);

const settings = {
  serviceAccountKey,
  project: text("Project id", PROJECT),
  location: text("Location of the datasets, such as EU, US or europe-west1", /^[A-Za-z0-9-]{2,40}$/),
  tables: text("Tables, each with the column that holds the id: dataset.table:column, separated by commas", TABLES),
} satisfies Settings;

export const googleBigquery = defineIntegration({
  id: "google-bigquery",
  name: "Google BigQuery",
  about: "Keeps tables with people's data for the tenant.",
  origins: ["https://bigquery.googleapis.com", TOKEN_ORIGIN],
  settings,
  identities: { "google-bigquery.key": "What stands in the column instead of the user id" },

  hooks: absent("it tells of jobs and transfers, never of people", JOBS),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SERVICE_ACCOUNT),
    erase: {
      source: DML,
      by: ["user_id", "google-bigquery.key"],
      each: "identity",
      bulk: {
        // A deletion reads each table whole, however many it is of. Ours to say: as many as a lane claims at once.
        most: 500,
        run: begin,
        check: followed,
      },
    },
  },

  residuals: [
    {
      category: "time_travel_and_fail_safe",
      days: 14,
      ground: "BigQuery keeps deleted rows for up to seven days of time travel and seven of fail-safe",
      source: TIME_TRAVEL,
    },
    {
      category: "job_history",
      // "Six months": as many days as six months can have.
      days: 184,
      ground: "BigQuery remembers the deletion job for six months, with the ids that it was given",
      source: MANAGING_JOBS,
    },
  ],
  retainable: [],
  limits: { connections: 1, account: { settings: ["project"] } },
});

type Orders = readonly Order<typeof settings>[];

/**
 * The ids are a parameter, so that none of them can be read as SQL. A job's id is the batch's, so that the same batch is never
 * two jobs; what is tried anew is another batch.
 */
function* begin(orders: Orders, idempotencyKey: string): Steps<readonly Answer[]> {
  const all = (answer: Answer) => orders.map(() => answer);
  const { project = "", location = "", serviceAccountKey: key = "", tables = "" } = orders[0]?.settings ?? {};
  const access = yield* authorised(key, SCOPE);
  if ("outcome" in access) return all(access);
  const jobId = `quittance_${idempotencyKey.replace(/[^\w-]/g, "_")}`;
  const reply = yield postJson(
    at`https://bigquery.googleapis.com/bigquery/v2/projects/${{ project }}/jobs`,
    access.headers,
    {
      jobReference: { projectId: project, jobId, location },
      configuration: {
        query: {
          query: tables
            .split(",")
            .map((each) => deletion(project, each.trim()))
            .join(";\n"),
          useLegacySql: false,
          parameterMode: "NAMED",
          queryParameters: [
            {
              name: "ids",
              parameterType: { type: "ARRAY", arrayType: { type: "STRING" } },
              parameterValue: { arrayValues: orders.map(({ identity }) => ({ value: identity.value })) },
            },
          ],
        },
      },
    },
  );
  const { codes, message } = refusalIn(reply);
  if (reply.status === 409 && codes.includes("duplicate")) return all(accepted(jobId, ASK_AFTER_SECONDS));
  // What can be seen before a job begins is refused at once.
  if (reply.status === 400 && isStreamed(message)) return all(accepted(ANEW, STREAMED_SECONDS));
  const job = jobIn(reply);
  return all("outcome" in job ? job : accepted(jobId, ASK_AFTER_SECONDS));
}

/** The column may hold text or numbers: either way it is compared as text. */
function deletion(project: string, entry: string): string {
  const [table = "", column = ""] = entry.split(":");
  const path = column
    .split(".")
    .map((name) => `\`${name}\``)
    .join(".");
  return `DELETE FROM \`${project}.${table}\` WHERE CAST(${path} AS STRING) IN UNNEST(@ids)`;
}

function* followed(reference: string, orders: Orders): Steps<readonly Answer[]> {
  const all = (answer: Answer) => orders.map(() => answer);
  if (reference === ANEW) return all({ outcome: "more" });
  const { serviceAccountKey: key = "", ...where } = orders[0]?.settings ?? { project: "", location: "", tables: "" };
  const access = yield* authorised(key, SCOPE);
  if ("outcome" in access) return all(access);
  const reply = yield get(jobAt(where, reference), access.headers);
  if (reply.status === 404) return all(cameToNothing("BigQuery knows no such job; retry makes a new one"));
  const job = jobIn(reply);
  return all("outcome" in job ? job : progress(job, reference, where.tables));
}

const jobAt = ({ project, location }: { project: string; location: string }, job: string): Address =>
  at`https://bigquery.googleapis.com/bigquery/v2/projects/${{ project }}/jobs/${{ job }}?location=${{ location }}`;

function jobIn(reply: Reply): Job | ReturnType<typeof refusal> {
  if (reply.status === 403) return refusal(reply, NEEDS);
  const job = read(reply, Job);
  return job.ok ? job.value : job.problem;
}

/** What a job's state means for those who wait for it. That it is done says nothing: it may have failed. */
function progress({ status, statistics }: Job, id: string, tables: string): Answer {
  if (status.state !== "DONE") return accepted(id, ASK_AFTER_SECONDS);
  if (status.errorResult !== undefined) return failure(status.errorResult);
  // Of several tables the job is a script, whose statements are counted elsewhere: what it deleted then is not known to be nothing.
  const isNothing = !tables.includes(",") && statistics?.query?.numDmlAffectedRows === "0";
  return isNothing ? notFound : erased;
}

/** https://docs.cloud.google.com/bigquery/docs/error-messages */
const PASSING: ReadonlySet<string> = new Set([
  ...["backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"],
  ...["quotaExceeded", "rateLimitExceeded", "tableUnavailable", "timeout"],
]);

function failure({ reason, message }: { readonly reason: string; readonly message: string }): Answer {
  if (isStreamed(message)) return accepted(ANEW, STREAMED_SECONDS);
  if (PASSING.has(reason) || /concurrent update/i.test(message)) return accepted(ANEW, BUSY_SECONDS);
  if (reason === "accessDenied")
    return cameToNothing("BigQuery denied access to a table; let the service account change it, then retry");
  const code = /^\w{1,60}$/.test(reason) ? reason : "for no known reason";
  return cameToNothing(`the deletion job failed (${code}); BigQuery's job history says why, and retry makes a new one`);
}

/** "UPDATE or DELETE statement over table … would affect rows in the streaming buffer, which is not supported" */
const isStreamed = (message: string): boolean => /streaming buffer/i.test(message);
