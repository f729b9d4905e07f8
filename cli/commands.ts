import { readFile } from "node:fs/promises";
import { HELP, KEYS_HELP, RECEIPT_HELP } from "./help.ts";
import { generate } from "./keys.ts";
import { isObject, parseJson } from "./shape.ts";
import { complain, type ExitCode, type Terminal } from "./terminal.ts";
import { verify } from "./verify.ts";

type Verb = (terminal: Terminal, args: readonly string[]) => Promise<ExitCode>;

const COMMANDS: ReadonlyMap<string, { readonly help: string; readonly verbs: ReadonlyMap<string, Verb> }> = new Map([
  ["receipt", { help: RECEIPT_HELP, verbs: new Map([["verify", verify]]) }],
  ["keys", { help: KEYS_HELP, verbs: new Map([["generate", generate]]) }],
]);

/** Runs one command line, without the name of the program in front. */
export async function run(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const [noun, name, ...rest] = args;
  if (isHelp(noun)) return show(terminal, HELP);
  if (noun === "--version" || noun === "-v") return show(terminal, await version());
  const command = COMMANDS.get(noun ?? "");
  if (command === undefined) return unknown(terminal, "", noun, [...COMMANDS.keys()]);
  // After `--` nothing is an option, so a file may be called --help.
  const end = args.indexOf("--");
  if ((end < 0 ? args : args.slice(0, end)).some(isHelp)) return show(terminal, command.help);
  const verb = command.verbs.get(name ?? "");
  if (verb === undefined) return unknown(terminal, `${noun} `, name, [...command.verbs.keys()]);
  return verb(terminal, rest);
}

const isHelp = (arg: string | undefined): boolean => arg === "--help" || arg === "-h";

function unknown(terminal: Terminal, before: string, name: string | undefined, known: readonly string[]): ExitCode {
  const commands = known.map((each) => `quittance ${before}${each}`).join(", ");
  const what = name === undefined ? "expected a command" : `there is no command "${before}${name}"`;
  complain(terminal, `${what}; known here: ${commands}`);
  terminal.complain(`See: quittance ${before}--help`);
  return 2;
}

function show(terminal: Terminal, text: string): ExitCode {
  for (const line of text.split("\n")) terminal.print(line);
  return 0;
}

async function version(): Promise<string> {
  const manifest = parseJson(await readFile(new URL("../package.json", import.meta.url), "utf8"), "package.json");
  const { version } = manifest.ok && isObject(manifest.value) ? manifest.value : {};
  return typeof version === "string" ? version : "unknown";
}
