import { readFile } from "node:fs/promises";
import { doctor } from "./doctor.ts";
import { DOCTOR_HELP, HELP, IMPORT_HELP, KEYS_HELP, RECEIPT_HELP, SEND_HELP } from "./help.ts";
import { importList } from "./import.ts";
import { generate } from "./keys.ts";
import { isObject, parseJson } from "./shape.ts";
import { complain, type ExitCode, type Terminal } from "./terminal.ts";
import { verify } from "./verify.ts";

type Verb = (terminal: Terminal, args: readonly string[]) => Promise<ExitCode>;

/** A command has verbs, or is one. */
type Command = { readonly help: string } & ({ readonly verbs: ReadonlyMap<string, Verb> } | { readonly run: Verb });

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["receipt", { help: RECEIPT_HELP, verbs: new Map([["verify", verify]]) }],
  ["keys", { help: KEYS_HELP, verbs: new Map([["generate", generate]]) }],
  ["send", { help: SEND_HELP, run: sendAny }],
  ["import", { help: IMPORT_HELP, run: importList }],
  ["doctor", { help: DOCTOR_HELP, run: doctor }],
]);

/** Every vendor there is comes with it, so it is loaded only when it is asked for. */
async function sendAny(terminal: Terminal, args: readonly string[]): Promise<ExitCode> {
  const [{ send }, integrations, senders] = await Promise.all([
    import("./send.ts"),
    import("../integrations/index.ts"),
    import("./senders/index.ts"),
  ]);
  return send(terminal, args, { integrations: Object.values(integrations), senders });
}

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
  if ("run" in command) return command.run(terminal, args.slice(1));
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
