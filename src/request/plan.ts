import { connectionsIn } from "../connections/connection.ts";
import { isShared } from "../connections/sibling.ts";
import type { Identity } from "../contract/identity.ts";
import {
  type Action,
  type ActionName,
  actionWith,
  type Instructions,
  type Integration,
  isAbsent,
} from "../contract/integration.ts";
import { CONNECTION } from "../contract/oauth.ts";
import type { Kept } from "../contract/outcome.ts";
import type { Settings } from "../contract/settings.ts";
import type { Instant } from "../ids.ts";
import { isFilledIn, type Subprocessor } from "../registry/subprocessor.ts";
import type { Tenant } from "../registry/tenant.ts";
import { days, keptUntil, rfc3339 } from "./deadline.ts";
import { isHeld } from "./hold.ts";
import type { RequestRecord } from "./request.ts";
import type { EndedTask, OpenTask } from "./task.ts";

/** What a subject's record adds to the identities that a request came with. */
export type KnownIdentity = Identity & {
  readonly subprocessor?: string;
  /** The person's own account there, and no object that is held for them. */
  readonly account?: true;
};

/** What may be kept at one subprocessor: category → until when, on which ground. */
export type Keeps = Readonly<Record<string, { readonly until: string; readonly ground: string }>>;

export type Planned =
  | {
      readonly what: "order" | "wait";
      readonly task: OpenTask;
      readonly identities: readonly Identity[];
      /** The person's connections here, where it is done with their grants. */
      readonly connections?: readonly Identity[];
      readonly keeps: Keeps;
      /** The tasks that have to end first. */
      readonly after: readonly string[];
    }
  | { readonly what: "open"; readonly task: OpenTask }
  | { readonly what: "ended"; readonly task: EndedTask; readonly owes: readonly Identity[] };

type Ordered = Extract<Planned, { what: "order" | "wait" }>;

type Asked = Pick<
  RequestRecord,
  "type" | "authority" | "scope" | "endedByHolder" | "unpublish" | "received_at" | "due_at" | "subject" | "continues"
>;

/** All that a plan is made from. */
type Case = {
  readonly request: Asked;
  readonly tenant: Pick<Tenant, "subprocessors" | "policy" | "holds">;
  readonly known: readonly KnownIdentity[];
  readonly now: Instant;
  /** The closed erasure that this person went with, if nothing is known of them any more for that reason. */
  readonly earlier: Earlier | undefined;
  /** Accounts of the person, with the subprocessor, that somebody else has connected there too. */
  readonly shared: readonly KnownIdentity[];
  readonly drafts: readonly Draft[];
};

/**
 * Who does what for a request. Pure, and the very same for a dry run: over every subprocessor in the registry, retired
 * ones included, because whoever held data gets the erasure.
 */
export function plan(
  request: Asked,
  tenant: Case["tenant"],
  integrations: Integrations,
  known: readonly KnownIdentity[],
  now: Instant,
  { earlier, shared = [] }: { readonly earlier?: Earlier | undefined; readonly shared?: Case["shared"] } = {},
): readonly Planned[] {
  const entries = Object.values(tenant.subprocessors).map((subprocessor) => ({
    subprocessor,
    integration: integrations.get(subprocessor.integration),
  }));
  const drafts = entries.flatMap(({ subprocessor, integration }) =>
    integration === undefined ? [] : draftsFor(request, subprocessor, integration),
  );
  const unknown = entries.flatMap(({ subprocessor, integration }) =>
    integration === undefined && isConcerned(request, subprocessor) ? [unknownIntegration(request, subprocessor)] : [],
  );
  const given: Case = { request, tenant, known, now, earlier, shared, drafts };
  return [...waiting(drafts.flatMap((draft) => deciders[draft.name](draft, given))), ...unknown];
}

function erasure(draft: Draft, given: Case): Planned[] {
  if (draft.action === undefined) return [byPerson(draft, given)];
  const identities = usable(draft, given.known);
  const hold = identities.length === 0 ? undefined : holdOn(draft, given);
  if (hold !== undefined) {
    const retained = [{ category: "all", until: hold.reviewAt, ground: "legal_hold" }];
    const reason = "a legal hold stops this erasure";
    return [ended(draft, given, { outcome: "retained", level: "retained", retained, reason }, identities)];
  }
  if (identities.length > 0) return [ordered(draft, given, identities)];
  const lessons = teachers(draft, given);
  if (lessons.length > 0) return [ordered(draft, given, [], lessons)];
  return [endedBefore(draft, given) ?? nothingKnown(draft, given)];
}

