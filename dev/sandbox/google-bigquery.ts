import { z } from "zod";
import { gone, googleError, googleRefusal, withoutAccess } from "./google-access.ts";
import { fieldsOf } from "./shelf.ts";
import type { Json, MakeVendor } from "./vendor.ts";

const Row = z.record(z.string(), z.json());
/** `{vendor: "google-bigquery", tables: [{name: "project.dataset.table", location?, rows, streamed?}]}`; `streamed` rows come in now. */
const Seed = z.object({
  tables: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[\w-]+\.\w+\.[\w-]+$/),
        location: z.string().default("EU"),
        rows: z.array(Row).default([]),
        streamed: z.array(Row).default([]),
      }),
    )
    .default([]),
});
const Insert = z.object({
  jobReference: z.object({ projectId: z.string(), jobId: z.string().regex(/^[\w-]{1,1024}$/), location: z.string() }),
  configuration: z.object({
    query: z.object({
      query: z.string(),
      useLegacySql: z.boolean().default(true),
      parameterMode: z.literal("NAMED"),
      queryParameters: z.array(
        z.object({
          name: z.literal("ids"),
          parameterType: z.object({ type: z.literal("ARRAY"), arrayType: z.object({ type: z.literal("STRING") }) }),
          parameterValue: z.object({ arrayValues: z.array(z.object({ value: z.string() })) }),
        }),
      ),
    }),
  }),
});
type Query = z.infer<typeof Insert>["configuration"]["query"];

type Kept = { readonly row: Readonly<Record<string, Json>>; readonly streamedAt?: number };
type Table = { readonly location: string; rows: Kept[]; deleted: { readonly row: Kept["row"]; readonly at: number }[] };
type Failure = { readonly reason: string; readonly message: string };
type Job = {
  readonly project: string;
  readonly location: string;
  readonly query: Query;
  readonly doneAt: number;
  end?: { readonly affected: readonly number[]; readonly failure?: Failure };
};

