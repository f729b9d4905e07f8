import { z } from "zod";
import { Identity } from "../contract/identity.ts";
import type { Authority } from "../contract/integration.ts";
import type { SignalType } from "../contract/signal.ts";
import type { RequestId } from "../ids.ts";
import type { SupersededBy } from "./generation.ts";
import type { Shortage } from "./shortage.ts";
import { type Task, type TaskView, taskView } from "./task.ts";

/** The rights that can be exercised so far. `closure` is an erasure with a grace window in which it can be restored. */
export const RequestType = z.enum(["erasure", "closure", "revocation"]);
export type RequestType = z.infer<typeof RequestType>;

/** The request's record, without anything personal: identities are sealed beside it. */
export type RequestRecord = {
  readonly id: RequestId;
  readonly type: RequestType;
  /** Where it came from: `api`, or `<subprocessor>/<endpoint>`. */
  readonly source: string;
  readonly authority: Exclude<Authority, "record">;
  /** The subprocessor whose own scope is meant, for `here` and for a revocation. */
  readonly scope?: string;
  /** The holder itself said that the grant is gone. */
  readonly endedByHolder?: true;
  /** What the tenant has published in the person's own accounts is to be deleted there, too. */
  readonly unpublish?: true;
  readonly subject?: string;
  /** In a grace window: the subject whose gate says so, found when this was recorded. It decides nothing else. */
  readonly closing?: string;
  readonly received_at: string;
  readonly start_at: string;
  readonly due_at: string;
  /** What a vendor told, and when it happened there: it may become too old before this starts. */
  readonly signal?: SignalType;
  readonly signal_at?: string;
  readonly continues?: string;
  readonly policy_version: number;
  readonly registry_version: number;
  readonly cancelled_at?: string;
};

export type RequestStatus = "scheduled" | "open" | "closed" | "cancelled";

export type RequestView = {
  readonly id: string;
  readonly tenant: string;
  readonly type: RequestType;
  readonly source: string;
  readonly status: RequestStatus;
  readonly complete: boolean;
  readonly received_at: string;
  readonly start_at?: string;
  readonly due_at: string;
  readonly closed_at?: string;
  readonly cancelled_at?: string;
  /** From when the destroyed keys are destroyed everywhere, backups of the store included. */
  readonly shredded_by?: string;
  readonly continues?: string;
  readonly unpublish?: true;
  readonly held?: string;
  /** The delivery was noted and caused nothing: `superseded`, an `echo` of our own act, of somebody `unknown`, or only `recorded`. */
  readonly noted?: string;
  /** Why it was not obeyed, or was cancelled before it started: it came to be too old. */
  readonly superseded_by?: SupersededBy;
  readonly alarms?: readonly string[];
  /** What was seen at the start to stand in the deadline's way. */
  readonly warnings?: readonly Shortage[];
  readonly tasks: readonly TaskView[];
  readonly status_url?: string;
  readonly receipt?: string;
};

export const openView = (
  tenant: string,
  record: RequestRecord,
  status: RequestStatus,
  tasks: readonly Task[],
  more: {
    readonly inFlight: ReadonlySet<string>;
    readonly held?: string;
    readonly alarms: readonly string[];
    readonly warnings: readonly Shortage[];
    readonly supersededBy?: SupersededBy;
  },
): RequestView => ({
  id: record.id,
  tenant,
  type: record.type,
  source: record.source,
  status,
  complete: false,
  received_at: record.received_at,
  ...(status === "scheduled" && { start_at: record.start_at }),
  due_at: record.due_at,
  ...(record.cancelled_at !== undefined && { cancelled_at: record.cancelled_at }),
  ...(more.supersededBy !== undefined && { superseded_by: more.supersededBy }),
  ...(record.continues !== undefined && { continues: record.continues }),
  ...(record.unpublish === true && { unpublish: true as const }),
  ...(more.held !== undefined && { held: more.held }),
  ...(more.alarms.length > 0 && { alarms: more.alarms }),
  ...(more.warnings.length > 0 && { warnings: more.warnings }),
  tasks: tasks.map((task) => taskView(task, more.inFlight.has(task.id))),
});

/** What the product sends to open a request. */
export const RequestInput = z
  .strictObject({
    type: RequestType,
    subject: z.string().min(1).max(256).optional(),
    identities: z.array(Identity).max(50).optional(),
    /** For a revocation: the subprocessor whose grant ends. */
    scope: z.string().max(64).optional(),
    /** For a closure; the tenant's policy says otherwise how long an account can be restored. */
    grace_days: z.number().int().min(0).max(365).optional(),
    /** The account of a child was found: at once, no grace window (GDPR Art. 17(1)(f)). */
    underage: z.boolean().optional(),
    /** For an erasure or a closure: also deletes what was published for the person in their own accounts, as far as it is registered. */
    unpublish: z.boolean().optional(),
    dry_run: z.boolean().optional(),
  })
  .refine((body) => body.subject !== undefined || (body.identities?.length ?? 0) > 0, {
    path: ["subject"],
    message: "expected a subject, or at least one identity",
  })
  .refine((body) => body.type !== "revocation" || body.scope !== undefined, {
    path: ["scope"],
    message: "a revocation needs the id of the subprocessor whose grant ends",
  })
  .refine((body) => body.type === "revocation" || body.scope === undefined, {
    path: ["scope"],
    message: "only a revocation has a scope: an erasure or a closure concerns all who hold the person's data",
  })
  .refine((body) => body.type === "closure" || body.grace_days === undefined, {
    path: ["grace_days"],
    message: "only a closure has a grace window: an erasure starts at once, and a revocation too",
  })
  .refine((body) => body.type !== "revocation" || body.unpublish !== true, {
    path: ["unpublish"],
    message: "a revocation ends a grant and deletes nothing: ask for an erasure",
  });
export type RequestInput = z.infer<typeof RequestInput>;