/**
 * What was registered as published goes, and of nothing else anything is claimed. Where no API deletes it, nothing can be registered, so that
 * a person has to look for whoever has a grant there.
 */
function unpublishing(draft: Draft, given: Case): Planned[] {
  const identities = usable(draft, given.known);
  const connections = connectionsOf(draft, given.known);
  if (draft.action === undefined) return connections.length === 0 ? [] : [byPerson(draft, given)];
  if (identities.length === 0) return [];
  // On the day that the hold is lifted there is no grant any more to do it with, unless its revocation waits as well.
  if (holdOn(draft, given) !== undefined)
    return [stuck(draft, given, "a legal hold stops this: retry it when the hold is lifted, or complete it by hand")];
  if (connections.length === 0)
    return [
      stuck(
        draft,
        given,
        "no connection of this person is kept here, and only their own grant can delete what was published: ask them to do it, and complete the task by hand",
      ),
    ];
  return [{ ...ordered(draft, given, identities), connections }];
}

/** After whatever is done with the grant. */
function revocation(draft: Draft, given: Case): Planned[] {
  const { subprocessor, action } = draft;
  const { request, known, drafts } = given;
  if (action === undefined) return [byPerson(draft, given)];
  const isNamed = request.type === "revocation" && subprocessor.id === request.scope;
  const isOver = request.endedByHolder === true && subprocessor.id === request.scope;
  // Where tokens are held, the holder's word is tried: what it answers to them is kept as evidence.
  const all = isOver ? connectionsIn(usable(draft, known)) : usable(draft, known);
  // The vendor would end what others have granted with the account, too: of theirs, nobody has asked for that.
  const identities = all.filter((each) => !isShared(given.shared, subprocessor.id, each));
  if (all.length > 0 && identities.length === 0) {
    const reason = "the vendor would end another's connection of this account with it, which is in use";
    return [ended(draft, given, { outcome: "stopped", level: "attested", reason })];
  }
  if (isOver && identities.length === 0) {
    const reason = "the holder itself said that the grant has ended";
    return [ended(draft, given, { outcome: "revoked", level: "revoked", reason })];
  }
  const after = drafts
    .filter((other) => other.subprocessor === subprocessor && other.name !== "revoke")
    .map(({ id }) => id);
  if (identities.length > 0) return [ordered(draft, given, identities, after)];
  const lessons = teachers(draft, given);
  if (lessons.length > 0) return [ordered(draft, given, [], [...new Set([...after, ...lessons])])];
  const before = endedBefore(draft, given);
  if (before !== undefined) return [before];
  // Every connection is kept here, so that of a holder which knows no others nothing else can be held.
  if (action.by !== "any" && action.by.every((type) => type === CONNECTION)) {
    const reason = "no connection of this person is kept here";
    return request.type === "revocation"
      ? [ended(draft, given, { outcome: "not_found", level: "attested", reason })]
      : [];
  }
  // A grant is known by its identity: where there is none, nothing was granted.
  return isNamed ? [noIdentity(draft, given)] : [];
}

const deciders = { erase: erasure, unpublish: unpublishing, revoke: revocation } as const satisfies Readonly<
  Record<ActionName, (draft: Draft, given: Case) => Planned[]>
>;

const taskOf = ({ id, name, subprocessor, integration, scope }: Draft, { request }: Case) => ({
  id,
  subprocessor: subprocessor.id,
  integration: integration.id,
  action: name,
  ...(scope !== undefined && { scope }),
  attempts: 0,
  due_at: request.due_at,
});

const ordered = (
  draft: Draft,
  given: Case,
  identities: readonly Identity[],
  after: readonly string[] = [],
): Ordered => ({
  what: "order",
  task: { ...taskOf(draft, given), state: "queued" },
  identities,
  keeps: given.request.continues === undefined ? keepsAt(draft, given) : {},
  after,
});

const ended = (
  draft: Draft,
  given: Case,
  how: Pick<EndedTask, "outcome" | "level" | "reason" | "retained" | "see">,
  owes: readonly Identity[] = [],
): Planned => ({
  what: "ended",
  task: { ...taskOf(draft, given), state: "ended", ended_at: rfc3339(given.now), ...how },
  owes,
});

const stuck = (draft: Draft, given: Case, reason: string): Planned => ({
  what: "open",
  task: { ...taskOf(draft, given), state: "stuck", reason },
});

function byPerson(draft: Draft, given: Case): Planned {
  const isHeldBack = draft.name !== "revoke" && holdOn(draft, given) !== undefined;
  const reason = isHeldBack ? "no API does this; not before the legal hold is lifted" : "no API does this";
  const byInstructions = byHand(draft, given.request);
  return {
    what: "open",
    task: { ...taskOf(draft, given), action: "manual", state: "manual", reason, ...byInstructions },
  };
}

