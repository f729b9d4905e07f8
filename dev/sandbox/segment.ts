import { Hono } from "hono";
import { z } from "zod";
import { read } from "./admin.ts";
import { derivedId, everyone } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS: Readonly<Record<string, Region>> = { "api.segmentapis.com": "US", "eu1.api.segmentapis.com": "EU" };
const Region = z.enum(["US", "EU"]);
type Region = z.infer<typeof Region>;

const MOST_IDS = 5000;
const STEP_MS = 86_400_000;
/** From then on a regulation is not listed any more. */
const LISTED_MS = 90 * 86_400_000;

/** `{vendor: "segment", account?: "<token>", residency?, users: [{user_id, events?}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  residency: Region.default("US"),
  users: z.array(z.strictObject({ user_id: z.string(), events: z.array(z.string()).default([]) })).default([]),
});

const Status = z.enum(["INITIALIZED", "RUNNING", "FINISHED", "PARTIAL_SUCCESS", "NOT_SUPPORTED", "FAILED", "INVALID"]);
type Status = z.infer<typeof Status>;

/** How regulations end, and how their parts do; a step a day. */
const Settings = z.strictObject({
  ends: Status,
  destinations: z.array(z.strictObject({ name: z.string(), status: Status })),
});
type Settings = z.infer<typeof Settings>;
const standard: Settings = { ends: "FINISHED", destinations: [{ name: "Segment", status: "FINISHED" }] };

const Body = z.object({
  regulationType: z.enum([
    "SUPPRESS_WITH_DELETE",
    "SUPPRESS_WITH_DELETE_INTERNAL",
    "DELETE_ONLY",
    "DELETE_INTERNAL",
    "SUPPRESS_ONLY",
    "UNSUPPRESS",
  ]),
  subjectType: z.enum(["USER_ID", "OBJECT_ID"]),
  subjectIds: z.array(z.string()).min(1),
});

type User = {
  readonly account: string;
  readonly residency: Region;
  readonly user_id: string;
  readonly events: string[];
};
type Regulation = {
  readonly account: string;
  readonly residency: Region;
  readonly type: z.infer<typeof Body>["regulationType"];
  readonly ids: readonly string[];
  readonly created: number;
  readonly ends: Settings;
  done: boolean;
};

/**
 * Segment's regulations, and the users that they delete: each id of the list, and nobody else. They begin a day after they were
 * asked for and are done a day later.
 *
 * Unconfirmed: how long that takes (30 days at most); how Segment's own part is named among the destinations; what too many ids
 * get (400 here). What is suppressed is kept, and nothing is collected here that it could stop.
 *
 * @see https://docs.segmentapis.com/tag/Deletion-and-Suppression
 */
export const segment: MakeVendor = (world) => {
  let users: User[] = [];
  const regulations = new Map<string, Regulation>();
  const suppressed = new Set<string>();
  let settings = standard;

  const isOf = (token: string, residency: Region) => (each: { account: string; residency: Region }) =>
    each.residency === residency && (each.account === token || each.account === everyone);
  const settle = () => {
    for (const regulation of regulations.values()) {
      const { account, residency, type, ids, created, ends } = regulation;
      if (regulation.done || world.now() < created + 2 * STEP_MS) continue;
      regulation.done = true;
      if (type.startsWith("SUPPRESS")) for (const id of ids) suppressed.add(id);
      if (type === "UNSUPPRESS") for (const id of ids) suppressed.delete(id);
      const isDeleted = ends.destinations.some(({ name, status }) => name === "Segment" && status === "FINISHED");
      if (type.includes("DELETE") && isDeleted)
        users = users.filter((user) => !(isOf(account, residency)(user) && ids.includes(user.user_id)));
    }
  };
  const statusOf = ({ created, done, ends }: Regulation): Status =>
    done ? ends.ends : world.now() < created + STEP_MS ? "INITIALIZED" : "RUNNING";

  type Env = { Variables: { token: string; residency: Region } };
  const app = new Hono<Env>();
  app.use("*", async (c, next) => {
    const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (token === undefined) return segmentError(401, "not-authorized");
    c.set("token", token);
    c.set("residency", HOSTS[new URL(c.req.url).hostname] ?? "US");
    settle();
    return next();
  });
  app.post("/regulations", async (c) => {
    const body = Body.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success || body.data.subjectIds.length > MOST_IDS) return segmentError(400, "bad-request");
    const id = derivedId("reg_", c.get("token"), regulations.size);
    const { regulationType: type, subjectIds: ids } = body.data;
    const own = { account: c.get("token"), residency: c.get("residency"), created: world.now(), done: false };
    regulations.set(id, { ...own, type, ids, ends: settings });
    return c.json({ data: { regulateId: id } });
  });
  app.get("/regulations/:id", (c) => {
    const id = c.req.param("id");
    const regulation = regulations.get(id);
    const isListed = regulation !== undefined && world.now() < regulation.created + LISTED_MS;
    if (!isListed || !isOf(c.get("token"), c.get("residency"))(regulation)) return segmentError(404, "not-found");
    const overallStatus = statusOf(regulation);
    const destinationStatus = regulation.ends.destinations.map(({ name, status }) => ({
      name,
      id: derivedId("dest_", name),
      status: regulation.done ? status : overallStatus,
      errString: "",
    }));
    const times = { createdAt: new Date(regulation.created).toISOString() };
    const streamStatus = [{ id: "source-1", destinationStatus }];
    return c.json({ data: { regulation: { id, workspaceId: "ws-1", overallStatus, ...times, streamStatus } } });
  });
  app.notFound(() => segmentError(404, "not-found"));

  const admin = new Hono();
  admin.put("/segment/settings", async (c) => {
    settings = { ...settings, ...(await read(c, Settings.partial())) } as Settings;
    return c.json(settings);
  });

  return {
    id: "segment",
    about: Object.keys(HOSTS).join(", "),
    serves: (host) => Object.hasOwn(HOSTS, host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => segmentError(status, WORDS[reason]),
    seed(seed) {
      const { account, residency, users: seeded } = Seed.parse(seed);
      for (const { user_id, events } of seeded) {
        users = users.filter((user) => user.user_id !== user_id || user.account !== account);
        users.push({ account, residency, user_id, events });
      }
      return { user_ids: seeded.map(({ user_id }) => user_id) };
    },
    holdings() {
      settle();
      return {
        users: users.map(({ user_id, events }) => ({ user_id, events })),
        // Whose ids a regulation names is no longer said when it is over, although Segment lists it for 90 days.
        regulations: Object.fromEntries(
          [...regulations].map(([id, each]): [string, Json] => [
            id,
            { type: each.type, status: statusOf(each), ids: each.done ? each.ids.length : each.ids },
          ]),
        ),
        suppressed: suppressed.size,
      };
    },
    reset() {
      users = [];
      regulations.clear();
      suppressed.clear();
      settings = standard;
    },
    admin,
  };
};

const WORDS = { unauthorized: "not-authorized", rate_limited: "too-many-requests", server_error: "internal-error" };

const segmentError = (status: number, type: string): Response =>
  Response.json({ errors: [{ type, message: type }] }, { status });
