import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { fail, ok, type Result } from "../src/result.ts";
import { ask, gatewayIn } from "./gateway.ts";
import { type Content, type Listed, linesOf, parseIdList } from "./id-list.ts";
import { usageProblem } from "./option.ts";
import { count, list, object, optional, text, time } from "./shape.ts";
import { nameOf, type Place, parsePlace, readText } from "./source.ts";
import { complain, type ExitCode, printJson, printLines, type Terminal } from "./terminal.ts";

/** A list of ten million ids. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;

/** What one call takes: so many ids, and so many bytes of them. */
const MAX_IDS = 1000;
const MAX_BYTES = 900_000;

/**
 * What X's reasons mean, where none is named. Who is suspended or has deactivated may come back, so that is never taken for a
 * deletion; neither are a protected account, or one of whose posts the place was removed.
 */
const REASONS: Readonly<Record<string, readonly string[]>> = { account_disabled: ["deactivated", "suspended"] };
const DELETED = ["deleted"];

type Options = {
  readonly file: Place;
  readonly gateway: string;
  readonly key: string;
  readonly subprocessor: string;
  /** What all of it means; or, where its lines say that themselves, which of the vendor's lists it is. */
  readonly type: string;
  readonly list: string | undefined;
  readonly idType: string | undefined;
  readonly reference: string | undefined;
  readonly at: string | undefined;
  readonly reasons: readonly string[];
  readonly isDryRun: boolean;
  readonly json: boolean;
};

type Counts = {
  readonly opened: number;
  readonly held: number;
  readonly duplicate: number;
  readonly noted: number;
  readonly told: number;
};
const counts = object({ opened: count, held: count, duplicate: count, noted: count, told: count });
const COUNTS = object({ counts });
const LIST_COUNTS = object({ counts, results: list(object({ result: text, event: optional(text) })) });

const NONE: Counts = { opened: 0, held: 0, duplicate: 0, noted: 0, told: 0 };
const plus = (one: Counts, other: Counts): Counts => ({
  opened: one.opened + other.opened,
  held: one.held + other.held,
  duplicate: one.duplicate + other.duplicate,
  noted: one.noted + other.noted,
  told: one.told + other.told,
});

const stopped = (sent: number, all: number): string =>
  `stopped: ${sent} of ${all} ids were handed over. Run the same again: what was taken is known`;

/** `quittance import`: read → choose → hand over, a thousand at a time. */
export async function importList(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const options = optionsIn(args, terminal.env);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance import --help");
    return 2;
  }
  const { file, reasons, type, list } = options.value;
  const source = await readText(terminal, file, undefined, MAX_LIST_BYTES);
  if (source.ok && list !== undefined) return importLines(terminal, options.value, list, source.value);
  const listed = source.ok ? parseIdList(source.value) : source;
  if (!source.ok || !listed.ok) {
    complain(
      terminal,
      listed.ok ? "it could not be read" : source.ok ? `${nameOf(file)}: ${listed.problem}` : listed.problem,
    );
    return 2;
  }
  const taken = listed.value.filter((each) => passedOver(each, reasons) === undefined);
  const report = {
    subprocessor: options.value.subprocessor,
    type,
    // The very same list is the same import, whoever repeats it, and whenever.
    reference: options.value.reference ?? `sha256:${createHash("sha256").update(source.value).digest("base64url")}`,
    ids: taken.length,
    calls: batchesOf(taken).length,
    passed_over: tally(listed.value.flatMap((each) => passedOver(each, reasons) ?? [])),
  };
  if (options.value.isDryRun) return show(terminal, options.value, { ...report, dry_run: true }, 0);
  const idType = await idTypeOf(terminal, options.value);
  if (!idType.ok) {
    complain(terminal, idType.problem);
    return 1;
  }
  const sent = await send(terminal, options.value, idType.value, report.reference, taken);
  return show(
    terminal,
    options.value,
    { ...report, ...sent.counts, sent: sent.ids },
    sent.ids === taken.length ? 0 : 1,
  );
}

/** Hands over a vendor's own file as it is: what its lines mean is the gateway's to say. */
async function importLines(terminal: Terminal, options: Options, name: string, source: string): Promise<ExitCode> {
  const lines = linesOf(source.replace(/^\uFEFF/, ""));
  const batches = cut(lines, ({ content }) => Buffer.byteLength(content) + 1);
  const report = { subprocessor: options.subprocessor, list: name, ids: lines.length, calls: batches.length };
  if (options.isDryRun) return show(terminal, options, { ...report, dry_run: true, passed_over: {} }, 0);
  let counts = NONE;
  let sent = 0;
  const passed = new Map<string, number>();
  for (const batch of batches) {
    const taken = await sendLines(terminal, options, name, batch);
    if (!taken.ok) {
      for (const problem of taken.problem) complain(terminal, problem);
      complain(terminal, stopped(sent, lines.length));
      break;
    }
    counts = plus(counts, taken.value.counts);
    for (const { event, result } of taken.value.results)
      if (result === "ignored") passed.set(event ?? "", (passed.get(event ?? "") ?? 0) + 1);
    sent += batch.length;
    terminal.complain(`${sent} of ${lines.length} ids`);
  }
  const whole = { ...report, ...counts, sent, passed_over: Object.fromEntries(passed) };
  return show(terminal, options, whole, sent === lines.length ? 0 : 1);
}

