import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS: Readonly<Record<string, Region>> = { "us.posthog.com": "US", "eu.posthog.com": "EU" };
const Region = z.enum(["US", "EU"]);
type Region = z.infer<typeof Region>;

/** Events are deleted when there is little load; on Cloud that is the next Sunday. */
const SUNDAY = 0;
const DAY_MS = 86_400_000;
const MOST_IDS = 1000;

/** `{vendor: "posthog", account: "<project id>", api_key?, residency?, persons?}`; without a key, any will do. */
const Seed = z.object({
  account: z.string().regex(/^\d+$/),
  api_key: z.string().optional(),
  residency: Region.default("US"),
  persons: z
    .array(
      z.strictObject({
        uuid: z.uuid().optional(),
        distinct_ids: z.array(z.string()).min(1),
        properties: z.record(z.string(), z.string()).default({}),
        /** Each is an event's name. */
        events: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

type Person = {
  id: number;
  uuid: string;
  distinct_ids: string[];
  properties: Record<string, string>;
  created_at: string;
};
type Deletion = { person_uuid: string; created_at: string; runs: number; delete_verified_at: string | null };
type Project = {
  readonly residency: Region;
  apiKey: string | undefined;
  persons: Person[];
  events: { event: string; person_uuid: string }[];
  readonly deletions: Deletion[];
};
type Env = { Variables: { project: Project } };

const Body = z.object({
  ids: z.array(z.string()).optional(),
  distinct_ids: z.array(z.string()).optional(),
  delete_events: z.boolean().default(false),
  delete_recordings: z.boolean().default(false),
  keep_person: z.boolean().default(false),
});

/**
 * PostHog's persons and their events. A person goes at once, its events on the next Sunday, and only those that were captured
 * before; nobody finds the person's UUID in between. Addresses need their last slash.
 *
 * Unconfirmed: on which day events go; that a second request for the same person is not queued again. Recordings, filters
 * and `keep_person` are not modelled.
 *
 * @see https://posthog.com/docs/privacy/data-storage and https://posthog.com/docs/api/persons
 */
export const posthog: MakeVendor = (world) => {
  const projects = new Map<string, Project>();
  const settle = () => {
    for (const project of projects.values())
      for (const deletion of project.deletions) {
        if (deletion.delete_verified_at !== null || world.now() < deletion.runs) continue;
        deletion.delete_verified_at = new Date(deletion.runs).toISOString();
        project.events = project.events.filter(({ person_uuid }) => person_uuid !== deletion.person_uuid);
      }
  };
  const nextSunday = () => {
    const midnight = Math.floor(world.now() / DAY_MS) * DAY_MS;
    const days = (7 + SUNDAY - new Date(midnight).getUTCDay()) % 7 || 7;
    return midnight + days * DAY_MS;
  };

  const app = new Hono<Env>({ strict: true }).basePath("/api/projects/:project");
  app.use("*", async (c, next) => {
    const key = /^Bearer (phx_.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) throw refused(401, "authentication_failed", WORDS.unauthorized);
    const project = projects.get(c.req.param("project") ?? "");
    const isHere = project !== undefined && project.residency === HOSTS[new URL(c.req.url).hostname];
    if (!isHere) throw refused(404, "not_found", "Project not found.");
    if ((project.apiKey ?? key) !== key) throw refused(403, "permission_denied", "API key missing required scope");
    c.set("project", project);
    settle();
    await next();
  });
  const projectOf = (c: Context<Env>) => c.get("project");

  app.get("/persons/", (c) => {
    const { distinct_id, email } = c.req.query();
    const results = projectOf(c).persons.filter(
      (person) =>
        (distinct_id === undefined || person.distinct_ids.includes(distinct_id)) &&
        (email === undefined || person.properties.email === email),
    );
    return c.json({ next: null, previous: null, results });
  });
  app.get("/persons/deletion_status/", (c) => {
    const uuid = c.req.query("person_uuid");
    const results = projectOf(c)
      .deletions.filter(({ person_uuid }) => uuid === undefined || person_uuid === uuid)
      .map(({ runs: _, ...row }) => ({ ...row, status: row.delete_verified_at === null ? "pending" : "completed" }));
    return c.json({ count: results.length, next: null, previous: null, results });
  });
  app.post("/persons/bulk_delete/", async (c) => {
    const body = Body.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) throw refused(400, "invalid_input", "The body does not fit");
    const { ids, distinct_ids, delete_events, delete_recordings } = body.data;
    const asked = ids ?? distinct_ids;
    if (asked === undefined) throw refused(400, "required", "ids or distinct_ids is required");
    if (asked.length > MOST_IDS) throw refused(400, "max_length", `At most ${MOST_IDS} ids`);
    const project = projectOf(c);
    const isAsked = ({ uuid, distinct_ids: own }: Person) =>
      ids === undefined ? own.some((id) => asked.includes(id)) : asked.includes(uuid);
    const gone = project.persons.filter(isAsked);
    project.persons = project.persons.filter((person) => !isAsked(person));
    const created_at = new Date(world.now()).toISOString();
    if (delete_events)
      for (const { uuid } of gone)
        project.deletions.push({ person_uuid: uuid, created_at, runs: nextSunday(), delete_verified_at: null });
    const answer = {
      persons_found: gone.length,
      persons_deleted: 0,
      persons_queued_for_deletion: gone.length,
      events_queued_for_deletion: delete_events && gone.length > 0,
      recordings_queued_for_deletion: delete_recordings && gone.length > 0,
      deletion_errors: [],
    };
    return c.json(answer, 202);
  });
  app.get("/persons/:uuid/", (c) => {
    const person = projectOf(c).persons.find(({ uuid }) => uuid === c.req.param("uuid"));
    if (!person) throw refused(404, "not_found", "Not found.");
    return c.json(person);
  });
  app.notFound(() => posthogError(404, "not_found", "Endpoint not found."));

  return {
    id: "posthog",
    about: Object.keys(HOSTS).join(", "),
    serves: (host) => Object.hasOwn(HOSTS, host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => posthogError(status, reason, WORDS[reason]),
    seed(seed) {
      const { account, api_key, residency, persons } = Seed.parse(seed);
      const project = projects.get(account) ?? {
        residency,
        apiKey: undefined,
        persons: [],
        events: [],
        deletions: [],
      };
      projects.set(account, project);
      project.apiKey = api_key ?? project.apiKey;
      const uuids = persons.map(({ uuid, distinct_ids, properties, events }, nth) => {
        const own = uuid ?? uuidOf(account, distinct_ids);
        const created_at = new Date(world.now()).toISOString();
        project.persons = project.persons.filter((person) => person.uuid !== own);
        project.persons.push({ id: nth + 1, uuid: own, distinct_ids, properties, created_at });
        project.events.push(...events.map((event) => ({ event, person_uuid: own })));
        return own;
      });
      return { uuids };
    },
    holdings() {
      settle();
      const shown = (of: (project: Project) => Json) =>
        Object.fromEntries([...projects].map(([id, each]) => [id, of(each)]));
      return {
        persons: shown(({ persons }) => persons),
        events: shown(({ events }) => events),
        deletions: shown(({ deletions }) => deletions),
      };
    },
    reset: () => projects.clear(),
  };
};

/** The same parts give the same UUID, so that seeding twice holds everything once. */
function uuidOf(...parts: readonly unknown[]): string {
  const hex = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const WORDS: Readonly<Record<Refusal["reason"], string>> = {
  unauthorized: "Invalid personal API key.",
  rate_limited: "Request was throttled.",
  server_error: "A server error occurred.",
};

const posthogError = (status: number, code: string, detail: string): Response =>
  Response.json(
    { type: status === 400 ? "validation_error" : "invalid_request", code, detail, attr: null },
    { status },
  );

const refused = (status: 400 | 401 | 403 | 404, code: string, detail: string): HTTPException =>
  new HTTPException(status, { res: posthogError(status, code, detail) });
