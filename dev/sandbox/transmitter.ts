import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { read } from "./admin.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const PUSH = "urn:ietf:rfc:8935";
const POLL = "urn:ietf:rfc:8936";
const VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const UPDATED = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";

/** `{vendor: "transmitter", host, audience, token?, client?, one_stream?}`. */
const Seed = z.object({
  host: z.string().regex(/\.example$/),
  audience: z.string(),
  token: z.string().optional(),
  client: z.strictObject({ id: z.string(), secret: z.string() }).optional(),
  one_stream: z.boolean().default(true),
});

const Delivery = z.looseObject({
  method: z.enum([PUSH, POLL]),
  endpoint_url: z.url().optional(),
  authorization_header: z.string().optional(),
});
const Wanted = z.looseObject({
  stream_id: z.string().optional(),
  events_requested: z.array(z.string()).optional(),
  delivery: Delivery.optional(),
  description: z.string().optional(),
});
const Asked = z.looseObject({
  maxEvents: z.number().int().nonnegative().optional(),
  returnImmediately: z.boolean().optional(),
  ack: z.array(z.string()).default([]),
  setErrs: z.record(z.string(), z.looseObject({ err: z.string(), description: z.string().optional() })).default({}),
});
const Status = z.looseObject({ stream_id: z.string(), status: z.enum(["enabled", "paused", "disabled"]) });
const Verify = z.looseObject({ stream_id: z.string(), state: z.string().optional() });

/** What is to be told. `tamper` breaks the signature. */
const Event = z.strictObject({
  event: z.string(),
  subject: z.record(z.string(), z.json()),
  details: z.record(z.string(), z.json()).default({}),
  jti: z.string().optional(),
  claims: z.record(z.string(), z.json()).default({}),
  tamper: z.boolean().default(false),
});
type Event = z.infer<typeof Event>;

type Stream = {
  readonly id: string;
  events: readonly string[];
  delivery: z.infer<typeof Delivery>;
  description: string | undefined;
  status: "enabled" | "paused" | "disabled";
  /** Not acknowledged yet, by `jti`, oldest first. */
  readonly waiting: Map<string, string>;
  readonly acknowledged: string[];
  readonly reported: Record<string, string>;
};
type Pushed = {
  readonly endpoint_url: string;
  readonly authorization: string | null;
  readonly content_type: string;
  readonly body: string;
};
type Transmitter = z.infer<typeof Seed> & {
  readonly key: KeyObject;
  readonly jwk: Json;
  readonly streams: Map<string, Stream>;
  readonly issued: Set<string>;
};

/**
 * Transmitters of the Shared Signals Framework, one a host that was seeded: configuration, key set, token endpoint, one stream
 * or several, status, verification, and the queue of a stream that is polled. `POST /transmitter/{host}/events` makes one tell
 * something: into the queue, or as a push that stands in `/events`, from where whoever plays the network sends it.
 *
 * @see https://openid.net/specs/openid-sharedsignals-framework-1_0.html
 */