const holdOn = ({ subprocessor }: Draft, { tenant, request }: Case) =>
  isHeld(tenant.holds, request.subject, subprocessor.id);

/**
 * The erasures from whose answers a task may learn what it needs. Only erasures teach: a revocation waits for its own erasure, and
 * waiting for it in turn would be a circle.
 */
function teachers({ id: pupil, action }: Draft, given: Case): readonly string[] {
  if (action === undefined || action.by === "any") return [];
  const { by } = action;
  return given.drafts
    .filter(({ name, id }) => name === "erase" && id !== pupil)
    .filter((draft) => draft.action?.learns?.some((type) => by.includes(type)) === true)
    .filter((draft) => usable(draft, given.known).length > 0 && holdOn(draft, given) === undefined)
    .map(({ id }) => id);
}

/** Where an earlier erasure has taken all that is known of the person: what came of this very task then. */
function endedBefore(draft: Draft, given: Case): Planned | undefined {
  const { earlier } = given;
  const before = endsBefore(earlier, draft.id);
  const isGone = before.length > 0 && before.every(({ outcome }) => GONE.has(outcome) || outcome === "retained");
  if (earlier === undefined || !isGone) return undefined;
  const { request: see } = earlier;
  if (!before.some(({ outcome }) => outcome === "retained"))
    return ended(draft, given, {
      outcome: "not_found",
      level: "attested",
      reason: `erased before, by ${see}`,
      see,
    });
  const retained = before.flatMap((each) => each.retained ?? []);
  return ended(draft, given, {
    outcome: "retained",
    level: "retained",
    reason: `see ${see}`,
    see,
    ...(retained.length > 0 && { retained }),
  });
}

/** Nothing is known to look with: which says something only of a holder all of whose objects are registered here. */
function nothingKnown(draft: Draft, given: Case): Planned {
  // What was registered before an earlier erasure is forgotten, and says nothing where that erasure came to nothing.
  const isTelling = draft.subprocessor.registersObjects && endsBefore(given.earlier, draft.id).length === 0;
  const reason = "the controller registers every object that it creates here, and none is registered";
  return isTelling
    ? ended(draft, given, { outcome: "not_found", level: "attested", reason })
    : noIdentity(draft, given);
}

function noIdentity(draft: Draft, given: Case): Planned {
  const { by = "any" } = draft.action ?? {};
  const types = by === "any" ? "any identity" : `one of ${by.join(", ")}`;
  return stuck(
    draft,
    given,
    `no identity to look with: link ${types} with PUT /v1/subjects, complete the task by hand, or say with registers_objects that all objects here are registered`,
  );
}

const isConcerned = (
  { type, authority, scope }: Pick<RequestRecord, "type" | "authority" | "scope">,
  { id }: Subprocessor,
): boolean => (type !== "revocation" && authority === "everywhere") || scope === id;

/** A holder whose integration this version does not have is still a holder: a person has to see to it. */
const unknownIntegration = (request: Pick<RequestRecord, "due_at">, { id, integration }: Subprocessor): Planned => ({
  what: "open",
  task: {
    id: `${id}.erase`,
    subprocessor: id,
    integration,
    action: "erase",
    attempts: 0,
    due_at: request.due_at,
    state: "stuck",
    reason: `this version has no integration ${integration}: complete the task by hand, or deploy a version that has it`,
  },
});

/** Whatever waits for a task that has ended already, or was not planned at all, does not wait. */
function waiting(planned: readonly Planned[]): readonly Planned[] {
  const open = new Set(planned.flatMap(({ what, task }) => (what === "ended" ? [] : [task.id])));
  return planned.map((each) => {
    if (each.what !== "order" && each.what !== "wait") return each;
    const after = each.after.filter((id) => open.has(id));
    if (after.length === 0) return { ...each, what: "order", after };
    return waitingFor(each, after);
  });
}

/** The same, once these have ended. */
export const waitingFor = (each: Ordered, after: readonly string[]): Ordered => ({
  ...each,
  what: "wait",
  after,
  task: { ...each.task, state: "waiting", reason: `waits for ${after.join(", ")}` },
});

/** How an earlier erasure of the same person ended, task by task. */
export type Earlier = {
  readonly request: string;
  readonly ended: ReadonlyMap<string, { readonly outcome: string; readonly retained?: readonly Kept[] }>;
};

/** After these ends there is nothing left to look for. */
const GONE: ReadonlySet<string> = new Set(["erased", "revoked", "stopped", "not_found"]);

