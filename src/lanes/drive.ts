import type { Theirs } from "../connections/held.ts";
import { type Identity, sameIdentity } from "../contract/identity.ts";
import { type Action, isAbsent, type Order, type SingleAction, type Steps } from "../contract/integration.ts";
import { CONNECTION, type Grant, homeOf } from "../contract/oauth.ts";
import type { Answer, Sight } from "../contract/outcome.ts";
import type { Settings } from "../contract/settings.ts";
import type { Instant } from "../ids.ts";
import type { Ports } from "../ports.ts";
import { rfc3339 } from "../request/deadline.ts";
import { residualsOf } from "../request/plan.ts";
import type { EndedTask, Evidence, Level } from "../request/task.ts";
import { type Caller, type Stopped, sender, stepped } from "./call.ts";
import { backoffMs, randomOf, STUCK_AFTER } from "./lane.ts";
import { type Cursor, keptOf, type OrderPayload, type Target } from "./order.ts";

/** What one attempt comes to. `rest` is for the whole lane, whatever becomes of this order. */
export type Attempt = { readonly cursor: Cursor; readonly rest?: number; readonly hung?: true } & (
  | { readonly end: Pick<EndedTask, "outcome" | "level" | "retained" | "reason" | "read_back"> }
  | { readonly again: number; readonly state: "queued" | "accepted" | "stuck"; readonly reason?: string }
  | { readonly park: "stuck" | "accepted"; readonly reason: string }
);

/** What a run allows each of its attempts. */
export type Pace = Pick<Caller, "turn" | "until" | "quota">;

export type Job = Caller & {
  readonly payload: OrderPayload;
  readonly cursor: Cursor;
  readonly action: Action<Settings>;
  /** The grants of the connections among the targets, by the connection's id. */
  readonly grants?: ReadonlyMap<string, Grant>;
  /** All that the person has granted here, where the action is done with it. */
  readonly theirs?: Theirs;
};

/** Evidence that one task keeps at most: the last calls are the deciding ones. */
const MAX_EVIDENCE = 3;

/**
 * One attempt at a task: runs the action's steps for each identity that is not done, sends what they yield, and says
 * what it came to. Progress that was made before something failed is kept in the cursor.
 */
export async function drive(
  ports: Pick<Ports, "send" | "now" | "random" | "log">,
  job: Job & { readonly action: SingleAction<Settings> },
): Promise<Attempt> {
  const before = job.cursor;
  let cursor = before;
  // Having had nothing to look with is not "nothing found".
  if (cursor.targets.length === 0) return { cursor, park: "stuck", reason: NO_IDENTITY };
  const all = cursor.targets.map(({ identity }) => identity);
  const runs = job.action.each === "person" ? cursor.targets.slice(0, 1) : cursor.targets;
  /** What is odd about one thing of a person's keeps none of the others; it is said when they are done. */
  let odd: Extract<Stop, { park: string }> | undefined;

  for (const target of runs) {
    if (!isReady(target, ports.now())) continue;
    const own = ofTarget(job, target.identity);
    const order = orderOf(own, target.identity, all, before.epoch, ports.now());
    const evidence: Evidence[] = [];
    const send = sender(ports, own, evidence);
    const answered =
      target.state.at === "look"
        ? await stepped(lookSteps(job.action, order), send)
        : await stepped(actSteps(job.action, order, target), send);
    cursor = withEvidence(cursor, evidence);
    if ("problem" in answered) {
      const stopped = failed(answered.problem, progressed(before, cursor), cursor, ports);
      if (!("park" in stopped)) return stopped;
      odd ??= { park: stopped.park, reason: stopped.reason };
      continue;
    }
    const next =
      typeof answered.answer === "string"
        ? { cursor: sighted(answered.answer, target, cursor) }
        : answer(answered.answer, target, cursor, job, ports);
    cursor = next.cursor;
    if (next.stop === undefined) continue;
    if (!("park" in next.stop) || next.stop.park !== "stuck") return { cursor, ...next.stop };
    odd ??= next.stop;
  }
  if (odd === undefined) return concluded(cursor, job, ports);
  // What the holder works on, or is yet to be looked at, is not kept from its end either.
  const again = nextOf(cursor, runs.length, ports.now());
  return again === undefined ? { cursor, ...odd } : { cursor, again, state: "stuck", reason: odd.reason };
}

