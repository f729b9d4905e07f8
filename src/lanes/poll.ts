import type { z } from "zod";
import { postJson, read } from "../contract/call.ts";
import type { Settings, SettingValues } from "../contract/settings.ts";
import { tenantNumber } from "../ids.ts";
import { polled } from "../intake/polled.ts";
import { addressAt, PollReply, type SetError, type Streaming, streamingOf } from "../intake/transmitter.ts";
import { type Found, find } from "../intake/understand.ts";
import { laneName, parseLane } from "../platform/keys.ts";
import { POLL_ORDER } from "../platform/scripts/poll.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import { CannotOpen, type Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { dropped, failed as stepFailed } from "../request/step.ts";
import { accessTo } from "./access.ts";
import { type SendStep, type Stopped, sender } from "./call.ts";
import { failed, type Pace } from "./drive.ts";
import { firstCursor } from "./order.ts";
import type { Told } from "./tell.ts";

/** How often a stream is asked, and after how long at the latest after trouble: what it holds may be an erasure. */
const EVERY_MS = 60_000;
const LATEST_MS = 15 * 60_000;

/** Tokens of one poll, of a kilobyte or two each; fewer after an answer that was too large. */
const MOST_EVENTS = 50;

/** Polls in a row. Then it comes back after what else the lane has. */
const IN_A_ROW = 10;

/** In so many runs, minutes apart, a token has to fail its proof before it is reported: a key or a setting may be on its way. */
const DOUBTS = 3;

/** What an order to poll remembers, sealed: a transmitter's ids are its own business. */
type Memory = {
  readonly fails: number;
  readonly most: number;
  /** How often a token has failed its proof, by `jti`. */
  readonly doubts: Readonly<Record<string, number>>;
};

/** As long as one that is read may be; a longer one is nobody's. */
const MAX_JTI = 512;

const FIRST: Memory = { fails: 0, most: MOST_EVENTS, doubts: {} };

export const isPoll = (order: { readonly id: string } | undefined): boolean => order?.id === POLL_ORDER;

/**
 * Asks a transmitter for what it keeps for us (RFC 8936), as long as there is more. A token is acknowledged by the poll that
 * follows the one that gave it, once what it causes is durable; one whose acknowledgement is lost comes again, and is known by
 * its `jti`. Nobody is told of deliveries that failed their proof but their transmitter, which it is by its address.
 */
export async function poll(
  ports: Ports,
  context: Context,
  lane: string,
  order: Claimed,
  pace: Pace,
  mayGoOn: () => boolean,
): Promise<Told> {
  try {
    return await polledOf(ports, context, lane, order, pace, mayGoOn);
  } catch (error) {
    return { settlements: [stepFailed(ports, order, error)], rest: 0, hung: false };
  }
}

async function polledOf(
  ports: Ports,
  known: Context,
  lane: string,
  order: Claimed,
  pace: Pace,
  mayGoOn: () => boolean,
): Promise<Told> {
  const { n, subprocessor } = parseLane(lane);
  const isPolled = streamingOf(ports, known.tenant, subprocessor)?.polledAt !== undefined;
  // What was agreed a moment ago, elsewhere, is not dropped because it is not known here yet.
  const context = isPolled ? known : ((await ports.tenants.byNumber(tenantNumber(n), 0)) ?? known);
  const streaming = streamingOf(ports, context.tenant, subprocessor);
  const found = streaming && find(ports, context, { subprocessor, endpoint: streaming.endpoint });
  const address = streaming?.polledAt;
  if (streaming === undefined || found === undefined || address === undefined)
    return { settlements: [dropped(order)], rest: 0, hung: false };
  const memory = await recalled(context, subprocessor, order.cursor);
  const settings = await settingsOf(context, subprocessor, found.integration.settings);
  const send = sender(
    ports,
    { integration: found.integration, settings, discovered: [addressAt(address, "poll").url], ...pace },
    [],
  );
  const asked = await askedAll(ports, { found, streaming, address, settings, send }, memory, mayGoOn);
  return ended(ports, context, subprocessor, order, asked);
}

type Job = {
  readonly found: Found;
  readonly streaming: Streaming;
  readonly address: string;
  readonly settings: SettingValues<Settings>;
  readonly send: SendStep;
};

type Report = {
  readonly ack: readonly string[];
  readonly setErrs: Readonly<Record<string, { readonly err: SetError; readonly description: string }>>;
};
const NOTHING: Report = { ack: [], setErrs: {} };

