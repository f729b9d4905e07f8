import type { Result } from "../result.ts";
import type { Call, Reply } from "./call.ts";
import type { Challenge, Handshake, Offer } from "./challenge.ts";
import type { Check } from "./check.ts";
import type { Identity } from "./identity.ts";
import type { Grant, OAuth } from "./oauth.ts";
import type { Answer, Sight } from "./outcome.ts";
import type { Settings, SettingValues } from "./settings.ts";
import type { Read, Reading, SignalType, Unreadable } from "./signal.ts";
import type { Confirmation, Stream } from "./stream.ts";
import type { Transmitter } from "./transmitter.ts";
import type { Verification } from "./verification.ts";

/** Something that a vendor does not have, with the reason and where it says so. Never simply missing. */
export type Absent = { readonly absent: string; readonly source: string; readonly instructions?: Instructions };

/**
 * How a person does it by hand: text of the integration's own, or the names of the text settings in which the tenant says what
 * to do, whom to write to, and within how many days of the request.
 */
export type Instructions =
  | string
  | { readonly setting: string; readonly contact?: string; readonly withinDays?: string };

/** `instructions` tell a person how to do by hand what no API does; without them there is nothing to be done. */
export const absent = (reason: string, source: string, instructions?: Instructions): Absent =>
  instructions === undefined ? { absent: reason, source } : { absent: reason, source, instructions };

export const isAbsent = (value: object): value is Absent => "absent" in value;

/**
 * What a signal may cause where the tenant's policy says nothing else: `record` notes it, `here` acts on that
 * vendor's own scope, `everywhere` on every subprocessor.
 */
export type Authority = "record" | "here" | "everywhere";

export type Hook = {
  /** The page that states the wire format. */
  readonly source: string;
  readonly verify: Verification;
  /** Content types without parameters; anything else is refused. */
  readonly contentTypes: readonly [ContentType, ...ContentType[]];
  readonly read: Read;
  /**
   * Every signal type that `read` may give stands here. `content_deleted` opens no request: whatever stands here, it is told
   * to those who take content deletions, unless the tenant's policy says `record`.
   */
  readonly authority: Partial<Readonly<Record<SignalType, Authority>>>;
  /** Where the vendor's terms set a time for honouring a signal, counted from its receipt: the request is due by then at the latest. */
  readonly deadlines?: Partial<Readonly<Record<SignalType, { readonly hours: number; readonly source: string }>>>;
  /** Where nobody vouches for what is told: what has to be asked first. Until then the request is held. */
  readonly confirm?: Confirmation;
  readonly challenges?: readonly Challenge[];
  /** Where it has to be said by a call of ours that deliveries are wanted. */
  readonly handshake?: Handshake;
  /** Where the vendor tells the key by a delivery. */
  readonly offer?: Offer;
  /** The sender keeps a stream that can be managed and polled; `verify` is then of scheme `jwt`. */
  readonly transmitter?: Transmitter;
  /** What the vendor wants to hear: a status, or a JSON body with 200 that may name the status page. Otherwise 202. */
  readonly answer?:
    | 200
    | 204
    | ((receipt: { readonly statusUrl: string; readonly code: string }) => Readonly<Record<string, string>>);
  /** What the vendor's review or retry logic wants to see where its proof fails. Otherwise 401. */
  readonly refusal?: Refusal;
  /** For how long the sender repeats what was not accepted; shown to operators, and the least time a delivery is remembered. */
  readonly retriesForHours: number | "unknown";
  /** The documented kinds of delivery, for people who set the hook up. */
  readonly events: readonly string[];
};

/**
 * A file that the vendor gives for download instead of calling us: JSON lines, each of which says itself what happened to
 * whom. Nobody has signed it; whoever hands it over answers for it.
 */
export type List = Pick<Hook, "authority" | "deadlines" | "source" | "events"> & {
  /** What one line tells. The same line gives the same ids, so that a list may be handed over again. */
  readonly read: (line: string, receivedAt: number) => Result<Reading, Unreadable>;
};

/** `secevent` is 400 with the error body that RFC 8935 section 2.3 asks for. */
export type Refusal = { readonly status: 400 | 401 | 403 | 412 | "secevent"; readonly source: string };

export type ContentType =
  | "application/json"
  | "application/x-www-form-urlencoded"
  | "application/secevent+jwt"
  | "application/jwt"
  | "text/plain";

