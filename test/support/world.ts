import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import Stripe from "stripe";
import { expect } from "vitest";
import { newVendorKey, type VendorKey } from "../../cli/senders/keys.ts";
import { type Customer, customers } from "../../dev/customers.ts";
import { type Gateway, type Secrets, startGateway } from "../../dev/gateway.ts";
import { newSecrets } from "../../dev/keys.ts";
import { type Endpoint, startEndpoint } from "../../dev/redis/endpoint.ts";
import { type Engine, startRedis } from "../../dev/redis/engine.ts";
import { createSandbox, type Sandbox, type VendorCall } from "../../dev/sandbox/sandbox.ts";
import { apiOf, type Call, type Seeded, seedPerson, seedSandbox, seedTenants } from "../../dev/seed.ts";
import { isDocumentedElsewhere } from "./documented.ts";

/** The built Worker with a real redis-server, the sandbox and the five customers, and a clock that can be moved. */
export type World = {
  readonly url: string;
  readonly redis: Endpoint;
  readonly sandbox: Sandbox;
  readonly gateway: Gateway;
  readonly secrets: Secrets;
  readonly tenants: Seeded;
  /** Stands for the keys of vendors that publish theirs. */
  readonly vendorKey: VendorKey;
  /** The gateway's API. */
  readonly api: Call;
  readonly key: (slug: string) => string;
  readonly setting: (slug: string, subprocessor: string, name: string) => string;
  /** The sandbox's admin API. */
  readonly admin: (path: string, body?: unknown, method?: string) => Promise<unknown>;
  readonly person: (slug: string, id: string, options?: Parameters<typeof seedPerson>[5]) => Promise<Person>;
  /** Where a text occurs in what the vendors hold. */
  readonly held: (text: string) => Promise<readonly string[]>;
  /** Lets lanes work and time pass in small steps until the request has reached a state; years go by with `advance`. */
  readonly until: (slug: string, request: string, done: (view: RequestShape) => boolean) => Promise<RequestShape>;
  readonly closed: (slug: string, request: string) => Promise<RequestShape>;
  readonly advance: (ms: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type Person = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly facebookId: string;
};

/** A request as the API's interface fixes it; written here from the interface, not taken from the code. */
export type RequestShape = {
  readonly id: string;
  readonly status: "scheduled" | "open" | "closed" | "cancelled";
  readonly complete: boolean;
  readonly source: string;
  readonly received_at: string;
  readonly due_at: string;
  readonly closed_at?: string;
  readonly continues?: string;
  readonly held?: string;
  readonly alarms?: readonly string[];
  readonly receipt?: string;
  readonly status_url: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly subprocessor: string;
    readonly action: string;
    readonly state: string;
    readonly outcome?: string;
    readonly level?: string;
    readonly attempts: number;
    readonly reason?: string;
    readonly retained?: readonly { readonly category: string; readonly until: string; readonly ground: string }[];
    readonly evidence?: readonly {
      readonly method: string;
      readonly host: string;
      readonly path: string;
      readonly status: number;
    }[];
  }[];
};

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

let people = 0;