type Asked = { readonly memory: Memory; readonly problem?: Problem; readonly isMore: boolean };
type Problem = Stopped | { readonly reason: "unforeseen"; readonly status: number };

/** Polls until nothing new comes, and has acknowledged the last before it ends. */
async function askedAll(ports: Ports, job: Job, before: Memory, mayGoOn: () => boolean): Promise<Asked> {
  const doubts: Record<string, number> = {};
  const seen = new Set<string>();
  let report = NOTHING;
  let { most } = before;
  for (let polls = 0; ; polls++) {
    // The last of a row only says what became of the others.
    const isLast = polls >= IN_A_ROW || (polls > 0 && !mayGoOn());
    if (isLast && isEmpty(report)) return { memory: { fails: 0, most, doubts }, isMore: true };
    const answer = await onePoll(ports, job, report, isLast ? 0 : most);
    if ("problem" in answer) {
      const isTooLarge = answer.problem.reason === "too_large";
      const fewer = isTooLarge ? Math.max(1, Math.floor(most / 4)) : most;
      const kept = { ...before.doubts, ...doubts };
      return { memory: { fails: before.fails, most: fewer, doubts: kept }, problem: answer.problem, isMore: false };
    }
    if (isLast) return { memory: { fails: 0, most, doubts }, isMore: true };
    const { sets, moreAvailable } = answer.reply;
    // Whoever sends more than was asked for, or the same again, does not keep us at it.
    const fresh = Object.entries(sets)
      .slice(0, MOST_EVENTS)
      .filter(([jti]) => !seen.has(jti));
    if (fresh.length === 0) return { memory: { fails: 0, most: MOST_EVENTS, doubts }, isMore: false };
    for (const [jti] of fresh) seen.add(jti);
    const taken = await takenFrom(ports, job.found, fresh, before.doubts);
    Object.assign(doubts, taken.doubts);
    report = taken.report;
    most = Math.min(MOST_EVENTS, most * 2);
    if (isEmpty(report) && moreAvailable !== true)
      return { memory: { fails: 0, most, doubts }, ...(taken.problem && { problem: taken.problem }), isMore: false };
  }
}

const isEmpty = ({ ack, setErrs }: Report): boolean => ack.length === 0 && Object.keys(setErrs).length === 0;

type Tokens = readonly (readonly [jti: string, token: unknown])[];

/** One by one: each is one round trip, and what is not durable is not acknowledged. */
async function takenFrom(
  ports: Ports,
  found: Found,
  tokens: Tokens,
  before: Memory["doubts"],
): Promise<{ readonly report: Report; readonly doubts: Memory["doubts"]; readonly problem?: Stopped }> {
  const ack: string[] = [];
  const setErrs: Record<string, Report["setErrs"][string]> = Object.create(null);
  const doubts: Record<string, number> = {};
  let problem: Stopped | undefined;
  const { tenant } = found.context;
  for (const [jti, token] of tokens) {
    const became =
      typeof token === "string" && jti.length <= MAX_JTI
        ? await polled(ports, found, jti, token)
        : ({ result: "refused", err: "invalid_request" } as const);
    const said = { tenant: tenant.slug, subprocessor: found.subprocessor.id };
    if (became.result === "durable") ack.push(jti);
    if (became.result === "refused")
      setErrs[jti] = { err: became.err, description: "The token is genuine and does not fit." };
    if (became.result === "later") {
      ports.log("set_left", { ...said, check: became.check });
      // What is missing is ours or a key server's; it is asked for again with more time between.
      problem = { reason: "connection_failed" };
    }
    if (became.result === "unproven") {
      const doubted = (Object.hasOwn(before, jti) ? (before[jti] ?? 0) : 0) + 1;
      ports.log("set_refused", { ...said, check: became.check, doubted });
      if (doubted < DOUBTS) doubts[jti] = doubted;
      else setErrs[jti] = { err: became.err, description: "The token does not prove what it has to." };
    }
  }
  return { report: { ack, setErrs }, doubts, ...(problem !== undefined && { problem }) };
}

