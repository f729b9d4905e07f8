import type { Identity } from "../contract/identity.ts";
import type { Answer, Kept } from "../contract/outcome.ts";
import type { RequestId } from "../ids.ts";
import type { SealingKey } from "../ports.ts";
import type { Keeps } from "../request/plan.ts";
import type { EndedTask, Evidence, OpenTask } from "../request/task.ts";

/** All that a task's action needs, as it lies in the lane. Identities are sealed under the request's key. */
export type OrderPayload = {
  readonly request: RequestId;
  readonly subject?: string;
  readonly task: OpenTask;
  readonly receivedAt: string;
  readonly deadline: number;
  readonly keeps: Keeps;
  readonly frees: readonly { readonly task: string; readonly subprocessor: string }[];
  /** The request's key, wrapped by the tenant's; with the order, this copy goes too. */
  readonly key: string;
  readonly sealed: string;
};

/** One identity's way through an action. */
export type Target = {
  readonly identity: Identity;
  readonly state:
    | { readonly at: "todo" }
    | { readonly at: "accepted"; readonly reference: string; readonly askAt: number }
    | {
        readonly at: "done";
        readonly answer: Answer["outcome"];
        readonly looked?: true;
        readonly kept?: Kept;
        /** What was done in place of what the holder cannot do. */
        readonly because?: string;
      }
    | { readonly at: "look"; readonly lookAt: number; readonly was: "erased" | "revoked" }
    | { readonly at: "gone" };
};

/** What an order remembers between attempts, sealed. */
export type Cursor = {
  readonly targets: readonly Target[];
  /** Attempts without progress since the last progress. */
  readonly fails: number;
  /** Rises when the vendor has definitely refused a call, so that its idempotency key is not used for another. */
  readonly epoch: number;
  readonly residue: readonly Identity[];
  readonly evidence: readonly Evidence[];
  readonly learned: readonly Identity[];
  /** The person's connections here, where what is done is done with their grants. */
  readonly connections?: readonly string[];
};

export const sealPlace = (request: RequestId, task: string): string => `request ${request} order ${task}`;
export const cursorPlace = (request: RequestId, task: string): string => `request ${request} cursor ${task}`;
export const learnedPlace = (request: RequestId): string => `request ${request} learned`;
export const residuePlace = (request: RequestId, task: string): string => `request ${request} residue ${task}`;

export const firstCursor = (identities: readonly Identity[], connections: readonly string[] = []): Cursor => ({
  targets: identities.map((identity) => ({ identity, state: { at: "todo" } })),
  fails: 0,
  epoch: 0,
  residue: [],
  evidence: [],
  learned: [],
  ...(connections.length > 0 && { connections }),
});

/** What a task has found out to be kept so far: each category until the latest of its dates. */
export function keptOf({ targets }: Pick<Cursor, "targets">): Kept[] {
  const kept = new Map<string, Kept>();
  for (const { state } of targets) {
    if (state.at !== "done" || state.kept === undefined) continue;
    const before = kept.get(state.kept.category);
    if (before === undefined || before.until < state.kept.until) kept.set(state.kept.category, state.kept);
  }
  return [...kept.values()];
}

/** What is owed at a later day: the ids that the call of that day needs, until the latest date that any of it is kept. */
export async function residueOf(
  key: SealingKey,
  request: RequestId,
  task: string,
  cursor: Cursor,
): Promise<EndedTask["residue"]> {
  const dueAt = keptOf(cursor)
    .map(({ until }) => until)
    .sort()
    .at(-1);
  if (cursor.residue.length === 0 || dueAt === undefined) return undefined;
  return { sealed: await key.seal(residuePlace(request, task), JSON.stringify(cursor.residue)), dueAt };
}
