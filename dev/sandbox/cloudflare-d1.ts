import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { answered, cloudflareRefusal, refused, refusedToken } from "./cloudflare-api.ts";
import type { Json, MakeVendor } from "./vendor.ts";

/** `{vendor, account, database, token?, sql}`: `sql` makes the tables and fills them. */
const Seed = z.strictObject({
  vendor: z.string(),
  account: z.string(),
  database: z.string(),
  token: z.string().optional(),
  sql: z.string(),
});

const Statement = z.strictObject({ sql: z.string().min(1), params: z.array(z.string()).max(100).default([]) });
const Query = z.union([
  Statement.transform((one) => [one]),
  z.strictObject({ batch: z.array(Statement).min(1) }).transform(({ batch }) => batch),
]);

const PATH = /^\/client\/v4\/accounts\/([^/]+)\/d1\/database\/([^/]+)\/query$/;

/**
 * Databases of Cloudflare D1: the real SQLite, in memory. Statements of one call are one transaction, which an error of any of
 * them undoes.
 *
 * @see https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query/
 */
export const cloudflareD1: MakeVendor = () => {
  const databases = new Map<string, { readonly account: string; readonly database: DatabaseSync }>();
  const tokens = new Map<string, string>();

  const run = (database: DatabaseSync, statements: z.infer<typeof Query>): Response => {
    database.exec("BEGIN");
    try {
      const results = statements.map(({ sql, params }): Json => {
        const statement = database.prepare(sql);
        if (statement.columns().length > 0)
          return { success: true, meta: { changes: 0 }, results: rowsOf(statement.all(...params)) };
        return { success: true, meta: { changes: Number(statement.run(...params).changes) }, results: [] };
      });
      database.exec("COMMIT");
      return answered(results);
    } catch (error) {
      database.exec("ROLLBACK");
      // SQLite's own refusal: a name that is not there, or text that is no statement.
      if (error instanceof Error && "errcode" in error) return refused(400, 7500);
      throw error;
    }
  };

  return {
    id: "cloudflare-d1",
    about: "api.cloudflare.com/client/v4/accounts/{account}/d1",
    serves: () => false,
    standsAt: ({ host, pathname }) => host === "api.cloudflare.com" && pathname.includes("/d1/database/"),
    async call(request) {
      const [, account = "", id = ""] = PATH.exec(new URL(request.url).pathname) ?? [];
      const odd = refusedToken(request, tokens, account);
      if (odd) return odd;
      const held = databases.get(id);
      if (held === undefined || held.account !== account) return refused(404, 7404);
      if (request.method !== "POST") return refused(405, 7405);
      const query = Query.safeParse(await request.json());
      return query.success ? run(held.database, query.data) : refused(400, 7400);
    },
    refuse: cloudflareRefusal,
    seed(body) {
      const { account, database: id, token, sql } = Seed.parse(body);
      if (token !== undefined) tokens.set(token, account);
      const held = databases.get(id) ?? { account, database: new DatabaseSync(":memory:") };
      databases.set(id, held);
      held.database.exec(sql);
      return { database: id };
    },
    holdings: () => ({
      rows: [...databases].flatMap(([id, { database }]) =>
        tablesIn(database).flatMap((table) =>
          rowsOf(database.prepare(`SELECT * FROM [${table}]`).all()).map((row): Json => ({ database: id, table, row })),
        ),
      ),
    }),
    reset() {
      for (const { database } of databases.values()) database.close();
      databases.clear();
      tokens.clear();
    },
  };
};

const tablesIn = (database: DatabaseSync): string[] =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));

/** As JSON has them; D1 gives a blob as a list of bytes, which nothing here needs. */
const rowsOf = (rows: readonly Record<string, unknown>[]): Json[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "number" || value === null ? value : String(value),
      ]),
    ),
  );
