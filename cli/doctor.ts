import { parseArgs } from "node:util";
import { fail, ok, type Result } from "../src/result.ts";
import { ask, GATEWAY_OPTIONS, type Gateway, gatewayOf, jsonContent, type Whose, whoseIn } from "./gateway.ts";
import { usageProblem } from "./option.ts";
import { count, list, object, optional, type ReadBy, text } from "./shape.ts";
import { complain, type ExitCode, type Line, printJson, printLines, type Terminal } from "./terminal.ts";

type Options = { readonly whose: Whose; readonly only: readonly string[]; readonly json: boolean };
type Asking = Gateway & Pick<Options, "only">;

const Registry = object({ subprocessors: list(object({ id: text })) });
const Examined = object({
  subprocessor: text,
  integration: text,
  result: text,
  what: text,
  status: optional(count),
  source: optional(text),
  at: text,
});
type Examined = ReadBy<typeof Examined>;
const Detail = object({ detail: text });

/** Vendors that are asked at the same time: the gateway has few connections. */
const AT_ONCE = 3;

/** `quittance doctor`: list the registry → have each entry checked by the gateway → show. */
export async function doctor(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const options = optionsIn(args, terminal.env);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance doctor --help");
    return 2;
  }
  const { whose, only } = options.value;
  const gateway = await gatewayOf(terminal, whose, only);
  const checked = gateway.ok ? await check(terminal, { ...gateway.value, only }) : gateway;
  if (!checked.ok) {
    complain(terminal, checked.problem);
    return 2;
  }
  const healthy = checked.value.every(isWell);
  if (options.value.json) printJson(terminal, { healthy, checked: checked.value });
  else printLines(terminal, report(checked.value));
  return healthy ? 0 : 1;
}

async function check(terminal: Terminal, options: Asking): Promise<Result<readonly Examined[], string>> {
  const ids = await idsOf(terminal, options);
  return ids.ok ? checkAll(terminal, options, ids.value) : ids;
}

const isWell = ({ result }: Examined): boolean => result === "fine" || result === "no_check";

async function idsOf(terminal: Terminal, options: Asking): Promise<Result<readonly string[], string>> {
  const answered = await asked(terminal, options, "/v1/subprocessors");
  if (!answered.ok) return answered;
  const registry = Registry(answered.value, "the registry");
  if (!registry.ok) return registry;
  const ids = registry.value.subprocessors.map(({ id }) => id);
  const unknown = options.only.filter((id) => !ids.includes(id));
  if (unknown.length > 0) return fail(`there is no subprocessor ${unknown.join(", ")}; there are ${ids.join(", ")}`);
  return ok(options.only.length === 0 ? ids : ids.filter((id) => options.only.includes(id)));
}

async function checkAll(
  terminal: Terminal,
  options: Gateway,
  ids: readonly string[],
): Promise<Result<readonly Examined[], string>> {
  const queue = [...ids.entries()];
  const found: Result<Examined, string>[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [place, id] = next;
      const answered = await asked(terminal, options, `/v1/subprocessors/${encodeURIComponent(id)}/check`, {});
      const examined = answered.ok ? Examined(answered.value, id) : answered;
      found[place] = examined;
      // What stops one, such as a key without the right, stops all.
      if (!examined.ok) queue.length = 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const problem = found.find((each) => each?.ok === false);
  return problem?.ok === false ? problem : ok(found.flatMap((each) => (each?.ok === true ? [each.value] : [])));
}

async function asked(
  terminal: Terminal,
  options: Gateway,
  path: string,
  content?: object,
): Promise<Result<unknown, string>> {
  const answered = await ask(terminal, options, path, content && jsonContent(content));
  if (!answered.ok) return answered;
  const { status, body } = answered.value;
  if (status === 200) return ok(body);
  const detail = Detail(body, "");
  return fail(`the gateway answered ${status}${detail.ok ? `: ${detail.value.detail}` : ""}`);
}

const ORDER = ["unauthorized", "lacks_scope", "unforeseen", "no_answer", "fine", "no_check"];

/** What is wrong comes first. */
function report(checked: readonly Examined[]): readonly Line[] {
  const width = Math.max(0, ...checked.map(({ subprocessor }) => subprocessor.length));
  const place = ({ result }: Examined) => (ORDER.includes(result) ? ORDER.indexOf(result) : 0);
  const lines = checked
    .toSorted((a, b) => place(a) - place(b))
    .map((each): Line => {
      const { subprocessor, result, what, status } = each;
      const tail = `${what}${status === undefined ? "" : ` (status ${status})`}`;
      return {
        text: `${subprocessor.padEnd(width)}  ${result.padEnd(12)}  ${tail}`,
        tone: result === "fine" ? "good" : isWell(each) ? "faint" : "bad",
      };
    });
  const wrong = checked.filter((each) => !isWell(each)).length;
  const fine = checked.filter(({ result }) => result === "fine").length;
  const sum = `${checked.length} subprocessors: ${fine} fine, ${wrong} wrong, ${checked.length - fine - wrong} without a check`;
  return [...lines, { text: sum, tone: "strong" }];
}

function optionsIn(args: readonly string[], env: Terminal["env"]): Result<Options, string> {
  const parsed = parsedArgs(args);
  if (!parsed.ok) return parsed;
  const { subprocessor = [], json = false, ...values } = parsed.value.values;
  const whose = whoseIn(values, env, "operate");
  return whose.ok ? ok({ whose: whose.value, only: subprocessor, json }) : whose;
}

function parsedArgs(args: readonly string[]) {
  try {
    return ok(
      parseArgs({
        args: [...args],
        options: {
          subprocessor: { type: "string", multiple: true },
          ...GATEWAY_OPTIONS,
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