/** What an attempt is handed for one identity (or, where an action takes the whole person, for all of them). */
export type Order<S extends Settings = Settings> = {
  readonly settings: SettingValues<S>;
  readonly identity: Identity;
  readonly identities: readonly Identity[];
  /** The connection's tokens, where the identity is one; read with `grantOf`. */
  readonly grant?: Grant;
  /** For `unpublish`: all that the person has granted here, of which one is of the account that published it; tried with `byOneOf`. */
  readonly grants?: readonly Grant[];
  /** The person had granted more than these here, by other accounts too, and what is gone can act and look no more. */
  readonly grantsMissing?: true;
  /** Of what, when not of everything: the integration whose grant ended. */
  readonly scope?: string;
  readonly requestId: string;
  readonly taskId: string;
  /** When the request was received, RFC 3339 in UTC. */
  readonly requestedAt: string;
  /** When this attempt began, RFC 3339 in UTC. */
  readonly attemptedAt: string;
  /** The categories that the tenant's policy keeps here; what is not among them is to be erased now. */
  readonly keeps: ReadonlySet<string>;
  /** A key for one step, the same for each repetition of it until the vendor has definitely refused it. */
  readonly idempotencyKey: (step: string) => string;
};

export type Steps<A> = Generator<Call, A, Reply>;

type ActionFacts = {
  readonly source: string;
  /** The identity types that this action can look with, or "any" for holders that know the person as the tenant does. */
  readonly by: readonly string[] | "any";
  /** One run an identity, or one for the whole person. */
  readonly each: "identity" | "person";
  /** The identity types that its replies may teach: tasks that need one of them wait for this one. */
  readonly learns?: readonly string[];
  /** Also asked when another vendor's grant ends, because data got under it may lie here. */
  readonly followsOthers?: boolean;
  /**
   * Settings that may be left out, because the integration serves without this action too; where one of them is, this
   * action is absent.
   */
  readonly needs?: { readonly settings: readonly string[]; readonly otherwise: Absent };
};

/** One call, or a few, for one identity or one person. */
export type SingleAction<S extends Settings> = ActionFacts & {
  /** Each attempt starts from the top, so each step bears repeating. */
  run(order: Order<S>): Steps<Answer>;
  /** Asks about work that was accepted. */
  check?(reference: string, order: Order<S>): Steps<Answer>;
  readonly look?: Look<S>;
};

/** Looks again after `afterSeconds`, one identity at a time; `erased` is final only when it finds nothing. */
export type Look<S extends Settings> = { readonly afterSeconds: number; run(order: Order<S>): Steps<Sight> };

/**
 * One call for the identities of many requests. The core fixes a batch's members before the call and repeats it with the
 * same members and the same key until its answer is known, so `run` makes the same call of the same orders.
 */
export type BulkAction<S extends Settings> = ActionFacts & {
  readonly each: "identity";
  readonly bulk: {
    /** Identities that one call takes. */
    readonly most: number;
    /** An answer for each order, in their order. An answer that stops the lane stops it for all. */
    run(orders: readonly Order<S>[], idempotencyKey: string): Steps<readonly Answer[]>;
    /** Asks once about a piece of accepted work, for all orders that wait for it; two may be of one identity. */
    check?(reference: string, orders: readonly Order<S>[]): Steps<readonly Answer[]>;
  };
  readonly look?: Look<S>;
};

export type Action<S extends Settings> = SingleAction<S> | BulkAction<S>;

export const isBulk = <S extends Settings>(action: Action<S>): action is BulkAction<S> => "bulk" in action;

/** The action as it stands with the settings that are filled in. */
export const actionWith = (
  action: Action<Settings> | Absent,
  isSet: (setting: string) => boolean,
): Action<Settings> | Absent =>
  isAbsent(action) || action.needs === undefined || action.needs.settings.every(isSet)
    ? action
    : action.needs.otherwise;

/** `unpublish` deletes what the tenant has published for the person in their own account there. */
export type ActionName = "erase" | "unpublish" | "revoke";

/** What the holder itself keeps for a while after an erasure, whatever we ask. */
export type Residual = {
  readonly category: string;
  readonly days: number;
  readonly ground: string;
  readonly source: string;
};

