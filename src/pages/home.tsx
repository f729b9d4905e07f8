import { Hono } from "hono";
import type { App } from "../ports.ts";
import { HomePage } from "./home-page.tsx";

/** The gateway's bare address. */
export const home = () => {
  const app = new Hono<App>();
  app.get("/", (c) => c.html(<HomePage />, 200, { "cache-control": "public, max-age=3600" }));
  return app;
};