/** RFC 8936 section 2.2: acknowledges, reports, and asks for more; with a new token where the kept one is refused. */
async function onePoll(
  ports: Ports,
  { found, streaming, address, settings, send }: Job,
  { ack, setErrs }: Report,
  maxEvents: number,
): Promise<{ readonly reply: z.infer<typeof PollReply> } | { readonly problem: Problem }> {
  const hasErrors = Object.keys(setErrs).length > 0;
  const body = {
    maxEvents,
    returnImmediately: true,
    ...(ack.length > 0 && { ack }),
    ...(hasErrors && { setErrs }),
  };
  for (const isFresh of [false, true]) {
    const access = await accessTo(ports, found.context, streaming, settings, send, isFresh);
    if ("problem" in access) return access;
    const headers = { accept: "application/json", ...access.headers, ...(hasErrors && { "content-language": "en" }) };
    const sent = await send(postJson(addressAt(address, "poll"), headers, body));
    if ("problem" in sent) {
      if (sent.problem.reason === "credential" && access.isKept) continue;
      return sent;
    }
    if (sent.reply.status === 403) return { problem: { reason: "credential", status: 403 } };
    const reply = read(sent.reply, PollReply);
    return reply.ok ? { reply: reply.value } : { problem: { reason: "unforeseen", status: reply.problem.status } };
  }
  return { problem: { reason: "credential", status: 401 } };
}

/** Says how it went, and when it goes on. */
async function ended(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  { memory, problem, isMore }: Asked,
): Promise<Told> {
  const { n, slug } = context.tenant;
  const now = ports.now();
  const reason =
    problem === undefined ? "" : "status" in problem ? `${problem.reason} ${problem.status}` : problem.reason;
  await ports.store.streamPolled(n, subprocessor, reason, now);
  const back = async (due: number, fails: number): Promise<Settlement> => ({
    id: order.id,
    attempt: order.attempt,
    deadline: due,
    what: "back",
    due,
    cursor: await context.keys.sealSetting(place(subprocessor), JSON.stringify({ ...memory, fails })),
  });
  if (problem === undefined)
    return { settlements: [await back(isMore ? now : now + EVERY_MS, 0)], rest: 0, hung: false };
  ports.log("stream_not_polled", { tenant: slug, subprocessor, reason, fails: memory.fails + 1 });
  // No refusal of the transmitter's ends the polling: it is asked again, ever more seldom.
  const trouble: Stopped = problem.reason === "unforeseen" ? { ...problem, reason: "vendor_down" } : problem;
  const attempt = failed(trouble, false, { ...firstCursor([]), fails: memory.fails }, ports);
  if (!("again" in attempt))
    return { settlements: [await back(now + LATEST_MS, memory.fails + 1)], rest: 0, hung: false };
  const { again, rest = 0, hung = false, cursor } = attempt;
  const due = Math.min(Math.max(again, now + (rest === 0 ? EVERY_MS / 2 : 0)), now + LATEST_MS);
  return { settlements: [await back(due, cursor.fails)], rest, hung };
}

const place = (subprocessor: string): string => `stream ${subprocessor} poll`;

async function recalled({ keys }: Context, subprocessor: string, cursor: string): Promise<Memory> {
  if (cursor === "") return FIRST;
  try {
    // Sealed below and by nobody else, as the seal itself proves.
    return JSON.parse(await keys.openSetting(place(subprocessor), cursor)) as Memory;
  } catch (error) {
    if (error instanceof CannotOpen) return FIRST;
    throw error;
  }
}

const TENANTS_A_SWEEP = 4;

/**
 * Puts the order to poll back where it is missing: whoever entered the address may have been cut off, and a failover may lose
 * it. Looks at other tenants each minute.
 */
export async function keepPolling(
  ports: Pick<Ports, "store" | "tenants" | "integrations" | "now" | "wake">,
): Promise<void> {
  const now = ports.now();
  const count = await ports.store.tenantCount();
  const minute = Math.floor(now / 60_000);
  const slice = Array.from({ length: Math.min(TENANTS_A_SWEEP, count) }, (_, at) =>
    tenantNumber(((minute * TENANTS_A_SWEEP + at) % count) + 1),
  );
  // A tenant that cannot be loaded is shown by all else that it does, and holds up none of the others.
  const loaded = await Promise.allSettled(slice.map((number) => ports.tenants.byNumber(number)));
  const lanes = loaded.flatMap((each) =>
    each.status === "fulfilled" && each.value !== undefined ? polledLanes(ports, each.value) : [],
  );
  if (lanes.length === 0) return;
  const woken = await ports.store.keepPolling(lanes, now);
  if (woken.length > 0) await ports.wake(woken);
}

/** The lanes of a tenant whose streams are polled. */
export const polledLanes = (ports: Pick<Ports, "integrations">, { tenant }: Context): readonly string[] =>
  Object.keys(tenant.subprocessors)
    .filter((id) => streamingOf(ports, tenant, id)?.polledAt !== undefined)
    .map((id) => laneName(tenant.n, id));
