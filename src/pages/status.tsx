import { Hono, type Context as Http } from "hono";
import { accepts } from "hono/accepts";
import { type Instant, parseStatusCode, statusCode } from "../ids.ts";
import type { App, Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { days } from "../request/deadline.ts";
import type { RequestView } from "../request/request.ts";
import { viewOf } from "../request/view.ts";
import { namesOf } from "./name.ts";
import { NotedPage } from "./noted-page.tsx";
import { StatusPage } from "./status-page.tsx";
import { UnknownLinkPage } from "./unknown-link-page.tsx";

/** Where a person sees what has become of their request: HTML, or JSON by Accept. Whoever has the code may look. */
export const status = () => {
  const app = new Hono<App>();
  app.get("/status/:code", async (c) => {
    const { ports } = c.var;
    const found = await lookUp(ports, c.req.param("code"));
    const json = prefersJson(c);
    c.header("cache-control", "no-store");
    c.header("vary", "accept");
    c.header("x-robots-tag", "noindex");
    if (found === undefined)
      return json
        ? problemResponse(c, { reason: "not_found", what: "request under this code" })
        : c.html(<UnknownLinkPage />, 404);
    const { view, context } = found;
    if (json) return c.json(shown(view));
    const names = namesOf(context.tenant, ports.integrations);
    if (view.noted !== undefined)
      return c.html(
        <NotedPage
          noted={view.noted}
          supersededBy={view.superseded_by}
          controller={context.tenant.name}
          receivedAt={view.received_at}
        />,
      );
    const until = suppressedUntil(view, context);
    return c.html(<StatusPage view={view} names={names} now={ports.now()} suppressedUntil={until} />);
  });
  return app;
};

/** Whatever names neither, such as a bare wildcard, gets the page. */
const prefersJson = (c: Http<App>): boolean =>
  accepts(c, { header: "Accept", supports: ["text/html", "application/json"], default: "text/html" }) !== "text/html";

/** The code's tag is compared whole; a code that was made up and one of another tenant answer alike. */
async function lookUp(
  ports: Ports,
  code: string,
): Promise<{ readonly view: RequestView; readonly context: Context } | undefined> {
  const parsed = parseStatusCode(code);
  const context = parsed === undefined ? undefined : await ports.tenants.byNumber(parsed.n);
  if (parsed === undefined || context === undefined) return undefined;
  if ((await statusCode(context.keys, parsed.id)) !== code) return undefined;
  const view = await viewOf(ports, context, parsed.id);
  return view === undefined ? undefined : { view, context };
}

/** Counted from the close, which is after the start from which the store counts: never too early a day. */
const suppressedUntil = ({ closed_at }: RequestView, { tenant }: Context): Instant | undefined =>
  closed_at === undefined ? undefined : Date.parse(closed_at) + days(tenant.policy.suppression_days);

/** What the company's people note for each other (reasons, instructions, who, alarms) is not for whoever has the link. */
function shown({ alarms: _, tasks, ...view }: RequestView): RequestView {
  return { ...view, tasks: tasks.map(({ reason: _, instructions: __, by: ___, ...task }) => task) };
}
