import type { Expected } from "../../contract/verification.ts";
import { fail, ok, type Result } from "../../result.ts";
import { listed, type Means, type Refused } from "./scheme.ts";

/** Whether a body that names an app or an account names one of ours, wherever it names one. */
export async function forUs(
  expects: readonly Expected[],
  text: string,
  means: Means,
): Promise<Result<undefined, Refused>> {
  const ours = await Promise.all(expects.map(({ setting }) => listed(means, setting)));
  if (ours.every(({ length }) => length === 0)) return ok(undefined);
  const body = parsed(text);
  const other = expects.find(({ at }, index) => {
    const allowed = ours[index] ?? [];
    return allowed.length > 0 && namedAt(body, at).some((name) => !allowed.includes(name));
  });
  return other === undefined ? ok(undefined) : fail({ reason: "not_for_us", what: other.at.join(".") });
}

/** What stands at a path, in each element of the lists on the way. What is no name there is nobody's. */
function namedAt(value: unknown, [member, ...rest]: readonly string[]): readonly string[] {
  if (Array.isArray(value))
    return value.flatMap((each) => namedAt(each, member === undefined ? [] : [member, ...rest]));
  if (member === undefined) return [typeof value === "string" || typeof value === "number" ? String(value) : ""];
  if (typeof value !== "object" || value === null) return [];
  const found: unknown = Object.entries(value).find(([name]) => name === member)?.[1];
  return found === undefined || found === null ? [] : namedAt(found, rest);
}

/** What is no JSON names nobody; its reader says so. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
