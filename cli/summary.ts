import { type Check, type Findings, holds } from "./check.ts";
import { type ClaimedTask, type Claims, isComplete, isInterim, unfinished } from "./claims.ts";
import type { Line } from "./terminal.ts";

/** What a person reads: every check, then what the receipt says if it is proven, then the verdict. */
export const summary = (findings: Findings): readonly Line[] => [
  ...findings.checks.map(checkLine),
  ...findings.notChecked.map((what): Line => ({ text: `- not checked: ${what}`, tone: "faint" })),
  ...(findings.claims === undefined ? [] : statement(findings.claims)),
  { text: "" },
  verdict(findings),
];

const checkLine = ({ name, ok, detail }: Check): Line => ({
  text: `${ok ? "✓" : "✗"} ${name}: ${detail}`,
  tone: ok ? "good" : "bad",
});

/** That a receipt holds says that it is genuine, not that everything was erased: both are said. */
function verdict(findings: Findings): Line {
  const { checks, claims } = findings;
  if (!holds(findings)) {
    const failed = checks.filter(({ ok }) => !ok).length;
    return { text: `This receipt does not hold: ${failed} of ${checks.length} checks failed.`, tone: "bad" };
  }
  const complete = claims !== undefined && isComplete(claims);
  return {
    text: `This receipt holds. The request is ${complete ? "complete" : "not complete"}.`,
    tone: complete ? "good" : "strong",
  };
}

const statement = (claims: Claims): readonly Line[] => [
  ...heading(isInterim(claims) ? "Interim receipt: how things stood at the deadline" : "Receipt"),
  ...table([
    ["request", claims.request],
    ["what", `${claims.type}, asked for through ${claims.source}`],
    [
      "who",
      `${claims.sub.length} subject reference${claims.sub.length === 1 ? "" : "s"}, of the controller ${claims.tenant}`,
    ],
    ["issued by", claims.iss],
    ["received", claims.received_at],
    ["due", claims.due_at],
    [isInterim(claims) ? "as of" : "closed", claims.closed_at],
    ["complete", completeness(claims)],
    ...(claims.prev === undefined ? [] : [["continues", claims.prev]]),
    ["rules", `policy version ${claims.policy_version}, registry version ${claims.registry_version}`],
  ]),
  ...section("Tasks", [
    ["subprocessor", "action", "outcome", "level", "read back", "when"],
    ...claims.tasks.map((task) => [
      task.subprocessor,
      action(task),
      task.outcome,
      task.level,
      task.read_back ?? "-",
      task.at ?? "open",
    ]),
  ]),
  ...section("Why", claims.tasks.flatMap(reason)),
  ...section("Kept", claims.tasks.flatMap(kept)),
  ...section("Evidence", claims.tasks.flatMap(evidence)),
  ...heading("Keys"),
  {
    text: isInterim(claims)
      ? "  none is destroyed yet: the request is open"
      : `  those destroyed at the close are gone from backups too by ${claims.shredded_by}`,
  },
];

function completeness(claims: Claims): string {
  if (isComplete(claims)) return "yes";
  if (isInterim(claims)) return "no: an interim receipt closes nothing";
  const { length } = claims.tasks;
  if (length === 0) return "no: there was no task";
  return `no: ${unfinished(claims).length} of ${length} tasks refused, unresolved or not ended`;
}

const action = ({ action, scope }: ClaimedTask): string => (scope === undefined ? action : `${action} (${scope})`);

const reason = (task: ClaimedTask): string[][] =>
  task.reason === undefined
    ? []
    : [[task.subprocessor, `${task.reason}${task.by === undefined ? "" : `, by ${task.by}`}`]];

const kept = (task: ClaimedTask): string[][] =>
  task.outcome === "retained" && (task.retained ?? []).length === 0
    ? [[task.subprocessor, "it is not stated what, until when and on which ground"]]
    : (task.retained ?? []).map(({ category, until, ground }) => [
        task.subprocessor,
        category,
        `until ${until}`,
        `ground: ${ground}`,
      ]);

const evidence = (task: ClaimedTask): string[][] =>
  (task.evidence ?? []).map(({ method, host, path, status, at }) => [
    task.subprocessor,
    method,
    `${host}${path}`,
    String(status),
    at,
  ]);

const heading = (text: string): readonly Line[] => [{ text: "" }, { text, tone: "strong" }];

const section = (title: string, rows: readonly (readonly string[])[]): readonly Line[] =>
  rows.length === 0 ? [] : [...heading(title), ...table(rows)];

/** Columns as wide as their widest cell; the last one as long as it is. */
export function table(rows: readonly (readonly string[])[]): readonly Line[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) => ({
    text: `  ${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  ")}`,
  }));
}
