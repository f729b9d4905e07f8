import type { JSONWebKeySet } from "jose";
import { adminRoutes } from "./admin.ts";
import { type FaultBook, faultBook, faulty, rateLimited } from "./faults.ts";
import * as makers from "./index.ts";
import { type Quotas, quotas } from "./quotas.ts";
import type { Json, Listener, Secrets, Vendor, World } from "./vendor.ts";

export { ConnectionDropped } from "./faults.ts";
export { serveSandbox, vendorListener } from "./serve.ts";
export type { Json, Listener, Secrets } from "./vendor.ts";

/** Keeps a long load run from filling the memory; the oldest go first. */
const MOST_RECORDED = 50_000;

export type SandboxOptions = {
  /** Epoch milliseconds; the real clock unless given. */
  readonly now?: () => number;
  readonly secrets?: Secrets;
  /** The public half of the key that stands for vendors' own. */
  readonly vendorKeys?: JSONWebKeySet;
  /** The same as a certificate of a name. */
  readonly certificate?: (commonName: string) => Promise<string>;
  /** From 0 up to 1, for faults with a probability. */
  readonly random?: () => number;
};

/** One vendor call as it came; `status` is null when no answer went out. */
export type RecordedRequest = {
  readonly vendor: string | null;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: string;
  status: number | null;
  fault?: string;
};

/** As much of a request as a vendor call needs: the platform's own, Miniflare's, or another implementation's. */
export type VendorCall = {
  readonly url: string;
  readonly method: string;
  readonly headers: Iterable<[string, string]>;
  readonly signal?: AbortSignal | null;
  arrayBuffer(): Promise<ArrayBuffer>;
};

/** Local stand-ins for the vendors, with state, quotas and switchable faults. Nothing leaves the machine. */
export type Sandbox = {
  /**
   * A vendor call, routed by the host of its URL; an unknown host is a 502 that names it.
   *
   * Rejects with `ConnectionDropped` when a fault kills the connection. As Miniflare's `outboundService` this function
   * cannot show that: Miniflare answers the Worker with 500 and the error as text, and does not pass on the Worker's
   * abort. `{ node: vendorListener(sandbox) }` as `outboundService` does both: the Worker's fetch rejects with
   * "Network connection lost.".
   */
  fetch(request: VendorCall): Promise<Response>;
  /** A WebSocket to a vendor; undefined where it is refused, or nobody is there. Faults that refuse calls refuse it too. */
  socket(url: string, out: Listener): (() => void) | undefined;
  /** The admin API, which faults never touch. */
  readonly admin: (request: Request) => Promise<Response>;
  recorded(): readonly RecordedRequest[];
  setNow(now: () => number): void;
  /** Hears of each webhook that a vendor would send. Returns what ends it. */
  onEvent(listener: (vendor: string, event: Json) => void): () => void;
};

/** What the admin API works on. */
export type Inside = {
  readonly vendors: readonly Vendor[];
  readonly faults: FaultBook;
  readonly quotas: Quotas;
  readonly requests: RecordedRequest[];
  now(): number;
  setNow(now: () => number): void;
};

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  let now = options.now ?? Date.now;
  const listeners = new Set<(vendor: string, event: Json) => void>();
  const world: World = {
    now: () => now(),
    secrets: options.secrets ?? {},
    vendorKeys: options.vendorKeys,
    certificate: options.certificate,
    announce: (vendor, event) => {
      for (const listener of listeners) listener(vendor, event);
    },
  };
  const inside: Inside = {
    vendors: Object.values(makers).map((make) => make(world)),
    faults: faultBook(options.random ?? Math.random),
    quotas: quotas(),
    requests: [],
    now: world.now,
    setNow: (moved) => {
      now = moved;
    },
  };
  const admin = adminRoutes(inside);
  return {
    fetch: (incoming) => handle(inside, incoming),
    socket: (address, out) => {
      const url = new URL(address);
      const vendor = inside.vendors.find(({ serves }) => serves(url.hostname));
      const request = new Request(url, { headers: { upgrade: "websocket" } });
      const entry = record(inside, vendor, request, "");
      const fault = vendor && inside.faults.take(vendor.id, request);
      if (fault) entry.fault = fault.kind;
      const gone = fault ? undefined : vendor?.socket?.(url, out);
      entry.status = gone ? 101 : 503;
      return gone;
    },
    admin: async (request) => admin.fetch(request),
    recorded: () => inside.requests,
    setNow: inside.setNow,
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function handle(inside: Inside, incoming: VendorCall): Promise<Response> {
  const headers = new Headers([...incoming.headers]);
  const body = await incoming.arrayBuffer();
  const request = new Request(incoming.url, {
    method: incoming.method,
    headers,
    signal: incoming.signal ?? null,
    ...(body.byteLength > 0 && { body }),
  });
  const url = new URL(request.url);
  const host = url.hostname;
  const text = new TextDecoder().decode(body);
  const vendor =
    inside.vendors.find((each) => each.standsAt?.(url, request.method, text)) ??
    inside.vendors.find(({ serves }) => serves(host));
  const entry = record(inside, vendor, request, text);
  const answer = await answerTo(inside, vendor, request, host, entry);
  entry.status = answer.status;
  return answer;
}

async function answerTo(
  inside: Inside,
  vendor: Vendor | undefined,
  request: Request,
  host: string,
  entry: RecordedRequest,
): Promise<Response> {
  if (!vendor) return Response.json({ error: "no stand-in for this host", host }, { status: 502 });
  const fault = inside.faults.take(vendor.id, request);
  if (fault) {
    entry.fault = fault.kind;
    return faulty(fault, vendor, request);
  }
  const quota = inside.quotas.exceeded(vendor.id, inside.now());
  if (quota) return rateLimited(vendor, 429, quota.retry_after_seconds);
  return vendor.call(request);
}

/** Headers that this transport put there, not the caller. */
const OWN_HEADERS = new Set(["x-original-url", "host", "connection", "content-length", "transfer-encoding"]);

function record(inside: Inside, vendor: Vendor | undefined, request: Request, body: string): RecordedRequest {
  const entry: RecordedRequest = {
    vendor: vendor?.id ?? null,
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(
      [...request.headers].filter(([name]) => !OWN_HEADERS.has(name) && !name.startsWith("mf-")),
    ),
    body,
    at: new Date(inside.now()).toISOString(),
    status: null,
  };
  inside.requests.push(entry);
  if (inside.requests.length > MOST_RECORDED) inside.requests.shift();
  return entry;
}
