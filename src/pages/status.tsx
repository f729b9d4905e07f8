/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { parseStatusCode, statusCode } from "../ids.ts";
import type { App, Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { RequestView } from "../request/request.ts";
import { viewOf } from "../request/view.ts";

/** Where a person sees what has become of their request: HTML, or JSON by Accept. Whoever has the code may look. */
export const status = () => {
  const app = new Hono<App>();
  app.get("/status/:code", async (c) => {
    const found = await lookUp(c.var.ports, c.req.param("code"));
    c.header("cache-control", "no-store");
    c.header("x-robots-tag", "noindex");
    if (found === undefined) return problemResponse(c, { reason: "not_found", what: "request under this code" });
    if (c.req.header("accept")?.includes("application/json") === true) return c.json(found);
    return c.html(<p>{found.status}</p>);
  });
  return app;
};

/** The code's tag is compared whole; a code that was made up and one of another tenant answer alike. */
async function lookUp(ports: Ports, code: string): Promise<RequestView | undefined> {
  const parsed = parseStatusCode(code);
  const context = parsed === undefined ? undefined : await ports.tenants.byNumber(parsed.n);
  if (parsed === undefined || context === undefined) return undefined;
  if ((await statusCode(context.keys, parsed.id)) !== code) return undefined;
  return viewOf(ports, context, parsed.id);
}
