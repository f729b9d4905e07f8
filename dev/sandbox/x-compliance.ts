import { Hono } from "hono";
import { z } from "zod";
import { read } from "./admin.ts";
import { ConnectionDropped } from "./faults.ts";
import { LIVE } from "./serve.ts";
import type { World } from "./vendor.ts";

const STREAM = z.enum(["users", "tweets"]);
type Stream = z.infer<typeof STREAM>;

/** `POST /x/news`: what happens to somebody, and in which part it is told; an id's last digit says that where nothing else does. */
const News = z.strictObject({
  stream: STREAM,
  /** As the stream names it: `user_delete`, `delete`. */
  name: z.string(),
  id: z.string(),
  author: z.string().optional(),
  partition: z.int().min(1).max(4).optional(),
});

/** `PUT /x/settings`. */
const SettingsPatch = z.strictObject({
  /** A keep-alive comes when nothing else has for so long. */
  keep_alive_ms: z.number().min(1).optional(),
  /** The connection dies after so many pieces of news; null: it does not. */
  drop_after: z.int().min(0).nullable().optional(),
  /** Lines come in pieces of so many bytes; null: each at once. */
  pieces: z.int().positive().nullable().optional(),
  /** What X says of its own accord before it ends a connection: an operational disconnect. */
  disconnects: z.boolean().optional(),
});

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

type Line = { readonly at: number; readonly stream: Stream; readonly partition: number; readonly text: string };

/**
 * X's compliance streams: four parts each, to any app-only token; a line for each piece of news, `\r\n` where there is none.
 * What was told in the last five minutes is told again on demand, and of the last 24 hours any time, at whose end the body ends.
 * How X spreads its news over the parts, and how it words its refusals here, no page says.
 *
 * @see https://docs.x.com/x-api/fundamentals/consuming-streaming-data
 * @see https://docs.x.com/x-api/fundamentals/recovery-and-redundancy
 */
export function compliance(world: World) {
  const usual = { keep_alive_ms: 20_000, drop_after: null, pieces: null, disconnects: false };
  let settings: { keep_alive_ms: number; drop_after: number | null; pieces: number | null; disconnects: boolean } =
    usual;
  const told: Line[] = [];
  const listeners = new Set<() => void>();

  const tell = (line: Line): void => {
    told.push(line);
    for (const listener of [...listeners]) listener();
  };

  const admin = new Hono();
  admin.put("/x/settings", async (c) => {
    const patch = await read(c, SettingsPatch);
    // What is undefined is left as it is.
    for (const [name, value] of Object.entries(patch))
      if (value !== undefined) settings = { ...settings, [name]: value };
    return c.json(settings);
  });
  admin.post("/x/news", async (c) => {
    const { stream, name, id, author, partition = (Number(id.at(-1)) % 4) + 1 } = await read(c, News);
    const whom =
      stream === "users" ? { user: { id } } : { tweet: { id, ...(author !== undefined && { author_id: author }) } };
    const at = world.now();
    const text = JSON.stringify({ data: { [name]: { ...whom, event_at: new Date(at).toISOString() } } });
    tell({ at, stream, partition, text });
    return c.json({ partition });
  });
  // Anything at all, as a hostile or broken stream might send it.
  admin.post("/x/lines/:stream/:partition", async (c) => {
    const stream = STREAM.parse(c.req.param("stream"));
    tell({ at: world.now(), stream, partition: Number(c.req.param("partition")), text: await c.req.text() });
    return c.body(null, 204);
  });

  const app = new Hono();
  for (const stream of STREAM.options)
    app.get(`/2/${stream}/compliance/stream`, (c) => {
      if (!/^Bearer \S+$/.test(c.req.header("authorization") ?? "")) return problem(401, "Unauthorized");
      const asked = Query.safeParse(c.req.query());
      if (!asked.success) return problem(400, "Invalid Request", asked.error.issues);
      const { partition, backfill_minutes = 0, start_time, end_time } = asked.data;
      const now = world.now();
      if (start_time !== undefined && start_time < now - DAY) return problem(400, "Invalid Request");
      const from = start_time ?? now - backfill_minutes * MINUTE;
      const mine = told.filter((line) => line.stream === stream && line.partition === partition);
      const [past, isOver] =
        start_time === undefined ? [mine, false] : [mine.filter(({ at }) => at < (end_time ?? now)), true];
      return bodyOf(
        past.filter(({ at }) => at >= from).map(({ text }) => text),
        isOver ? undefined : (line) => line.stream === stream && line.partition === partition,
        c.req.raw.signal,
      );
    });

  return {
    app,
    admin,
    reset: () => {
      told.length = 0;
      settings = usual;
    },
  };

  /** Without `goesOn` it ends with what there was. */
  function bodyOf(past: readonly string[], goesOn: ((line: Line) => boolean) | undefined, gone: AbortSignal): Response {
    const { keep_alive_ms, drop_after, pieces, disconnects } = settings;
    let next = told.length;
    let stop = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        let lines = 0;
        let timer: NodeJS.Timeout | undefined;
        stop = () => {
          clearTimeout(timer);
          listeners.delete(news);
        };
        const put = (text: string): void => {
          const bytes = new TextEncoder().encode(text);
          for (let at = 0; at < bytes.length; at += pieces ?? bytes.length)
            controller.enqueue(bytes.slice(at, at + (pieces ?? bytes.length)));
        };
        const say = (text: string): boolean => {
          if (drop_after !== null && lines >= drop_after) {
            // Half of what it was about to say.
            put(text.slice(0, text.length / 2));
            stop();
            controller.error(new ConnectionDropped("the connection died in the middle of a line"));
            return false;
          }
          lines++;
          put(`${text}\r\n`);
          return true;
        };
        const wait = (): void => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            put("\r\n");
            wait();
          }, keep_alive_ms);
        };
        const news = (): void => {
          for (; next < told.length; next++) {
            const line = told[next];
            if (line !== undefined && goesOn?.(line) === true && !say(line.text)) return;
          }
          wait();
        };
        if (!past.every(say)) return;
        if (disconnects) put(`${DISCONNECT}\r\n`);
        if (goesOn === undefined || disconnects) return controller.close();
        listeners.add(news);
        gone.addEventListener("abort", () => stop());
        wait();
      },
      cancel: () => stop(),
    });
    return new Response(body, { headers: { "content-type": "application/json; charset=utf-8", [LIVE]: "no" } });
  }
}

const whole = (least: number, most: number) =>
  z.string().regex(/^\d$/).transform(Number).pipe(z.int().min(least).max(most));
/** `YYYY-MM-DDTHH:mm:ssZ`. */
const Time = z.iso.datetime({ precision: 0 }).transform((text) => Date.parse(text));
const Query = z
  .strictObject({
    partition: whole(1, 4),
    backfill_minutes: whole(1, 5).optional(),
    start_time: Time.optional(),
    end_time: Time.optional(),
  })
  .refine(({ start_time, end_time }) => (start_time === undefined) === (end_time === undefined));

const DISCONNECT = JSON.stringify({
  errors: [
    {
      title: "operational-disconnect",
      disconnect_type: "UpstreamOperationalDisconnect",
      detail: "This stream has been disconnected upstream for operational reasons.",
      type: "https://api.x.com/2/problems/operational-disconnect",
    },
  ],
});

const problem = (status: number, title: string, errors?: object): Response =>
  Response.json(
    { title, type: "about:blank", status, detail: title, ...(errors !== undefined && { errors }) },
    { status },
  );
