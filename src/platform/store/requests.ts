import type { Instant, RequestId, TenantNumber } from "../../ids.ts";
import { ECHO_MS } from "../../lanes/echo.ts";
import type { SupersededBy } from "../../request/generation.ts";
import { keys, laneName } from "../keys.ts";
import type { Answer, Command, RedisClient } from "../redis.ts";
import { AUDIT, CANCEL, RESTART, SCHEDULE, TELL } from "../scripts/cancel.ts";
import { CLOSE } from "../scripts/close.ts";
import { OPEN } from "../scripts/open.ts";
import { RECORD } from "../scripts/record.ts";
import { READY } from "../scripts/shared.ts";
import {
  AWAKE_MS,
  gatewayOf,
  laneKeys,
  orderId,
  readSettled,
  type Settled,
  type Settlement,
  settleCommand,
  texts,
} from "./lanes.ts";
import { contentCommand, type KeptContent, type NewContent, readKept } from "./new-content.ts";

export type NewRequest = {
  readonly n: TenantNumber;
  readonly version: string;
  readonly now: Instant;
  readonly id: RequestId;
  /** Where the ceiling counts it; undefined where none applies. */
  readonly ceiling?: { readonly source: string; readonly most: number };
  readonly identities: readonly { readonly index: string; readonly suppression: string }[];
  /** When it happened at the sender; 0 where age does not matter. */
  readonly signalAt: Instant;
  /** The subprocessor that may be reporting our own act back to us; "" where that cannot be. */
  readonly echoOf: string;
  /** The subprocessor whose later word that the account was restored takes this back; "" where nobody's does. */
  readonly heeds: string;
  /** The subprocessor that says that the account was restored, and when; "" where this says something else. */
  readonly restores: string;
  readonly restoredAt: Instant;
  readonly here: boolean;
  /** Only to be noted: the policy lets it cause nothing. */
  readonly noteOnly: boolean;
  /** To be held, with an order to find out whether it is so. */
  readonly confirms?: boolean;
  /** Only to be noted where none of the identities is linked to anybody. */
  readonly onlyKnown?: boolean;
  readonly startAt: Instant;
  readonly watchAt: Instant;
  readonly deadline: Instant;
  /** Digest of what was asked, so that a reused idempotency key for something else is noticed. */
  readonly digest: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The subject whose gate says that this is to come. */
  readonly closing?: string;
};

export type Recorded =
  | { readonly result: "recorded" | "duplicate"; readonly wake: boolean; readonly status?: string }
  | { readonly result: "held"; readonly wake?: true }
  | { readonly result: "conflict" }
  | { readonly result: "stale" }
  | { readonly result: "noted"; readonly why: string };

/** A signal that is looked at again at its start, because it may have become too old while it waited. */
export type AgedSignal = {
  readonly at: Instant;
  readonly heeds: string;
  /** Index pseudonyms of the identities that it came with. */
  readonly identities: readonly string[];
  /** What the request's document is, once it is cancelled, and for how long that is kept. */
  readonly cancelled: string;
  readonly keepMs: number;
};

export type Opened = {
  readonly result: string;
  readonly woken: readonly string[];
  /** It was cancelled, because of this. */
  readonly supersededBy?: SupersededBy;
  /** For each subprocessor that was to be counted: what is ready in its lane until this deadline, this request's own among it. */
  readonly ahead?: readonly number[];
};

/** One planned task as the store takes it. */
export type NewTask = {
  readonly id: string;
  readonly document: string;
  readonly what: "order" | "wait" | "open" | "ended";
  readonly subprocessor: string;
  readonly payload: string;
  readonly waits: readonly string[];
};

export type Opening = {
  readonly n: TenantNumber;
  readonly version: string;
  readonly now: Instant;
  readonly token: string;
  readonly attempt: number;
  readonly id: RequestId;
  readonly subject: string;
  /** The version of the subject's record that the plan was made from. */
  readonly subjectVersion: string;
  readonly deadline: Instant;
  /** From when it is watched, where its deadline has come to be earlier than it was recorded. */
  readonly watchAt?: Instant;
  readonly fields: Readonly<Record<string, string>>;
  readonly suppressions: readonly { readonly pseudonym: string; readonly value: string; readonly lifetimeMs: number }[];
  /** The connections that end with it. */
  readonly connections: readonly string[];
  readonly tasks: readonly NewTask[];
  /** The subprocessors whose lanes are to be counted once all are open. */
  readonly counts?: readonly string[];
  /** Absent where age does not matter. */
  readonly signal?: AgedSignal;
};

