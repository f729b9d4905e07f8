import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { fail, ok, type Result } from "../src/result.ts";
import { ask, GATEWAY_OPTIONS, type Gateway, gatewayOf, type Whose, whoseIn } from "./gateway.ts";
import { type Content, type Listed, linesOf, parseIdList } from "./id-list.ts";
import { usageProblem } from "./option.ts";
import { count, list, object, optional, type ReadBy, text, time } from "./shape.ts";
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
  readonly whose: Whose;
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

/** The same, with the gateway that was found. */
type Asked = Options & Gateway;

type Counts = {
  readonly opened: number;
  readonly held: number;
  readonly duplicate: number;
  readonly noted: number;
  readonly told: number;
};
const counts = object({ opened: count, held: count, duplicate: count, noted: count, told: count });
const Answer = object({
  counts,
  results: list(object({ result: text, event: optional(text), noted: optional(text) })),
});
type Answer = ReadBy<typeof Answer>;

const NONE: Counts = { opened: 0, held: 0, duplicate: 0, noted: 0, told: 0 };
const plus = (one: Counts, other: Counts): Counts => ({
  opened: one.opened + other.opened,
  held: one.held + other.held,
  duplicate: one.duplicate + other.duplicate,
  noted: one.noted + other.noted,
  told: one.told + other.told,
});

/** What the gateway said, and under which status where it answered at all. */
type Refused = { readonly status?: number; readonly says: readonly string[] };

/** Says what was refused, how far it came and what to do: running the same again helps where the same is not refused again. */
function stop(terminal: Terminal, { status = 503, says }: Refused, sent: number, all: number): void {
  for (const each of says) complain(terminal, each);
  const again = "un the same again: what was taken is known";
  const advice = status >= 500 || status === 429 ? `. R${again}` : status === 422 ? `. Mend it and r${again}` : "";
  complain(terminal, `stopped: ${sent} of ${all} ids were handed over${advice}`);
}

/** `quittance import`: read → choose → hand over, a thousand at a time. */
export async function importList(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const options = optionsIn(args, terminal.env);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance import --help");
    return 2;
  }
  const { file, list } = options.value;
  const source = await readText(terminal, file, undefined, MAX_LIST_BYTES);
  if (!source.ok) {
    complain(terminal, source.problem);
    return 2;
  }
  return list === undefined
    ? importIds(terminal, options.value, source.value)
    : importLines(terminal, options.value, list, source.value);
}

const nothingIn = ({ file }: Options): string => `${nameOf(file)}: there was nothing in it`;

/** Reads a list whose ids all mean the same, and hands them over. */
async function importIds(terminal: Terminal, options: Options, source: string): Promise<ExitCode> {
  const { file, reasons, type, subprocessor } = options;
  const listed = parseIdList(source);
  if (!listed.ok || listed.value.length === 0) {
    complain(terminal, listed.ok ? nothingIn(options) : `${nameOf(file)}: ${listed.problem}`);
    return listed.ok ? 1 : 2;
  }
  const taken = listed.value.filter((each) => passedOver(each, reasons) === undefined);
  const report = {
    subprocessor,
    type,
    // The very same list is the same import, whoever repeats it, and whenever.
    reference: options.reference ?? `sha256:${createHash("sha256").update(source).digest("base64url")}`,
    ids: taken.length,
    calls: batchesOf(taken).length,
    passed_over: tally(listed.value.flatMap((each) => passedOver(each, reasons) ?? [])),
  };
  if (options.isDryRun) return show(terminal, options, { ...report, dry_run: true }, 0);
  const asked = await askedIn(terminal, options);
  if (asked === undefined) return 2;
  const idType = await idTypeOf(terminal, asked);
  if (!idType.ok) {
    complain(terminal, idType.problem);
    return 1;
  }
  const sent = await send(terminal, asked, idType.value, report.reference, taken);
  const whole = { ...report, ...sent.counts, sent: sent.ids };
  return show(terminal, options, whole, sent.ids === taken.length ? 0 : 1, sent.noted);
}

async function askedIn(terminal: Terminal, options: Options): Promise<Asked | undefined> {
  const gateway = await gatewayOf(terminal, options.whose, [options.subprocessor]);
  if (gateway.ok) return { ...options, ...gateway.value };
  complain(terminal, gateway.problem);
  return undefined;
}