export async function startWorld(
  options: {
    readonly engine?: Engine["kind"];
    readonly quiet?: boolean;
    /** The gateway's public origin, where it has to be another than where it listens. */
    readonly origin?: string;
    /** Answers for hosts that no stand-in stands for in this world. */
    readonly elsewhere?: (call: VendorCall) => Promise<Response> | undefined;
    /** Hears that the clock is moved on, before it is. */
    readonly moving?: (ms: number) => void;
  } = {},
): Promise<World> {
  const secrets = await newSecrets();
  const engine = await startRedis({ ephemeral: true, ...(options.engine !== undefined && { engine: options.engine }) });
  const redisToken = "dev_test_redis_token";
  const redis = await startEndpoint({ engine, token: redisToken });
  const vendorKey = await newVendorKey();
  const standIns = createSandbox({ vendorKeys: vendorKey.keys, certificate: vendorKey.certificate });
  const { elsewhere, origin } = options;
  const sandbox: Sandbox = { ...standIns, fetch: (call) => elsewhere?.(call) ?? standIns.fetch(call) };
  const gateway = await startGateway({
    redis,
    redisToken,
    sandbox,
    secrets,
    movable: true,
    quiet: options.quiet ?? true,
    ...(origin !== undefined && { bindings: { PUBLIC_ORIGIN: origin } }),
  });
  const { url } = gateway;
  const admin: World["admin"] = async (path, body, method = body === undefined ? "GET" : "POST") => {
    const reply = await sandbox.admin(
      new Request(`http://sandbox${path}`, {
        method,
        ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      }),
    );
    const text = await reply.text();
    if (!reply.ok) throw new Error(`the sandbox refused ${path}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const post = async (path: string, body: unknown) => {
    await admin(path, body);
  };
  await gateway.waitAtMost(LONGEST_WAIT_MS);
  await seedSandbox(post);
  // A reading of the network that has nothing to tell does not hold up the sweep.
  await admin("/bluesky/settings", { linger_ms: 5 }, "PUT");
  const tenants = await seedTenants(url, secrets.ADMIN_KEY, {});
  const api = apiOf(url);
  const key = (slug: string) => tenants[slug]?.api_key ?? "";
  const advance = (ms: number) => {
    options.moving?.(ms);
    return gateway.advance(ms);
  };

  const view = async (slug: string, request: string): Promise<RequestShape> => {
    const { status, body } = await api("GET", `/v1/requests/${request}`, key(slug));
    if (status !== 200) throw new Error(`${request}: ${status} ${JSON.stringify(body)}`);
    return body as RequestShape;
  };
  const until: World["until"] = async (slug, request, done) => {
    for (let round = 0; round < 60; round++) {
      // Work that is going on needs real time; what waits for its time gets it from the clock.
      let isWaiting = false;
      let isAtWork = false;
      // A run that waits a second between two calls is not to find that its time has passed meanwhile.
      for (let wait = 0; wait < (isAtWork ? LONGEST_WAITS : round < 10 ? WAITS : MORE_WAITS); wait++) {
        const seen = await view(slug, request);
        if (done(seen)) return seen;
        isAtWork = seen.tasks.some(({ state }) => state === "in_flight");
        // Jobs that take days are asked about once a day.
        isWaiting =
          seen.tasks.some(isAccepted) && seen.tasks.every((task) => task.state === "ended" || isAccepted(task));
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
      if (isWaiting) await advance(DAY);
      else await advance(round < 5 ? 15_000 : round < 10 ? 60_000 : 10 * 60_000);
      await gateway.sweep();
    }
    throw new Error(`it never came to that: ${JSON.stringify(await view(slug, request), null, 1)}`);
  };

  return {
    url,
    redis,
    sandbox,
    gateway,
    secrets,
    tenants,
    vendorKey,
    api,
    key,
    admin,
    advance,
    until,
    setting: (slug, subprocessor, name) => settingOf(slug, subprocessor, name),
    person: async (slug, id, seeding = {}) => {
      const person = {
        id,
        email: `${id}@example.com`,
        name: `${id} Example`,
        facebookId: String(1_000_000_000_000 + ++people),
      };
      await seedPerson(api, post, slug, key(slug), person, seeding);
      return person;
    },
    held: async (text) => (await admin(`/holdings?text=${encodeURIComponent(text)}`)) as readonly string[],
    closed: (slug, request) => until(slug, request, ({ status }) => status === "closed"),
    stop: async () => {
      keepRequests(sandbox);
      await gateway.stop();
      await redis.stop();
      await engine.stop();
    },
  };
}

/** What the Worker waits between two calls to a vendor with a rate; where the rate itself is tested, `waitAtMost` says otherwise. */
const LONGEST_WAIT_MS = 20;

/** Looks at a request before the clock is moved on: usually, where that was too few, and while one of its tasks is being worked on. */
const WAITS = 3;
const MORE_WAITS = 20;
const LONGEST_WAITS = 100;

const isAccepted = ({ state }: RequestShape["tasks"][number]): boolean => state === "accepted";

/**
 * The customers' own endpoints, a provider of theirs, Bluesky's public stream, SNS's confirmation link, which the vendor sends whole, and
 * what standards of the web describe, and no vendor: places of general knowledge (RFC 8615), and the DNS.
 */
const isDescribedByNoApi = ({ hostname: host, pathname }: URL): boolean =>
  pathname.startsWith("/.well-known/") ||
  host === "cloudflare-dns.com" ||
  host.endsWith(".example") ||
  host === "id.example.com" ||
  /^jetstream\d\.us-(east|west)\.bsky\.network$/.test(host) ||
  /^sns\.[a-z0-9-]+\.amazonaws\.com$/.test(host);

/** What was sent to vendors is kept, so that it can be judged by the vendors' own descriptions of their APIs. */
function keepRequests(sandbox: Sandbox): void {
  const folder = "dist/requests";
  mkdirSync(folder, { recursive: true });
  const lines = sandbox
    .recorded()
    // Where a person's browser goes is a page, and no call of ours.
    .filter((call) => call.headers.accept !== "text/html" && !isDocumentedElsewhere(call))
    .filter(({ url, vendor }) => vendor !== "key-sets" && !isDescribedByNoApi(new URL(url)))
    .map(({ method, url, headers, body }) => JSON.stringify({ method, url, headers, body }));
  const name = basename(expect.getState().testPath ?? "unknown").replace(/\.test\.ts$/, "");
  writeFileSync(`${folder}/${name}.jsonl`, lines.map((line) => `${line}\n`).join(""));
}

function settingOf(slug: string, subprocessor: string, name: string): string {
  const customer: Customer | undefined = customers.find((each) => each.slug === slug);
  return customer?.subprocessors[subprocessor]?.settings[name] ?? "";
}

/**
 * A `signed_request` as Meta makes one, with Node's own crypto.
 * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function signedRequest(
  appSecret: string,
  userId: string,
  issuedAt: number,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const payload = Buffer.from(
    JSON.stringify({ algorithm: "HMAC-SHA256", issued_at: Math.floor(issuedAt / 1000), user_id: userId, ...more }),
  ).toString("base64url");
  return `${createHmac("sha256", appSecret).update(payload).digest("base64url")}.${payload}`;
}

export const metaCallback = (world: World, slug: string, endpoint: string, signed: string): Promise<Response> =>
  fetch(`${world.url}/hooks/${slug}/facebook/${endpoint}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ signed_request: signed }),
  });

const stripeSdk = new Stripe("sk_test_unused");

/** A delivery signed by Stripe's own SDK. */
export async function stripeDelivery(
  world: World,
  slug: string,
  event: object,
  options: { readonly at?: number; readonly secret?: string } = {},
): Promise<Response> {
  const payload = JSON.stringify(event);
  const header = await stripeSdk.webhooks.generateTestHeaderStringAsync({
    payload,
    secret: options.secret ?? settingOf(slug, "stripe", "webhookSecret"),
    timestamp: Math.floor((options.at ?? world.gateway.now()) / 1000),
  });
  return fetch(`${world.url}/hooks/${slug}/stripe/events`, {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8", "stripe-signature": header },
    body: payload,
  });
}

export const customerDeleted = (id: string, customer: string, at: number) => ({
  id,
  object: "event",
  api_version: "2026-07-29",
  created: Math.floor(at / 1000),
  livemode: false,
  type: "customer.deleted",
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  data: { object: { id: customer, object: "customer", deleted: true } },
});
