import type { VendorEvent } from "../contract/signal.ts";
import type { StreamNews } from "../contract/transmitter.ts";
import type { Ports } from "../ports.ts";
import type { Found } from "./understand.ts";

/** A verification that answers to nothing that was asked lately. `at` is its place in the event. */
export type UnknownState = { readonly reason: "unknown_state"; readonly at: "state" };

/**
 * Notes what events say of the stream that carries them: that it works, or that its transmitter has paused it. False: a
 * verification bears a state that this gateway did not make, or made too long ago.
 */
export async function heard(
  ports: Pick<Ports, "store" | "now" | "log">,
  { context, subprocessor }: Pick<Found, "context" | "subprocessor">,
  events: readonly VendorEvent[],
): Promise<boolean> {
  const all = events.flatMap(({ stream }) => stream ?? []);
  for (const news of all) if (!(await noted(ports, context.tenant, subprocessor.id, news))) return false;
  return true;
}

/** Section 8.1.2.1; any other is the transmitter's own text, and not for the log. */
const STATUSES: ReadonlySet<string> = new Set(["enabled", "paused", "disabled"]);

async function noted(
  { store, now, log }: Pick<Ports, "store" | "now" | "log">,
  tenant: Found["context"]["tenant"],
  subprocessor: string,
  news: StreamNews,
): Promise<boolean> {
  const { n, slug } = tenant;
  const said = { tenant: slug, subprocessor };
  if (news.kind === "status") {
    // From now on silence may hide that something was revoked.
    log("stream_updated", { ...said, status: STATUSES.has(news.status) ? news.status : "another" });
    await store.streamStatus(n, subprocessor, news.status, news.reason?.slice(0, 200) ?? "", now());
    return true;
  }
  if (news.state !== undefined && !(await store.isExpected(n, subprocessor, news.state))) {
    log("verification_unknown", said);
    return false;
  }
  await store.streamVerified(n, subprocessor, now());
  return true;
}