/** Hands over a vendor's own file as it is: what its lines mean is the gateway's to say. */
async function importLines(terminal: Terminal, options: Options, name: string, source: string): Promise<ExitCode> {
  const lines = linesOf(source.replace(/^\uFEFF/, ""));
  if (lines.length === 0) {
    complain(terminal, nothingIn(options));
    return 1;
  }
  const batches = cut(lines, ({ content }) => Buffer.byteLength(content) + 1);
  const report = { subprocessor: options.subprocessor, list: name, ids: lines.length, calls: batches.length };
  if (options.isDryRun) return show(terminal, options, { ...report, dry_run: true, passed_over: {} }, 0);
  const asked = await askedIn(terminal, options);
  if (asked === undefined) return 2;
  let counts = NONE;
  let sent = 0;
  const passed: string[] = [];
  const noted = new Set<string>();
  for (const batch of batches) {
    const taken = await sendLines(terminal, asked, name, batch);
    if (!taken.ok) {
      const { status, says } = taken.problem;
      stop(
        terminal,
        { ...taken.problem, says: status === 404 ? await noList(terminal, asked, name, says) : says },
        sent,
        lines.length,
      );
      break;
    }
    counts = plus(counts, taken.value.counts);
    passed.push(...taken.value.results.flatMap(({ event = "", result }) => (result === "ignored" ? [event] : [])));
    for (const why of notedIn(taken.value)) noted.add(why);
    sent += batch.length;
    terminal.complain(`${sent} of ${lines.length} ids`);
  }
  const whole = { ...report, ...counts, sent, passed_over: tally(passed) };
  return show(terminal, options, whole, sent === lines.length ? 0 : 1, [...noted]);
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
  options: Asked,
  idType: string,
  reference: string,
  listed: readonly Listed[],
): Promise<{ readonly ids: number; readonly counts: Counts; readonly noted: readonly string[] }> {
  let counts = NONE;
  let ids = 0;
  const noted = new Set<string>();
  for (const batch of batchesOf(listed)) {
    const done = await sendBatch(terminal, options, idType, reference, batch);
    if (!done.ok) {
      stop(terminal, done.problem, ids, listed.length);
      break;
    }
    counts = plus(counts, done.value.counts);
    for (const why of notedIn(done.value)) noted.add(why);
    ids += batch.length;
    terminal.complain(`${ids} of ${listed.length} ids`);
  }
  return { ids, counts, noted: [...noted] };
}

const notedIn = ({ results }: Answer): readonly string[] => results.flatMap(({ noted }) => noted ?? []);

async function sendBatch(
  terminal: Terminal,
  options: Asked,
  idType: string,
  reference: string,
  batch: readonly Listed[],
): Promise<Result<Answer, Refused>> {
  const ids = batch.map(({ id, at = options.at }) => ({ type: idType, value: id, ...(at !== undefined && { at }) }));
  const content = { type: "application/json", text: JSON.stringify({ type: options.type, reference, ids }) };
  return handOver(terminal, options, "/signals", content, batch);
}

async function sendLines(
  terminal: Terminal,
  options: Asked,
  name: string,
  batch: readonly Content[],
): Promise<Result<Answer, Refused>> {
  const content = { type: "application/x-ndjson", text: batch.map(({ content }) => content).join("\n") };
  return handOver(terminal, options, `/signals/${encodeURIComponent(name)}`, content, batch);
}

/** What the gateway answers where it took all of it; else what it said. */
async function handOver(
  terminal: Terminal,
  options: Asked,
  path: string,
  content: { readonly type: string; readonly text: string },
  batch: readonly { readonly line: number }[],
): Promise<Result<Answer, Refused>> {
  const whose = `/v1/subprocessors/${encodeURIComponent(options.subprocessor)}`;
  const answered = await ask(terminal, options, `${whose}${path}`, content);
  if (!answered.ok) return fail({ says: [answered.problem] });
  const { status, body } = answered.value;
  if (status !== 202) return fail({ status, says: refusals(status, body, batch) });
  const read = Answer(body, "the answer");
  return read.ok ? read : fail({ says: [read.problem] });
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
      return `the gateway refused ${line === undefined ? field : `line ${line} (${member})`}: expected ${expected.replace(/^expected /, "")}`;
    });
  const detail = Detail(body, "");
  return [`the gateway answered ${status}${detail.ok ? `: ${detail.value.detail}` : ""}`];
}

const Lists = object({ lists: optional(list(object({ list: text }))) });

