import { fail, ok, type Result } from "../src/result.ts";
import { object, optional, parseJson, text, textThat, time } from "./shape.ts";

/** One id of a vendor's list, with what the list says of it. */
export type Listed = {
  /** Where it stands, from 1: what is said of it names the place, and never the id. */
  readonly line: number;
  readonly id: string;
  /** When it happened, RFC 3339. */
  readonly at: string | undefined;
  readonly reason: string | undefined;
  /** What the vendor asks for; X knows `delete` only. */
  readonly action: string | undefined;
};

const Id = textThat((value) => /^\S(.{0,510}\S)?$/u.test(value.trim()), "an id of 1 to 512 characters");

/**
 * X's batch compliance results. `redacted_at` is when it happened; `created_at` is the age of the account or post, and no
 * time of a signal. https://docs.x.com/x-api/compliance/batch-compliance/introduction
 */
const Row = object({
  id: Id,
  at: optional(time),
  redacted_at: optional(time),
  reason: optional(text),
  action: optional(text),
});

/** Reads a list: one id a line, JSON lines, or CSV with a column `id`. Whatever does not fit refuses the whole, by its line. */
export function parseIdList(source: string): Result<readonly Listed[], string> {
  const body = source.replace(/^\uFEFF/, "");
  const first = body.trimStart();
  if (first.startsWith("[")) return fail("expected one JSON object a line, and this is a JSON list");
  if (first.startsWith("{")) return jsonLines(body);
  const header = first.split(/\r?\n/, 1)[0] ?? "";
  return columnsOf(header).includes("id") ? csv(body) : plainLines(body);
}

function plainLines(body: string): Result<readonly Listed[], string> {
  return each(linesOf(body), (line, content) =>
    /[\s,;"]/.test(content)
      ? fail(`line ${line}: expected one id, and nothing else (a list with columns needs a header with \`id\`)`)
      : rowOf(line, { id: content }),
  );
}

function jsonLines(body: string): Result<readonly Listed[], string> {
  return each(linesOf(body), (line, content) => {
    const parsed = parseJson(content, `line ${line}`);
    return parsed.ok ? rowOf(line, parsed.value) : parsed;
  });
}

function csv(body: string): Result<readonly Listed[], string> {
  const records = recordsOf(body);
  if (!records.ok) return records;
  const [header, ...rows] = records.value;
  const columns = (header?.fields ?? []).map(nameOf);
  return each(rows, (line, _, { fields }) => {
    if (fields.length !== columns.length)
      return fail(`line ${line}: expected ${columns.length} fields, as in the header`);
    // An empty field says nothing.
    const named = columns.flatMap((name, at): [string, string][] => (fields[at] ? [[name, fields[at]]] : []));
    return rowOf(line, Object.fromEntries(named));
  });
}

function rowOf(line: number, value: unknown): Result<Listed, string> {
  const row = Row(value, `line ${line}`);
  if (!row.ok) return row;
  const { id, at, redacted_at, reason, action } = row.value;
  return ok({ line, id: id.trim(), at: at ?? redacted_at, reason, action });
}

/** A line that is not empty, and where it stands. */
export type Content = { readonly line: number; readonly content: string };

export const linesOf = (body: string): readonly Content[] =>
  body
    .split(/\r?\n/)
    .map((text, at) => ({ line: at + 1, content: text.trim() }))
    .filter(({ content }) => content !== "");

function each<R extends { readonly line: number; readonly content: string }>(
  rows: readonly R[],
  read: (line: number, content: string, row: R) => Result<Listed, string>,
): Result<readonly Listed[], string> {
  const listed: Listed[] = [];
  for (const row of rows) {
    const one = read(row.line, row.content, row);
    if (!one.ok) return one;
    listed.push(one.value);
  }
  return ok(listed);
}

const nameOf = (field: string): string => field.trim().toLowerCase();

const columnsOf = (header: string): readonly string[] => {
  const [first] = records(header)?.filter(({ fields }) => fields.length > 0) ?? [];
  return (first?.fields ?? []).map(nameOf);
};

type CsvRecord = Content & { readonly fields: readonly string[] };

function recordsOf(body: string): Result<readonly CsvRecord[], string> {
  const found = records(body);
  return found === undefined
    ? fail("a quoted field does not end, or something stands behind its closing quote")
    : ok(found.filter(({ fields }) => fields.some((field) => field !== "")));
}

/** RFC 4180: a field may be quoted, and then hold commas, line ends and doubled quotes. Undefined: it is not. */
function records(body: string): readonly CsvRecord[] | undefined {
  const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const found: CsvRecord[] = [];
  let fields: string[] = [];
  let line = 1;
  let begins = 1;
  while (FIELD.lastIndex < body.length || fields.length > 0) {
    const match = FIELD.exec(body);
    if (match === null) return undefined;
    const [whole, quoted, bare = "", end] = match;
    fields.push(quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    found.push({ line: begins, content: "", fields });
    fields = [];
    begins = line;
  }
  return found;
}
