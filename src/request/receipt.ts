import { base64url } from "jose";
import { type Identity, normalise } from "../contract/identity.ts";
import type { Kept } from "../contract/outcome.ts";
import type { RequestRecord, RequestView } from "./request.ts";
import type { Evidence, Level, ReadBack, Task } from "./task.ts";
import { isComplete } from "./task.ts";

/** The explicit type of a receipt's header, so that it is never taken for another token (RFC 8725 section 3.11). */
export const RECEIPT_TYP = "quittance-receipt+jwt";

/** What a receipt states. Nothing in it is personal: subjects are HMACs under a salt that only the person and the controller get. */
export type Receipt = {
  readonly iss: string;
  /** Seconds, as RFC 7519 has it. */
  readonly iat: number;
  readonly jti: string;
  readonly request: string;
  readonly tenant: string;
  readonly type: RequestRecord["type"];
  readonly source: string;
  readonly complete: boolean;
  readonly sub: readonly string[];
  readonly received_at: string;
  readonly due_at: string;
  readonly closed_at: string;
  readonly policy_version: number;
  readonly registry_version: number;
  readonly prev?: string;
  /** From when the destroyed keys are destroyed everywhere, backups of the store included. */
  readonly shredded_by: string;
  readonly tasks: readonly ReceiptTask[];
};

export type ReceiptTask = {
  readonly id: string;
  readonly subprocessor: string;
  readonly integration: string;
  readonly action: string;
  readonly scope?: string;
  readonly outcome: string;
  readonly level: Level;
  readonly at?: string;
  readonly attempts: number;
  readonly retained?: readonly Kept[];
  /** Where something was erased: whether a later look found `all`, `part` or `none` of it gone; there may be no read to look with. */
  readonly read_back?: ReadBack;
  readonly reason?: string;
  readonly by?: string;
  readonly see?: string;
  readonly evidence?: readonly Evidence[];
};

/** A final receipt closes a request; an interim one says at the deadline what is done and what is not. */
export function receiptOf(
  record: RequestRecord,
  tasks: readonly Task[],
  about: {
    readonly iss: string;
    readonly tenant: string;
    readonly subjects: readonly string[];
    readonly now: number;
    readonly backupDays: number;
    readonly interim: boolean;
    readonly prev?: string;
  },
): Receipt {
  const closedAt = new Date(about.now).toISOString();
  return {
    iss: about.iss,
    iat: Math.floor(about.now / 1000),
    jti: `${record.id}${about.interim ? ".interim" : ""}`,
    request: record.id,
    tenant: about.tenant,
    type: record.type,
    source: record.source,
    complete: !about.interim && isComplete(tasks),
    sub: about.subjects,
    received_at: record.received_at,
    due_at: record.due_at,
    closed_at: closedAt,
    policy_version: record.policy_version,
    registry_version: record.registry_version,
    ...(about.prev !== undefined && { prev: about.prev }),
    shredded_by: new Date(about.now + about.backupDays * 86_400_000).toISOString(),
    tasks: tasks.map(taskLine),
  };
}

/** How a receipt names a person: 96 bits of HMAC-SHA-256 of `type NUL value` under the receipt's salt, base64url. */
export async function subjectReference(salt: string, identity: Identity): Promise<string> {
  const { type, value } = normalise(identity);
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", bytes.encode(salt), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, bytes.encode(`${type}\u0000${value}`));
  return base64url.encode(new Uint8Array(mac).subarray(0, 12));
}

function taskLine(task: Task): ReceiptTask {
  const base = {
    id: task.id,
    subprocessor: task.subprocessor,
    integration: task.integration,
    action: task.action,
    ...(task.scope !== undefined && { scope: task.scope }),
    attempts: task.attempts,
  };
  if (task.state !== "ended")
    return {
      ...base,
      outcome: task.state,
      level: "pending",
      ...(task.reason !== undefined && { reason: task.reason }),
    };
  return {
    ...base,
    outcome: task.outcome,
    level: task.level,
    at: `${task.ended_at.slice(0, 19)}Z`,
    ...(task.retained !== undefined && { retained: task.retained }),
    ...(task.read_back !== undefined && { read_back: task.read_back }),
    ...(task.reason !== undefined && { reason: task.reason }),
    ...(task.by !== undefined && { by: task.by }),
    ...(task.see !== undefined && { see: task.see }),
    ...(task.evidence !== undefined && task.evidence.length > 0 && { evidence: task.evidence }),
  };
}

/** A closed request as the API shows it: it is its receipt, and nothing else is kept. */
export const closedView = (receipt: Receipt, statusUrl: string): RequestView => ({
  id: receipt.request,
  tenant: receipt.tenant,
  type: receipt.type,
  source: receipt.source,
  status: "closed",
  complete: receipt.complete,
  received_at: receipt.received_at,
  due_at: receipt.due_at,
  closed_at: receipt.closed_at,
  shredded_by: receipt.shredded_by,
  ...(receipt.prev !== undefined && { continues: receipt.prev }),
  tasks: receipt.tasks.map(({ at, outcome, action, ...task }) => ({
    ...task,
    // Only `close` writes receipts, from tasks that have ended; their words are the task's own.
    action: action as RequestView["tasks"][number]["action"],
    state: "ended",
    outcome: outcome as NonNullable<RequestView["tasks"][number]["outcome"]>,
    due_at: receipt.due_at,
    ...(at !== undefined && { ended_at: at }),
  })),
  status_url: statusUrl,
  receipt: `/v1/receipts/${receipt.request}`,
});