export const transmitter: MakeVendor = (world) => {
  const hosts = new Map<string, Transmitter>();
  const pushes: Pushed[] = [];
  let count = 0;

  const issuerOf = ({ host }: Transmitter) => `https://${host}/tenant`;
  const tell = (of: Transmitter, stream: Stream, said: Event): string => {
    const jti = said.jti ?? `jti-${++count}`;
    const claims = {
      iss: issuerOf(of),
      aud: of.audience,
      iat: Math.floor(world.now() / 1000),
      jti,
      sub_id: said.subject,
      events: { [said.event]: said.details },
      ...said.claims,
    };
    const token = signed(of, claims, said.tamper);
    if (stream.delivery.method === POLL) stream.waiting.set(jti, token);
    else {
      const push = {
        endpoint_url: stream.delivery.endpoint_url ?? "",
        authorization: stream.delivery.authorization_header ?? null,
        content_type: "application/secevent+jwt",
        body: token,
      };
      pushes.push(push);
      world.announce("transmitter", push);
    }
    return jti;
  };
  const shown = (of: Transmitter, stream: Stream) => ({
    stream_id: stream.id,
    iss: issuerOf(of),
    aud: of.audience,
    events_requested: stream.events,
    events_delivered: stream.events,
    delivery:
      stream.delivery.method === POLL
        ? { method: POLL, endpoint_url: `https://${of.host}/ssf/poll/${stream.id}` }
        : stream.delivery,
    ...(stream.description !== undefined && { description: stream.description }),
  });
  const app = routes({ tell, shown, issuerOf, newId: () => `stream-${++count}` });

  const admin = new Hono();
  admin.post("/transmitter/:host/events", async (c) => {
    const of = hosts.get(c.req.param("host"));
    if (of === undefined) return c.json({ error: "no such transmitter" }, 404);
    const event = await read(c, Event);
    return c.json([...of.streams.values()].map((stream) => tell(of, stream, event)));
  });

  return {
    id: "transmitter",
    about: "Transmitters of the OpenID Shared Signals Framework",
    serves: () => false,
    standsAt: ({ hostname }) => hosts.has(hostname),
    call: async (request) => {
      const of = hosts.get(new URL(request.url).hostname);
      return of === undefined ? Response.json({ error: "no such transmitter" }, { status: 404 }) : app(of, request);
    },
    refuse: ({ reason, status }: Refusal) => Response.json({ error: reason }, { status }),
    seed: (seed) => {
      const fit = Seed.parse(seed);
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const { kty = "", n = "", e = "" } = publicKey.export({ format: "jwk" });
      const jwk = { kty, n, e, kid: fit.host, alg: "RS256", use: "sig" };
      hosts.set(fit.host, { ...fit, key: privateKey, jwk, streams: new Map(), issued: new Set() });
      return fit.host;
    },
    holdings: () =>
      Object.fromEntries(
        [...hosts].map(([host, { streams }]) => [
          host,
          Object.fromEntries(
            [...streams].map(([id, { status, delivery, waiting, acknowledged, reported }]) => [
              id,
              { status, delivery: delivery.method, waiting: [...waiting.keys()], acknowledged, reported },
            ]),
          ),
        ]),
      ),
    events: () => pushes,
    reset: () => {
      hosts.clear();
      pushes.length = 0;
    },
    admin,
  };
};

type Inner = {
  readonly tell: (of: Transmitter, stream: Stream, said: Event) => string;
  readonly shown: (of: Transmitter, stream: Stream) => object;
  readonly issuerOf: (of: Transmitter) => string;
  readonly newId: () => string;
};