/** Why an entry of the list is left out, if it is. */
function passedOver({ reason, action }: Listed, reasons: readonly string[]): string | undefined {
  if (action !== undefined && action !== "delete") return `action ${action.slice(0, 40)}`;
  return reason === undefined || reasons.includes(reason) ? undefined : `reason ${reason.slice(0, 40)}`;
}

const tally = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, { length }]) => [name, length]));

const batchesOf = (listed: readonly Listed[]) => cut(listed, ({ id }) => Buffer.byteLength(id) + 160);

/** Cuts a list into what one call takes. */
function cut<T>(all: readonly T[], bytesOf: (each: T) => number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const each of all) {
    const size = bytesOf(each);
    const last = batches.at(-1);
    if (last === undefined || last.length === MAX_IDS || bytes + size > MAX_BYTES) {
      batches.push([each]);
      bytes = size;
    } else {
      last.push(each);
      bytes += size;
    }
  }
  return batches;
}

/** Hands over all of them in turn, and stops at the first call that is refused: what came before it stays. */
async function send(
  terminal: Terminal,
  options: Options,
  idType: string,
  reference: string,
  listed: readonly Listed[],
): Promise<{ readonly ids: number; readonly counts: Counts }> {
  let counts = NONE;
  let ids = 0;
  for (const batch of batchesOf(listed)) {
    const done = await sendBatch(terminal, options, idType, reference, batch);
    if (!done.ok) {
      for (const problem of done.problem) complain(terminal, problem);
      complain(terminal, stopped(ids, listed.length));
      break;
    }
    counts = plus(counts, done.value);
    ids += batch.length;
    terminal.complain(`${ids} of ${listed.length} ids`);
  }
  return { ids, counts };
}

async function sendBatch(
  terminal: Terminal,
  options: Options,
  idType: string,
  reference: string,
  batch: readonly Listed[],
): Promise<Result<Counts, readonly string[]>> {
  const ids = batch.map(({ id, at = options.at }) => ({ type: idType, value: id, ...(at !== undefined && { at }) }));
  const content = { type: "application/json", text: JSON.stringify({ type: options.type, reference, ids }) };
  const taken = await handOver(terminal, options, "/signals", content, batch);
  if (!taken.ok) return taken;
  const read = COUNTS(taken.value, "the answer");
  return read.ok ? ok(read.value.counts) : fail([read.problem]);
}

type LineCounts = {
  readonly counts: Counts;
  readonly results: readonly { readonly event: string | undefined; readonly result: string }[];
};

async function sendLines(
  terminal: Terminal,
  options: Options,
  name: string,
  batch: readonly Content[],
): Promise<Result<LineCounts, readonly string[]>> {
  const content = { type: "application/x-ndjson", text: batch.map(({ content }) => content).join("\n") };
  const taken = await handOver(terminal, options, `/signals/${encodeURIComponent(name)}`, content, batch);
  if (!taken.ok) return taken;
  const read = LIST_COUNTS(taken.value, "the answer");
  return read.ok ? read : fail([read.problem]);
}

/** What the gateway answers where it took all of it; else what it said. */
async function handOver(
  terminal: Terminal,
  options: Options,
  path: string,
  content: { readonly type: string; readonly text: string },
  batch: readonly { readonly line: number }[],
): Promise<Result<unknown, readonly string[]>> {
  const whose = `/v1/subprocessors/${encodeURIComponent(options.subprocessor)}`;
  const answered = await ask(terminal, options, `${whose}${path}`, content);
  if (!answered.ok) return fail([answered.problem]);
  const { status, body } = answered.value;
  return status === 202 ? ok(body) : fail(refusals(status, body, batch));
}

const Errors = object({ errors: list(object({ field: text, expected: text })) });
const Detail = object({ detail: text });

/** What the gateway said, with the line of the list where it names one of the ids. */
function refusals(status: number, body: unknown, batch: readonly { readonly line: number }[]): readonly string[] {
  const errors = Errors(body, "");
  if (errors.ok)
    return errors.value.errors.map(({ field, expected }) => {
      const [, at, member] = /^(?:ids|lines)\.(\d+)\.([\w.]+)$/.exec(field) ?? [];
      const line = at === undefined ? undefined : batch[Number(at)]?.line;
      return `the gateway refused ${line === undefined ? field : `line ${line} (${member})`}: expected ${expected}`;
    });
  const detail = Detail(body, "");
  return [`the gateway answered ${status}${detail.ok ? `: ${detail.value.detail}` : ""}`];
}

