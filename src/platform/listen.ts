import { isPublicHost } from "../contract/settings.ts";
import type { Ended, Heard, Listen } from "../ports.ts";
import { fail, ok } from "../result.ts";
import { USER_AGENT } from "./send.ts";

export const CONNECT_MS = 10_000;

/** Longer messages, and those that are not text, are handed on as nothing: no event that matters is as long. */
export const MAX_MESSAGE = 262_144;

/** What may wait to be read; a WebSocket cannot be asked to slow down, so that then it ends, and is taken up again later. */
const MAX_WAITING = 16_777_216;

const NORMAL = 1000;

/** What Workers give for an upgrade, in as much as is used: the tests are checked without the platform's own types. */
type ClientSocket = {
  accept(): void;
  close(code: number): void;
  addEventListener(type: "message", hears: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", hears: (event: { readonly code: number }) => void): void;
  addEventListener(type: "error", hears: () => void): void;
};

/** A client's WebSocket on Workers: a `fetch` that asks for the upgrade. Redirects are not followed. */
export const listener =
  (fetcher: typeof fetch): Listen =>
  async (address) => {
    const url = new URL(address);
    if (url.protocol !== "wss:" || url.port !== "" || url.username !== "" || !isPublicHost(url.hostname))
      return fail({ reason: "forbidden_address", host: url.host });
    url.protocol = "https:";
    const connecting = new AbortController();
    const timer = setTimeout(() => connecting.abort(), CONNECT_MS);
    let socket: ClientSocket | null;
    try {
      const headers = { upgrade: "websocket", "user-agent": USER_AGENT };
      const response = await fetcher(url.href, { headers, redirect: "manual", signal: connecting.signal });
      // Workers' responses have it, null where there was no upgrade.
      socket = (response as Response & { readonly webSocket: ClientSocket | null }).webSocket;
      if (socket === null) await response.body?.cancel();
    } catch {
      // Whatever `fetch` rejects with, there is no connection.
      return fail(
        connecting.signal.aborted ? { reason: "timed_out", afterMs: CONNECT_MS } : { reason: "connection_failed" },
      );
    } finally {
      clearTimeout(timer);
    }
    return socket === null ? fail({ reason: "connection_failed" }) : ok(heard(socket));
  };

function heard(socket: ClientSocket): Heard {
  let waiting: string[] = [];
  let size = 0;
  let ended: Ended | undefined;
  let wake = () => {};
  const end = (why: Ended) => {
    ended ??= why;
    wake();
  };
  const close = (why: Ended) => {
    if (ended === undefined) socket.close(NORMAL);
    end(why);
  };
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    if (ended !== undefined) return;
    const text = typeof data === "string" && data.length <= MAX_MESSAGE ? data : "";
    waiting.push(text);
    // An empty message takes its place too.
    size += text.length + 32;
    if (size > MAX_WAITING) close("flooded");
    else wake();
  });
  socket.addEventListener("close", ({ code }) => end(code === NORMAL ? "done" : "broken"));
  socket.addEventListener("error", () => end("broken"));

  return {
    next: async (ms: number) => {
      if (waiting.length === 0 && ended === undefined && ms > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      wake = () => {};
      if (waiting.length === 0 && ended !== undefined) return ended;
      const messages = waiting;
      waiting = [];
      size = 0;
      return messages;
    },
    close: () => close("done"),
  };
}