/** When there is next something to ask about or to look at; what was odd just now is nothing that time helps. */
function nextOf({ targets }: Cursor, runs: number, now: Instant): Instant | undefined {
  const times = targets
    .slice(0, runs)
    .flatMap(({ state }) => (state.at === "accepted" ? [state.askAt] : state.at === "look" ? [state.lookAt] : []))
    .filter((at) => at > now);
  return times.length === 0 ? undefined : Math.min(...times);
}

export const withEvidence = (cursor: Cursor, evidence: readonly Evidence[]): Cursor => ({
  ...cursor,
  evidence: [...cursor.evidence, ...evidence].slice(-MAX_EVIDENCE),
});

const NO_IDENTITY = "no identity to look with: link one with PUT /v1/subjects, or complete the task by hand";

export const isReady = ({ state }: Target, now: Instant): boolean =>
  state.at === "todo" ||
  (state.at === "look" && state.lookAt <= now) ||
  (state.at === "accepted" && state.askAt <= now);

export const progressed = (before: Cursor, after: Cursor): boolean =>
  after.targets.length > before.targets.length ||
  after.targets.some(({ state }, index) => state.at !== before.targets[index]?.state.at);

function* actSteps(action: SingleAction<Settings>, order: Order, target: Target): Steps<Answer> {
  if (target.state.at !== "accepted") return yield* action.run(order);
  if (action.check === undefined)
    return { outcome: "unforeseen", status: 0, what: "accepted work cannot be asked about" };
  return yield* action.check(target.state.reference, order);
}

export function* lookSteps(action: Pick<Action<Settings>, "look">, order: Order): Steps<Sight> {
  return action.look === undefined ? "no_view" : yield* action.look.run(order);
}

type Stop = Omit<Extract<Attempt, { again: number }>, "cursor"> | Omit<Extract<Attempt, { park: string }>, "cursor">;
type Next = { readonly cursor: Cursor; readonly stop?: Stop };

/** What an action's answer means for one identity, and whether the attempt ends here. */
export function answer(
  answer: Answer,
  target: Target,
  cursor: Cursor,
  job: Job,
  ports: Pick<Ports, "now" | "random">,
): Next {
  const now = ports.now();
  const move = (state: Target["state"], more: Partial<Cursor> = {}): Cursor => ({
    ...cursor,
    fails: 0,
    ...more,
    targets: cursor.targets.map((each) => (sameIdentity(each.identity, target.identity) ? { ...each, state } : each)),
  });
  switch (answer.outcome) {
    case "erased":
    case "revoked": {
      // The vendor says so; where it offers a read, a later look has the last word.
      const { look } = job.action;
      const { outcome: was } = answer;
      return look === undefined
        ? { cursor: move({ at: "done", answer: was }) }
        : // Only a look that finds nothing is progress: what is erased again and again is still there.
          { cursor: move({ at: "look", lookAt: now + look.afterSeconds * 1000, was }, { fails: cursor.fails }) };
    }
    case "stopped": {
      const { because } = answer;
      return { cursor: move({ at: "done", answer: "stopped", ...(because !== undefined && { because }) }) };
    }
    case "informed":
    case "not_found":
      return { cursor: move({ at: "done", answer: answer.outcome }) };
    case "retained": {
      const { keeps } = job.payload;
      const kept = answer.notBefore ?? (Object.hasOwn(keeps, answer.category) ? keeps[answer.category] : undefined);
      if (kept === undefined)
        return {
          cursor,
          stop: { park: "stuck", reason: `the holder keeps ${answer.category}, for which the policy has no rule` },
        };
      const state = { at: "done", answer: "retained", kept: { category: answer.category, ...kept } } as const;
      return { cursor: move(state, { residue: [...cursor.residue, ...answer.residue] }) };
    }
    case "accepted":
      return {
        cursor: move({ at: "accepted", reference: answer.reference, askAt: now + answer.askAfterSeconds * 1000 }),
      };
    case "awaits_completion":
      return { cursor, stop: { park: "accepted", reason: "the holder completes it through the API" } };
    case "found": {
      const fresh = answer.identities.filter(
        (identity) => !cursor.targets.some((each) => sameIdentity(each.identity, identity)),
      );
      const moved = move({ at: "gone" }, { learned: [...cursor.learned, ...fresh] });
      const targets = [...moved.targets, ...fresh.map((identity): Target => ({ identity, state: { at: "todo" } }))];
      return { cursor: { ...moved, targets }, stop: { again: now, state: "queued" } };
    }
    case "more":
      return { cursor: move({ at: "todo" }), stop: { again: now, state: "queued" } };
    case "slow_down":
      return { cursor, stop: { again: now, state: "queued", rest: now + answer.seconds * 1000 } };
    case "unforeseen":
      return {
        cursor: { ...(answer.anew === true ? move({ at: "todo" }) : cursor), epoch: cursor.epoch + 1 },
        stop: { park: "stuck", reason: described(answer.what, answer.status) },
      };
    case "unauthorized":
      return { cursor, stop: refused(answer.what, now) };
  }
}

