import { isPublicHost } from "../contract/settings.ts";
import { ALIVE, type Ended, type Heard, type Lines } from "../ports.ts";
import { fail, ok } from "../result.ts";
import { CONNECT_MS, MAX_MESSAGE } from "./listen.ts";
import { USER_AGENT } from "./send.ts";

/**
 * A body of lines over `fetch`, which goes on for as long as it is read. Redirects are not followed. It is read as fast as
 * it is asked for and no faster, so that nothing piles up here but one line and what the platform holds.
 */
export const lines =
  (fetcher: typeof fetch): Lines =>
  async (address, bearer) => {
    const url = new URL(address);
    if (url.protocol !== "https:" || url.port !== "" || url.username !== "" || !isPublicHost(url.hostname))
      return fail({ reason: "forbidden_address", host: url.host });
    const connecting = new AbortController();
    const timer = setTimeout(() => connecting.abort(), CONNECT_MS);
    try {
      const headers = { authorization: `Bearer ${bearer}`, accept: "application/json", "user-agent": USER_AGENT };
      const response = await fetcher(url.href, { headers, redirect: "manual", signal: connecting.signal });
      // A page for people comes from whoever stands between, with a status of their own.
      const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
      if (response.status === 200 && response.body !== null && !isPage) return ok(heard(response.body));
      await response.body?.cancel();
      return fail({ reason: "refused", status: response.status });
    } catch {
      // Whatever `fetch` rejects with, there is no connection.
      return fail(
        connecting.signal.aborted ? { reason: "timed_out", afterMs: CONNECT_MS } : { reason: "connection_failed" },
      );
    } finally {
      clearTimeout(timer);
    }
  };

function heard(body: ReadableStream<Uint8Array>): Heard {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const cut = cutter();
  let ended: Ended | undefined;
  const read = () => reader.read().catch(() => "broken" as const);
  let chunk: ReturnType<typeof read> | undefined;

  return {
    next: async (ms) => {
      if (ended !== undefined) return ended;
      // One that did not come in time is still on its way.
      chunk ??= read();
      const came = await within(chunk, ms);
      if (came === undefined) return [];
      chunk = undefined;
      if (came === "broken") {
        ended = came;
        return ended;
      }
      if (!came.done) return cut(decoder.decode(came.value, { stream: true }));
      ended = "done";
      const last = cut(decoder.decode()).concat(cut("\n").filter((line) => line !== ALIVE));
      return last.length > 0 ? last : ended;
    },
    close: () => {
      ended ??= "done";
      // Nobody waits for that; where the other side has gone already, there is nothing to leave.
      reader.cancel().catch(() => "gone" as const);
    },
  };
}

/** Puts lines together, wherever the chunks are cut. Of a line that is too long nothing is kept. */
function cutter(): (text: string) => readonly string[] {
  let line = "";
  let isTooLong = false;
  const add = (piece: string): void => {
    isTooLong ||= line.length + piece.length > MAX_MESSAGE;
    line = isTooLong ? "" : line + piece;
  };
  const end = (): string => {
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    const message = isTooLong ? "" : whole === "" ? ALIVE : whole;
    line = "";
    isTooLong = false;
    return message;
  };
  return (text) => {
    const [first = "", ...others] = text.split("\n");
    add(first);
    return others.map((piece) => {
      const message = end();
      add(piece);
      return message;
    });
  };
}

/** Undefined where it did not come in time. */
async function within<T>(awaited: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(ms, 0));
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}
