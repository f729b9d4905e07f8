import { Hono } from "hono";
import { z } from "zod";
import { everyone } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = /^api\.(?:datadoghq\.(?:com|eu)|(?:us3|us5|ap1|ap2|uk1)\.datadoghq\.com)$/;
const TERM_MS = 10 * 86_400_000;

/** `{vendor: "datadog", account?: "<API key>", logs: [{at?, attributes}]}`, attributes as queries name them: `@usr.id`. */
const Seed = z.object({
  account: z.string().default(everyone),
  logs: z
    .array(z.strictObject({ at: z.iso.datetime().optional(), attributes: z.record(z.string(), z.string()) }))
    .default([]),
});

const Deletion = z.object({
  data: z.object({
    type: z.literal("create_deletion_req"),
    attributes: z.object({ from: z.int(), to: z.int(), query: z.record(z.string(), z.string().min(1)) }),
  }),
});
const Search = z.object({ filter: z.object({ query: z.string(), from: z.string(), to: z.string() }) });

type Log = { readonly account: string; readonly at: number; readonly attributes: Readonly<Record<string, string>> };
type Request = {
  readonly id: string;
  readonly account: string;
  readonly query: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  readonly created: number;
  readonly total: number;
  status: "pending" | "canceled" | "completed";
};

/**
 * Datadog's logs: searching them, and requests that delete what has a value within a window, for good ten days later.
 *
 * Unconfirmed: the state of a request that is done (`completed` here); whether logs are hidden before that (not here).
 *
 * @see https://docs.datadoghq.com/api/latest/data-deletion/ and https://docs.datadoghq.com/account_management/delete_data/
 */
export const datadog: MakeVendor = (world) => {
  let logs: Log[] = [];
  const requests: Request[] = [];
  const isOf =
    ({ account, query, from, to }: Pick<Request, "account" | "query" | "from" | "to">) =>
    (log: Log): boolean =>
      (log.account === account || log.account === everyone) &&
      log.at >= from &&
      log.at <= to &&
      Object.entries(query).every(([name, value]) => log.attributes[name] === value);
  const settle = () => {
    for (const request of requests)
      if (request.status === "pending" && world.now() >= request.created + TERM_MS) {
        logs = logs.filter((log) => !isOf(request)(log));
        request.status = "completed";
      }
  };
  const wire = ({ id, query, from, to, created, total, status }: Request) => ({
    id,
    type: "deletion_request",
    attributes: {
      created_at: new Date(created).toISOString(),
      created_by: "owner@example.org",
      from_time: from,
      to_time: to,
      is_created: true,
      org_id: 1,
      product: "logs",
      query: Object.entries(query)
        .map(([name, value]) => `${name}:${value}`)
        .join(" "),
      starting_at: new Date(created + TERM_MS).toISOString(),
      status,
      total_unrestricted: total,
      updated_at: new Date(created).toISOString(),
    },
  });

  const app = new Hono<{ Variables: { account: string } }>().basePath("/api/v2");
  app.use("*", async (c, next) => {
    const account = c.req.header("dd-api-key");
    if (!account || !c.req.header("dd-application-key")) return datadogError(401, WORDS.unauthorized);
    c.set("account", account);
    settle();
    return next();
  });
  app.post("/deletion/data/logs", async (c) => {
    const body = Deletion.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return datadogError(400, "Bad Request");
    const { from, to, query } = body.data.data.attributes;
    if (Object.keys(query).length === 0) return datadogError(412, "Precondition failed");
    const own = { account: c.get("account"), query, from, to };
    const request: Request = {
      ...own,
      id: String(requests.length + 1),
      created: world.now(),
      total: logs.filter(isOf(own)).length,
      status: "pending",
    };
    requests.push(request);
    return c.json({ data: wire(request), meta: { product: "logs" } });
  });
  app.get("/deletion/requests", (c) => {
    const size = Number(c.req.query("page_size") ?? 50);
    const start = Number(c.req.query("next_page") ?? 0);
    const own = requests.filter(({ account }) => account === c.get("account")).toReversed();
    const next_page = start + size < own.length ? String(start + size) : undefined;
    return c.json({ data: own.slice(start, start + size).map(wire), meta: { product: "logs", next_page } });
  });
  app.put("/deletion/requests/:id/cancel", (c) => {
    const request = requests.find(({ id }) => id === c.req.param("id"));
    if (request?.status !== "pending") return datadogError(412, "Precondition failed");
    request.status = "canceled";
    return c.json({ data: wire(request) });
  });
  app.post("/logs/events/search", async (c) => {
    const body = Search.safeParse(await c.req.json().catch(() => undefined));
    const [, name, value] = /^(@?[\w.-]+):(\S+)$/.exec(body.data?.filter.query ?? "") ?? [];
    if (!body.success || name === undefined || value === undefined) return datadogError(400, "Bad Request");
    const { from, to } = body.data.filter;
    const query = { account: c.get("account"), query: { [name]: value }, from: Number(from), to: Number(to) };
    return c.json({ data: logs.filter(isOf(query)).map((_, nth) => ({ id: `log-${nth}`, type: "log" })) });
  });
  app.notFound(() => datadogError(404, "Not found"));

  return {
    id: "datadog",
    about: "api.….datadoghq.com, api.datadoghq.eu: logs",
    serves: (host) => HOST.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => datadogError(status, WORDS[reason]),
    seed(body) {
      const { account, logs: seeded } = Seed.parse(body);
      for (const { at, attributes } of seeded)
        logs.push({ account, at: at === undefined ? world.now() : Date.parse(at), attributes });
      return { logs: logs.length };
    },
    holdings() {
      settle();
      return {
        logs: logs.map(({ attributes }): Json => attributes),
        // What a request asked for is no longer said when it is over, although Datadog lists it.
        requests: Object.fromEntries(
          requests.map(({ id, status, query }) => [id, status === "completed" ? status : query]),
        ),
      };
    },
    reset() {
      logs = [];
      requests.length = 0;
    },
  };
};

const WORDS = { unauthorized: "Unauthorized", rate_limited: "Too many requests", server_error: "Internal error" };

const datadogError = (status: number, error: string): Response => Response.json({ errors: [error] }, { status });