const described = (what: string, status: number): string => `${what}${status > 0 ? ` (status ${status})` : ""}`;

/** A credential that is refused stops the lane; one call now and then finds out when it has been mended. */
const CREDENTIAL_REST_MS = 15 * 60_000;
const refused = (what: string, now: Instant): Stop => ({
  again: now,
  state: "stuck",
  reason: `credential refused: ${what}; mend it with PUT /v1/subprocessors`,
  rest: now + CREDENTIAL_REST_MS,
});

/** What a look found. Something that is still there is erased again, which counts as an attempt without progress. */
export function sighted(sight: Extract<Sight, string>, target: Target, cursor: Cursor): Cursor {
  const was = target.state.at === "look" ? target.state.was : undefined;
  const state: Target["state"] =
    sight === "present"
      ? { at: "todo" }
      : { at: "done", answer: was ?? "erased", ...(sight === "absent" && { looked: true as const }) };
  const targets = cursor.targets.map((each) =>
    sameIdentity(each.identity, target.identity) ? { ...each, state } : each,
  );
  return { ...cursor, targets, fails: sight === "present" ? cursor.fails + 1 : 0 };
}

/** All identities have been through one round: look later, try again, or end with the least finished of their answers. */
export function concluded(cursor: Cursor, job: Job, ports: Pick<Ports, "now" | "random">): Attempt {
  const now = ports.now();
  const states = (job.action.each === "person" ? cursor.targets.slice(0, 1) : cursor.targets).map(({ state }) => state);
  if (states.some(({ at }) => at === "todo")) return stillThere(cursor, ports);
  const asks = states.flatMap((state) => (state.at === "accepted" ? [state.askAt] : []));
  const looks = states.flatMap((state) => (state.at === "look" ? [state.lookAt] : []));
  if (asks.length > 0)
    return {
      cursor,
      again: Math.min(...asks, ...looks),
      state: "accepted",
      reason: "the holder works on it; we ask again",
    };
  if (looks.length > 0)
    return {
      cursor,
      again: Math.min(...looks),
      state: "queued",
      reason: `${cursor.targets.some(({ state }) => state.at === "look" && state.was === "revoked") ? "revoked" : "erased"}; we look again`,
    };

  const done = states.flatMap((state) => (state.at === "done" ? [state] : []));
  if (done.length === 0) return { cursor, park: "stuck", reason: NO_IDENTITY };
  const kept = keptOf(cursor);
  const has = (outcome: Answer["outcome"]) => done.some((state) => state.answer === outcome);
  const readBack = readBackOf(done);
  const retained = [...kept, ...(has("erased") || has("retained") ? residualsOf(job.integration, now) : [])];
  const reason = done.flatMap(({ because }) => because ?? [])[0];
  const end = (outcome: EndedTask["outcome"], level: Level): Attempt => ({
    cursor,
    end: {
      outcome,
      level,
      ...(retained.length > 0 && { retained }),
      ...(reason !== undefined && { reason }),
      ...(readBack !== undefined && { read_back: readBack }),
    },
  });
  if (has("retained")) return end("retained", "retained");
  if (has("erased")) return end("erased", readBack === "all" ? "verified_absent" : "deleted_reported");
  if (has("revoked")) return end("revoked", "revoked");
  // Where a reason stands in for the holder's word, the holder has said nothing.
  if (has("stopped")) return end("stopped", reason === undefined ? "deleted_reported" : "attested");
  if (has("informed")) return end("informed", "attested");
  // A person's own system only says so; a search that finds nothing, or a 404 for the very id, was seen by us.
  return end("not_found", job.action.each === "person" ? "deleted_reported" : "verified_absent");
}

