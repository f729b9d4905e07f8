import { z } from "zod";
import type { Vendor } from "./vendor.ts";

/** No fault holds a connection longer than this: every client that matters has given up by then. */
const LONGEST_MS = 60_000;

const when = {
  /** How many calls it hits; without it, every one until cleared. */
  count: z.int().positive().optional(),
  probability: z.number().min(0).max(1).optional(),
  /** Part of `METHOD /path`, or of the whole URL. */
  match: z.string().optional(),
};
const ms = z.number().min(0).max(LONGEST_MS);

/** What may be wrong with a vendor's answers, as `PUT /faults/{vendor}` takes it. */
export const Fault = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("rate_limited"),
    retry_after_seconds: z.number().min(0).optional(),
    status: z.int().min(400).max(599).default(429),
    ...when,
  }),
  z.strictObject({
    kind: z.literal("server_error"),
    status: z.union([z.literal(500), z.literal(502), z.literal(503)]).default(500),
    /** Kept under the request's idempotency key and replayed, where the vendor does that. */
    stored: z.boolean().default(false),
    ...when,
  }),
  /** With `effect`, the vendor did what was asked and only its answer never comes. */
  z.strictObject({
    kind: z.literal("timeout"),
    ms: ms.default(LONGEST_MS),
    effect: z.boolean().default(false),
    ...when,
  }),
  z.strictObject({ kind: z.literal("drop_before"), ...when }),
  z.strictObject({ kind: z.literal("drop_after"), ...when }),
  /** `cut`: the proper answer's first half, after the effect; `html`: a proxy's page, without it. */
  z.strictObject({ kind: z.literal("malformed"), body: z.enum(["cut", "html"]).default("cut"), ...when }),
  z.strictObject({ kind: z.literal("slow"), ms, ...when }),
  z.strictObject({ kind: z.literal("unauthorized"), ...when }),
  z.strictObject({ kind: z.literal("unforeseen"), ...when }),
]);
export type Fault = z.infer<typeof Fault>;

/** The connection died: a rejected fetch in process, a destroyed socket over HTTP. */
export class ConnectionDropped extends Error {
  override readonly name = "ConnectionDropped";
}

/** The faults that are set, by vendor. Of a vendor's queue, the first that matches a call hits it. */
export type FaultBook = {
  set(vendor: string, queue: readonly Fault[]): void;
  take(vendor: string, request: Request): Fault | undefined;
  shown(): Record<string, readonly Fault[]>;
  clear(vendor?: string): void;
};

export function faultBook(random: () => number): FaultBook {
  const queues = new Map<string, { fault: Fault; left: number }[]>();
  return {
    set(vendor, queue) {
      const several = queue.length > 1;
      queues.set(
        vendor,
        // In a queue a fault without a count would hide all that follow it, so there it hits once.
        queue.map((fault) => ({ fault, left: fault.count ?? (several ? 1 : Number.POSITIVE_INFINITY) })),
      );
    },
    take(vendor, request) {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      const hit = queues.get(vendor)?.find(({ fault, left }) => {
        if (left === 0) return false;
        if (fault.match !== undefined && !line.includes(fault.match) && !request.url.includes(fault.match))
          return false;
        return fault.probability === undefined || random() < fault.probability;
      });
      if (!hit) return undefined;
      hit.left -= 1;
      return hit.fault;
    },
    shown: () =>
      Object.fromEntries(
        [...queues].map(([vendor, queue]) => [vendor, queue.filter(({ left }) => left > 0).map(({ fault }) => fault)]),
      ),
    clear(vendor) {
      if (vendor === undefined) queues.clear();
      else queues.delete(vendor);
    },
  };
}

/** The answer to a call that a fault hits. Rejects with `ConnectionDropped` where no answer comes. */
export async function faulty(fault: Fault, vendor: Vendor, request: Request): Promise<Response> {
  switch (fault.kind) {
    case "rate_limited":
      return rateLimited(vendor, fault.status, fault.retry_after_seconds);
    case "server_error": {
      const answer = vendor.refuse({ reason: "server_error", status: fault.status });
      if (fault.stored) await vendor.remember?.(request, answer.clone());
      return answer;
    }
    case "unauthorized":
      return vendor.refuse({ reason: "unauthorized", status: 401 });
    case "unforeseen":
      return new Response("short and stout\u0000", { status: 418, headers: { "content-type": "text/x-teapot" } });
    case "slow":
      await pause(fault.ms, request.signal);
      return vendor.call(request);
    case "timeout":
      if (fault.effect) await vendor.call(request.clone());
      await pause(fault.ms, request.signal);
      throw new ConnectionDropped("no answer came in time");
    case "drop_before":
      throw new ConnectionDropped("the connection died before the request was handled");
    case "drop_after":
      await vendor.call(request);
      throw new ConnectionDropped("the connection died after the request was handled");
    case "malformed":
      return fault.body === "html" ? proxyPage() : cut(await vendor.call(request));
  }
}

/** The vendor's own words for too many requests, with `Retry-After` (whole seconds) where there is one. */
export function rateLimited(vendor: Vendor, status: number, retryAfterSeconds: number | undefined): Response {
  const answer = vendor.refuse({ reason: "rate_limited", status });
  if (retryAfterSeconds !== undefined) answer.headers.set("retry-after", String(Math.ceil(retryAfterSeconds)));
  return answer;
}

async function cut(answer: Response): Promise<Response> {
  const text = await answer.text();
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  return new Response(text.slice(0, Math.ceil(text.length / 2)), { status: 200, headers });
}

function proxyPage(): Response {
  const page = "<!doctype html><title>One moment</title><p>Checking your connection before you go on.";
  return new Response(page, { status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
}

/** Waits, or until the caller has gone. Real time on purpose: the caller's own limit runs in real time too. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