export type Closing = {
  readonly n: TenantNumber;
  readonly now: Instant;
  readonly token: string;
  readonly attempt: number;
  readonly id: RequestId;
  readonly keepMs: number;
  readonly leaf: string;
  readonly compact: string;
  readonly subject: string;
  readonly subjectVersion: string;
  /** As it was recorded with. */
  readonly closing?: string;
  readonly erasesSubject: boolean;
  readonly identities: readonly string[];
  readonly forgets: readonly string[];
  readonly residues: readonly {
    readonly id: string;
    readonly due: Instant;
    readonly wrapped: string;
    readonly sealed: string;
  }[];
  readonly notices: readonly { readonly subprocessor: string; readonly id: string; readonly payload: string }[];
};

/** Requests that become durable together; some kilobytes each, and Upstash takes ten megabytes at once. */
const TOGETHER = 1000;

export type Hash = Readonly<Record<string, string>>;

/** How long a delivery that opened nothing is remembered: longer than any sender repeats one. */
export const NOTE_MS = 40 * 86_400_000;

export type RequestStore = {
  readonly record: (requests: readonly NewRequest[]) => Promise<readonly Recorded[]>;
  /** The same, and the deleted content that the same delivery tells: all of it, or none. */
  readonly recordDelivery: (
    requests: readonly NewRequest[],
    content: NewContent,
  ) => Promise<{ readonly recorded: readonly Recorded[]; readonly content: KeptContent }>;
  readonly load: (
    requests: readonly { readonly n: TenantNumber; readonly id: RequestId }[],
  ) => Promise<readonly Hash[]>;
  readonly open: (openings: readonly Opening[]) => Promise<readonly Opened[]>;
  /**
   * Notes on requests what stands in their deadlines' way; for each quota that does, whether this is the first to say so on its day.
   */
  readonly warn: (
    n: TenantNumber,
    requests: readonly { readonly id: RequestId; readonly warnings: string }[],
    quotas: readonly { readonly account: string; readonly day: string; readonly ends: Instant }[],
    now: Instant,
  ) => Promise<readonly boolean[]>;
  /** What is ready in the lanes of these subprocessors until a deadline. */
  readonly ahead: (n: TenantNumber, subprocessors: readonly string[], deadline: Instant) => Promise<readonly number[]>;
  readonly close: (
    closings: readonly Closing[],
  ) => Promise<readonly { readonly result: string; readonly woken: readonly string[] }[]>;
  /** `closing` as it was recorded with. */
  readonly cancel: (
    n: TenantNumber,
    id: RequestId,
    document: string,
    keepMs: number,
    now: Instant,
    closing?: string,
  ) => Promise<string>;
  readonly restart: (
    requests: readonly {
      readonly n: TenantNumber;
      readonly id: RequestId;
      readonly due: Instant;
      readonly deadline: Instant;
      readonly release: boolean;
    }[],
    now: Instant,
  ) => Promise<readonly { readonly result: string; readonly wake: boolean }[]>;
  /** Puts back what is missing of a request itself and tells its open tasks. */
  readonly audit: (
    requests: readonly {
      readonly n: TenantNumber;
      readonly id: RequestId;
      readonly startAt: Instant;
      readonly deadline: Instant;
    }[],
    now: Instant,
  ) => Promise<readonly (readonly string[])[]>;
  /** A person ends or retries a task; whoever runs it meanwhile comes too late. */
  readonly byHand: (lane: string, settlement: Settlement, now: Instant) => Promise<Settled>;
  /** Puts a notice into the lanes of those who want to know; they are worked when they are next awake or swept. */
  readonly tell: (n: TenantNumber, notice: string, subprocessors: readonly string[], now: Instant) => Promise<void>;
  /** Puts the gateway's own repeated steps into its lane, unless they stand there already. */
  readonly schedule: (
    n: TenantNumber,
    steps: readonly { readonly id: string; readonly due: Instant }[],
    now: Instant,
  ) => Promise<void>;
  readonly setField: (n: TenantNumber, id: RequestId, name: string, value: string) => Promise<void>;
  /** Newest first; open ones by deadline. `from` is a score and how many of that score were given before. */
  readonly list: (
    n: TenantNumber,
    open: boolean,
    from: { readonly score: number; readonly skip: number } | undefined,
    most: number,
  ) => Promise<readonly { readonly id: string; readonly score: number }[]>;
  readonly tenantCount: () => Promise<number>;
  /** A slice of each tenant's open requests; `turn` moves it on. */
  readonly openSlices: (tenants: readonly TenantNumber[], turn: number, most: number) => Promise<readonly string[]>;
  readonly residue: (n: TenantNumber, id: string) => Promise<Hash>;
  readonly dropResidue: (n: TenantNumber, id: string) => Promise<void>;
  readonly log: (n: TenantNumber) => Promise<readonly string[]>;
};

