import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { read } from "./admin.ts";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS: Readonly<Record<string, Region>> = {
  "mixpanel.com": "US",
  "eu.mixpanel.com": "EU",
  "in.mixpanel.com": "IN",
};
const Region = z.enum(["US", "EU", "IN"]);
type Region = z.infer<typeof Region>;

/** The guide's own number for deletions. */
const MOST_IDS = 1999;

/** `{vendor: "mixpanel", account: "<project token>", residency?, oauth_token?, users?}`; without a token, any will do. */
const Seed = z.object({
  account: z.string(),
  residency: Region.default("US"),
  oauth_token: z.string().optional(),
  users: z
    .array(
      z.strictObject({
        distinct_id: z.string(),
        /** A profile's properties; a device that never signed in has none. */
        profile: z.record(z.string(), z.string()).optional(),
        /** Each is an event's name. */
        events: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

type Status = "PENDING" | "STAGING" | "STARTED" | "SUCCESS" | "FAILURE" | "REVOKED" | "NOT_FOUND" | "UNKNOWN";
const STEPS: readonly Status[] = ["PENDING", "STAGING", "STARTED", "SUCCESS"];

/**
 * How jobs go: a step each so many seconds, or each time they are read; what their last step comes to; and which of the two
 * documented shapes tells of a new one.
 */
const Settings = z.strictObject({
  pace: z.union([z.literal("per_read"), z.strictObject({ seconds: z.number().positive() })]),
  ends: z.enum(["SUCCESS", "FAILURE", "UNKNOWN"]),
  created: z.enum(["task_id", "tracking_id"]),
});
type Settings = z.infer<typeof Settings>;
const standard: Settings = { pace: { seconds: 86_400 }, ends: "SUCCESS", created: "task_id" };

type Event = { readonly event: string; readonly properties: { readonly distinct_id: string } };
type Project = {
  readonly id: number;
  readonly residency: Region;
  oauthToken: string | undefined;
  readonly profiles: Map<string, Readonly<Record<string, string>>>;
  events: Event[];
};
type Job = {
  readonly project: string;
  readonly compliance_type: string;
  readonly distinct_ids: readonly string[];
  readonly requested: number;
  readonly ends: Status;
  status: Status;
  moved: number;
};
type Env = { Variables: { token: string; project: Project } };

const DeletionBody = z.object({
  distinct_ids: z.array(z.string()).min(1),
  compliance_type: z.string().default("GDPR"),
});

/**
 * Mixpanel's deletion jobs, and the events and profiles that they delete: each exact distinct id of the list, whoever else it
 * is merged with. An id of which nothing is held is no error.
 *
 * The refusal of ids whose job is not over is not in the documents; it is as clients have recorded it. Unconfirmed: what a
 * project of another region, or none, is answered (403 here); the words of refusals; what too many ids get (400 here); that
 * a canceled or failed job stands in nobody's way. The limit on outstanding scans is not modelled.
 *
 * @see https://docs.mixpanel.com/reference/gdpr-api and https://docs.mixpanel.com/openapi/gdpr.openapi.yaml
 * @see https://github.com/rudderlabs/rudder-transformer/pull/5578 for 409
 */
export const mixpanel: MakeVendor = (world) => {
  const projects = new Map<string, Project>();
  const jobs = new Map<string, Job>();
  let settings = standard;

  const step = (job: Job) => {
    const at = STEPS.indexOf(job.status);
    const next = STEPS[at + 1];
    if (at < 0 || next === undefined) return false;
    job.status = next === "SUCCESS" ? job.ends : next;
    if (job.status === "SUCCESS") erase(projects.get(job.project), new Set(job.distinct_ids));
    return true;
  };
  /** Lets the time that went by take its steps; a reading is one step where that is the pace. */
  const look = (job: Job, reading: boolean): Job => {
    if (settings.pace === "per_read") {
      if (reading) step(job);
      return job;
    }
    const stepMs = settings.pace.seconds * 1000;
    while (world.now() - job.moved >= stepMs && step(job)) job.moved += stepMs;
    return job;
  };
  const settle = () => {
    for (const job of jobs.values()) look(job, false);
  };

  const app = new Hono<Env>({ strict: false }).basePath("/api/app/data-deletions/v3.0");
  app.use("*", async (c, next) => {
    const oauthToken = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (oauthToken === undefined) throw refused(401, "No valid OAuth token");
    const token = c.req.query("token") ?? "";
    const project = projects.get(token);
    if (project === undefined || project.residency !== HOSTS[new URL(c.req.url).hostname])
      throw refused(403, "No access to this project");
    if (project.oauthToken !== undefined && project.oauthToken !== oauthToken)
      throw refused(401, "The OAuth token is not valid");
    c.set("token", token);
    c.set("project", project);
    settle();
    await next();
  });

  app.post("/", async (c) => {
    const body = DeletionBody.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) throw refused(400, "distinct_ids must be a list of strings");
    const { distinct_ids, compliance_type } = body.data;
    if (distinct_ids.length > MOST_IDS) throw refused(400, `At most ${MOST_IDS} distinct_ids`);
    const token = c.get("token");
    const busy = [...jobs].filter(
      ([, job]) =>
        job.project === token &&
        isRunning(job) &&
        job.distinct_ids.some((distinctId) => distinct_ids.includes(distinctId)),
    );
    if (busy.length > 0) return conflict(distinct_ids, busy);
    const id = derivedId("", token, jobs.size);
    const job: Job = {
      project: token,
      compliance_type: compliance_type.toLowerCase(),
      distinct_ids,
      requested: world.now(),
      ends: settings.ends,
      status: "PENDING",
      moved: world.now(),
    };
    jobs.set(id, job);
    const results = settings.created === "task_id" ? { task_id: id } : [wire(id, job, c.get("project"))];
    return c.json({ status: "ok", results }, 201);
  });

  const found = (c: Context<Env>, id: string): Job | undefined => {
    const job = jobs.get(id);
    return job?.project === c.get("token") ? job : undefined;
  };
  app.get("/:id", (c) => {
    const id = c.req.param("id");
    const job = found(c, id);
    const results = job ? wire(id, look(job, true), c.get("project")) : { status: "NOT_FOUND", distinct_ids: [] };
    return c.json({ status: "ok", results });
  });
  app.delete("/:id", (c) => {
    const job = found(c, c.req.param("id"));
    if (job?.status !== "PENDING" && job?.status !== "STAGING") throw refused(405, "The task cannot be canceled");
    job.status = "REVOKED";
    return c.body(null, 204);
  });
  app.notFound(() => refusal(404, "Not found"));

  const admin = new Hono();
  admin.put("/mixpanel/settings", async (c) => {
    const { pace, ends, created } = await read(c, Settings.partial());
    settle();
    settings = { pace: pace ?? settings.pace, ends: ends ?? settings.ends, created: created ?? settings.created };
    return c.json(settings);
  });

  return {
    id: "mixpanel",
    about: Object.keys(HOSTS).join(", "),
    serves: (host) => Object.hasOwn(HOSTS, host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => refusal(status, WORDS[reason]),
    seed(seed) {
      const { account, residency, oauth_token, users } = Seed.parse(seed);
      const known = projects.get(account);
      const project = known ?? newProject(projects.size + 1, residency);
      projects.set(account, project);
      if (oauth_token !== undefined) project.oauthToken = oauth_token;
      for (const { distinct_id, profile, events } of users) {
        erase(project, new Set([distinct_id]));
        if (profile !== undefined) project.profiles.set(distinct_id, profile);
        project.events.push(...events.map((event) => ({ event, properties: { distinct_id } })));
      }
      return { distinct_ids: users.map(({ distinct_id }) => distinct_id) };
    },
    holdings() {
      settle();
      const all = [...projects];
      const shown = (of: (project: Project) => Json) =>
        Object.fromEntries(all.map(([token, each]) => [token, of(each)]));
      return {
        profiles: shown(({ profiles }) => Object.fromEntries(profiles)),
        events: shown(({ events }) => events),
        // Whose ids a job names is no longer said when it is over, although Mixpanel may know it for a while.
        jobs: Object.fromEntries(
          [...jobs].map(([id, { project, status, distinct_ids }]) => [
            id,
            { project, status, distinct_ids: status === "SUCCESS" ? distinct_ids.length : distinct_ids },
          ]),
        ),
      };
    },
    reset() {
      projects.clear();
      jobs.clear();
      settings = standard;
    },
    admin,
  };
};

const newProject = (id: number, residency: Region): Project => ({
  id,
  residency,
  oauthToken: undefined,
  profiles: new Map(),
  events: [],
});

function erase(project: Project | undefined, ids: ReadonlySet<string>): void {
  if (!project) return;
  for (const id of ids) project.profiles.delete(id);
  project.events = project.events.filter(({ properties }) => !ids.has(properties.distinct_id));
}

const isRunning = ({ status }: Job): boolean => ["PENDING", "STAGING", "STARTED"].includes(status);

function conflict(asked: readonly string[], busy: readonly (readonly [string, Job])[]): Response {
  const named = new Set(busy.flatMap(([, { distinct_ids }]) => distinct_ids));
  const error = {
    error: "Deletion tasks for some of these distinct_ids are in progress",
    conflicting_distinct_ids: asked.filter((id) => named.has(id)),
    conflicting_task_ids: busy.map(([id]) => id),
  };
  return Response.json({ status: "error", error }, { status: 409 });
}

/** Times are in UTC, and do not say so. */
const wire = (tracking_id: string, job: Job, { id }: Project) => ({
  tracking_id,
  status: job.status,
  requesting_user: "owner@example.com",
  compliance_type: job.compliance_type,
  project_id: id,
  date_requested: new Date(job.requested).toISOString().replace("Z", "000"),
  distinct_ids: [...job.distinct_ids],
});

const WORDS: Readonly<Record<Refusal["reason"], string>> = {
  unauthorized: "The OAuth token is not valid",
  rate_limited: "Too Many Requests, this API is limited to 1 req/s",
  server_error: "Internal error",
};

const refusal = (status: number, error: string): Response => Response.json({ status: "error", error }, { status });

const refused = (status: 400 | 401 | 403 | 405, error: string): HTTPException =>
  new HTTPException(status, { res: refusal(status, error) });
