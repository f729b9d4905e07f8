import type { Hono } from "hono";
import type { JSONWebKeySet } from "jose";

/** What the stand-ins hold and answer with. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What every stand-in gets. It has no other way to the outside. */
export type World = {
  /** Epoch milliseconds, on the clock that tests may move. */
  now(): number;
  readonly secrets: Secrets;
  /** What vendors with published keys publish here, where all of them sign with one; none: nothing is published. */
  readonly vendorKeys: JSONWebKeySet | undefined;
  /** The same key as a certificate of this name, in PEM, where a vendor publishes those. */
  readonly certificate: ((commonName: string) => Promise<string>) | undefined;
  /** Tells the listeners about a webhook that the vendor would send now, in the vendor's own shape. */
  announce(vendor: string, event: Json): void;
};

/** Credentials that a stand-in insists on. What is not listed here or seeded is accepted in any value of the right form. */
export type Secrets = {
  /** App secrets, by app id. */
  readonly meta?: Readonly<Record<string, string>>;
  /** Webhook signing secrets (`whsec_...`), by host. */
  readonly first_party?: Readonly<Record<string, string | readonly string[]>>;
};

/** A refusal that has nothing to do with what was asked; each vendor words it in its own shape. */
export type Refusal = { readonly reason: "rate_limited" | "server_error" | "unauthorized"; readonly status: number };

/** The caller's end of a WebSocket. */
export type Listener = { send(text: string): void; close(code: number): void };

/** One vendor's stand-in: its own wire behaviour and state. Routing, faults, quotas and recording are the sandbox's. */
export type Vendor = {
  /** As in `/faults/{id}`, `/quotas/{id}` and seeds. Holdings spell it with underscores. */
  readonly id: string;
  readonly about: string;
  serves(host: string): boolean;
  /** One that stands at single addresses, whoever serves the rest of their hosts. It goes first. */
  standsAt?(url: URL, method: string, body: string): boolean;
  call(request: Request): Promise<Response>;
  /** Takes a WebSocket, and returns what is to be done when the other side has gone; undefined refuses it. */
  socket?(url: URL, out: Listener): (() => void) | undefined;
  refuse(refusal: Refusal): Response;
  /** Keeps `answer` as the first result of this request, where the vendor replays first results. */
  remember?(request: Request, answer: Response): Promise<void>;
  /** Throws a `ZodError` when the seed does not fit. Answers with the ids that now exist. */
  seed(seed: unknown): Json;
  holdings(): { readonly [kind: string]: Json };
  /** Webhooks that the vendor would have sent, oldest first. */
  events?(): readonly Json[];
  reset(): void;
  /** Routes of this vendor's own in the admin API. */
  readonly admin?: Hono;
};

export type MakeVendor = (world: World) => Vendor;
