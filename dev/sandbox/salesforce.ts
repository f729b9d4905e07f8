import { type Context, Hono } from "hono";
import { z } from "zod";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = /^[a-z0-9-]+\.(?:sandbox\.)?my\.salesforce\.com$/;
const TOKEN = "00Dsandbox!";
/** Unconfirmed: how long a job takes. */
const JOB_MS = 90_000;

/** `{vendor: "salesforce", records: [{object, id, fields?, refuses?}]}`; the last is the error that a deletion fails with. */
const Seed = z.object({
  records: z
    .array(
      z.strictObject({
        object: z.string(),
        id: z.string().length(18),
        fields: z.record(z.string(), z.string()).default({}),
        refuses: z.string().optional(),
      }),
    )
    .default([]),
});

type Row = z.infer<typeof Seed>["records"][number];
type Job = {
  readonly id: string;
  readonly object: string;
  ids: readonly string[];
  state: "Open" | "UploadComplete" | "InProgress" | "JobComplete";
  closedAt: number;
  readonly failed: Map<string, string>;
};

const NewJob = z.object({ object: z.string(), operation: z.literal("hardDelete"), contentType: z.literal("CSV") });

/**
 * Salesforce's records of one org: queries that compare fields with texts, and Bulk API 2.0 jobs that delete for good.
 *
 * Unconfirmed: how long jobs take; what a record that is gone is refused with (`ENTITY_IS_DELETED` here). Triggers, sharing and
 * what depends on a record are not modelled.
 *
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
 */
export const salesforce: MakeVendor = (world) => {
  let records: Row[] = [];
  const jobs = new Map<string, Job>();
  const settle = () => {
    for (const job of jobs.values()) {
      if (job.state !== "UploadComplete" || world.now() < job.closedAt + JOB_MS) continue;
      for (const id of job.ids) {
        const record = records.find((each) => each.id === id && each.object === job.object);
        const error = record === undefined ? "ENTITY_IS_DELETED:entity is deleted:--" : record.refuses;
        if (error !== undefined) job.failed.set(id, error);
        else records = records.filter((each) => each !== record);
      }
      job.state = "JobComplete";
    }
  };

  const app = new Hono();
  app.post("/services/oauth2/token", async (c) => {
    const { grant_type, client_id, client_secret } = await c.req.parseBody();
    if (grant_type !== "client_credentials" || !client_id || !client_secret)
      return c.json({ error: "invalid_client", error_description: "invalid client credentials" }, 400);
    const instance_url = new URL(c.req.url).origin;
    return c.json({ access_token: `${TOKEN}${world.now()}`, instance_url, token_type: "Bearer" });
  });
  app.use("/services/data/*", async (c, next) => {
    if (!c.req.header("authorization")?.startsWith(`Bearer ${TOKEN}`))
      return salesforceError(401, "INVALID_SESSION_ID");
    settle();
    return next();
  });
  app.get("/services/data/:version/query", (c) => {
    const [, object, where] = /^SELECT Id[\w.,]* FROM (\w+) WHERE (.+)$/.exec(c.req.query("q") ?? "") ?? [];
    if (object === undefined || where === undefined) return salesforceError(400, "MALFORMED_QUERY");
    const hits = records.filter((record) => record.object === object && matches(record, where));
    const found = hits.map(({ id, fields }) => ({ attributes: { type: object }, Id: id, ...nested(fields) }));
    return c.json({ totalSize: found.length, done: true, records: found });
  });
  app.post("/services/data/:version/jobs/ingest", async (c) => {
    const body = NewJob.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return salesforceError(400, "INVALIDJOB");
    const id = `750${derivedId("", jobs.size).slice(0, 15)}`;
    const { object } = body.data;
    jobs.set(id, { id, object, ids: [], state: "Open", closedAt: 0, failed: new Map() });
    return shown(c, id);
  });
  const shown = (c: Context, id: string) => {
    const job = jobs.get(id);
    if (!job) return salesforceError(404, "NOT_FOUND");
    const { object, state, failed, ids } = job;
    const numbers = {
      numberRecordsProcessed: state === "JobComplete" ? ids.length : 0,
      numberRecordsFailed: failed.size,
    };
    return c.json({ id, object, operation: "hardDelete", state, ...numbers });
  };
  app.put("/services/data/:version/jobs/ingest/:id/batches", async (c) => {
    const job = jobs.get(c.req.param("id"));
    const [head, ...rows] = (await c.req.text()).split("\n").filter((row) => row !== "");
    if (job?.state !== "Open" || head !== "Id") return salesforceError(400, "INVALIDBATCH");
    job.ids = rows;
    return c.body(null, 201);
  });
  app.patch("/services/data/:version/jobs/ingest/:id", async (c) => {
    const job = jobs.get(c.req.param("id"));
    const { state } = await c.req.json();
    if (job?.state !== "Open" || state !== "UploadComplete") return salesforceError(400, "INVALIDJOBSTATE");
    job.state = "UploadComplete";
    job.closedAt = world.now();
    return shown(c, job.id);
  });
  app.get("/services/data/:version/jobs/ingest/:id", (c) => shown(c, c.req.param("id")));
  app.get("/services/data/:version/jobs/ingest/:id/failedResults", (c) => {
    const rows = [...(jobs.get(c.req.param("id"))?.failed ?? [])].map(([id, error]) => `"${id}","${error}","${id}"\n`);
    return c.text(`"sf__Id","sf__Error",Id\n${rows.join("")}`, 200, { "content-type": "text/csv" });
  });
  app.notFound(() => salesforceError(404, "NOT_FOUND"));

  return {
    id: "salesforce",
    about: "….my.salesforce.com: records, bulk jobs",
    serves: (host) => HOST.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => salesforceError(status, WORDS[reason]),
    seed(body) {
      for (const record of Seed.parse(body).records) {
        records = records.filter(({ id }) => id !== record.id);
        records.push(record);
      }
      return { records: records.length };
    },
    holdings() {
      settle();
      return { records: records.map(({ object, id, fields }): Json => ({ object, id, fields })) };
    },
    reset() {
      records = [];
      jobs.clear();
    },
  };
};

/** Fields that have one of a list of texts, joined by OR. Ids have two spellings. */
function matches({ id, fields }: Row, where: string): boolean {
  return [...where.matchAll(/([\w.]+) IN \(((?:'(?:[^'\\]|\\.)*',?)+)\)/g)].some(([, field = "", list = ""]) => {
    const values = [...list.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, each = ""]) => each.replace(/\\(.)/g, "$1"));
    if (field === "Id") return values.some((each) => id.startsWith(each));
    return values.some((each) => each.toLowerCase() === fields[field]?.toLowerCase());
  });
}

/** A field of a record behind another stands within that one. */
const nested = (fields: Row["fields"]) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const [outer = "", inner] = name.split(".");
      return inner === undefined ? [name, value] : [outer, { [inner]: value }];
    }),
  );

const WORDS = {
  unauthorized: "INVALID_SESSION_ID",
  rate_limited: "REQUEST_LIMIT_EXCEEDED",
  server_error: "UNKNOWN_EXCEPTION",
};

const salesforceError = (status: number, errorCode: string): Response =>
  Response.json([{ errorCode, message: errorCode }], { status });
