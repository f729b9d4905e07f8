import { createHash } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "mailchimp", account: "us21", lists: [{id?, name, members?: [{email, status?}]}]}`; an account is a data center. */
const Seed = z.object({
  account: z.string(),
  lists: z.array(
    z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      members: z
        .array(
          z.strictObject({
            email: z.string(),
            status: z.enum(["subscribed", "unsubscribed", "cleaned", "archived"]).default("subscribed"),
          }),
        )
        .default([]),
    }),
  ),
});

type Member = { id: string; email_address: string; unique_email_id: string; status: string };
type List = { readonly id: string; readonly name: string; readonly members: Map<string, Member> };

/**
 * Mailchimp's audiences and their members. A member is named by the hash of the address, or by the address. Deleting
 * archives; only the action of its own erases. At `login.mailchimp.com` people let an app into their account, whose tokens do not
 * expire; a token that is no good is told inside 200.
 *
 * @see https://mailchimp.com/developer/marketing/api/list-members/
 */
export const mailchimp: MakeVendor = (world) => {
  const centers = new Map<string, Map<string, List>>();
  /** Whoever signs in has the account of that number. */
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    refresh: "none",
    kills: "grant",
    answer: ({ accessToken }) => Response.json({ access_token: accessToken, expires_in: 0, scope: null }),
  });
  const login = new Hono().basePath("/oauth2");
  login.all("/authorize", (c) => server.authorize(c.req.raw));
  login.post("/token", (c) => server.token(c.req.raw));
  login.get("/metadata", (c) => {
    const holder = server.holder(/^(?:OAuth|Bearer) (.+)$/.exec(c.req.header("authorization") ?? "")?.[1]);
    if (holder === undefined) return c.json({ error: "invalid_token", error_description: "The token is not valid." });
    const { account } = holder;
    return c.json({
      dc: "us6",
      role: "owner",
      accountname: "",
      user_id: Number(account),
      api_endpoint: "https://us6.api.mailchimp.com",
    });
  });
  const listsAt = (url: string) => centers.get(new URL(url).hostname.split(".")[0] ?? "") ?? new Map<string, List>();

  const app = new Hono().basePath("/3.0");
  app.use(async (c, next) => {
    const basic = atob(/^Basic (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "");
    const center = /^[^:]*:[0-9a-f]+-([a-z0-9]+)$/.exec(basic)?.[1];
    if (center !== new URL(c.req.url).hostname.split(".")[0])
      return problem(
        401,
        "API Key Invalid",
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
      );
    return next();
  });
  app.notFound(() => missing());

  app.get("/ping", (c) => c.json({ health_status: "Everything's Chimpy!" }));
  app.get("/lists", (c) => {
    const lists = [...listsAt(c.req.url).values()].map(({ id, name }) => ({ id, name }));
    return c.json({ lists: lists.slice(0, Number(c.req.query("count") ?? 10)), total_items: lists.length });
  });
  app.get("/lists/:list/members", (c) => {
    const list = listsAt(c.req.url).get(c.req.param("list"));
    if (list === undefined) return missing();
    const wanted = c.req.query("unique_email_id");
    const members = [...list.members.values()].filter(
      ({ unique_email_id }) => wanted === undefined || unique_email_id === wanted,
    );
    return c.json({ members, list_id: list.id, total_items: members.length });
  });
  const memberOf = (url: string, list: string, named: string) => {
    const members = listsAt(url).get(list)?.members;
    const id = named.includes("@") ? hashOf(named) : named;
    return { members, member: members?.get(id) };
  };
  app.get("/lists/:list/members/:member", (c) => {
    const { member } = memberOf(c.req.url, c.req.param("list"), c.req.param("member"));
    return member === undefined ? missing() : c.json({ ...member, list_id: c.req.param("list") });
  });
  app.delete("/lists/:list/members/:member", (c) => {
    const { member } = memberOf(c.req.url, c.req.param("list"), c.req.param("member"));
    if (member === undefined) return missing();
    member.status = "archived";
    return c.body(null, 204);
  });
  app.post("/lists/:list/members/:member/actions/delete-permanent", (c) => {
    const { list } = c.req.param();
    const { members, member } = memberOf(c.req.url, list, c.req.param("member"));
    if (member === undefined) return missing();
    members?.delete(member.id);
    world.announce("mailchimp", {
      type: "unsubscribe",
      "data[action]": "delete",
      "data[id]": member.unique_email_id,
      "data[list_id]": list,
    });
    return c.body(null, 204);
  });

  return {
    id: "mailchimp",
    about: "{dc}.api.mailchimp.com: audiences and members; login.mailchimp.com: connected apps",
    serves: (host) => /^([a-z0-9]+\.api|login)\.mailchimp\.com$/.test(host),
    call: async (request) => (new URL(request.url).hostname === "login.mailchimp.com" ? login : app).fetch(request),
    refuse: ({ reason, status }: Refusal) =>
      reason === "rate_limited"
        ? problem(status, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")
        : problem(status, reason, "refused"),
    seed(body) {
      const { account, lists } = Seed.parse(body);
      const held = centers.get(account) ?? new Map<string, List>();
      centers.set(account, held);
      return lists.map(({ id: given, name, members }) => {
        const id = given ?? derivedId("", account, name).slice(0, 10);
        const made = members.map(({ email, status }): [string, Member] => [
          hashOf(email),
          {
            id: hashOf(email),
            email_address: email,
            unique_email_id: derivedId("", email.toLowerCase()).slice(0, 10),
            status,
          },
        ]);
        held.set(id, { id, name, members: new Map([...(held.get(id)?.members ?? []), ...made]) });
        return id;
      });
    },
    holdings() {
      const lists = [...centers.values()].flatMap((held) => [...held.values()]);
      const shown = lists.map(({ id, members }): [string, Json] => [id, Object.fromEntries(members)]);
      return { members: Object.fromEntries(shown), grants: server.holdings() };
    },
    reset() {
      centers.clear();
      server.reset();
    },
  };
};

const hashOf = (email: string): string => createHash("md5").update(email.toLowerCase()).digest("hex");

const missing = () => problem(404, "Resource Not Found", "The requested resource could not be found.");

const problem = (status: number, title: string, detail: string): Response =>
  Response.json(
    { type: "https://mailchimp.com/developer/marketing/docs/errors/", title, status, detail, instance: "1" },
    { status, headers: { "content-type": "application/problem+json" } },
  );