export const hash = (answer: Answer | undefined): Hash => {
  const flat = texts(answer);
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? "", flat[2 * at + 1] ?? ""]),
  );
};

export function requestStore(redis: RedisClient): RequestStore {
  const woken = (answer: Answer | undefined, skip: number) => {
    const [result = "", ...rest] = texts(answer);
    return { result, woken: rest.slice(skip - 1) };
  };
  const together = async (commands: readonly Command[]): Promise<readonly Answer[]> => {
    const answers: Answer[] = [];
    for (let at = 0; at < commands.length; at += TOGETHER) {
      const some = commands.slice(at, at + TOGETHER);
      answers.push(...(await redis.run(some, { atomic: some.length > 1 })));
    }
    return answers;
  };
  return {
    record: async (requests) =>
      (await together(requests.map(recordCommand))).map((answer) => readRecorded(texts(answer))),

    recordDelivery: async (requests, content) => {
      // Content comes last: where there is more than goes together, the sender repeats, and requests are known again.
      const answers = await together([...requests.map(recordCommand), contentCommand(content)]);
      return {
        recorded: answers.slice(0, -1).map((answer) => readRecorded(texts(answer))),
        content: readKept(texts(answers.at(-1))),
      };
    },

    load: async (requests) =>
      (await redis.run(requests.map(({ n, id }) => ["hgetall", keys.request(n, id)]))).map(hash),

    open: async (openings) => {
      const counts = openings.flatMap(({ n, counts = [], deadline }) =>
        counts.map((subprocessor) => countCommand(n, subprocessor, deadline)),
      );
      const answers = await redis.run([...openings.map(openCommand), ...counts]);
      let at = openings.length;
      return openings.map(({ counts = [] }, index) => {
        const opened = woken(answers[index], 1);
        const ahead = answers.slice(at, at + counts.length).map(Number);
        at += counts.length;
        if (opened.result !== "superseded") return { ...opened, ...(ahead.length > 0 && { ahead }) };
        const supersededBy = opened.woken[0] === "connection" ? "connection" : "restored";
        return { result: opened.result, woken: [], supersededBy };
      });
    },

    warn: async (n, requests, quotas, now) => {
      const days = quotas.map(({ account, day, ends }) => ({ key: keys.quota(n, account, day), ends }));
      const answers = await redis.run([
        ...requests.map(({ id, warnings }) => ["hset", keys.request(n, id), "sh", warnings]),
        // Among the calls of the day it counts for none.
        ...days.map(({ key }) => ["hsetnx", key, "told", 0]),
        ...days.map(({ key, ends }) => ["pexpire", key, ends - now + DAY_MS]),
      ]);
      return quotas.map((_, index) => Number(answers[requests.length + index]) === 1);
    },

    ahead: async (n, subprocessors, deadline) =>
      subprocessors.length === 0
        ? []
        : (await redis.run(subprocessors.map((each) => countCommand(n, each, deadline)))).map(Number),

    close: async (closings) => (await redis.run(closings.map(closeCommand))).map((answer) => woken(answer, 2)),

    cancel: async (n, id, document, keepMs, now, closing) => {
      const lane = gatewayOf(n);
      const [answer] = await redis.run([
        {
          script: CANCEL,
          keys: [keys.request(n, id), ...laneKeys(lane), keys.openRequests(n), ...closingKey(n, closing)],
          args: [now, id, document, keepMs],
        },
      ]);
      return texts(answer).join(" ");
    },

    restart: async (requests, now) => {
      const answers = await redis.run(
        requests.map(({ n, id, due, deadline, release }) => ({
          script: RESTART,
          keys: [keys.request(n, id), ...laneKeys(gatewayOf(n))],
          args: [now, id, gatewayOf(n), due, deadline, now + AWAKE_MS, release ? 1 : 0],
        })),
      );
      return answers.map((answer) => ({ result: texts(answer)[0] ?? "", wake: texts(answer)[1] === "1" }));
    },

    audit: async (requests, now) =>
      (
        await redis.run(
          requests.map(({ n, id, startAt, deadline }) => ({
            script: AUDIT,
            keys: [keys.request(n, id), keys.openTasks(n, id), ...laneKeys(gatewayOf(n))],
            args: [now, id, gatewayOf(n), startAt, deadline, now + AWAKE_MS],
          })),
        )
      ).map(texts),

    byHand: async (lane, settlement, now) => {
      const [answer] = await redis.run([settleCommand(lane, { token: "", settlements: [settlement] }, now)]);
      // No runner is at work here, so the lane itself may have to be woken too.
      return readSettled(texts(answer), "");
    },

    tell: async (n, notice, subprocessors, now) => {
      await redis.run(
        subprocessors.map((subprocessor) => {
          const lane = laneName(n, subprocessor);
          return { script: TELL, keys: laneKeys(lane), args: [now, lane, notice, now + AWAKE_MS] };
        }),
      );
    },

    schedule: async (n, steps, now) => {
      if (steps.length === 0) return;
      const lane = gatewayOf(n);
      const args = [now, lane, now + AWAKE_MS, ...steps.flatMap(({ id, due }) => [id, due])];
      await redis.run([{ script: SCHEDULE, keys: laneKeys(lane), args }]);
    },

    setField: async (n, id, name, value) => {
      await redis.run([["hset", keys.request(n, id), name, value]]);
    },

    list: async (n, open, from, most) => {
      const key = open ? keys.openRequests(n) : keys.requests(n);
      const start = from?.score ?? (open ? "-inf" : "+inf");
      const [end, order] = open ? ["+inf", []] : ["-inf", ["rev"]];
      const command = ["zrange", key, start, end, "byscore", ...order, "limit", from?.skip ?? 0, most, "withscores"];
      const flat = texts((await redis.run([command]))[0]);
      return Array.from({ length: flat.length / 2 }, (_, at) => ({
        id: flat[2 * at] ?? "",
        score: Number(flat[2 * at + 1]),
      }));
    },

    tenantCount: async () => Number((await redis.run([["get", keys.tenants]]))[0] ?? 0),

    openSlices: async (tenants, turn, most) => {
      const counts = await redis.run(tenants.map((n) => ["zcard", keys.openRequests(n)]));
      const filled = tenants.flatMap((n, index) => {
        const slices = Math.ceil(Number(counts[index]) / most);
        return slices === 0
          ? []
          : [["zrange", keys.openRequests(n), (turn % slices) * most, (turn % slices) * most + most - 1]];
      });
      return (await redis.run(filled)).flatMap(texts);
    },

    residue: async (n, id) => hash((await redis.run([["hgetall", keys.residue(n, id)]]))[0]),

    dropResidue: async (n, id) => {
      await redis.run([["del", keys.residue(n, id)]]);
    },

    log: async (n) => texts((await redis.run([["lrange", keys.log(n), 0, -1]]))[0]),
  };
}

