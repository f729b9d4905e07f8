import { z } from "zod";
import { at, bearer, noCall, postJson, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { erased, notFound, type Unauthorized, type Unforeseen } from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import { cloudflareSettings, inAccount, ORIGIN, refusal, TOKENS } from "./houses/cloudflare.ts";

/**
 * A database of Cloudflare D1 holds rows about the tenant's people. The operator says which, in statements of one form:
 *
 *   DELETE FROM messages WHERE thread_id IN (SELECT id FROM threads WHERE user_id = ?);
 *   DELETE FROM threads WHERE user_id = ?
 *
 * What runs is made here from the names in them, and not their text: whoever may write settings can delete the rows of one id
 * at a time, and can neither read nor change any.
 */
const QUERY = "https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query/";
const TIME_TRAVEL = "https://developers.cloudflare.com/d1/reference/time-travel/";

/** More rows than one person has: a column that everybody has the same value in (`active = ?`) is noticed before anything is deleted. */
const MOST_ROWS = 10_000;

// SQLite's own tables, Cloudflare's and those of migrations are nobody's.
const TABLE = "(?!sqlite_|_cf_|d1_)[a-z_]\\w{0,62}";
const COLUMN = "[a-z_]\\w{0,62}";
const STATEMENT =
  `DELETE\\s+FROM\\s+(${TABLE})\\s+WHERE\\s+(${COLUMN})\\s*` +
  `(?:=\\s*\\?|IN\\s*\\(\\s*SELECT\\s+(${COLUMN})\\s+FROM\\s+(${TABLE})\\s+WHERE\\s+(${COLUMN})\\s*=\\s*\\?\\s*\\))`;
const STATEMENTS = new RegExp(`^\\s*${STATEMENT}(?:\\s*;\\s*${STATEMENT}){0,15}\\s*;?\\s*$`, "i");
const ONE = new RegExp(`^${STATEMENT}$`, "i");

const settings = {
  ...cloudflareSettings,
  databaseId: text("Database id", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  statements: text("DELETE statements with one ? for the person's id, separated by semicolons", STATEMENTS),
} satisfies Settings;
type D1Order = Order<typeof settings>;

const Results = z.object({
  success: z.literal(true),
  result: z.array(z.object({ success: z.literal(true), results: z.array(z.unknown()).nullish() })),
});
const Count = z.tuple([z.object({ n: z.int().nonnegative() })]);

export const cloudflareD1 = defineIntegration({
  id: "cloudflare-d1",
  name: "Cloudflare D1",
  about: "Stores records for the tenant.",
  origins: [ORIGIN],
  settings,
  identities: { "cloudflare-d1.id": "The id that the database has for a person, where it is not the user_id" },

  hooks: absent("D1 tells nobody", QUERY),
  oauth: absent("API tokens only", TOKENS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", TOKENS),
    erase: {
      source: QUERY,
      by: ["user_id", "cloudflare-d1.id"],
      each: "identity",
      *run(order) {
        const rows = yield* rowsOf(order);
        if (typeof rows !== "number") return rows;
        if (rows === 0) return notFound;
        if (rows > MOST_ROWS)
          return unforeseen(noCall, `the statements would delete more than ${MOST_ROWS} rows for one id`);
        const done = yield* asked(order, (from) => `DELETE ${from}`);
        return "outcome" in done ? done : erased;
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const rows = yield* rowsOf(order);
          return typeof rows !== "number" ? rows : rows === 0 ? "absent" : "present";
        },
      },
    },
  },

  residuals: [
    {
      category: "time_travel",
      days: 30,
      ground: "D1 can restore a database to any minute of the last 30 days, which cannot be turned off",
      source: TIME_TRAVEL,
    },
  ],
  retainable: [],
  limits: { perSecond: 4, connections: 1, account: { settings: ["accountId"], family: "cloudflare" } },
});

type Statement = {
  readonly table: string;
  readonly column: string;
  readonly from: string;
  readonly inner: string | undefined;
};

/**
 * The second half of a statement, to be deleted or counted. Names stand in brackets, in which SQLite never takes them for a text,
 * as it would in quotation marks, and with their table. The comparison as text keeps `1e0` from meaning `1` in a column of
 * numbers; the plain one lets an index be used.
 */
function statementOf(text: string): Statement | undefined {
  const [, table = "", column = "", key, inner, innerColumn] = ONE.exec(text) ?? [];
  if (table === "") return undefined;
  const is = (from: string, name: string) => `[${from}].[${name}] = ?1 AND CAST([${from}].[${name}] AS TEXT) = ?1`;
  const where =
    inner === undefined || key === undefined || innerColumn === undefined
      ? is(table, column)
      : `[${table}].[${column}] IN (SELECT [${inner}].[${key}] FROM [${inner}] WHERE ${is(inner, innerColumn)})`;
  return { table, column, from: `FROM [${table}] WHERE ${where}`, inner };
}

/** Rows that hang on others have to go first: afterwards nobody could say whose they were. */
function statementsOf({ settings }: D1Order): readonly Statement[] | Unforeseen {
  const texts = settings.statements.split(";").map((text) => text.trim());
  const all = texts.filter((text) => text !== "").map(statementOf);
  const statements = all.filter((each) => each !== undefined);
  if (statements.length === 0 || statements.length < all.length) return NOT_OURS;
  const emptied = new Set<string>();
  for (const { table, inner } of statements) {
    if (inner !== undefined && emptied.has(inner.toLowerCase())) return WRONG_ORDER;
    emptied.add(table.toLowerCase());
  }
  return statements;
}

const NOT_OURS = unforeseen(noCall, "the statements are not of the form that may run");
const WRONG_ORDER = unforeseen(noCall, "a statement looks into a table that an earlier one empties; put it first");

/** All statements in one call, which D1 runs as one transaction; the id is bound, and never a part of the text. */
function* asked(
  order: D1Order,
  sqlOf: (from: string) => string,
): Steps<z.infer<typeof Results>["result"] | Unauthorized | Unforeseen> {
  const statements = statementsOf(order);
  if ("outcome" in statements) return statements;
  const { databaseId: database, apiToken } = order.settings;
  const batch = statements.map(({ from }) => ({ sql: sqlOf(from), params: [order.identity.value] }));
  const query = inAccount(order.settings, at`/d1/database/${{ database }}/query`);
  const reply = yield postJson(query, bearer(apiToken), { batch });
  if (reply.status !== 200) return refusal(reply);
  const results = read(reply, Results);
  if (!results.ok) return results.problem;
  return results.value.result.length === batch.length
    ? results.value.result
    : unforeseen(reply, "D1 does not say what became of each statement");
}

function* rowsOf(order: D1Order): Steps<number | Unauthorized | Unforeseen> {
  const results = yield* asked(order, (from) => `SELECT COUNT(*) AS n ${from}`);
  if ("outcome" in results) return results;
  const counts = results.map(({ results: rows }) => Count.safeParse(rows));
  const known = counts.flatMap(({ data }) => (data === undefined ? [] : [data[0].n]));
  if (known.length < counts.length) return unforeseen({ status: 200 }, "D1 does not say how many rows there are");
  return known.reduce((sum, n) => sum + n, 0);
}
