import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { redisClient } from "../../src/platform/redis.ts";
import { engines, onEach } from "./stand.ts";

const HEAD = "#!lua flags=allow-key-locking\n";
const APPEND = `${HEAD}return redis.call('APPEND', KEYS[1], ARGV[1])`;
const LENGTH = `${HEAD}return redis.call('STRLEN', KEYS[1])`;
const script = (text: string, ...args: readonly (string | number)[]) => ({ script: text, keys: ["key"], args });

onEach("the client", engines, ({ client, raw, outage, roundTrips }) => {
  it.each(["123", "OK", '{"a":1}', "null", "é€😀", "dGVzdA=="])(
    "gives the text %s back as it was written",
    async (text) => {
      await client.run([["hset", "key", "field", text]]);
      expect(await client.run([["hget", "key", "field"]])).toEqual([text]);
      expect(await client.run([["hgetall", "key"]])).toEqual([["field", text]]);
    },
  );

  it("answers each command in its place", async () => {
    const commands = [["set", "key", "a"], script(APPEND, "b"), ["get", "key"], ["get", "none"]] as const;
    await client.run([script(APPEND, "")]);
    expect(await client.run(commands)).toEqual(["OK", 2, "ab", null]);
    expect(await client.run([])).toEqual([]);
  });

  it("sends a script in full where the server does not know it, and by its digest from then on", async () => {
    await client.run([["script", "flush"]]);
    expect(await client.run([script(APPEND, "a")])).toEqual([1]);
    expect(await client.run([script(APPEND, "b"), script(APPEND, "c")])).toEqual([2, 3]);
    await client.run([["script", "flush"]]);
    expect(await client.run([script(APPEND, "d"), script(APPEND, "e")])).toEqual([4, 5]);
  });

  it("runs a pipeline in its order where the server knows only some of its scripts", async () => {
    await client.run([["script", "flush"]]);
    await client.run([script(LENGTH)]);
    expect(await client.run([script(APPEND, "abc"), script(LENGTH)])).toEqual([3, 3]);
  });

  it("runs a transaction, whether the server knows its scripts or not", async () => {
    await client.run([["script", "flush"]]);
    const commands = [script(APPEND, "a"), script(APPEND, "b"), ["get", "key"]] as const;
    expect(await client.run(commands, { atomic: true })).toEqual([1, 2, "ab"]);
    expect(await client.run([script(APPEND, "c"), script(LENGTH)], { atomic: true })).toEqual([3, 3]);
  });

  it("sends what is too large for one request in several, in its order", async () => {
    const large = "x".repeat(3_000_000);
    await client.run([script(APPEND, "")]);
    const before = roundTrips();
    expect(await client.run([script(APPEND, large), script(APPEND, large), script(LENGTH)])).toEqual([
      3_000_000, 6_000_000, 6_000_000,
    ]);
    expect(roundTrips() - before).toBe(2);
  });

  it("[I1] rejects as unreachable while connections break, and says no value", async () => {
    outage(true);
    const failed = await client.run([["set", "key", "secret value"]]).catch((error: unknown) => error);
    outage(false);
    expect(failed).toMatchObject({ name: "StoreUnreachable" });
    expect(String(failed)).not.toContain("secret");
    expect(await raw("GET", "key")).toBeNull();
  });

  it("[I1] rejects when one of its commands is refused", async () => {
    await client.run([["set", "key", "text"]]);
    await expect(
      client.run([
        ["get", "key"],
        ["lpush", "key", "a"],
      ]),
    ).rejects.toMatchObject({
      name: "StoreUnreachable",
      message: expect.stringContaining("WRONGTYPE"),
    });
  });
});

it.each([
  { status: 401, body: '{"error":"WRONGPASS invalid token"}', says: "WRONGPASS" },
  { status: 400, body: '{"error":"ERR max request size exceeded"}', says: "ERR max request size" },
  { status: 502, body: "secret", says: "Unable to parse" },
  { status: 200, body: '[{"result":"secret', says: "Unable to parse" },
  {
    status: 200,
    body: `[{"error":"ERR unknown command 'sett', with args beginning with: 'key' 'secret' "}]`,
    says: "ERR unknown command",
  },
])("[I7] says no key and no value when it is refused with $status and $body", async ({ status, body, says }) => {
  const server = createServer((_, answer) => answer.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = redisClient(`http://127.0.0.1:${port}`, "token");
  const failed: unknown = await client.run([["sett", "key", "secret"]]).catch((error: unknown) => error);
  await new Promise((resolve) => server.close(resolve));
  expect(failed).toMatchObject({ name: "StoreUnreachable", message: expect.stringContaining(says) });
  expect(failed).not.toHaveProperty("cause");
  expect(String(failed)).not.toMatch(/secret|key/);
});
