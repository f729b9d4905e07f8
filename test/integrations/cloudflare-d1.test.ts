import { describe, expect, it } from "vitest";
import { cloudflareD1 } from "../../integrations/cloudflare-d1.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { sample } from "./samples/cloudflare-d1.ts";

const { erase } = cloudflareD1.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("D1 has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("D1 can be looked at");

const settings = {
  accountId: "0123456789abcdef0123456789abcdef",
  apiToken: "an-invented-token",
  databaseId: "01234567-89ab-4def-8123-456789abcdef",
  statements: "DELETE FROM people WHERE user_id = ?",
};
const TWO =
  "delete from messages where thread_id in (select id from threads where user_id = ?); DELETE FROM threads WHERE user_id=?;";
const order = (value = "1", statements = settings.statements) =>
  orderFor({ ...settings, statements }, { type: "user_id", value });
const counted = (...counts: readonly number[]): Played => ({
  status: 200,
  body: { success: true, result: counts.map((n) => ({ success: true, results: [{ n }] })) },
});
const deleted = (count = 1): Played => ({
  status: 200,
  body: { success: true, result: Array.from({ length: count }, () => ({ success: true, results: [] })) },
});
const fits = (statements: string) =>
  settingsSchema(cloudflareD1.settings).safeParse({ ...sample.settings, statements }).success;

describe("erasing a person's rows in D1", () => {
  it("counts, then deletes in one transaction, with the id bound to each statement", () => {
    const { calls, outcome } = play(erase.run(order("1'; DROP TABLE people; --", TWO)), [counted(2, 1), deleted(2)]);
    expect(calls.map(({ method, at }) => `${method} ${at.url}`)).toEqual(
      Array.from(
        { length: 2 },
        () =>
          "POST https://api.cloudflare.com/client/v4/accounts/0123456789abcdef0123456789abcdef/d1/database/01234567-89ab-4def-8123-456789abcdef/query",
      ),
    );
    const params = ["1'; DROP TABLE people; --"];
    const inner =
      "FROM [messages] WHERE [messages].[thread_id] IN (SELECT [threads].[id] FROM [threads] WHERE [threads].[user_id] = ?1 AND CAST([threads].[user_id] AS TEXT) = ?1)";
    const outer = "FROM [threads] WHERE [threads].[user_id] = ?1 AND CAST([threads].[user_id] AS TEXT) = ?1";
    expect(calls.map(({ body }): unknown => JSON.parse(body ?? ""))).toEqual([
      { batch: [inner, outer].map((from) => ({ sql: `SELECT COUNT(*) AS n ${from}`, params })) },
      { batch: [inner, outer].map((from) => ({ sql: `DELETE ${from}`, params })) },
    ]);
    expect(outcome).toEqual(erased);
  });

  it("[I14] deletes nothing where one id has more rows than a person has", () => {
    const { calls, outcome } = play(erase.run(order("1", "DELETE FROM people WHERE is_active = ?")), [counted(10_001)]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("more than 10000 rows") });
  });

  it("[I4] asks nothing where rows would lose those that say whose they are", () => {
    const wrong =
      "DELETE FROM threads WHERE user_id = ?; DELETE FROM messages WHERE thread_id IN (SELECT id FROM Threads WHERE user_id = ?)";
    expect(fits(wrong)).toBe(true);
    for (const steps of [erase.run(order("1", wrong)), look.run(order("1", wrong))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({
        outcome: "unforeseen",
        what: expect.stringContaining("put it first"),
      });
  });

  it.each([
    [{ status: 403, body: { errors: [{ code: 10000 }] } }, { outcome: "unauthorized" }],
    [
      { status: 400, body: { errors: [{ code: 7500, message: "no such table: people" }] } },
      { outcome: "unforeseen", what: "Cloudflare refused the call: code 7500" },
    ],
    [{ status: 404 }, { outcome: "unforeseen" }],
    [{ status: 200, body: { success: true, result: [] } }, { outcome: "unforeseen" }],
    [{ status: 200, body: { success: true, result: [{ success: false }] } }, { outcome: "unforeseen" }],
    [{ status: 200, body: { success: false, result: [{ success: true }] } }, { outcome: "unforeseen" }],
    [
      { status: 201, body: { success: true, result: [{ success: true, results: [{ n: 0 }] }] } },
      { outcome: "unforeseen" },
    ],
  ])("[I4] claims nothing where the answer is %j", (reply, expected) => {
    expect(play(erase.run(order()), [reply]).outcome).toMatchObject(expected);
    expect(play(erase.run(order()), [counted(1), reply]).outcome).toMatchObject(expected);
    expect(play(look.run(order()), [reply]).outcome).toMatchObject(expected);
  });

  it("[I4] does not take an answer without a count for none", () => {
    for (const results of [undefined, null, [], [{ n: "0" }], [{ n: -1 }], [{ m: 0 }], [{ n: 0 }, { n: 1 }]])
      for (const steps of [erase.run(order()), look.run(order())])
        expect(
          play<unknown>(steps, [{ status: 200, body: { success: true, result: [{ success: true, results }] } }])
            .outcome,
        ).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("a statement for D1", () => {
  it.each([
    "DELETE FROM people WHERE user_id = ?",
    " delete\n from people where user_id=? ; ",
    TWO,
    Array.from({ length: 16 }, (_, nth) => `DELETE FROM t${nth} WHERE a = ?`).join(";"),
  ])("may be %s", (statements) => expect(fits(statements)).toBe(true));

  it.each([
    "",
    ";",
    "DELETE FROM people",
    "DELETE FROM people WHERE 1 = 1",
    "DELETE FROM people WHERE user_id = '1'",
    "DELETE FROM people WHERE user_id = user_id",
    "DELETE FROM people WHERE user_id != ?",
    "DELETE FROM people WHERE user_id LIKE ?",
    "DELETE FROM people WHERE user_id = ? OR 1 = 1",
    "DELETE FROM people WHERE user_id = ? -- OR",
    "DELETE FROM people WHERE user_id = ? /* */",
    "DELETE FROM people WHERE user_id IN (?)",
    "DELETE FROM people WHERE user_id IN (SELECT id FROM threads)",
    "DELETE FROM people WHERE user_id IN (SELECT id FROM threads WHERE a = ? OR 1)",
    "DELETE FROM people WHERE user_id IN (SELECT id FROM threads WHERE a = ?) OR 1",
    "DELETE FROM people WHERE user_id NOT IN (SELECT id FROM threads WHERE a = ?)",
    "DELETE FROM people WHERE user_id = ?; DROP TABLE people",
    "DROP TABLE people",
    "UPDATE people SET name = ?",
    "INSERT INTO people VALUES (?)",
    "SELECT * FROM people WHERE user_id = ?",
    "PRAGMA writable_schema = ?",
    "ATTACH ? AS other",
    "DELETE FROM sqlite_master WHERE name = ?",
    "DELETE FROM SQLITE_SEQUENCE WHERE name = ?",
    "DELETE FROM _cf_KV WHERE key = ?",
    "DELETE FROM d1_migrations WHERE id = ?",
    "DELETE FROM people WHERE id IN (SELECT id FROM sqlite_master WHERE name = ?)",
    "DELETE FROM main.people WHERE user_id = ?",
    'DELETE FROM "people" WHERE user_id = ?',
    "DELETE FROM people] WHERE user_id = ?",
    "DELETE FROM people WHERE user_id = ?1",
    "DELETE FROM people WHERE user_id = ?, 1",
    "WITH a AS (SELECT 1) DELETE FROM people WHERE user_id = ?",
    Array.from({ length: 17 }, (_, nth) => `DELETE FROM t${nth} WHERE a = ?`).join(";"),
  ])("[I14] may not be %s, nor is it ever run", (statements) => {
    expect(fits(statements)).toBe(false);
    // What a setting says is read again where it is used: whoever reached it otherwise gets no further.
    if (statements.split(";").length < 17)
      expect(play(erase.run(order("1", statements)), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("[I10] is read in no time, whatever is written there", () => {
    const begun = performance.now();
    for (const text of [
      " ".repeat(4000),
      `DELETE FROM a WHERE b = ?${" ".repeat(4000)}x`,
      "DELETE FROM a WHERE b = ?;".repeat(150),
    ])
      expect(fits(text)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
