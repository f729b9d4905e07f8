import { isAbsent } from "../contract/integration.ts";
import type { Confirmation, Verdict } from "../contract/stream.ts";
import { isPublicLook } from "../lanes/call.ts";
import type { Settlement } from "../platform/store/lanes.ts";
import { gatewayOf } from "../platform/store/lanes.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { days, rfc3339 } from "./deadline.ts";
import type { KnownIdentity } from "./plan.ts";
import type { RequestRecord } from "./request.ts";
import { dropped, failed, later, requestOf, type Step, type StepVerb } from "./step.ts";

/** The reason for which a request is held that has to be confirmed. */
export const HELD_FOR = "confirmation";

/**
 * The hosts that are asked may be anybody's, and this lane is the tenant's own: so few are asked at once, and none any more
 * after this time. With the last calls' time-outs a batch takes half a minute at most; what is left comes with the next.
 */
const TOGETHER = 4;
const BEGIN_WITHIN_MS = 10_000;

/** What was contradicted is asked about once more, because the host may have been behind its own news. */
const AGAIN_MS = 600_000;

/**
 * Asks about requests that nobody vouches for. What is confirmed starts; what is contradicted is cancelled; what is not known
 * is asked again, ever more seldom, while the deadline is watched: a person may release or cancel it meanwhile.
 */
export const confirm: StepVerb = async (ports, context, _token, steps) => {
  const { n } = context.tenant;
  const until = ports.now() + BEGIN_WITHIN_MS;
  const hashes = await ports.store.load(steps.map((step) => ({ n, id: requestOf(step) })));
  const waiting = steps.map((step, index) => ({ step, hash: hashes[index] ?? {} }));
  const done: { readonly settlement: Settlement; readonly woken: readonly string[] }[] = [];
  const ask = async (): Promise<void> => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
      const { step, hash } = each;
      if (ports.now() >= until) done.push({ settlement: later(step.order, ports.now()), woken: [] });
      else
        done.push(
          await one(ports, context, step, hash).catch((error: unknown) => ({
            settlement: failed(ports, step.order, error),
            woken: [],
          })),
        );
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, ask));
  return { settlements: done.map(({ settlement }) => settlement), woken: done.flatMap(({ woken }) => woken) };
};

async function one(ports: Ports, context: Context, step: Step, hash: Hash) {
  const { order } = step;
  const id = requestOf(step);
  const { n, slug, policy } = context.tenant;
  const end = { settlement: dropped(order), woken: [] };
  // A person has released or cancelled it.
  if (hash.st !== "scheduled" || hash.held !== HELD_FOR) return end;
  // Written by `record` and by nobody else, as what is sealed proves.
  const record = JSON.parse(hash.d ?? "{}") as RequestRecord;
  const verdict = await verdictOf(ports, context, record, hash);
  const now = ports.now();
  ports.log("signal_asked", { tenant: slug, request: id, verdict, attempt: order.attempt });
  if (verdict === "confirmed") {
    const due = Math.max(now, Date.parse(record.start_at));
    const started = { n, id, due, deadline: Date.parse(record.due_at), release: true };
    const [restarted] = await ports.store.restart([started], now);
    return { settlement: dropped(order), woken: restarted?.wake === true ? [gatewayOf(n)] : [] };
  }
  if (verdict === "unknown") return { settlement: failed(ports, order, new Unknown()), woken: [] };
  if (order.attempt < 2) return { settlement: later(order, now + AGAIN_MS), woken: [] };
  const { closing, ...rest } = record;
  const document = JSON.stringify({ ...rest, cancelled_at: rfc3339(now) });
  await ports.store.cancel(n, id, document, days(policy.receipt_days), now, closing);
  return end;
}

/** Nobody could say whether it is so. */
class Unknown extends Error {
  override readonly name = "NotConfirmed";
}

async function verdictOf(ports: Ports, context: Context, record: RequestRecord, hash: Hash): Promise<Verdict> {
  const asking = confirmationOf(ports, context, record.source);
  // The subprocessor or its integration is there no more: then a person decides.
  if (asking === undefined) return "unknown";
  const key = await context.keys.unwrap(`request ${record.id}`, hash.k ?? "");
  const given = JSON.parse(await key.open(`request ${record.id} identities`, hash.s ?? "")) as KnownIdentity[];
  // The first is the signal's own.
  const [identity] = given;
  if (identity === undefined) return "unknown";
  const { confirm, origins } = asking;
  const asked = confirm.run({ type: identity.type, value: identity.value });
  let next = asked.next();
  for (let calls = 0; next.done !== true; calls++) {
    if (calls >= MOST_CALLS || !isPublicLook(next.value, origins)) return "unknown";
    const sent = await ports.send(next.value);
    if (!sent.ok) return "unknown";
    next = asked.next(sent.value);
  }
  return next.value;
}

const MOST_CALLS = 5;

function confirmationOf(
  { integrations }: Pick<Ports, "integrations">,
  { tenant }: Context,
  source: string,
): { readonly confirm: Confirmation; readonly origins: readonly string[] } | undefined {
  const [id = "", place = ""] = source.split("/");
  const integration = integrations.get(tenant.subprocessors[id]?.integration ?? "");
  if (integration === undefined) return undefined;
  const hooks = isAbsent(integration.hooks) ? {} : integration.hooks;
  const confirm = hooks[place]?.confirm ?? integration.streams?.[place]?.confirm;
  return confirm === undefined ? undefined : { confirm, origins: integration.origins };
}
