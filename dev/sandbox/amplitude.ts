import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS: Readonly<Record<string, Region>> = { "amplitude.com": "US", "analytics.eu.amplitude.com": "EU" };
const Region = z.enum(["US", "EU"]);
type Region = z.infer<typeof Region>;

const DAY_MS = 86_400_000;
/** "10-13 days after the date of the batch's first request"; no longer changed three days before. */
const BEGINS_AFTER_DAYS = 12;
const CLOSED_BEFORE_DAYS = 3;
const MOST_IDS = 100;

/** `{vendor: "amplitude", account: "<API key>", secret_key?, residency?, users?}`; without a secret key, any will do. */
const Seed = z.object({
  account: z.string(),
  secret_key: z.string().optional(),
  residency: Region.default("US"),
  users: z
    .array(
      z.strictObject({
        user_id: z.string(),
        amplitude_id: z.int().positive(),
        properties: z.record(z.string(), z.string()).default({}),
        events: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
type User = z.infer<typeof Seed>["users"][number];

type Status = "staging" | "submitted" | "done";
type Entry = { amplitude_id: number; user_id: string; requester: string; requested_on_day: string };
type Job = { readonly day: string; status: Status; readonly entries: Entry[] };
type Project = { secretKey: string | undefined; readonly residency: Region; users: User[]; readonly jobs: Job[] };

const Flag = z
  .union([z.boolean(), z.enum(["true", "false", "True", "False"])])
  .transform((flag) => /^true$/i.test(`${flag}`));
const Ids = z.array(z.union([z.string(), z.number()])).default([]);
const Body = z.object({
  user_ids: Ids,
  amplitude_ids: Ids,
  requester: z.string().default(""),
  ignore_invalid_id: Flag.default(false),
});
const Day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

/**
 * Amplitude's deletion jobs, and the users that they delete with all their events: who is asked for within the same days is in
 * one job. What a job deletes has to be there when it is asked for.
 *
 * Unconfirmed: what an id that does not exist is answered without `ignore_invalid_id` (400 here), and that a job that is empty
 * is not made. Mapped users and whole organizations are not modelled.
 *
 * @see https://amplitude.com/docs/apis/analytics/user-privacy
 */
export const amplitude: MakeVendor = (world) => {
  const projects = new Map<string, Project>();
  const dayAt = (days = 0) => new Date(world.now() + days * DAY_MS).toISOString().slice(0, 10);
  const settle = () => {
    for (const project of projects.values())
      for (const job of project.jobs) {
        if (job.status === "staging" && dayAt(CLOSED_BEFORE_DAYS) >= job.day) job.status = "submitted";
        if (job.status !== "submitted" || dayAt(-1) < job.day) continue;
        job.status = "done";
        const gone = new Set(job.entries.map(({ amplitude_id }) => amplitude_id));
        project.users = project.users.filter(({ amplitude_id }) => !gone.has(amplitude_id));
      }
  };

  const app = new Hono<{ Variables: { project: Project } }>().basePath("/api/2");
  app.use("*", async (c, next) => {
    const basic = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
    const [key = "", secret] = Buffer.from(basic, "base64").toString().split(":");
    const project = projects.get(key);
    const isHere = project !== undefined && project.residency === HOSTS[new URL(c.req.url).hostname];
    if (!isHere || (project.secretKey ?? secret) !== secret) throw refused(401, WORDS.unauthorized);
    c.set("project", project);
    settle();
    await next();
  });
  const projectOf = (c: Context<{ Variables: { project: Project } }>) => c.get("project");

  app.post("/deletions/users", async (c) => {
    const body = Body.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) throw refused(400, "Invalid request body");
    const { user_ids, amplitude_ids, requester, ignore_invalid_id } = body.data;
    if (user_ids.length + amplitude_ids.length > MOST_IDS) throw refused(400, `At most ${MOST_IDS} users`);
    const { users, jobs } = projectOf(c);
    const named = [
      ...user_ids.map((id) => users.find(({ user_id }) => user_id === String(id))),
      ...amplitude_ids.map((id) => users.find(({ amplitude_id }) => amplitude_id === Number(id))),
    ];
    const known = named.filter((user) => user !== undefined);
    if (known.length < named.length && !ignore_invalid_id) throw refused(400, "Invalid user ids");
    if (known.length === 0) return c.json([]);
    let job = jobs.find(({ status }) => status === "staging");
    if (job === undefined) {
      job = { day: dayAt(BEGINS_AFTER_DAYS), status: "staging", entries: [] };
      jobs.push(job);
    }
    for (const { user_id, amplitude_id } of known)
      if (!job.entries.some((entry) => entry.amplitude_id === amplitude_id))
        job.entries.push({ amplitude_id, user_id, requester, requested_on_day: dayAt() });
    return c.json(wire(job));
  });
  app.get("/usersearch", (c) => {
    const text = c.req.query("user") ?? "";
    const matches = projectOf(c)
      .users.filter(({ user_id, amplitude_id }) => user_id.startsWith(text) || String(amplitude_id) === text)
      .map(({ user_id, amplitude_id }) => ({ user_id, amplitude_id }));
    return c.json({ matches, type: "match_user_or_device_id" });
  });
  app.get("/deletions/users", (c) => {
    const [start, end] = [Day.safeParse(c.req.query("start_day")), Day.safeParse(c.req.query("end_day"))];
    if (!start.success || !end.success) throw refused(400, "start_day and end_day are required");
    return c.json(
      projectOf(c)
        .jobs.filter(({ day }) => day >= start.data && day <= end.data)
        .map(wire),
    );
  });
  app.delete("/deletions/users/:id/:day", (c) => {
    const job = projectOf(c).jobs.find(({ day, status }) => day === c.req.param("day") && status === "staging");
    const at = job?.entries.findIndex(({ amplitude_id }) => String(amplitude_id) === c.req.param("id")) ?? -1;
    if (job === undefined || at < 0) throw refused(404, "No such deletion");
    job.entries.splice(at, 1);
    return c.json(wire(job));
  });
  app.notFound(() => refusal(404, "Not found"));

  return {
    id: "amplitude",
    about: Object.keys(HOSTS).join(", "),
    serves: (host) => Object.hasOwn(HOSTS, host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => refusal(status, WORDS[reason]),
    seed(seed) {
      const { account, secret_key, residency, users } = Seed.parse(seed);
      const project = projects.get(account) ?? { secretKey: undefined, residency, users: [], jobs: [] };
      projects.set(account, project);
      project.secretKey = secret_key ?? project.secretKey;
      const ids = new Set(users.map(({ amplitude_id }) => amplitude_id));
      project.users = [...project.users.filter(({ amplitude_id }) => !ids.has(amplitude_id)), ...users];
      return { amplitude_ids: [...ids] };
    },
    holdings() {
      settle();
      const shown = (of: (project: Project) => Json) =>
        Object.fromEntries([...projects].map(([key, each]) => [key, of(each)]));
      return {
        users: shown(({ users }) => users),
        // Whom a job named is no longer said when it is over, although Amplitude lists it for a while.
        jobs: shown(({ jobs }) =>
          jobs.map(({ day, status, entries }) => ({
            day,
            status,
            users: status === "done" ? entries.length : entries,
          })),
        ),
      };
    },
    reset: () => projects.clear(),
  };
};

const wire = ({ day, status, entries }: Job) => ({ day, status, amplitude_ids: [...entries] });

const WORDS: Readonly<Record<Refusal["reason"], string>> = {
  unauthorized: "Invalid API key or secret key",
  rate_limited: "Exceeded rate limit of 1 request per second",
  server_error: "Internal error",
};

const refusal = (status: number, error: string): Response => Response.json({ error }, { status });

const refused = (status: 400 | 401 | 404, error: string): HTTPException =>
  new HTTPException(status, { res: refusal(status, error) });
