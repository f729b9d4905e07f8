import type { ObjectType } from "./object-types.ts";

export type { ObjectType } from "./object-types.ts";

/**
 * The product's side: says, beside the call that creates something at a vendor, whose it is, so that an erasure needs no
 * search and no guess. Needs `fetch` and nothing else; the key belongs on a server.
 */
export type Quittance = {
  /**
   * Registers what a vendor holds for a person: `await quittance.holds(user.id, "openai.file", file.id)`. Several ids of one
   * kind go together. The same again changes nothing, so what fails may be repeated.
   */
  readonly holds: (
    subject: string,
    type: ObjectType,
    id: string | readonly string[],
    more?: Where,
  ) => Promise<Registered>;
  /**
   * Waits for a vendor's own call and registers what it created, then gives it back:
   * `const file = await quittance.created(user.id, "openai.file", openai.files.create(…))`. Where it was created and could not
   * be registered, the problem names it (`unregistered`), so that it can be deleted again or registered later.
   */
  readonly created: <T extends { readonly id: string }>(
    subject: string,
    type: ObjectType,
    thing: Promise<T>,
    more?: Where,
  ) => Promise<T>;
};

/** The registry entry, where it is not called like the integration; and what ends the wait. */
export type Where = { readonly subprocessor?: string; readonly signal?: AbortSignal };

export type Registered = {
  readonly registered: number;
  /** Open erasures of this person that take it along: it will be gone soon. */
  readonly joins: readonly string[];
  /** The person was erased meanwhile, so an erasure was opened for it. */
  readonly erasure?: { readonly id: string; readonly status_url: string };
};

/** Why something could not be registered. The key and the person are in none of its texts. */
export class NotRegistered extends Error {
  override readonly name = "NotRegistered";
  /** The gateway's status; undefined where it could not be reached. */
  readonly status: number | undefined;
  /** What did not fit, where the gateway says so: `{field, expected}`. */
  readonly errors: readonly { readonly field: string; readonly expected: string }[];
  /** What is at the vendor now and nobody knows of. */
  readonly unregistered: { readonly type: ObjectType; readonly ids: readonly string[] };

  constructor(
    detail: string,
    unregistered: NotRegistered["unregistered"],
    status?: number,
    errors: NotRegistered["errors"] = [],
  ) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.unregistered = unregistered;
  }
}

export type Options = {
  /** The gateway's origin. */
  readonly url: string;
  /** An API key of the role `request`. */
  readonly key: string;
  readonly fetch?: typeof fetch;
  /** How often a call is made at most; the gateway is asked again when it is busy or away. */
  readonly tries?: number;
  /** Waits between two tries. */
  readonly sleep?: (ms: number) => Promise<void>;
};

/** What one call takes. */
const MOST = 200;
const TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

export function connect({ url, key, fetch: send = fetch, tries = 3, sleep = slept }: Options): Quittance {
  const { origin, protocol, hostname } = new URL(url);
  // A key in the clear is everybody's; on this very machine it is not in the clear.
  if (protocol !== "https:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname))
    throw new TypeError("expected the gateway's https origin");

  const post = async (subject: string, type: ObjectType, ids: readonly string[], more: Where): Promise<Registered> => {
    const subprocessor = more.subprocessor ?? type.slice(0, type.indexOf("."));
    const request: RequestInit = {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ objects: ids.map((id) => ({ subprocessor, type, id })) }),
      // The key is for this origin and no other.
      redirect: "manual",
    };
    const unregistered = { type, ids };
    for (let attempt = 1; ; attempt++) {
      const reply = await asked(
        send,
        `${origin}/v1/subjects/${encodeURIComponent(subject)}/objects`,
        request,
        more.signal,
      );
      if (reply?.status === 201) return registeredIn(await reply.json());
      const again = reply === undefined || reply.status === 408 || reply.status === 429 || reply.status >= 500;
      if (!again || attempt >= tries) throw await problemOf(reply, unregistered);
      await sleep(waitMs(reply, attempt));
      more.signal?.throwIfAborted();
    }
  };

  const holds: Quittance["holds"] = async (subject, type, id, more = {}) => {
    const ids = typeof id === "string" ? [id] : [...new Set(id)];
    let all: Registered = { registered: 0, joins: [] };
    for (let at = 0; at < ids.length; at += MOST) {
      const done = await post(subject, type, ids.slice(at, at + MOST), more);
      const joins = [...new Set([...all.joins, ...done.joins])];
      all = { ...all, ...done, registered: all.registered + done.registered, joins };
    }
    return all;
  };

  return {
    holds,
    created: async (subject, type, thing, more) => {
      const made = await thing;
      await holds(subject, type, made.id, more);
      return made;
    },
  };
}

/** Undefined where there is no answer; whoever ends the wait gets their own reason. */
async function asked(send: typeof fetch, url: string, request: RequestInit, signal: AbortSignal | undefined) {
  const time = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await send(url, { ...request, signal: signal === undefined ? time : AbortSignal.any([signal, time]) });
  } catch (error) {
    signal?.throwIfAborted();
    // Without a network `fetch` rejects with a TypeError, too late with a TimeoutError.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function waitMs(reply: Response | undefined, attempt: number): number {
  const seconds = Number(reply?.headers.get("retry-after") ?? Number.NaN);
  const wanted = Number.isNaN(seconds) ? FIRST_WAIT_MS * 4 ** (attempt - 1) : seconds * 1000;
  return Math.min(wanted, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}

const slept = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";

function registeredIn(body: unknown): Registered {
  const { registered, joins, erasure } = isObject(body) ? body : {};
  const { id, status_url } = isObject(erasure) ? erasure : {};
  return {
    registered: typeof registered === "number" ? registered : 0,
    joins: Array.isArray(joins) ? joins.filter(isText) : [],
    ...(isText(id) && isText(status_url) && { erasure: { id, status_url } }),
  };
}

async function problemOf(
  reply: Response | undefined,
  unregistered: NotRegistered["unregistered"],
): Promise<NotRegistered> {
  if (reply === undefined) return new NotRegistered("the gateway could not be reached", unregistered);
  const { detail, errors } = problemIn(await reply.text());
  const said =
    errors.length > 0 ? errors.map(({ field, expected }) => `${field}: expected ${expected}`).join("; ") : detail;
  return new NotRegistered(said ?? `the gateway answered ${reply.status}`, unregistered, reply.status, errors);
}

function problemIn(text: string): { readonly detail?: string; readonly errors: NotRegistered["errors"] } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    // Whatever stands between may answer in its own words.
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { detail, errors } = isObject(body) ? body : {};
  const fields = (Array.isArray(errors) ? errors : []).flatMap((each: unknown) => {
    const { field, expected } = isObject(each) ? each : {};
    return isText(field) && isText(expected) ? [{ field, expected }] : [];
  });
  return { ...(isText(detail) && { detail }), errors: fields };
}