const JOB_MS = 20_000;
const STREAMING_MS = 30 * 60_000;
/** Time travel and fail-safe. */
const KEPT_MS = 14 * 86_400_000;
const SCOPES = ["https://www.googleapis.com/auth/bigquery"];
const STATEMENT = /^DELETE FROM `([^`]+)` WHERE CAST\(((?:`\w+`)(?:\.`\w+`)*) AS STRING\) IN UNNEST\(@ids\)$/;

/**
 * BigQuery: jobs that delete rows by an id in a column. A job takes a while, and may fail when it is done; rows that have just been
 * streamed cannot be deleted. What was deleted stays in time travel and fail-safe.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job
 */
export const googleBigquery: MakeVendor = (world) => {
  const tables = new Map<string, Table>();
  const jobs = new Map<string, Job>();
  const catchUp = () => {
    for (const job of jobs.values())
      if (job.end === undefined && job.doneAt <= world.now()) job.end = run(job, tables, job.doneAt);
    for (const table of tables.values()) table.deleted = table.deleted.filter(({ at }) => at + KEPT_MS > world.now());
  };

  const insert = async (request: Request, project: string): Promise<Response> => {
    const body = Insert.safeParse(await request.json());
    if (!body.success || body.data.jobReference.projectId !== project)
      return googleError(400, "INVALID_ARGUMENT", "Required parameter is missing.", "invalid");
    const { jobId, location } = body.data.jobReference;
    const { query } = body.data.configuration;
    if (jobs.has(jobId))
      return googleError(409, "ALREADY_EXISTS", `Already Exists: Job ${project}:${location}.${jobId}`, "duplicate");
    jobs.set(jobId, { project, location, query, doneAt: world.now() + JOB_MS });
    return Response.json(wire(jobId, { project, location, query, doneAt: 0 }));
  };

  return {
    id: "google-bigquery",
    about: "bigquery.googleapis.com: jobs that delete rows",
    serves: (host) => host === "bigquery.googleapis.com",
    async call(request) {
      const without = withoutAccess(request, SCOPES, world.now());
      if (without !== undefined) return without;
      catchUp();
      const { pathname, searchParams } = new URL(request.url);
      const [, project = "", id] = /^\/bigquery\/v2\/projects\/([^/]+)\/jobs(?:\/([^/]+))?$/.exec(pathname) ?? [];
      if (id === undefined) return request.method === "POST" && project !== "" ? insert(request, project) : gone();
      const job = jobs.get(id);
      const isHere = job?.project === project && job.location === searchParams.get("location");
      return job !== undefined && isHere && request.method === "GET"
        ? Response.json(wire(id, job))
        : googleError(404, "NOT_FOUND", "Not found: Job", "notFound");
    },
    refuse: googleRefusal,
    seed(body) {
      const seeded = Seed.parse(body).tables;
      for (const { name, location, rows, streamed } of seeded) {
        const table = tables.get(name) ?? { location, rows: [], deleted: [] };
        table.rows.push(...rows.map((row) => ({ row })), ...streamed.map((row) => ({ row, streamedAt: world.now() })));
        tables.set(name, table);
      }
      return { tables: seeded.map(({ name }) => name) };
    },
    holdings() {
      catchUp();
      const by = (pick: (table: Table) => readonly Json[]) =>
        Object.fromEntries([...tables].map(([name, table]) => [name, pick(table)]));
      return {
        tables: by(({ rows }) => rows.map(({ row }) => row)),
        time_travel: by(({ deleted }) => deleted.map(({ row }) => row)),
        // Six months at BigQuery; here for as long as the sandbox runs.
        job_history: Object.fromEntries(
          [...jobs].map(([id, { query }]) => [id, query.queryParameters.map(({ parameterValue }) => parameterValue)]),
        ),
      };
    },
    reset() {
      tables.clear();
      jobs.clear();
    },
  };
};

function run({ query, location }: Job, tables: ReadonlyMap<string, Table>, at: number): NonNullable<Job["end"]> {
  const ids = query.queryParameters.flatMap(({ parameterValue }) =>
    parameterValue.arrayValues.map(({ value }) => value),
  );
  const affected: number[] = [];
  const failed = (reason: string, message: string) => ({ affected, failure: { reason, message } });
  if (query.useLegacySql) return failed("invalidQuery", "DML is not supported in legacy SQL.");
  for (const statement of query.query.split(";\n")) {
    const [, name = "", path = ""] = STATEMENT.exec(statement) ?? [];
    const table = tables.get(name);
    if (path === "") return failed("invalidQuery", "Syntax error");
    if (table === undefined || table.location !== location)
      return failed("notFound", `Not found: Table ${name} was not found in location ${location}`);
    const hit = table.rows.filter(({ row }) => ids.includes(String(valueAt(row, path))));
    if (hit.some(({ streamedAt = Number.NEGATIVE_INFINITY }) => streamedAt + STREAMING_MS > at))
      return failed(
        "invalidQuery",
        `UPDATE or DELETE statement over table ${name} would affect rows in the streaming buffer, which is not supported`,
      );
    table.rows = table.rows.filter((row) => !hit.includes(row));
    table.deleted.push(...hit.map(({ row }) => ({ row, at })));
    affected.push(hit.length);
  }
  return { affected };
}

const valueAt = (row: Kept["row"], path: string): Json | undefined =>
  path
    .replaceAll("`", "")
    .split(".")
    .reduce<Json | undefined>((value, name) => fieldsOf(value)[name], row);

/** A script of several statements says nothing of rows itself. */
const wire = (jobId: string, { project, location, end }: Job) => ({
  kind: "bigquery#job",
  jobReference: { projectId: project, jobId, location },
  status: {
    state: end === undefined ? "RUNNING" : "DONE",
    ...(end?.failure !== undefined && { errorResult: end.failure, errors: [end.failure] }),
  },
  statistics: {
    query:
      end !== undefined && end.failure === undefined && end.affected.length === 1
        ? { statementType: "DELETE", numDmlAffectedRows: String(end.affected[0]) }
        : { statementType: "SCRIPT" },
  },
});