/** Of what the holder says that it erased: how much a later look did not find. What it was only told of beside that was not seen. */
function readBackOf(done: readonly Extract<Target["state"], { at: "done" }>[]): EndedTask["read_back"] {
  if (!done.some(({ answer }) => answer === "erased")) return undefined;
  const said = done.filter(({ answer }) => answer === "erased" || answer === "informed" || answer === "stopped");
  const seen = said.filter(({ looked }) => looked === true).length;
  return seen === said.length ? "all" : seen === 0 ? "none" : "part";
}

/** What was to be gone, and is not, is erased again. */
export const stillThere = (cursor: Cursor, ports: Pick<Ports, "now" | "random">): Attempt => ({
  cursor,
  again: ports.now() + backoffMs(cursor.fails, randomOf(ports)),
  state: cursor.fails >= STUCK_AFTER ? "stuck" : "queued",
  reason: "it was still there at a later look",
});

/** Time-outs and the vendor's own trouble are no answer: nothing is claimed, and the order comes back later. */
export function failed(
  problem: Stopped,
  progress: boolean,
  cursor: Cursor,
  ports: Pick<Ports, "now" | "random">,
): Attempt {
  const now = ports.now();
  switch (problem.reason) {
    case "throttled":
      return {
        cursor,
        again: now,
        state: "queued",
        reason: "the holder asked us to slow down",
        rest: now + problem.rest,
      };
    case "credential":
      return { cursor, ...refused("the holder answered 401", now) };
    case "cannot_sign":
      return { cursor, ...refused("the key that was entered cannot sign, so nothing was sent", now) };
    // The next claim says whether there is more today; waiting for tomorrow is no failure.
    case "out_of_quota":
      return { cursor, again: now, state: "queued", reason: "the holder allows no more calls today" };
    case "broken":
    case "forbidden_address":
      return {
        cursor,
        park: "stuck",
        reason: problem.reason === "broken" ? problem.what : `calls to ${problem.host} are not allowed`,
      };
    case "out_of_time":
    case "timed_out":
    case "connection_failed":
    case "too_large":
    case "vendor_down": {
      const fails = progress ? 1 : cursor.fails + 1;
      const reason = `${problem.reason.replaceAll("_", " ")}${"status" in problem ? ` (status ${problem.status})` : ""}, ${fails} times`;
      const rest = "rest" in problem && problem.rest !== undefined ? { rest: now + problem.rest } : {};
      const again = now + backoffMs(fails, randomOf(ports));
      const hung = problem.reason === "timed_out" ? { hung: true as const } : {};
      // A definite error may be kept under its idempotency key and be given again; a lost answer never changes the key.
      const epoch = problem.reason === "vendor_down" ? cursor.epoch + 1 : cursor.epoch;
      return {
        cursor: { ...cursor, fails, epoch },
        again,
        state: fails >= STUCK_AFTER ? "stuck" : "queued",
        reason,
        ...rest,
        ...hung,
      };
    }
  }
}

/** A connection is acted on with its own tokens, and where its account lies; what was published, wherever one of the person's does. */
function ofTarget<J extends Job>(job: J, { type, value }: Identity): J {
  const grant = type === CONNECTION ? job.grants?.get(value) : undefined;
  const { oauth } = job.integration;
  const site = isAbsent(oauth) ? undefined : oauth.site;
  return {
    ...job,
    ...(site !== undefined && grant?.site !== undefined && { settings: { ...job.settings, [site]: grant.site } }),
    discovered: Object.values(grant?.server ?? {}),
    homes: (job.theirs?.grants ?? []).flatMap((each) => homeOf(each) ?? []),
  };
}

export function orderOf(
  job: Job,
  identity: Identity,
  identities: readonly Identity[],
  epoch: number,
  now: Instant,
): Order {
  const { payload, settings } = job;
  const grant = identity.type === CONNECTION ? job.grants?.get(identity.value) : undefined;
  return {
    settings,
    identity,
    identities,
    ...(grant !== undefined && { grant }),
    ...(job.theirs !== undefined && { grants: job.theirs.grants }),
    ...(job.theirs?.isPart === true && { grantsMissing: true }),
    ...(payload.task.scope !== undefined && { scope: payload.task.scope }),
    requestId: payload.request,
    taskId: payload.task.id,
    requestedAt: payload.receivedAt,
    attemptedAt: rfc3339(now),
    keeps: new Set(Object.keys(payload.keeps)),
    idempotencyKey: (step) => `${payload.request}/${payload.task.id}/${step}/${epoch}`.slice(0, 255),
  };
}
