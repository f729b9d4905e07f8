import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { cloudflareD1 } from "../../integrations/cloudflare-d1.ts";
import { cloudflareKv } from "../../integrations/cloudflare-kv.ts";
import { carryOut } from "../support/carry-out.ts";

const START = Date.parse("2026-11-21T09:00:00Z");
const ACCOUNT = "0123456789abcdef0123456789abcdef";
let sandbox: Sandbox;
let moved = 0;
const now = () => START + moved;
const wait = (seconds: number) => {
  moved += seconds * 1000;
};
beforeEach(() => {
  moved = 0;
  sandbox = createSandbox({ now });
});
const admin = (path: string, init?: RequestInit) => sandbox.admin(new Request(`http://sandbox${path}`, init));
const seed = async (body: object) =>
  expect((await admin("/seed", { method: "POST", body: JSON.stringify({ account: ACCOUNT, ...body }) })).status).toBe(
    200,
  );
const holds = async (text: string) => (await admin(`/holdings?text=${encodeURIComponent(text)}`)).json();

describe("the stand-in for Workers KV", () => {
  const settings = {
    accountId: ACCOUNT,
    apiToken: "token-of-this-account",
    namespaceId: "fedcba9876543210fedcba9876543210",
    prefixes: "user:{id}:",
  };
  const carry = (more: Partial<typeof settings> = {}, identity = { type: "user_id", value: "1" }) =>
    carryOut(sandbox, cloudflareKv.actions.erase, { ...settings, ...more }, identity, { wait, now });
  const namespace = { vendor: "cloudflare-kv", namespace: settings.namespaceId, token: settings.apiToken };

  it("erases a person's keys and nobody else's, and looks once the list is up to date", async () => {
    const many = Object.fromEntries(Array.from({ length: 1200 }, (_, nth) => [`user:1:${nth}`, "Ada"]));
    await seed({ ...namespace, values: { ...many, "user:10:a": "Bob", "user:1": "Carol" } });
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
    expect(await carry({}, { type: "cloudflare-kv.key", value: "user:1" })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(await holds("Carol")).toEqual([]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("comes back for what was not deleted, and refuses another account's token", async () => {
    await seed({ ...namespace, values: { "user:1:a": "Ada" }, failing: ["user:1:a"] });
    await seed({ ...namespace, account: "another", namespace: "other", token: "token-of-another", values: {} });
    expect(await carry({ apiToken: "token-of-another" })).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
    expect(await carry({ namespaceId: "00000000000000000000000000000000" })).toMatchObject([
      { answer: { outcome: "unforeseen" } },
    ]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "slow_down" } }]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
  });
});

describe("the stand-in for Cloudflare D1", () => {
  const settings = {
    accountId: ACCOUNT,
    apiToken: "token-of-this-account",
    databaseId: "01234567-89ab-4def-8123-456789abcdef",
    statements:
      "DELETE FROM messages WHERE thread_id IN (SELECT id FROM threads WHERE user_id = ?); DELETE FROM threads WHERE user_id = ?; DELETE FROM people WHERE id = ?",
  };
  const carry = (value = "1", more: Partial<typeof settings> = {}) =>
    carryOut(sandbox, cloudflareD1.actions.erase, { ...settings, ...more }, { type: "user_id", value }, { wait, now });
  beforeEach(() =>
    seed({
      vendor: "cloudflare-d1",
      database: settings.databaseId,
      token: settings.apiToken,
      sql: `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, is_active INTEGER);
        CREATE TABLE threads (id TEXT, user_id TEXT);
        CREATE TABLE messages (id TEXT, thread_id TEXT, text TEXT);
        CREATE TABLE [order] (user_id TEXT, text TEXT);
        INSERT INTO people VALUES (1, 'Ada', 1), (10, 'Bob', 1), (2, 'Carol', 1);
        INSERT INTO threads VALUES ('t1', '1'), ('t2', '10');
        INSERT INTO messages VALUES ('m1', 't1', 'Ada says'), ('m2', 't1', 'Ada too'), ('m3', 't2', 'Bob says');
        INSERT INTO [order] VALUES ('1', 'Ada buys');`,
    }),
  );

  it("erases a person's rows, those that hang on others first, and nobody else's", async () => {
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada says")).toEqual([]);
    expect(await holds("t1")).toEqual([]);
    expect(await holds("Bob")).toHaveLength(2);
    expect(await holds("Carol")).toHaveLength(1);
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
    expect(await carry("1", { statements: "DELETE FROM order WHERE user_id = ?" })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
  });

  it.each(["1e0", "01", "1.0", "+1", "1' OR '1'='1", "' OR 1=1 --", "%", "people", "id", "is_active"])(
    "[I14] finds nobody by %s",
    async (value) => {
      expect(await carry(value)).toMatchObject([{ answer: { outcome: "not_found" } }]);
      expect(await holds("Ada")).toHaveLength(4);
    },
  );

  it("[I4] deletes nothing where a table or a column is not there, not even by a name that is a text", async () => {
    for (const statements of [
      "DELETE FROM people WHERE id = ?; DELETE FROM nothing WHERE id = ?",
      "DELETE FROM people WHERE nobody = ?",
      "DELETE FROM messages WHERE thread_id IN (SELECT text FROM threads WHERE user_id = ?)",
    ])
      for (const value of ["1", "nobody"])
        expect(await carry(value, { statements })).toMatchObject([
          { answer: { outcome: "unforeseen", what: "Cloudflare refused the call: code 7500" } },
        ]);
    expect(await holds("Ada")).toHaveLength(4);
  });

  it("refuses another account's token, and a database that is not there", async () => {
    await seed({ vendor: "cloudflare-d1", account: "another", database: "other", token: "token-of-another", sql: "" });
    expect(await carry("1", { apiToken: "token-of-another" })).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
    expect(await carry("1", { databaseId: "00000000-0000-4000-8000-000000000000" })).toMatchObject([
      { answer: { outcome: "unforeseen" } },
    ]);
  });
});
