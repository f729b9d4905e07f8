import { type Context, Hono } from "hono";
import { z } from "zod";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "twilio", account: "AC…", messages?: [{from, to, finished_after_seconds?}], calls?: [{…, recordings?}]}`. */
const Traffic = z.object({ from: z.string(), to: z.string(), finished_after_seconds: z.number().default(0) });
const Seed = z.object({
  account: z.string(),
  messages: z.array(Traffic.extend({ body: z.string().default("") })).default([]),
  calls: z.array(Traffic.extend({ recordings: z.int().default(0) })).default([]),
});

type Item = {
  readonly sid: string;
  readonly from: string;
  readonly to: string;
  readonly finishedAt: number;
  body?: string;
};
type Recording = { readonly sid: string; readonly call: string };
type Account = { messages: Item[]; calls: Item[]; recordings: Recording[] };

/**
 * Twilio's messages, calls and recordings of an account: listed by number, deleted one by one, and not before they are
 * finished. Recordings outlive their call.
 *
 * Unconfirmed: which status an unfinished one is refused with (409 here). Media, transcriptions and subaccounts are not
 * modelled.
 *
 * @see https://www.twilio.com/docs/messaging/api/message-resource and https://www.twilio.com/docs/api/errors/20009
 */
export const twilio: MakeVendor = (world) => {
  const accounts = new Map<string, Account>();

  const app = new Hono<{ Variables: { account: Account } }>({ strict: false }).basePath(
    "/2010-04-01/Accounts/:account",
  );
  app.use("*", async (c, next) => {
    const [, encoded = ""] = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const [, sid, token] = /^(AC[0-9a-fA-F]{32}):(.+)$/.exec(Buffer.from(encoded, "base64").toString()) ?? [];
    if (token === undefined || sid !== c.req.param("account")) return twilioError(401, 20003, WORDS.unauthorized);
    const account = accounts.get(sid ?? "") ?? { messages: [], calls: [], recordings: [] };
    accounts.set(sid ?? "", account);
    c.set("account", account);
    return next();
  });
  type Env = { Variables: { account: Account } };
  const wantedSize = (c: Context<Env>) => Math.min(Number(c.req.query("PageSize") ?? 50), 1000);
  const page = (c: Context<Env>, name: string, all: readonly { readonly sid: string }[]) => {
    const size = wantedSize(c);
    const next = all.length > size ? `${new URL(c.req.url).pathname}?PageSize=${size}&Page=1` : null;
    return c.json({ [name]: all.slice(0, size), page: 0, page_size: size, next_page_uri: next });
  };
  const matching = (c: Context<Env>, items: readonly Item[]) => {
    const { To, From } = c.req.query();
    return items
      .filter(({ to, from }) => (To === undefined || to === To) && (From === undefined || from === From))
      .map(({ sid, to, from }) => ({ sid, to, from }));
  };
  const removal = (items: readonly Item[], sid: string): Response | undefined => {
    const item = items.find((each) => each.sid === sid);
    if (!item) return twilioError(404, 20404, "The requested resource was not found");
    return world.now() < item.finishedAt ? twilioError(409, 20009, "Cannot delete this resource") : undefined;
  };

  app.get("/Messages.json", (c) => page(c, "messages", matching(c, c.get("account").messages)));
  app.get("/Calls.json", (c) => page(c, "calls", matching(c, c.get("account").calls)));
  app.get("/Calls/:sid/Recordings.json", (c) => {
    const call = c.req.param("sid");
    return page(
      c,
      "recordings",
      c.get("account").recordings.filter((each) => each.call === call),
    );
  });
  app.delete("/Messages/:file", (c) => {
    const account = c.get("account");
    const sid = c.req.param("file").replace(/\.json$/, "");
    const refused = removal(account.messages, sid);
    account.messages = refused ? account.messages : account.messages.filter((each) => each.sid !== sid);
    return refused ?? c.body(null, 204);
  });
  app.delete("/Calls/:file", (c) => {
    const account = c.get("account");
    const sid = c.req.param("file").replace(/\.json$/, "");
    const refused = removal(account.calls, sid);
    account.calls = refused ? account.calls : account.calls.filter((each) => each.sid !== sid);
    return refused ?? c.body(null, 204);
  });
  app.delete("/Recordings/:file", (c) => {
    const account = c.get("account");
    const sid = c.req.param("file").replace(/\.json$/, "");
    if (!account.recordings.some((each) => each.sid === sid)) return twilioError(404, 20404, "not found");
    account.recordings = account.recordings.filter((each) => each.sid !== sid);
    return c.body(null, 204);
  });
  app.notFound(() => twilioError(404, 20404, "The requested resource was not found"));

  return {
    id: "twilio",
    about: "api.twilio.com: messages, calls, recordings",
    serves: (host) => host === "api.twilio.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => twilioError(status, status === 429 ? 20429 : 20003, WORDS[reason]),
    seed(body) {
      const { account: id, messages, calls } = Seed.parse(body);
      const account = accounts.get(id) ?? { messages: [], calls: [], recordings: [] };
      accounts.set(id, account);
      const sidOf = (prefix: string, ...parts: readonly (string | number)[]) =>
        derivedId(prefix, id, ...parts) + derivedId("", id, ...parts, "more");
      messages.forEach(({ from, to, body: text, finished_after_seconds: after }, nth) => {
        const finishedAt = world.now() + after * 1000;
        account.messages.push({ sid: sidOf("SM", nth, from, to), from, to, finishedAt, body: text });
      });
      calls.forEach(({ from, to, recordings, finished_after_seconds: after }, nth) => {
        const sid = sidOf("CA", nth, from, to);
        account.calls.push({ sid, from, to, finishedAt: world.now() + after * 1000 });
        for (let each = 0; each < recordings; each++)
          account.recordings.push({ sid: sidOf("RE", nth, from, to, each), call: sid });
      });
      return { messages: account.messages.length, calls: account.calls.length };
    },
    holdings: () =>
      Object.fromEntries([...accounts].map(([id, each]): [string, Json] => [id, JSON.parse(JSON.stringify(each))])),
    reset: () => accounts.clear(),
  };
};

const WORDS = {
  unauthorized: "Authenticate",
  rate_limited: "Too Many Requests",
  server_error: "Internal Server Error",
};

const twilioError = (status: number, code: number, message: string): Response =>
  Response.json({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, { status });