const Facts = object({
  identities: list(object({ type: text })),
  actions: optional(object({ unpublish: optional(object({ by: optional(list(text)) })) })),
});

/**
 * Which of its kinds of id the list has: the one that is named, or the only one that the subprocessor's integration has for it, where
 * what is published is no account.
 */
async function idTypeOf(terminal: Terminal, options: Options): Promise<Result<string, string>> {
  if (options.idType !== undefined) return ok(options.idType);
  const entry = await found(terminal, options, `/v1/subprocessors/${encodeURIComponent(options.subprocessor)}`);
  const integration = entry.ok ? object({ integration: text })(entry.value, "the subprocessor") : entry;
  if (!integration.ok) return integration;
  const facts = await found(terminal, options, `/v1/integrations/${encodeURIComponent(integration.value.integration)}`);
  const known = facts.ok ? Facts(facts.value, "the integration") : facts;
  if (!known.ok) return known;
  const { identities, actions } = known.value;
  const published = actions?.unpublish?.by ?? [];
  const isContent = options.type === "content_deleted";
  const types = identities.map(({ type }) => type).filter((type) => isContent || !published.includes(type));
  const [only] = types;
  if (only !== undefined && types.length === 1) return ok(only);
  return fail(
    types.length === 0
      ? "this subprocessor has no ids of its own: give --id-type, if your policy widens what it may name"
      : `which ids are these? Give --id-type, one of ${types.join(", ")}`,
  );
}

async function found(terminal: Terminal, options: Options, path: string): Promise<Result<unknown, string>> {
  const answered = await ask(terminal, options, path);
  if (!answered.ok) return answered;
  const { status, body } = answered.value;
  return status === 200 ? ok(body) : fail(refusals(status, body, []).join("; "));
}

function show(
  terminal: Terminal,
  { json }: Options,
  report: Readonly<Record<string, unknown>> & { readonly passed_over: Readonly<Record<string, number>> },
  code: ExitCode,
): ExitCode {
  if (json) {
    printJson(terminal, report);
    return code;
  }
  const { passed_over, ...facts } = report;
  printLines(terminal, [
    ...Object.entries(facts).map(([name, value]) => ({ text: `${name}: ${String(value)}` })),
    ...Object.entries(passed_over).map(([why, many]) => ({ text: `passed over, ${why}: ${many}` })),
  ]);
  return code;
}

function optionsIn(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Result<Options, string> {
  const parsed = parsedArgs(args);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const [first] = positionals;
  if (first === undefined || positionals.length > 1) return fail("expected one list: a file, or - for standard input");
  const file = parsePlace(first);
  if (!file.ok) return file;
  if (file.value.at === "url") return fail("expected a file, or - for standard input: download the list first");
  const { subprocessor, type = "", at, reference, list } = values;
  if (subprocessor === undefined) return fail("whose list is this? Give --subprocessor ID");
  const beside = (["type", "id-type", "reference", "at", "reason"] as const).find((name) => values[name] !== undefined);
  if (list !== undefined && beside !== undefined)
    return fail(`--list: its lines say themselves what they mean, so that --${beside} says nothing`);
  if (list === undefined && type === "")
    return fail("what does the list mean? Give --type, such as --type account_deleted");
  if (at !== undefined && !time(at, "").ok)
    return fail("--at: expected an RFC 3339 time, such as 2026-11-21T00:00:00Z");
  if (reference !== undefined && (reference === "" || reference.length > 200))
    return fail("--reference: expected 1 to 200 characters");
  const isDryRun = values["dry-run"] ?? false;
  const place = gatewayIn(values, env, "request");
  if (!isDryRun && !place.ok) return place;
  return ok({
    file: file.value,
    ...(place.ok ? place.value : { gateway: "", key: "" }),
    subprocessor,
    type,
    list,
    idType: values["id-type"],
    reference,
    at,
    reasons: values.reason ?? REASONS[type] ?? DELETED,
    isDryRun,
    json: values.json ?? false,
  });
}

function parsedArgs(args: readonly string[]) {
  try {
    return ok(
      parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          subprocessor: { type: "string" },
          type: { type: "string" },
          list: { type: "string" },
          "id-type": { type: "string" },
          reference: { type: "string" },
          at: { type: "string" },
          reason: { type: "string", multiple: true },
          gateway: { type: "string" },
          key: { type: "string" },
          "dry-run": { type: "boolean" },
          json: { type: "boolean" },
        },
      }),
    );
  } catch (error) {
    const problem = usageProblem(error);
    if (problem !== undefined) return fail(problem);
    throw error;
  }
}
