import { noCall, unforeseen } from "../../src/contract/call.ts";
import type { Unforeseen } from "../../src/contract/outcome.ts";
import { type Setting, text } from "../../src/contract/settings.ts";

/**
 * Stores of keys have no folders: what belongs to a person lies under a prefix, which the operator gives as a template such as
 * `users/{id}/`. A prefix takes all that begins with it, so that a slip erases other people's data. Therefore a template has
 * `{id}` once and ends with its delimiter (`users/1` would take `users/10`), an id has no delimiter in it, and what could be
 * another person's prefix under any of the templates is refused.
 */
export const prefixes = (label: string, delimiters: readonly string[]): Setting => text(label, templates(delimiters));

/** Enough for one store; each costs calls of its own. */
const MOST = 8;

/** Up to eight templates, separated by commas, which all have one of these delimiters. */
function templates(delimiters: readonly string[]): RegExp {
  const lists = delimiters.map((delimiter) => {
    const other = `[^\\s,{}\\\\${delimiter}]`;
    const words = `(?:${other}+[${delimiter}])*`;
    const template = `${words}${other}*\\{id\\}${other}*[${delimiter}]${words}`;
    return `${template}(?:\\s*,\\s*${template}){0,${MOST - 1}}`;
  });
  return new RegExp(`^\\s*(?:${lists.join("|")})\\s*$`);
}

/** All prefixes of one person, or why there is none. */
export function prefixesOf(list: string, id: string): readonly string[] | Unforeseen {
  const all = list.split(",").map((template) => template.trim());
  const delimiter = all[0]?.at(-1) ?? "/";
  if (!isName(id) || id.includes(delimiter)) return NO_NAME;
  const mine = all.map((template) => template.replace("{id}", () => id));
  const isOurs = (prefix: string) => all.every((template) => !isAnothers(prefix, template, id, delimiter));
  return mine.every(isOurs) ? mine : AMBIGUOUS;
}

/** Whether an id can be one step of a key, and no other step than the one that it seems to be. */
const isName = (id: string): boolean =>
  id !== "" && id !== "." && id.trim() === id && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\{}]|\.\./u.test(id);

/** Whether a prefix lies in, or around, what a template gives to people of other ids: `users/` of an id `users` at `{id}/`. */
function isAnothers(prefix: string, template: string, id: string, delimiter: string): boolean {
  const steps = prefix.split(delimiter).slice(0, -1);
  const others = template.split(delimiter).slice(0, -1);
  let named: string | undefined;
  for (const [at, other] of others.slice(0, steps.length).entries()) {
    const step = steps[at] ?? "";
    const [head = "", tail] = other.split("{id}");
    if (tail === undefined) {
      if (step !== other) return false;
      continue;
    }
    if (step.length <= head.length + tail.length || !step.startsWith(head) || !step.endsWith(tail)) return false;
    named = step.slice(head.length, step.length - tail.length);
  }
  return named !== id;
}

const NO_NAME = unforeseen(noCall, "this id cannot stand in a prefix, because it could reach other people's data");
const AMBIGUOUS = unforeseen(noCall, "one of the prefixes could be another person's; give each a word of its own");
