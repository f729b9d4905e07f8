import type { ContentItem } from "../contract/integration.ts";
import type { Answer } from "../contract/outcome.ts";
import type { Instant } from "../ids.ts";
import { parseLane } from "../platform/keys.ts";
import type { NextContent } from "../platform/store/content.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import { type Chunk, TOLD_WITHIN_MS } from "../platform/store/new-content.ts";
import { CannotOpen, type Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { days, rfc3339 } from "../request/deadline.ts";
import { isHeld } from "../request/hold.ts";
import { failed as stepFailed } from "../request/step.ts";
import { type Stopped, sender, stepped } from "./call.ts";
import { contentDeadline, contentPlace, itemsOf, MOST_ITEMS } from "./content.ts";
import { failed, type Pace } from "./drive.ts";
import { backoffMs, newToken, randomOf } from "./lane.ts";
import { firstCursor } from "./order.ts";

/** What became of the order, if it is still there, and what it means for the lane. */
export type Told = { readonly settlements: readonly Settlement[]; readonly rest: Instant; readonly hung: boolean };

/** Batches in a row. Then the order goes back for a moment, so that what is more urgent comes before the rest. */
const IN_A_ROW = 10;

type Batch = Extract<NextContent, { state: "batch" }>;
type Answered = { readonly answer: Answer } | { readonly problem: Stopped };

/**
 * Tells a subprocessor of deleted content, batch by batch, as long as there is more and it may go on. A batch is fixed in the
 * store before its call and leaves it in the round trip that fetches the next, so that one whose answer was lost is told
 * again to the letter, under the same id.
 */
export async function tell(
  ports: Ports,
  context: Context,
  lane: string,
  { order, token }: { readonly order: Claimed; readonly token: string },
  pace: Pace,
  mayGoOn: () => boolean,
): Promise<Told> {
  try {
    return await toldOf(ports, context, lane, { order, token }, pace, mayGoOn);
  } catch (error) {
    return { settlements: [stepFailed(ports, order, error)], rest: 0, hung: false };
  }
}

async function toldOf(
  ports: Ports,
  context: Context,
  lane: string,
  { order, token }: { readonly order: Claimed; readonly token: string },
  pace: Pace,
  mayGoOn: () => boolean,
): Promise<Told> {
  const { tenant } = context;
  const { subprocessor } = parseLane(lane);
  const integration = ports.integrations.get(tenant.subprocessors[subprocessor]?.integration ?? "");
  const content = integration?.content?.bind(integration);
  // A hold on everybody's data there stops this erasure too; what waits for longer than it may is given up, and counted.
  const mayTell = content !== undefined && isHeld(tenant.holds, undefined, subprocessor) === undefined;
  const facts = { tenant: tenant.slug, subprocessor };
  const back = (since: Instant, due: Instant, fails: number): Settlement => ({
    id: order.id,
    attempt: order.attempt,
    deadline: contentDeadline(since),
    what: "back",
    due,
    cursor: String(fails),
  });
  let fails = Number(order.cursor);
  let sent: { readonly batch: string; readonly unread: number } | undefined;

  for (let batches = 0; ; batches++) {
    const most = mayTell && batches < IN_A_ROW && (batches === 0 || mayGoOn()) ? MOST_ITEMS : 0;
    const asking = { token, attempt: order.attempt, batch: `ctb_${newToken(ports)}`, most, ...(sent && { sent }) };
    const next = await ports.store.nextContent(tenant.n, subprocessor, asking, ports.now());
    if (next.givenUp > 0) ports.log("content_given_up", { ...facts, items: next.givenUp });
    if (next.state === "none" || next.state === "late") return { settlements: [], rest: 0, hung: false };
    // A look gives up a thousand chunks at most; as long as there are more, the rest is not told first.
    if (next.since <= ports.now() - TOLD_WITHIN_MS && mayGoOn()) continue;
    if (next.state === "left" || integration === undefined || content === undefined)
      return {
        settlements: [back(next.since, ports.now() + (mayTell ? 0 : days(1)), fails)],
        rest: 0,
        hung: false,
      };

    const { items, unread } = await readBatch(ports, context, subprocessor, next);
    const batch = { id: next.batch, at: rfc3339(next.madeAt), items };
    const said = { ...facts, batch: batch.id, items: items.length };
    if (items.length > 0) {
      const settings = await settingsOf(context, subprocessor, integration.settings);
      const answered = await stepped(content(settings, batch), sender(ports, { integration, settings, ...pace }, []));
      const miss = missed(answered, fails, ports);
      if (miss !== undefined) {
        ports.log("content_not_told", {
          ...said,
          waiting: next.waiting,
          since: rfc3339(next.since),
          fails: miss.fails,
          reason: miss.reason,
        });
        return {
          settlements: [back(next.since, miss.again, miss.fails)],
          rest: miss.rest,
          hung: miss.hung,
        };
      }
      ports.log("content_told", { ...said, waiting: next.waiting - items.length - unread });
    }
    fails = 0;
    sent = { batch: next.batch, unread };
  }
}

/** The items of a batch. A chunk that does not open is its own trouble only: it is said, and counts as given up. */
async function readBatch(
  ports: Pick<Ports, "log">,
  context: Context,
  subprocessor: string,
  { chunks }: Batch,
): Promise<{ readonly items: readonly ContentItem[]; readonly unread: number }> {
  const read = await Promise.all(
    chunks.map(async (chunk) => {
      try {
        return { items: await openChunk(context, subprocessor, chunk), unread: 0 };
      } catch (error) {
        if (!(error instanceof CannotOpen)) throw error;
        ports.log("content_unreadable", {
          tenant: context.tenant.slug,
          subprocessor,
          chunk: chunk.id,
          items: chunk.items,
        });
        return { items: [], unread: chunk.items };
      }
    }),
  );
  return {
    items: read.flatMap(({ items }) => items),
    unread: read.reduce((all, { unread }) => all + unread, 0),
  };
}

async function openChunk(context: Context, subprocessor: string, chunk: Chunk): Promise<readonly ContentItem[]> {
  const place = contentPlace(subprocessor, chunk.id);
  const key = await context.keys.unwrap(place, chunk.wrapped);
  return itemsOf(await key.open(place, chunk.sealed));
}

type Missed = {
  readonly again: Instant;
  readonly rest: Instant;
  readonly hung: boolean;
  readonly fails: number;
  /** A code, and a status where there was one: never what the holder wrote. */
  readonly reason: string;
};

/** Nothing where the holder has taken the batch. Whatever else it says, the batch comes back: no refusal ends it. */
function missed(answered: Answered, fails: number, ports: Pick<Ports, "now" | "random">): Missed | undefined {
  const problem = "problem" in answered ? answered.problem : problemOf(answered.answer);
  if (problem === undefined) return undefined;
  const reason = "status" in problem ? `${problem.reason} ${problem.status}` : problem.reason;
  if (problem.reason !== "unforeseen") {
    const attempt = failed(problem, false, { ...firstCursor([]), fails }, ports);
    if ("again" in attempt) {
      const { again, rest = 0, hung = false, cursor } = attempt;
      return { again, rest, hung, fails: cursor.fails, reason };
    }
  }
  const again = ports.now() + backoffMs(fails + 1, randomOf(ports));
  return { again, rest: 0, hung: false, fails: fails + 1, reason };
}

function problemOf(answer: Answer): Stopped | { readonly reason: "unforeseen"; readonly status: number } | undefined {
  if (answer.outcome === "informed") return undefined;
  if (answer.outcome === "slow_down") return { reason: "throttled", rest: answer.seconds * 1000 };
  if (answer.outcome === "unauthorized") return { reason: "credential", status: answer.status };
  // Anything else is an answer to another question.
  return { reason: "unforeseen", status: answer.outcome === "unforeseen" ? answer.status : 0 };
}
