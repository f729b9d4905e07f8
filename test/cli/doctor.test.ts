import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { folder, quittance } from "./support.ts";

const KEY = "qk_1_averysecretkeythatnobodymustsee0123456789abcde";
const AT = "2026-11-21T09:00:00.000Z";

/** Stands for a gateway whose registry has these, each found like that. */
let server: Server;
let origin: string;
let registry: Readonly<Record<string, object>>;
let refusal: { readonly status: number; readonly body: object } | undefined;
let seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, reply) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    const id = /^\/v1\/subprocessors\/([^/]+)\/check$/.exec(request.url ?? "")?.[1];
    const list = { subprocessors: Object.keys(registry).map((each) => ({ id: each, integration: each })) };
    const found = { subprocessor: id, integration: id, at: AT, ...registry[id ?? ""] };
    const { status, body } = id === undefined ? { status: 200, body: list } : (refusal ?? { status: 200, body: found });
    reply.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
beforeEach(() => {
  refusal = undefined;
  seen = [];
});
afterAll(() => {
  server.close();
});

async function examined(args: readonly string[] = []) {
  const result = await quittance(["doctor", ...args], { env: { QUITTANCE_URL: origin, QUITTANCE_API_KEY: KEY } });
  expect(result.out + result.err).not.toContain(KEY);
  return result;
}

const fine = { result: "fine", what: "the key reads files" };
const none = { result: "no_check", what: "nothing is called there" };

describe("quittance doctor", () => {
  it("asks about each entry of the registry, and ends well where nothing is wrong", async () => {
    registry = { openai: fine, linkedin: none };
    const { code, out } = await examined();
    expect([code, out]).toEqual([0, expect.stringContaining("2 subprocessors: 1 fine, 0 wrong, 1 without a check")]);
    expect(seen.toSorted()).toEqual(
      ["GET /v1/subprocessors", "POST /v1/subprocessors/linkedin/check", "POST /v1/subprocessors/openai/check"].map(
        (each) => `${each} Bearer ${KEY}`,
      ),
    );
  });

  it.each(["unauthorized", "lacks_scope", "unforeseen", "no_answer"])(
    "shows what is %s first, and ends with 1",
    async (result) => {
      registry = { openai: fine, stripe: { result, what: "the key is not right", status: 403 } };
      const { code, out } = await examined();
      expect(code).toBe(1);
      expect(out.split("\n")[0]).toMatch(new RegExp(`^stripe +${result} +the key is not right \\(status 403\\)$`));
    },
  );

  it("prints one JSON object", async () => {
    registry = { openai: fine };
    const { code, out } = await examined(["--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      healthy: true,
      checked: [{ subprocessor: "openai", integration: "openai", at: AT, ...fine }],
    });
  });

  it("asks about those that are named, and refuses what there is not", async () => {
    registry = { openai: fine, stripe: fine };
    expect((await examined(["--subprocessor", "stripe"])).out).not.toContain("openai");
    const { code, err } = await examined(["--subprocessor", "strip"]);
    expect([code, err]).toEqual([2, expect.stringContaining("there are openai, stripe")]);
  });

  it("finds the gateway of npm start by itself, as the first tenant that has those that are named", async () => {
    registry = { openai: fine };
    const dev = folder()(
      JSON.stringify({
        url: origin,
        tenants: {
          one: { api_key: "qk_another_key", subprocessors: {} },
          two: { api_key: KEY, subprocessors: { openai: { integration: "openai" } } },
        },
      }),
    );
    expect(await quittance(["doctor", "--dev", dev, "--subprocessor", "openai"])).toMatchObject({ code: 0 });
    expect(await quittance(["doctor", "--dev", dev])).toMatchObject({
      code: 0,
      err: expect.stringContaining("as one"),
    });
    expect(seen.map((each) => each.split(" ").at(-1))).toEqual([KEY, KEY, "qk_another_key", "qk_another_key"]);
  });

  it("says why it could not ask", async () => {
    registry = { openai: fine, stripe: fine };
    refusal = { status: 403, body: { detail: "This key may not do that; it needs the role operate." } };
    expect(await examined()).toMatchObject({ code: 2, err: expect.stringContaining("needs the role operate") });
    const away = await quittance(["doctor", "--gateway", "https://nowhere.invalid", "--key", KEY]);
    expect(away).toMatchObject({ code: 2, err: expect.stringContaining("no such host. Is the gateway running?") });
    const closed = await quittance(["doctor", "--gateway", "http://127.0.0.1:1", "--key", KEY]);
    expect(closed).toMatchObject({
      code: 2,
      err: expect.stringContaining("cannot be reached. Is the gateway running?"),
    });
    for (const args of [
      ["doctor", "--dev", "/nowhere/dev.json"],
      ["doctor", "--gateway", "https://a.example"],
      ["doctor", "--loud"],
      ["doctor", "x"],
    ])
      expect((await quittance(args)).code).toBe(2);
    expect((await quittance(["doctor", "--help"])).out).toContain("Exit codes:");
  });
});
