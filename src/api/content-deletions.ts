import { Hono } from "hono";
import type { Hash } from "../platform/store/requests.ts";
import { rfc3339 } from "../request/deadline.ts";
import { type Authorised, requires } from "./auth.ts";

/** For how many days it is shown how much was received and told. */
const SHOWN_DAYS = 30;
const DAY_MS = 86_400_000;

/** Deleted content, in bulk: what came from whom, who was told, and what waits. */
export const contentDeletions = () => {
  const app = new Hono<Authorised>();

  app.get("/v1/content-deletions", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const { tenant } = context;
    const now = ports.now();
    // Also the retired ones, and those whose integration takes none any more: something may still wait for them.
    const subprocessors = Object.keys(tenant.subprocessors);
    const { days, waiting } = await ports.store.contentCounts(tenant.n, subprocessors, SHOWN_DAYS, now);
    const counted = days.map((hash, back) => ({ day: rfc3339(now - back * DAY_MS).slice(0, 10), hash }));
    return c.json({
      days: SHOWN_DAYS,
      received: counted.flatMap((day) => countsOf(day, "in", "source")),
      told: counted.flatMap((day) => countsOf(day, "told", "subprocessor")),
      given_up: counted.flatMap((day) => countsOf(day, "up", "subprocessor")),
      waiting: subprocessors.flatMap((subprocessor, index) => {
        const { items, since } = waiting[index] ?? { items: 0, since: 0 };
        return items === 0 ? [] : [{ subprocessor, items, oldest_received_at: rfc3339(since) }];
      }),
    });
  });

  return app;
};

/** The fields of one kind, `<kind> <name>`, by name. */
const countsOf = ({ day, hash }: { readonly day: string; readonly hash: Hash }, kind: string, as: string) =>
  Object.keys(hash)
    .filter((field) => field.startsWith(`${kind} `))
    .sort()
    .map((field) => ({ day, [as]: field.slice(kind.length + 1), items: Number(hash[field]) }));
