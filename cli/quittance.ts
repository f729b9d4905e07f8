#!/usr/bin/env node
import { run } from "./commands.ts";
import { complain, type Terminal } from "./terminal.ts";

/** The command line tool. Everything that it may touch is handed over here. */
const terminal: Terminal = {
  env: process.env,
  // Opened by whoever reads it, and by nobody else.
  get stdin() {
    return process.stdin;
  },
  fetch,
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  colours: process.stdout.isTTY === true && !process.env.NO_COLOR,
};

// Whoever reads the output may stop reading it, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await run(terminal, process.argv.slice(2));
} catch (error) {
  // A mistake of this tool, not of its caller, who can do nothing with a stack trace.
  complain(terminal, `this should not have happened (${error instanceof Error ? error.name : "unknown"})`);
  process.exitCode = 2;
}
