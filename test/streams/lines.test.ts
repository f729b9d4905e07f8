import { describe, expect, it } from "vitest";
import { lines } from "../../src/platform/lines.ts";
import { ALIVE, type Heard } from "../../src/ports.ts";

const ADDRESS = "https://stream.example/2/news?part=1";
const bytes = (text: string) => new TextEncoder().encode(text);

/** A vendor's end of a body, and what the gateway made of it. */
async function open() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let left = false;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      left = true;
    },
  });
  if (controller === undefined) throw new Error("a stream begins at once");
  const asked: Request[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    asked.push(new Request(input, init));
    return new Response(body);
  };
  const heard = await lines(fetcher)(ADDRESS, "the-token");
  if (!heard.ok) throw new Error(heard.problem.reason);
  return { vendor: controller, heard: heard.value, asked, isLeft: () => left };
}

async function all(heard: Heard, most = 2000) {
  const messages: string[] = [];
  for (let turn = 0; turn < most; turn++) {
    const next = await heard.next(200);
    if (typeof next === "string") return { messages, ended: next };
    messages.push(...next);
  }
  return { messages, ended: undefined };
}

describe("listening to a body of lines", () => {
  it("asks with the token, and gives each line in its order, then how it ended", async () => {
    const { vendor, heard, asked } = await open();
    vendor.enqueue(bytes('{"one":1}\r\n{"two":2}\n'));
    vendor.enqueue(bytes('{"three":3}'));
    vendor.close();
    expect(await all(heard)).toEqual({ messages: ['{"one":1}', '{"two":2}', '{"three":3}'], ended: "done" });
    expect(await heard.next(5)).toBe("done");
    expect(asked[0]?.url).toBe(ADDRESS);
    expect([asked[0]?.headers.get("authorization"), asked[0]?.redirect]).toEqual(["Bearer the-token", "manual"]);
  });

  it("tells a sign of life from a line", async () => {
    const { vendor, heard } = await open();
    for (const text of ["\r\n", "one\r", "\n\n", "two\n"]) vendor.enqueue(bytes(text));
    vendor.close();
    expect((await all(heard)).messages).toEqual([ALIVE, "one", ALIVE, "two"]);
  });

  it("puts together what was cut anywhere, in the middle of a letter too", async () => {
    const { vendor, heard } = await open();
    const text = '{"name":"Zoë 🦋 Ærø"}\r\n\r\n{"name":"Łódź"}\r\n';
    for (const byte of bytes(text)) vendor.enqueue(new Uint8Array([byte]));
    vendor.close();
    expect((await all(heard)).messages).toEqual(['{"name":"Zoë 🦋 Ærø"}', ALIVE, '{"name":"Łódź"}']);
  });

  it("gives nothing when nothing comes in time, and what comes later then", async () => {
    const { vendor, heard } = await open();
    expect(await heard.next(5)).toEqual([]);
    const next = heard.next(2000);
    vendor.enqueue(bytes("late\n"));
    expect(await next).toEqual(["late"]);
  });

  it("[I10] hands on a line that is too long as nothing, keeps none of it, and goes on with the next", async () => {
    const { vendor, heard } = await open();
    for (let piece = 0; piece < 64; piece++) vendor.enqueue(bytes("x".repeat(65_536)));
    vendor.enqueue(bytes("\nfine\n"));
    vendor.enqueue(bytes(`${"y".repeat(300_000)}\nfine, too\n${"z".repeat(300_000)}`));
    vendor.close();
    expect(await all(heard)).toEqual({ messages: ["", "fine", "", "fine, too", ""], ended: "done" });
  });

  it("takes a connection that dies for a broken one, and gives no half line of it", async () => {
    const { vendor, heard } = await open();
    vendor.enqueue(bytes("one\ntw"));
    expect(await heard.next(200)).toEqual(["one"]);
    vendor.error(new TypeError("Network connection lost."));
    expect(await heard.next(200)).toBe("broken");
    expect(await heard.next(200)).toBe("broken");
  });

  it("leaves when it is closed, also while it waits", async () => {
    const { heard, isLeft } = await open();
    expect(await heard.next(5)).toEqual([]);
    heard.close();
    expect(await heard.next(5)).toBe("done");
    expect(isLeft()).toBe(true);
  });

  it.each([
    "http://stream.example/",
    "wss://stream.example/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://stream.example:8443/",
    "https://user@stream.example/",
  ])("[I13] does not connect to %s", async (address) => {
    const never: typeof fetch = () => Promise.reject(new Error("it was called"));
    expect(await lines(never)(address, "t")).toMatchObject({ ok: false, problem: { reason: "forbidden_address" } });
  });

  it.each([302, 400, 401, 403, 429, 503])(
    "[I13] says that %i is a refusal, follows nothing and keeps no body",
    async (status) => {
      const asked: string[] = [];
      const fetcher: typeof fetch = async (input) => {
        asked.push(String(input));
        return new Response("why", { status, headers: { location: "https://elsewhere.example/" } });
      };
      expect(await lines(fetcher)(ADDRESS, "t")).toEqual({ ok: false, problem: { reason: "refused", status } });
      expect(asked).toEqual([ADDRESS]);
    },
  );

  it("[I5] takes a page for people for no stream", async () => {
    const fetcher: typeof fetch = async () =>
      new Response("<p>\n\n\nOne moment", { headers: { "content-type": "text/html; charset=utf-8" } });
    expect(await lines(fetcher)(ADDRESS, "t")).toEqual({ ok: false, problem: { reason: "refused", status: 200 } });
  });

  it("says that there is no connection", async () => {
    const fetcher: typeof fetch = () => Promise.reject(new TypeError("Network connection lost."));
    expect(await lines(fetcher)(ADDRESS, "t")).toEqual({ ok: false, problem: { reason: "connection_failed" } });
  });
});
