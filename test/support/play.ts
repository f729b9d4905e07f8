import type { Call, Reply } from "../../src/contract/call.ts";
import type { Identity } from "../../src/contract/identity.ts";
import type { Order, Steps } from "../../src/contract/integration.ts";

/** What a vendor answers in a test: a body that is not text is sent as JSON. */
export type Played = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it gives the proof that the call asks for. */
  readonly proven?: boolean;
};

/** A reply as an action sees it. */
export function replyOf({ status, body, headers = {}, proven }: Played): Reply {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { status, header: (name) => lower.get(name.toLowerCase()), text, ...(proven !== undefined && { proven }) };
}

/**
 * Plays an action against given replies, in their order or as a function makes them. Replies in a list must be used up,
 * and must be enough: a call that no test foresaw is a mistake.
 */
export function play<A>(
  steps: Steps<A>,
  replies: readonly Played[] | ((call: Call, index: number) => Played),
): { readonly calls: readonly Call[]; readonly outcome: A } {
  const calls: Call[] = [];
  let step = steps.next();
  while (step.done !== true) {
    const call = step.value;
    const played = typeof replies === "function" ? replies(call, calls.length) : replies[calls.length];
    if (played === undefined) throw new Error(`no reply is left for ${call.method} ${call.at.template}`);
    calls.push(call);
    step = steps.next(replyOf(played));
  }
  if (typeof replies !== "function" && calls.length < replies.length)
    throw new Error(`${replies.length - calls.length} replies were not asked for`);
  return { calls, outcome: step.value };
}

/** An order for one identity, with all else as in any test. */
export const orderFor = <V extends Readonly<Record<string, string>>>(
  settings: V,
  identity: Identity,
  more: Partial<Omit<Order, "settings">> = {},
): Omit<Order, "settings"> & { readonly settings: V } => ({
  settings,
  identity,
  identities: [identity],
  requestId: "req_11aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  taskId: "holder.erase",
  requestedAt: "2026-11-20T09:00:00.000Z",
  attemptedAt: "2026-11-21T09:00:00.000Z",
  keeps: new Set(),
  idempotencyKey: (step) => `key ${step}`,
  ...more,
});
