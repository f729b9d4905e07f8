import type { Authority } from "../contract/integration.ts";
import type { SignalType } from "../contract/signal.ts";
import { type Instant, type RequestId, requestId } from "../ids.ts";
import { gatewayOf } from "../platform/store/lanes.ts";
import type { NewContent } from "../platform/store/new-content.ts";
import type { Hash, NewRequest, Recorded } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { days, deadline, rfc3339, watchAt } from "./deadline.ts";
import { CLOCK_SKEW_MS, heeds, restores, senderOf } from "./generation.ts";
import type { KnownIdentity } from "./plan.ts";
import type { RequestRecord, RequestType } from "./request.ts";

/** What is to be made durable: one exercise of a right, or a delivery that may cause nothing but a note. */
export type Intent = {
  readonly type: RequestType;
  readonly source: string;
  /** The sender's own id of this; with the source it makes the request's id, so that a repeat lands on the same. */
  readonly delivery: string;
  readonly authority: Authority;
  /** With the subprocessor, where an id is that vendor account's own. */
  readonly identities: readonly KnownIdentity[];
  readonly subject?: string;
  readonly scope?: string;
  readonly graceDays?: number;
  /** With a grace window: the person as far as known now, so that the gate can say what is to come. */
  readonly closing?: string;
  /** When it happened at the sender; absent where age does not matter. */
  readonly signalAt?: Instant;
  /** What a vendor told of an identity that it may speak for. */
  readonly signal?: SignalType;
  readonly endedByHolder?: true;
  readonly unpublish?: true;
  /** The sender's own terms ask for it by then, if that is before the law does. */
  readonly dueWithinMs?: number;
  /** The subprocessor that may be reporting our own act back to us. */
  readonly echoOf?: string;
  readonly continues?: string;
  /** It concerns whom the tenant knows; about anybody else a note is kept. */
  readonly onlyKnown?: true;
  /** Nobody vouches for it: it is held until it has been confirmed. */
  readonly confirms?: true;
  readonly digest?: string;
};

export type Entry = {
  readonly id: RequestId;
  readonly recorded: Exclude<Recorded, { result: "stale" }>;
  /** What lies in the store of one that was `recorded` now; whatever else it came to, others may have written. */
  readonly hash: Hash;
};

/** The end of a grant, asked for by the person or by us, is due by the vendor's own terms for such a wish. */
export function dueByTerms(
  { integrations }: Pick<Ports, "integrations">,
  { tenant }: Context,
  subprocessor: string,
): Pick<Intent, "dueWithinMs"> {
  const terms = integrations.get(tenant.subprocessors[subprocessor]?.integration ?? "")?.requestDeadline;
  return terms === undefined ? {} : { dueWithinMs: terms.hours * 3_600_000 };
}

const TRIES = 3;

/**
 * Makes intents durable, all in one round trip when the snapshot is current. Intents are made from the snapshot, so they
 * are made anew when the registry or the policy has changed meanwhile; so is the deleted content that comes with them.
 *
 * Rejects with StoreUnreachable when nothing can be said; the caller then asks its sender to repeat.
 */
