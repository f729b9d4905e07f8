import { describe, expect, it } from "vitest";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";

const START = Date.parse("2026-11-21T12:00:00Z");
const MINUTE = 60_000;

/** The stand-in against X's pages, by calls that the gateway would make and others that it should not. */
describe("X's compliance streams, as they stand in", () => {
  const stand = () => {
    let now = START;
    const sandbox = createSandbox({ now: () => now });
    const admin = (path: string, body: object, method = "POST") =>
      sandbox.admin(
        new Request(`http://sandbox${path}`, {
          method,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      );
    const get = (query: string, token = "Bearer app") =>
      sandbox.fetch(
        new Request(`https://api.x.com/2/users/compliance/stream${query}`, { headers: { authorization: token } }),
      );
    return {
      admin,
      get,
      advance: (ms: number) => {
        now += ms;
      },
      deleted: (id: string) => admin("/x/news", { stream: "users", name: "user_delete", id, partition: 1 }),
      /** What comes until the first keep-alive. */
      heard: async (query: string) => {
        const reply = await get(query);
        const reader = (reply.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        for (;;) {
          const { done, value = "" } = await reader.read();
          text += value;
          if (done || text.endsWith("\r\n\r\n") || text === "\r\n") break;
        }
        await reader.cancel();
        return text
          .split("\r\n")
          .filter((line) => line !== "")
          .map(
            (line) =>
              (JSON.parse(line) as { data: { user_delete: { user: { id: string } } } }).data.user_delete.user.id,
          );
      },
    };
  };

  it.each(["", "?partition=0", "?partition=5", "?partition=1&backfill_minutes=6", "?partition=1&since=1"])(
    "refuses %s",
    async (query) => {
      expect((await stand().get(query)).status).toBe(400);
    },
  );

  it.each([
    "?partition=1&start_time=2026-11-20T11:59:59Z&end_time=2026-11-21T11:00:00Z",
    "?partition=1&start_time=2026-11-21T11:00:00Z",
    "?partition=1&start_time=yesterday&end_time=2026-11-21T11:00:00Z",
  ])("refuses to recover %s", async (query) => {
    expect((await stand().get(query)).status).toBe(400);
  });

  it("opens to nobody without a token", async () => {
    expect((await stand().get("?partition=1", "Basic YTpi")).status).toBe(401);
  });

  it("tells again what it told in the last minutes, to its own part only, and then signs of life", async () => {
    const at = stand();
    await at.admin("/x/settings", { keep_alive_ms: 1 }, "PUT");
    for (const id of ["1", "2", "3"]) {
      await at.deleted(id);
      at.advance(MINUTE);
    }
    expect(await at.heard("?partition=1&backfill_minutes=2")).toEqual(["2", "3"]);
    expect(await at.heard("?partition=2&backfill_minutes=2")).toEqual([]);
    expect(await at.heard("?partition=1")).toEqual([]);
  });

  it("recovers a time that has passed, and ends", async () => {
    const at = stand();
    for (const id of ["1", "2", "3"]) {
      await at.deleted(id);
      at.advance(10 * MINUTE);
    }
    expect(await at.heard("?partition=1&start_time=2026-11-21T12:05:00Z&end_time=2026-11-21T12:15:00Z")).toEqual(["2"]);
  });
});
