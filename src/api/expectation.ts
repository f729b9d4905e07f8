import type { z } from "zod";

type Issue = z.core.$ZodRawIssue;

/**
 * What a schema expected, in plain words that stand behind "expected": never the value that it was given. For a parse's `error`, so
 * that what a schema says in its own words stays as it is.
 */
export function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeWord(issue);
    case "invalid_value":
      return oneOf(issue.values.map((value) => (typeof value === "string" ? value : JSON.stringify(String(value)))));
    case "invalid_format":
      return formatWord(issue);
    case "too_small":
      return `at least ${amount(issue.minimum, issue.origin)}`;
    case "too_big":
      return `at most ${amount(issue.maximum, issue.origin)}`;
    case "unrecognized_keys":
      return `no member ${issue.keys.map((key) => `"${key.slice(0, 64)}"`).join(", ")}`;
    case "invalid_union":
      return unionWords(issue.errors);
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_key":
      return "members of other names";
    case "invalid_element":
    case "custom":
      return "another value";
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  never: "nothing here",
};

function typeWord({ expected, schema }: Extract<Issue, { code: "invalid_type" }>): string {
  // A time where there is none, or a whole number where there is text, is asked for at once and not only at the second try.
  const format = schema !== undefined && "format" in schema ? schema.format : undefined;
  if (expected === "number" && format === "safeint") return "a whole number";
  if (expected === "string" && typeof format === "string") return FORMATS[format] ?? "text";
  return TYPES[expected] ?? "another type";
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: "an RFC 3339 time, such as 2026-11-21T09:00:00Z",
  date: "a date, such as 2026-11-21",
  email: "an e-mail address",
  url: "a web address",
};

function formatWord({ format, pattern }: Extract<Issue, { code: "invalid_format" }>): string {
  // A URL's pattern is that of its scheme.
  if (format === "url" && pattern === "^https$") return "an https address";
  // The only one that is the API's own; the others are longer than what they say.
  if (format === "regex" && pattern !== undefined) return `text that fits ${pattern}`;
  return FORMATS[format] ?? "text of another form";
}

const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ["character", "characters"],
  array: ["item", "items"],
};

function amount(limit: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  return unit === undefined ? String(limit) : `${limit} ${unit[Number(limit) === 1 ? 0 : 1]}`;
}

const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? values.join() : `one of ${values.join(", ")}`;

/** What each of the ways asks for, with the place where it is not the value as a whole. */
function unionWords(ways: Extract<Issue, { code: "invalid_union" }>["errors"]): string {
  const words = ways.map((issues) =>
    issues
      .filter(({ code }) => code !== "unrecognized_keys")
      .map(({ path, message }) => (path.length === 0 ? message : `\`${path.join(".")}\` (${message})`))
      .join(" and "),
  );
  const told = [...new Set(words)].filter((each) => each !== "");
  return told.length === 0 ? "another value" : told.join(", or ");
}