export async function record(
  ports: Ports,
  context: Context,
  intentsOf: (context: Context) => readonly Intent[],
  contentOf: (context: Context, now: Instant) => Promise<NewContent | undefined> = async () => undefined,
): Promise<readonly Entry[]> {
  let current = context;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const now = ports.now();
    const requests = await Promise.all(intentsOf(current).map((intent) => newRequest(current, intent, now)));
    const content = await contentOf(current, now);
    const results =
      content === undefined
        ? { recorded: await ports.store.record(requests) }
        : await ports.store.recordDelivery(requests, content);
    const entries = requests.flatMap(({ id, fields }, index): Entry[] => {
      const recorded = results.recorded[index];
      const hash = { st: "scheduled", ...fields };
      return recorded === undefined || recorded.result === "stale" ? [] : [{ id, recorded, hash }];
    });
    const kept = "content" in results ? results.content : undefined;
    if (entries.length === requests.length && kept?.result !== "stale") {
      const woken = [
        ...(entries.some(({ recorded }) => "wake" in recorded && recorded.wake === true)
          ? [gatewayOf(current.tenant.n)]
          : []),
        ...(kept?.woken ?? []),
      ];
      if (woken.length > 0) await ports.wake(woken);
      if (content !== undefined && kept !== undefined)
        ports.log("content_received", {
          tenant: current.tenant.slug,
          source: content.source,
          items: content.items,
          subprocessors: content.told.length,
          result: kept.result,
        });
      for (const { id, recorded } of entries)
        ports.log("request_recorded", { tenant: current.tenant.slug, request: id, result: recorded.result });
      return entries;
    }
    const fresh = await ports.tenants.byNumber(current.tenant.n, 0);
    if (fresh === undefined) break;
    current = fresh;
  }
  throw new Error("the registry changed at every attempt to record");
}

async function newRequest(context: Context, intent: Intent, now: Instant): Promise<NewRequest> {
  const { tenant, keys } = context;
  const { policy } = tenant;
  const id = await requestId(tenant.n, keys, intent.source, intent.delivery);
  const startAt = now + days(intent.graceDays ?? 0);
  // A grace window is the person's own wish; the law's clock starts when it ends.
  const due = Math.min(deadline(startAt, policy), startAt + (intent.dueWithinMs ?? Number.POSITIVE_INFINITY));
  const closing = intent.closing !== undefined && { closing: intent.closing };
  const received = rfc3339(now);
  // Fields that may be absent come last: what follows them in a literal is defined one by one, at several times the cost.
  const record: RequestRecord = {
    id,
    type: intent.type,
    source: intent.source,
    authority: intent.authority === "record" ? "here" : intent.authority,
    received_at: received,
    start_at: startAt === now ? received : rfc3339(startAt),
    due_at: rfc3339(due),
    policy_version: tenant.policyVersion,
    registry_version: Number(context.version),
    ...(intent.scope !== undefined && { scope: intent.scope }),
    ...(intent.endedByHolder !== undefined && { endedByHolder: intent.endedByHolder }),
    ...(intent.unpublish !== undefined && { unpublish: intent.unpublish }),
    ...(intent.subject !== undefined && { subject: intent.subject }),
    ...closing,
    ...(intent.signal !== undefined && { signal: intent.signal }),
    ...(intent.signalAt !== undefined && { signal_at: rfc3339(intent.signalAt) }),
    ...(intent.continues !== undefined && { continues: intent.continues }),
  };
  const [sealed, identities] = await Promise.all([
    keys.newKey(`request ${id}`).then(async ({ key, wrapped }) => ({
      k: wrapped,
      s: await key.seal(`request ${id} identities`, JSON.stringify(intent.identities)),
    })),
    Promise.all(intent.identities.map(keys.pseudonyms)),
  ]);
  const erases = intent.type !== "revocation" && intent.continues === undefined;
  const signalAt = intent.signalAt ?? 0;
  const sender = senderOf(intent.source);
  return {
    n: tenant.n,
    version: context.version,
    now,
    id,
    identities,
    signalAt,
    echoOf: intent.echoOf ?? "",
    heeds: heeds(intent.signal, sender),
    restores: restores(intent.signal, sender),
    restoredAt: Math.min(signalAt, now + CLOCK_SKEW_MS),
    here: intent.authority === "here",
    noteOnly: intent.authority === "record",
    startAt,
    watchAt: watchAt(startAt, due),
    deadline: due,
    digest: intent.digest ?? "",
    fields: { d: JSON.stringify(record), ...sealed },
    ...closing,
    ...(intent.confirms !== undefined && { confirms: intent.confirms }),
    ...(intent.onlyKnown !== undefined && { onlyKnown: intent.onlyKnown }),
    ...(erases && { ceiling: { source: intent.source.replaceAll("/", "_"), most: policy.ceiling_per_hour } }),
  };
}