/** Which lists the subprocessor's integration has, where that can be asked; else what the gateway said. */
async function noList(
  terminal: Terminal,
  options: Asked,
  name: string,
  says: readonly string[],
): Promise<readonly string[]> {
  const found = await integrationOf(terminal, options);
  const read = found.ok ? Lists(found.value, "the integration") : found;
  if (!read.ok) return says;
  const names = (read.value.lists ?? []).map((each) => each.list);
  if (names.includes(name)) return says;
  const there = names.length === 0 ? "it has none: give --type in place of --list" : `there are ${names.join(", ")}`;
  return [`${options.subprocessor} has no list ${name}; ${there}`];
}

const Facts = object({
  identities: list(object({ type: text })),
  actions: optional(object({ unpublish: optional(object({ by: optional(list(text)) })) })),
});

/**
 * Which of its kinds of id the list has: the one that is named, or the only one that the subprocessor's integration has for it, where
 * what is published is no account.
 */
async function idTypeOf(terminal: Terminal, options: Asked): Promise<Result<string, string>> {
  if (options.idType !== undefined) return ok(options.idType);
  const facts = await integrationOf(terminal, options);
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

/** What the gateway says of the integration that the subprocessor is entered with. */
async function integrationOf(terminal: Terminal, options: Asked): Promise<Result<unknown, string>> {
  const entry = await found(terminal, options, `/v1/subprocessors/${encodeURIComponent(options.subprocessor)}`);
  const integration = entry.ok ? object({ integration: text })(entry.value, "the subprocessor") : entry;
  if (!integration.ok) return integration;
  return found(terminal, options, `/v1/integrations/${encodeURIComponent(integration.value.integration)}`);
}

async function found(terminal: Terminal, options: Asked, path: string): Promise<Result<unknown, string>> {
  const answered = await ask(terminal, options, path);
  if (!answered.ok) return answered;
  const { status, body } = answered.value;
  return status === 200 ? ok(body) : fail(refusals(status, body, []).join("; "));
}

type Report = Readonly<Record<string, unknown>> & {
  readonly passed_over: Readonly<Record<string, number>>;
} & Partial<Counts>;

function show(
  terminal: Terminal,
  options: Options,
  report: Report,
  code: ExitCode,
  noted: readonly string[] = [],
): ExitCode {
  const { opened = 0, held = 0, told = 0, noted: notes = 0 } = report;
  const why = opened + held + told === 0 && notes > 0 ? noted.map((each) => notedWords(options, each)) : [];
  if (options.json) {
    printJson(terminal, report);
    if (why.length > 0) complain(terminal, `nothing was begun: ${why.join("; ")}`);
    return code;
  }
  const { passed_over, ...facts } = report;
  printLines(terminal, [
    ...Object.entries(facts).map(([name, value]) => ({ text: `${name}: ${String(value)}` })),
    ...Object.entries(passed_over).map(([reason, many]) => ({ text: `passed over, ${reason}: ${many}` })),
    ...(why.length > 0 ? [{ text: `nothing was begun: ${why.join("; ")}`, tone: "strong" as const }] : []),
  ]);
  return code;
}

/** The signals for which a policy may say more than that they are noted. */
const CAUSING = ["erasure_requested", "deauthorized", "token_revoked", "account_deleted"];

/** Why the gateway noted something and did no more, and what to do where it is to do more. */
function notedWords({ subprocessor, type, list }: Options, noted: string): string {
  if (noted === "superseded") return "what happened is older than the connection or consent that is known here";
  if (noted === "echo") return "it is the echo of what this gateway has erased or revoked itself";
  if (noted === "unknown") return "nobody whom it names is linked, and your policy (`unknown`) takes that for a note";
  if (noted !== "recorded") return `noted as ${noted}`;
  const source = `${subprocessor}/${list ?? "import"}`;
  if (list === undefined && !CAUSING.includes(type)) return `${type} is only ever noted`;
  // The same id under the same name is the same delivery, and stays noted.
  const [what, signal, again] =
    list === undefined
      ? [type, type, ", and hand the list over under another --reference"]
      : ["signals", "<signal>", ""];
  return `your policy takes ${source}'s ${what} for a note; set \`authority\` {"${source}": {"${signal}": "everywhere"}} with PUT /v1/policy${again}`;
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
  const whose = isDryRun ? ok({ gateway: "", key: "" }) : whoseIn(values, env, "request");
  if (!whose.ok) return whose;
  return ok({
    file: file.value,
    whose: whose.value,
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
          ...GATEWAY_OPTIONS,
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
