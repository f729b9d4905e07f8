import { fail, ok, type Result } from "../src/result.ts";
import { bytesOf } from "./jws.ts";
import { isOrigin } from "./origin.ts";
import { count, flag, list, object, optional, type ReadBy, text, textThat, time } from "./shape.ts";

const httpOrigin = textThat(isOrigin, "an https origin");
const requestId = textThat((value) => /^req_[0-9a-z]{34,}$/.test(value), "a request's id");
const reference = textThat((value) => bytesOf(value)?.length === 12, "a subject reference of 96 bits");

const Kept = object({ category: text, until: time, ground: text });

const Evidence = object({
  method: text,
  host: text,
  path: text,
  status: count,
  vendor_request_id: optional(text),
  at: time,
  digest: optional(text),
});

const Task = object({
  id: text,
  subprocessor: text,
  integration: text,
  action: text,
  scope: optional(text),
  outcome: text,
  level: text,
  at: optional(time),
  attempts: count,
  retained: optional(list(Kept)),
  read_back: optional(text),
  reason: optional(text),
  by: optional(text),
  evidence: optional(list(Evidence)),
});

const Claims = object({
  iss: httpOrigin,
  iat: count,
  jti: text,
  request: requestId,
  tenant: text,
  type: text,
  source: text,
  complete: flag,
  sub: list(reference),
  received_at: time,
  due_at: time,
  closed_at: time,
  policy_version: count,
  registry_version: count,
  prev: optional(requestId),
  shredded_by: time,
  tasks: list(Task),
});

export type Claims = ReadBy<typeof Claims>;
export type ClaimedTask = Claims["tasks"][number];

/** What a receipt states, if all of it is there and fits. Members that are not known here are passed over. */
export function parseClaims(payload: unknown): Result<Claims, string> {
  const read = Claims(payload, "receipt");
  if (!read.ok) return read;
  const { jti, request, tasks } = read.value;
  if (jti !== request && jti !== `${request}.interim`)
    return fail("receipt.jti: expected the request's id, or that with .interim after it");
  if (new Set(tasks.map(({ id }) => id)).size !== tasks.length) return fail("receipt.tasks: one id stands twice");
  const dateless = tasks.findIndex((task) => hasEnded(task) && task.at === undefined);
  if (dateless >= 0) return fail(`receipt.tasks[${dateless}].at: expected the time at which the task ended`);
  return ok(read.value);
}

/** An interim receipt says at the deadline how things stand; it closes nothing. */
export const isInterim = ({ jti }: Pick<Claims, "jti">): boolean => jti.endsWith(".interim");

/** Ends that leave nothing behind but what is named. A word that is not known here is none of them. */
const ENDS: ReadonlySet<string> = new Set([
  "erased",
  "revoked",
  "not_found",
  "retained",
  "exported",
  "rectified",
  "restricted",
  "stopped",
  "informed",
  "manual_done",
]);

const hasEnded = ({ outcome }: Pick<ClaimedTask, "outcome">): boolean => ENDS.has(outcome);

/** What `complete` must be, going by the tasks alone; a receipt without a task completes nothing. */
export const isComplete = (claims: Claims): boolean =>
  !isInterim(claims) && claims.tasks.length > 0 && unfinished(claims).length === 0;

/** The tasks that stand in the way of `complete`, whatever the receipt says of itself. */
export const unfinished = ({ tasks }: Claims): readonly ClaimedTask[] =>
  tasks.filter((task) => !hasEnded(task) || task.level === "pending" || task.level === "failed");