const closingKey = (n: TenantNumber, subject: string | undefined): readonly string[] =>
  subject === undefined ? [] : [keys.closing(n, subject)];

function recordCommand(request: NewRequest) {
  const { n, id, now, ceiling } = request;
  const gateway = gatewayOf(n);
  const hour = Math.floor(now / 3_600_000);
  return {
    script: RECORD,
    keys: [
      keys.tenant(n),
      keys.request(n, id),
      ...laneKeys(gateway),
      keys.openRequests(n),
      keys.requests(n),
      keys.ceiling(n, ceiling?.source ?? "none", hour),
      ...request.identities.flatMap(({ index, suppression }) => [
        keys.identity(n, index),
        keys.suppression(n, suppression),
      ]),
      ...closingKey(n, request.closing),
    ],
    args: [
      request.version,
      now,
      id,
      gateway,
      request.startAt,
      request.watchAt,
      request.deadline,
      now + AWAKE_MS,
      request.signalAt,
      request.echoOf,
      ceiling?.most ?? 0,
      NOTE_MS,
      request.digest,
      modeOf(request),
      request.here ? 1 : 0,
      request.heeds,
      request.restores,
      request.restoredAt,
      ECHO_MS,
      ...Object.entries(request.fields).flat(),
    ],
  };
}

function modeOf({ noteOnly, confirms = false, onlyKnown = false }: NewRequest): string {
  if (noteOnly) return "note";
  const asked = [...(onlyKnown ? ["known"] : []), ...(confirms ? ["confirm"] : [])];
  return asked.length === 0 ? "open" : asked.join(" ");
}

