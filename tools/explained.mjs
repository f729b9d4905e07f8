/**
 * Reads what the judge of outgoing requests says (`validate.mjs --json`, a result a line) and holds each warning against the table of
 * docs/vendors.md: one that is not explained there fails, and so does an explanation of a warning that no longer comes.
 *
 *   node validate.mjs requests.jsonl --json >judged.jsonl; node tools/explained.mjs <judged.jsonl
 */
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const page = readFileSync(new URL("../docs/vendors.md", import.meta.url), "utf8");
const nameOf = (vendor, operation, code, member) => `${vendor}: ${operation}: ${code}${member ? ` ${member}` : ""}`;
const explained = new Set(
  [...page.matchAll(/^\| (\S+) \| `([^`]+)` \| `(\w+)`(?: `([^`]+)`)? \| \S/gm)].map(
    ([, vendor, operation, code, member]) => nameOf(vendor, operation, code, member),
  ),
);
const given = new Set(
  (await text(process.stdin))
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .flatMap(({ vendor, operation, problems = [] }) =>
      problems
        .filter(({ severity }) => severity === "warning")
        .map(({ code, where }) => nameOf(vendor, operation, code, where === "operation" ? undefined : where)),
    ),
);
const missing = [...given].filter((each) => !explained.has(each));
const idle = [...explained].filter((each) => !given.has(each));
for (const each of missing) console.error(`not explained in docs/vendors.md: ${each}`);
for (const each of idle) console.error(`explained in docs/vendors.md, but not given any more: ${each}`);
console.log(`${given.size} kinds of warning, ${given.size - missing.length} explained`);
process.exit(missing.length + idle.length === 0 ? 0 : 1);