export type Integration<S extends Settings = Settings> = {
  /** Kebab-case; equals the file's name. */
  readonly id: string;
  readonly name: string;
  readonly about: string;
  /**
   * Where its calls may go: `https://{subdomain}.vendor.example` where the setting `subdomain` is a `dnsLabel`. `endpoint`
   * settings add the customer's own.
   */
  readonly origins: readonly string[];
  readonly settings: S;
  /** Its own identity types, with what each is. A hook speaks only for these. */
  readonly identities: Readonly<Record<string, string>>;
  readonly hooks: Readonly<Record<string, Hook>> | Absent;
  /** What it tells everybody, for us to listen to. Their names and those of hooks are not alike. */
  readonly streams?: Readonly<Record<string, Stream>>;
  /** How a person's grant is got; what is got is revoked by the action `revoke`, with the identity type `connection`. */
  readonly oauth: OAuth<NoInfer<S>> | Absent;
  /** What it gives for download, for an operator to hand over. Their names and those of hooks and streams are not alike. */
  readonly lists?: Readonly<Record<string, List>>;
  readonly actions: Readonly<Record<Exclude<ActionName, "unpublish">, Action<S> | Absent>> & {
    /**
     * One run for each thing published, with the person's own grants; done only where the request says so, because what is in
     * people's accounts is theirs. Missing where nothing is published with a grant.
     */
    readonly unpublish?: (SingleAction<S> & { readonly each: "identity" }) | Absent;
  };
  /**
   * Where the vendor's terms set a time for what a person asks of the tenant itself, counted from the request: it is due by then at
   * the latest for whoever is known there. Hooks have times of their own, for what the vendor tells.
   */
  readonly requestDeadline?: { readonly hours: number; readonly source: string };
  readonly residuals: readonly Residual[];
  readonly duties?: Readonly<Record<string, Duty>>;
  /** The data categories in which it holds records that law may make a tenant keep. */
  readonly retainable: readonly string[];
  /** Shows that the settings work; run before they are stored. Refusal is an answer other than `informed`. */
  probe?(settings: SettingValues<S>, challenge: string): Steps<Answer>;
  /** A harmless read that shows whether the credentials work and have the rights that the actions need. Undefined: none yet. */
  readonly check?: Check<S> | Absent;
  /** Tells the holder that something happened to a request (thin: ids only). */
  notify?(settings: SettingValues<S>, notice: Notice): Steps<Answer>;
  /**
   * Tells the holder which posts, files and the like are gone at the places where they came from, so that it erases its
   * copies: in one call, which `informed` ends. A repeated batch is the very same, under the same id.
   */
  content?(settings: SettingValues<S>, batch: ContentBatch): Steps<Answer>;
  /** Requests a second that the vendor allows this account, and how many it answers at once. */
  readonly limits: {
    readonly perSecond?: number;
    readonly connections: number;
    /**
     * Requests a day that the vendor allows this account. `resets` is the zone at whose midnight they are counted anew, or
     * `rolling`: any 24 hours, or not known. A tenant whose own agreement differs enters its `quota`.
     */
    readonly perDay?: { readonly calls: number; readonly resets: string; readonly source: string };
    /**
     * The settings that name the vendor account which the limits are of, where several subprocessors may share one: when it
     * asks for rest, all of them rest. `family` where other integrations share it too.
     */
    readonly account?: { readonly settings: readonly Extract<keyof S, string>[]; readonly family?: string };
  };
};

/** What a holder with `notify` is told: `type` such as `receipt.issued`, `at` in RFC 3339, and ids, never a person's. */
export type Notice = {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, string>>;
};

/**
 * What a vendor's terms want done again and again with what was got from it, because the vendor does not tell when something
 * is gone there. Own systems are reminded each time, as `duty.due`.
 */
export type Duty = { readonly everyHours: number; readonly what: string; readonly source: string };

/** Deleted content, at most a thousand items. `at`, when the batch was made, and `deletedAt` are RFC 3339 in UTC. */
export type ContentBatch = { readonly id: string; readonly at: string; readonly items: readonly ContentItem[] };

export type ContentItem = {
  /** The vendor's own identity type and id of it. */
  readonly type: string;
  readonly id: string;
  /** Who told us: `<subprocessor>/<endpoint>`. */
  readonly source: string;
  readonly deletedAt: string;
};

/** Checks the types of one integration against each other; it returns what it is given. */
export const defineIntegration = <const S extends Settings>(integration: Integration<S>): Integration<S> => integration;