function readRecorded([result, detail, wake]: readonly string[]): Recorded {
  if (result === "recorded") return { result, wake: detail === "1" };
  if (result === "duplicate") return { result, wake: wake === "1", status: detail ?? "" };
  if (result === "noted") return { result, why: detail ?? "" };
  if (result === "held") return detail === "1" ? { result, wake: true } : { result };
  if (result === "conflict") return { result };
  return { result: "stale" };
}

const DAY_MS = 86_400_000;

/** Ready orders stand in a lane by their deadlines. */
const countCommand = (n: TenantNumber, subprocessor: string, deadline: Instant): Command => [
  "zcount",
  keys.due(n, subprocessor),
  "-inf",
  deadline - READY,
];

function openCommand(opening: Opening) {
  const { n, id, tasks } = opening;
  const gateway = gatewayOf(n);
  const named = [
    keys.tenant(n),
    keys.request(n, id),
    keys.openTasks(n, id),
    ...laneKeys(gateway),
    keys.subjectRequests(n, opening.subject),
    keys.subject(n, opening.subject),
    keys.openRequests(n),
  ];
  const suppressions = opening.suppressions.flatMap(({ pseudonym, value, lifetimeMs }) => {
    named.push(keys.suppression(n, pseudonym));
    return [named.length, value, lifetimeMs];
  });
  const entries = tasks.flatMap((task) => {
    const lane = laneName(n, task.subprocessor);
    const own = laneKeys(lane);
    let first = named.indexOf(own[0]) + 1;
    if (first === 0) {
      named.push(...own);
      first = named.length - 2;
    }
    return [
      task.id,
      task.document,
      task.what,
      first,
      lane,
      orderId(id, task.id),
      task.payload,
      task.waits.join(" "),
      opening.now,
    ];
  });
  const connections = opening.connections.map((connection) => named.push(keys.connection(n, connection)));
  const fields = Object.entries(opening.fields);
  const signal = signalArgs(opening, named);
  return {
    script: OPEN,
    keys: named,
    args: [
      opening.version,
      opening.now,
      opening.token,
      opening.attempt,
      id,
      gateway,
      opening.deadline,
      opening.now + AWAKE_MS,
      tasks.length,
      opening.suppressions.length,
      fields.length,
      opening.subjectVersion,
      connections.length,
      opening.watchAt ?? 0,
      ...signal,
      ...fields.flat(),
      ...suppressions,
      ...connections,
      ...entries,
    ],
  };
}

/** The keys that it needs are added to those that are named. */
function signalArgs({ n, signal }: Opening, named: string[]): readonly (string | number)[] {
  if (signal === undefined || signal.identities.length === 0) return [0];
  const identities = signal.identities.map((pseudonym) => named.push(keys.identity(n, pseudonym)));
  return [identities.length, signal.at, signal.heeds, signal.cancelled, signal.keepMs, ...identities];
}

function closeCommand(closing: Closing) {
  const { n, id } = closing;
  const gateway = gatewayOf(n);
  const named = [
    keys.request(n, id),
    keys.openTasks(n, id),
    ...laneKeys(gateway),
    keys.log(n),
    keys.openRequests(n),
    keys.subject(n, closing.subject),
    keys.subjectRequests(n, closing.subject),
    keys.requests(n),
  ];
  const add = (...group: string[]): number => {
    named.push(...group);
    return named.length - group.length + 1;
  };
  const identities = closing.identities.map((pseudonym) => add(keys.identity(n, pseudonym)));
  const residues = closing.residues.flatMap(({ id: residue, due, wrapped, sealed }) => [
    add(keys.residue(n, residue)),
    residue,
    due,
    wrapped,
    sealed,
  ]);
  const forgets = closing.forgets.flatMap((field) => [field, add(keys.identity(n, field.slice(2)))]);
  const among = closing.closing === undefined ? 0 : add(keys.closing(n, closing.closing));
  const notices = closing.notices.flatMap(({ subprocessor, id: notice, payload }) => {
    const lane = laneName(n, subprocessor);
    return [add(...laneKeys(lane)), lane, notice, payload];
  });
  return {
    script: CLOSE,
    keys: named,
    args: [
      closing.now,
      closing.token,
      closing.attempt,
      id,
      gateway,
      closing.keepMs,
      closing.leaf,
      closing.compact,
      closing.now + AWAKE_MS,
      closing.erasesSubject ? 1 : 0,
      closing.subjectVersion,
      closing.identities.length,
      closing.residues.length,
      closing.notices.length,
      among,
      ...identities,
      ...residues,
      ...notices,
      ...forgets,
    ],
  };
}
