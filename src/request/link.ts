import { parseRequestId, statusCode } from "../ids.ts";
import { gatewayOf } from "../platform/store/lanes.ts";
import type { Link, Linked } from "../platform/store/registry.ts";
import type { Ports } from "../ports.ts";
import type { Problem } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { fail, ok, type Result } from "../result.ts";
import type { KnownIdentity } from "./plan.ts";
import { record } from "./record.ts";
import { ENTRY } from "./subject.ts";

/** A fresh, explicit consent: it lifts the suppression of someone who was erased, and is kept, sealed, with their record. */
export type Consent = { readonly at: string; readonly reference: string };

const TRIES = 3;

type Refusal = Extract<Problem, { reason: "conflict" }> & {
  /** The place in the list of an identity that belongs to another subject. */
  readonly taken?: number;
};

/** Seals and writes; an identity of somebody else is refused, and then nothing is written. */
export async function link(
  ports: Ports,
  context: Context,
  subject: string,
  entries: readonly (KnownIdentity & { readonly since?: number })[],
  consent: Consent | undefined,
): Promise<Result<Extract<Linked, { result: "linked" }>, Refusal>> {
  const { keys, tenant } = context;
  const pseudonyms = await Promise.all(
    entries.map(async (entry) => ({
      ...(await keys.pseudonyms(entry)),
      ...(entry.since !== undefined && { since: entry.since }),
    })),
  );
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [hash] = await ports.store.subjects([{ n: tenant.n, subject }]);
    const made = hash?.k === undefined ? await keys.newKey(`subject ${subject}`) : undefined;
    const key = made?.key ?? (await keys.unwrap(`subject ${subject}`, hash?.k ?? ""));
    const fields = await Promise.all(
      entries.map(async ({ since: _, ...entry }, index) => {
        const name = `${ENTRY}${pseudonyms[index]?.index ?? ""}`;
        return [name, await key.seal(`subject ${subject} ${name}`, JSON.stringify(entry))];
      }),
    );
    const request: Link = {
      n: tenant.n,
      subject,
      now: ports.now(),
      wrapped: made?.wrapped ?? "",
      lifts: consent !== undefined,
      identities: pseudonyms,
      fields: {
        ...Object.fromEntries(fields),
        ...(consent !== undefined && { c: await key.seal(`subject ${subject} consent`, JSON.stringify(consent)) }),
      },
    };
    const linked = await ports.store.link(request);
    if (linked.result === "linked") return ok(linked);
    if (linked.result === "under_erasure")
      return fail({
        reason: "conflict",
        detail: "This subject is under erasure. A new consent counts from its close on: repeat this when it is closed.",
      });
    if (linked.result === "taken")
      return fail({
        reason: "conflict",
        detail: `Identity ${linked.identity + 1} of your list belongs to another subject. Nothing was changed.`,
        taken: linked.identity,
      });
  }
  return fail({ reason: "conflict", detail: "This subject is being changed by somebody else. Repeat your request." });
}

/** What becomes known of a person under erasure joins the erasure. True when one of them closed meanwhile and cannot be joined. */
export async function rejoin(ports: Ports, context: Context, requests: readonly string[]): Promise<boolean> {
  if (requests.length === 0) return false;
  const now = ports.now();
  const ids = requests.flatMap((id) => parseRequestId(id) ?? []);
  const queued = await ports.store.restart(
    ids.map(({ n, id }) => ({ n, id, due: now, deadline: now, release: false })),
    now,
  );
  if (queued.some(({ wake }) => wake)) await ports.wake([gatewayOf(context.tenant.n)]);
  return queued.some(({ result }) => result === "ended");
}

/** Someone who was erased has come in again without a new consent: their erasure is opened anew, and said so. */
export async function erasedAgain(
  ports: Ports,
  context: Context,
  subject: string,
  identities: readonly KnownIdentity[],
) {
  const [entry] = await record(ports, context, () => [
    {
      type: "erasure",
      source: "suppression",
      delivery: `${subject}:${ports.now()}`,
      authority: "everywhere",
      identities: identities.map(({ type, value }) => ({ type, value })),
      subject,
    },
  ]);
  if (entry === undefined) return undefined;
  return { id: entry.id, status_url: `${ports.origin}/status/${await statusCode(context.keys, entry.id)}` };
}
