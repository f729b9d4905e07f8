import { describe, expect, it } from "vitest";
import { listener } from "../../src/platform/listen.ts";

type Socket = { accept(): void; send(data: string | Uint8Array): void; close(code: number, reason?: string): void };

// The tests are checked without the types of Workers, in which they run.
const { WebSocketPair } = globalThis as unknown as {
  WebSocketPair: new () => { readonly 0: Socket; readonly 1: Socket };
};
const upgraded = (webSocket: Socket) => new Response(null, { status: 101, webSocket } as ResponseInit);

/** A vendor's end of a WebSocket, and what the gateway made of it. */
async function open() {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ours.accept();
  const asked: Request[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    asked.push(new Request(input, init));
    return upgraded(theirs);
  };
  const heard = await listener(fetcher)("wss://stream.example/subscribe?cursor=1");
  if (!heard.ok) throw new Error(heard.problem.reason);
  return { vendor: ours, heard: heard.value, asked };
}

async function all(heard: Awaited<ReturnType<typeof open>>["heard"], most = 50) {
  const messages: string[] = [];
  for (let turn = 0; turn < most; turn++) {
    const next = await heard.next(200);
    if (typeof next === "string") return { messages, ended: next };
    messages.push(...next);
  }
  return { messages, ended: undefined };
}

describe("listening to a WebSocket", () => {
  it("asks for the upgrade, and gives what comes in its order, then how it ended", async () => {
    const { vendor, heard, asked } = await open();
    for (const text of ["one", "two", "three"]) vendor.send(text);
    vendor.close(1000, "done");
    expect(await all(heard)).toEqual({ messages: ["one", "two", "three"], ended: "done" });
    expect(await heard.next(10)).toBe("done");
    expect(asked[0]?.url).toBe("https://stream.example/subscribe?cursor=1");
    expect([asked[0]?.headers.get("upgrade"), asked[0]?.redirect]).toEqual(["websocket", "manual"]);
  });

  it("gives nothing when nothing comes in time, and what comes later then", async () => {
    const { vendor, heard } = await open();
    expect(await heard.next(5)).toEqual([]);
    const next = heard.next(2000);
    vendor.send("late");
    expect(await next).toEqual(["late"]);
    heard.close();
    expect(await heard.next(5)).toBe("done");
  });

  it("takes any other end for a broken connection", async () => {
    const { vendor, heard } = await open();
    vendor.close(1011, "oops");
    expect((await all(heard)).ended).toBe("broken");
  });

  it("[I10] hands on what is no text, or too long, as nothing", async () => {
    const { vendor, heard } = await open();
    vendor.send(new Uint8Array([1, 2, 3]));
    vendor.send("x".repeat(300_000));
    vendor.send("fine");
    vendor.close(1000);
    expect((await all(heard)).messages).toEqual(["", "", "fine"]);
  });

  it("[I10] ends the connection when more waits than may, and gives what there was", async () => {
    const { vendor, heard } = await open();
    for (let each = 0; each < 100; each++) vendor.send("x".repeat(250_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { messages, ended } = await all(heard);
    expect(ended).toBe("flooded");
    expect(messages.length).toBeLessThan(70);
    expect(messages.length).toBeGreaterThan(60);
  });

  it.each([
    "ws://stream.example/",
    "https://stream.example/",
    "wss://127.0.0.1/",
    "wss://localhost/",
    "wss://stream.example:8443/",
    "wss://user@stream.example/",
  ])("[I13] does not connect to %s", async (address) => {
    const never: typeof fetch = () => Promise.reject(new Error("it was called"));
    expect(await listener(never)(address)).toMatchObject({ ok: false, problem: { reason: "forbidden_address" } });
  });

  it("says that there is no connection, whatever the answer is instead", async () => {
    const answers: (typeof fetch)[] = [
      async () => new Response("moved", { status: 302, headers: { location: "https://elsewhere.example" } }),
      async () => new Response("down", { status: 503 }),
      () => Promise.reject(new TypeError("Network connection lost.")),
    ];
    for (const fetcher of answers)
      expect(await listener(fetcher)("wss://stream.example/")).toMatchObject({
        ok: false,
        problem: { reason: "connection_failed" },
      });
  });
});