/** What stands at a transmitter's addresses. */
function routes({ tell, shown, issuerOf, newId }: Inner) {
  return async (of: Transmitter, request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const path = `${request.method} ${url.pathname}`;
    const base = `https://${of.host}/ssf`;
    const text = await request.text();
    if (path === "GET /.well-known/ssf-configuration/tenant")
      return Response.json({
        spec_version: "1_0",
        issuer: issuerOf(of),
        jwks_uri: `${base}/key-set`,
        delivery_methods_supported: [PUSH, POLL],
        configuration_endpoint: `${base}/streams`,
        status_endpoint: `${base}/status`,
        verification_endpoint: `${base}/verify`,
        authorization_schemes: [{ spec_urn: "urn:ietf:rfc:6749" }],
      });
    if (path === "GET /ssf/key-set") return Response.json({ keys: [of.jwk] });
    if (path === "POST /oauth/token") return token(of, request, text);
    if (!isKnown(of, request)) return new Response(null, { status: 401 });

    const body: unknown = text === "" ? {} : JSON.parse(text);
    const named = url.searchParams.get("stream_id");
    if (url.pathname === "/ssf/streams") {
      if (request.method === "POST") {
        if (of.one_stream && of.streams.size > 0) return new Response(null, { status: 409 });
        const wanted = Wanted.parse(body);
        const stream: Stream = {
          id: newId(),
          events: wanted.events_requested ?? [],
          delivery: wanted.delivery ?? { method: POLL },
          description: wanted.description,
          status: "enabled",
          waiting: new Map(),
          acknowledged: [],
          reported: {},
        };
        of.streams.set(stream.id, stream);
        return Response.json(shown(of, stream), { status: 201 });
      }
      if (request.method === "GET" && named === null)
        return Response.json([...of.streams.values()].map((stream) => shown(of, stream)));
      const wanted = Wanted.parse(body);
      const stream = of.streams.get(named ?? wanted.stream_id ?? "");
      if (stream === undefined) return new Response(null, { status: 404 });
      if (request.method === "DELETE") {
        of.streams.delete(stream.id);
        return new Response(null, { status: 204 });
      }
      if (request.method === "PATCH") {
        stream.delivery = wanted.delivery ?? stream.delivery;
        stream.events = wanted.events_requested ?? stream.events;
        stream.description = wanted.description ?? stream.description;
      }
      return Response.json(shown(of, stream));
    }
    if (path === "GET /ssf/status") {
      const stream = of.streams.get(named ?? "");
      if (stream === undefined) return new Response(null, { status: 404 });
      return Response.json({ stream_id: stream.id, status: stream.status });
    }
    if (path === "POST /ssf/status") {
      const { stream_id, status } = Status.parse(body);
      const stream = of.streams.get(stream_id);
      if (stream === undefined) return new Response(null, { status: 404 });
      stream.status = status;
      tell(of, stream, about(stream, UPDATED, { status }));
      return Response.json({ stream_id, status });
    }
    if (path === "POST /ssf/verify") {
      const { stream_id, state } = Verify.parse(body);
      const stream = of.streams.get(stream_id);
      if (stream === undefined) return new Response(null, { status: 404 });
      tell(of, stream, about(stream, VERIFICATION, state === undefined ? {} : { state }));
      return new Response(null, { status: 204 });
    }
    const polled = of.streams.get(url.pathname.replace(/^\/ssf\/poll\//, ""));
    if (request.method === "POST" && polled?.delivery.method === POLL) return poll(polled, Asked.parse(body));
    return new Response(null, { status: 404 });
  };
}

/** RFC 8936 section 2. What is neither acknowledged nor reported comes again. */
function poll(stream: Stream, { ack, setErrs, maxEvents = 100 }: z.infer<typeof Asked>): Response {
  for (const jti of ack) if (stream.waiting.delete(jti)) stream.acknowledged.push(jti);
  for (const [jti, { err }] of Object.entries(setErrs)) {
    stream.waiting.delete(jti);
    stream.reported[jti] = err;
  }
  const sets = stream.status === "enabled" ? [...stream.waiting].slice(0, maxEvents) : [];
  const moreAvailable = stream.waiting.size > sets.length;
  return Response.json({ sets: Object.fromEntries(sets), ...(moreAvailable && { moreAvailable }) });
}

const about = (stream: Stream, event: string, details: Event["details"]): Event => ({
  event,
  subject: { format: "opaque", id: stream.id },
  details,
  claims: {},
  tamper: false,
});

function token(of: Transmitter, request: Request, text: string): Response {
  const form = new URLSearchParams(text);
  const expected = of.client && `Basic ${btoa(`${of.client.id}:${of.client.secret}`)}`;
  if (request.headers.get("authorization") !== expected || form.get("grant_type") !== "client_credentials")
    return Response.json({ error: "invalid_client" }, { status: 401 });
  const issued = createHash("sha256").update(`${of.host} ${of.issued.size}`).digest("hex");
  of.issued.add(issued);
  return Response.json({ access_token: issued, token_type: "Bearer", expires_in: 3600 });
}

function isKnown(of: Transmitter, request: Request): boolean {
  const given = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  return given !== undefined && (given === of.token || of.issued.has(given));
}

function signed({ host, key }: Transmitter, claims: object, tamper: boolean): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", typ: "secevent+jwt", kid: host })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(tamper ? `${text}x` : text), key).toString("base64url");
  return `${text}.${signature}`;
}