/** How a task of an earlier erasure ended, and whatever joined it later (`<id>.2`). */
const endsBefore = (earlier: Earlier | undefined, id: string) =>
  [...(earlier?.ended ?? [])].flatMap(([task, end]) => (task === id || task.startsWith(`${id}.`) ? [end] : []));

export type Integrations = ReadonlyMap<string, Integration>;

type Draft = {
  readonly id: string;
  readonly name: ActionName;
  readonly subprocessor: Subprocessor;
  readonly integration: Integration;
  /** Undefined: a person has to do it, by these instructions. */
  readonly action: Action<Settings> | undefined;
  readonly instructions?: Instructions;
  readonly scope?: string;
};

/** What a person is told to do, and by when: the tenant may set fewer days than the law gives, and never more. */
function byHand(
  { instructions = "", subprocessor: { settings } }: Draft,
  { received_at, due_at }: Pick<RequestRecord, "received_at" | "due_at">,
): Pick<OpenTask, "instructions" | "due_at"> {
  if (typeof instructions === "string") return { instructions, due_at };
  const said = (setting: string | undefined) => (setting === undefined ? undefined : settings[setting]);
  const contact = said(instructions.contact);
  const lines = [said(instructions.setting), contact === undefined ? undefined : `Contact: ${contact}`];
  const within = Number(said(instructions.withinDays) ?? Number.NaN);
  const own = Date.parse(received_at) + days(within);
  return {
    instructions: lines.filter((line) => line !== undefined).join("\n"),
    due_at: own < Date.parse(due_at) ? rfc3339(own) : due_at,
  };
}

function draftsFor(
  request: Pick<RequestRecord, "type" | "authority" | "scope" | "unpublish">,
  subprocessor: Subprocessor,
  integration: Integration,
): Draft[] {
  const own = request.scope === undefined || request.scope === subprocessor.id;
  if (request.authority === "here" && !own && request.type !== "revocation") return [];
  const unpublish = request.unpublish === true ? (["unpublish"] as const) : [];
  const names: readonly ActionName[] = request.type === "revocation" ? ["revoke"] : ["erase", ...unpublish, "revoke"];
  return names.flatMap((name): Draft[] => {
    const declared = integration.actions[name];
    if (declared === undefined) return [];
    const action = actionWith(declared, isFilledIn(subprocessor));
    const draft = { id: `${subprocessor.id}.${name}`, name, subprocessor, integration };
    if (request.type === "revocation" && !own && (isAbsent(action) || action.followsOthers !== true)) return [];
    if (isAbsent(action))
      return action.instructions === undefined
        ? []
        : [{ ...draft, action: undefined, instructions: action.instructions }];
    if (request.type === "revocation") {
      if (!own && action.followsOthers !== true) return [];
      return [{ ...draft, action, ...(request.scope !== undefined && { scope: request.scope }) }];
    }
    // Own systems hear of an erasure once: their revocation is for the end of somebody else's grant.
    return action.followsOthers === true ? [] : [{ ...draft, action }];
  });
}

/** The identities by which a task can look: of its types, and registered for this subprocessor or for none. */
const usable = ({ action, subprocessor }: Draft, known: readonly KnownIdentity[]): Identity[] =>
  known
    .filter((identity) => identity.subprocessor === undefined || identity.subprocessor === subprocessor.id)
    .filter(({ type }) => action !== undefined && (action.by === "any" || action.by.includes(type)))
    .map(({ type, value }) => ({ type, value }));

const connectionsOf = ({ subprocessor }: Draft, known: readonly KnownIdentity[]): Identity[] =>
  connectionsIn(known)
    .filter((connection) => connection.subprocessor === subprocessor.id)
    .map(({ type, value }) => ({ type, value }));

function keepsAt({ subprocessor, integration }: Draft, { request, tenant: { policy } }: Case): Keeps {
  const received = Date.parse(request.received_at);
  return Object.fromEntries(
    policy.retention
      .filter(({ category }) => integration.retainable.includes(category))
      .filter(({ subprocessors }) => subprocessors?.includes(subprocessor.id) ?? true)
      .map((rule) => [
        rule.category,
        { until: rfc3339(keptUntil(received, rule, policy.zone)), ground: `${rule.ground}: ${rule.law}` },
      ]),
  );
}

/** What the holder itself keeps for a while, counted from the end of the task. */
export const residualsOf = (integration: Integration, now: Instant) =>
  integration.residuals.map(({ category, days: count, ground }) => ({
    category,
    until: rfc3339(now + days(count)),
    ground,
  }));
