import { Hono } from "hono";
import { type Hook, isAbsent, type Refusal } from "../contract/integration.ts";
import type { Proven } from "../contract/signal.ts";
import { statusCode } from "../ids.ts";
import type { App, Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";
import { limited } from "./body.ts";
import { answerAsked, answerProven, isPresence } from "./challenge.ts";
import { askFor } from "./confirm.ts";
import { errorOf } from "./polled.ts";
import { quarantine } from "./quarantine.ts";
import type { Delivery, Means } from "./schemes/scheme.ts";
import type { SetError } from "./transmitter.ts";
import { type Found, find, understand } from "./understand.ts";
import { meansOf, verify } from "./verify.ts";

/** The largest delivery that is read: Stripe's and Meta's are a few kilobytes; Graph webhooks may batch a thousand. */
export const MAX_DELIVERY_BYTES = 1_048_576;

/** A snapshot this old is loaded again before a delivery is refused, because its secret may have been rotated. */
const RELOAD_MS = 10_000;

/** Headers that are the same at each answer, made once: an answer takes them over in one go. */
const EMPTY = new Headers(SECURITY_HEADERS);
const JSON_BODY = new Headers({ ...SECURITY_HEADERS, "content-type": "application/json" });

type Path = {
  readonly tenant: string;
  readonly subprocessor: string;
  readonly endpoint?: string | undefined;
};

/** What vendors tell us: verify, read what it means, record what it causes, answer as the vendor wants. */
export const hooks = () => {
  const app = new Hono<App>();

  app.all("/hooks/:tenant/:subprocessor/:endpoint?", async (c) => {
    const ports = c.get("ports");
    const path: Path = c.req.param();
    const { method } = c.req;
    if (method !== "POST") {
      const isAsked = method === "GET" || method === "HEAD";
      const answer = isAsked ? await challenged(ports, path, method, registered(ports, c.req.url)) : undefined;
      return answer ?? problemResponse(c, { reason: "method_not_allowed", allowed: "POST" });
    }
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    if (!TYPES.has(type))
      return problemResponse(c, { reason: "unsupported_media_type", expected: [...TYPES].join(" or ") });
    const body = await limited(c.req.raw, MAX_DELIVERY_BYTES);
    if (!body.ok) return problemResponse(c, body.problem);
    const delivery: Delivery = {
      method,
      // Few schemes sign it, and an address is dear to take apart.
      get url() {
        return registered(ports, c.req.url);
      },
      body: body.value,
      header: (name) => c.req.header(name),
    };

    const proof = await prove(ports, path, type, delivery);
    if (proof === "unavailable") return problemResponse(c, { reason: "keys_unavailable" });
    // Unknown tenant, unknown subprocessor and wrong signature answer alike; who is known may hear more.
    if (proof === undefined || typeof proof === "string")
      return problemResponse(c, {
        reason: "delivery_refused",
        as: refusalAt(ports, path, type),
        ...(proof !== undefined && { err: proof }),
      });
    const { found, proven, isOffer } = proof;
    if (isOffer) {
      const kept = await quarantine(ports, found, proven, "key", c.req.raw.headers);
      return kept
        ? new Response(null, { status: 200, headers: EMPTY })
        : problemResponse(c, { reason: "quarantine_full" });
    }
    const { challenges, handshake } = found.hook;
    if (challenges !== undefined) {
      const answered = await answerProven(challenges, proven, { method, url: delivery.url, values: found.values });
      if (answered !== undefined) return answered;
    }
    if (handshake !== undefined) await askFor(ports, found, handshake, proven);
    const understood = await understand(ports, found, proven);
    if (!understood.ok) {
      const { at, reason } = understood.problem;
      const isEvent = found.hook.refusal?.status === "secevent";
      if (reason === "unknown_state") return problemResponse(c, { reason: "event_refused", err: "invalid_state", at });
      // Not accepted, and not lost either: whoever is to look at it finds it, and a repeat is the same one.
      const kept = await quarantine(ports, found, proven, at, c.req.raw.headers);
      const errors = [{ field: at, expected: "what the vendor documents" }];
      if (!kept) return problemResponse(c, { reason: "quarantine_full" });
      return problemResponse(
        c,
        isEvent ? { reason: "event_refused", err: "invalid_request", at } : { reason: "invalid", errors },
      );
    }
    const { answer } = found.hook;
    const [first] = understood.value;
    if (typeof answer !== "function") return new Response(null, { status: answer ?? 202, headers: EMPTY });
    if (first === undefined) return new Response(null, { status: 202, headers: EMPTY });
    const code = await statusCode(found.context.keys, first.id);
    const said = answer({ statusUrl: `${ports.origin}/status/${code}`, code });
    return new Response(JSON.stringify(said), { headers: JSON_BODY });
  });

  return app;
};

/** What some hook takes; what a particular one does not take is refused with all else that does not fit it. */
const TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/x-www-form-urlencoded",
  "application/secevent+jwt",
  "application/jwt",
  "text/plain",
] satisfies Hook["contentTypes"][number][]);

/** The address as the vendor knows it: the public origin, whatever stands before the Worker. */
function registered({ origin }: Ports, address: string): string {
  const { pathname, search } = new URL(address);
  return origin + pathname + search;
}

/** Answers what asks by GET or HEAD; once more with a fresh snapshot, because hooks are set up in minutes. */
async function challenged(ports: Ports, path: Path, method: string, url: string): Promise<Response | undefined> {
  // Like a refusal, this is told from the address alone: one that is not there answers like one that is.
  if (isPresence(namedAt(ports, path)?.challenges ?? [], method)) return new Response(null, { status: 200 });
  let seen: Context | undefined;
  for (const maxAgeMs of [undefined, RELOAD_MS]) {
    const context = await ports.tenants.bySlug(path.tenant, maxAgeMs);
    if (context !== undefined && context.version === seen?.version) return undefined;
    seen = context;
    const found = find(ports, context, path);
    if (found === undefined) continue;
    const challenges = found.hook.challenges ?? [];
    // A subprocessor may have a name that does not tell what it is.
    if (isPresence(challenges, method)) return new Response(null, { status: 200 });
    const answer = await answerAsked(challenges, { ...found, method, url });
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** What was proven, and whether it tells the key by which all others are. */
type Proof = { readonly found: Found; readonly proven: Proven; readonly isOffer: boolean };

/** Finds the hook and checks the delivery; once more with a fresh snapshot if the one at hand may be out of date. */
async function prove(
  ports: Ports,
  path: Path,
  type: string,
  delivery: Delivery,
): Promise<Proof | "unavailable" | SetError | undefined> {
  let seen: Context | undefined;
  let told: SetError | undefined;
  for (const maxAgeMs of [undefined, RELOAD_MS]) {
    const context = await ports.tenants.bySlug(path.tenant, maxAgeMs);
    if (context !== undefined && context.version === seen?.version) return told;
    seen = context;
    const found = find(ports, context, path);
    if (found === undefined) continue;
    const { hook } = found;
    const means = meansOf(ports, found);
    const types: readonly string[] = hook.contentTypes;
    const result = types.includes(type) ? await verify(hook.verify, delivery, means) : undefined;
    if (result?.ok === true) return { found, proven: result.value, isOffer: false };
    const offered = result === undefined ? undefined : await offeredBy(hook, delivery, means);
    if (offered !== undefined) return { found, proven: offered, isOffer: true };
    const check = result === undefined ? "content_type" : result.problem.reason;
    const { tenant, subprocessor } = path;
    ports.log("delivery_refused", { tenant, subprocessor, scheme: hook.verify.scheme, check });
    if (check === "keys_unavailable") return "unavailable";
    const problem = result?.ok === false ? result.problem : undefined;
    told = problem !== undefined && "known" in problem ? errorOf(problem) : undefined;
  }
  return told;
}

/** A delivery that tells a key, from whoever knows the secret of the address. */
async function offeredBy({ offer }: Hook, delivery: Delivery, means: Means): Promise<Proven | undefined> {
  if (offer === undefined) return undefined;
  const told = await verify(offer.verify, delivery, means);
  return told.ok && offer.tells(told.value) ? told.value : undefined;
}

/**
 * How a refusal looks. It is told from the address and the content type alone, so that an address that is not there answers
 * like one that is.
 */
const refusalAt = (ports: Ports, path: Path, type: string): Refusal["status"] =>
  namedAt(ports, path)?.refusal?.status ?? (type === "application/secevent+jwt" ? "secevent" : 401);

/** The hook that an address speaks of, of the integration whose id the subprocessor's begins with. */
function namedAt({ integrations }: Ports, { subprocessor, endpoint }: Path): Hook | undefined {
  const named = [...integrations.values()]
    .filter(({ id }) => subprocessor === id || subprocessor.startsWith(`${id}-`))
    .sort((a, b) => b.id.length - a.id.length)[0];
  if (named === undefined || isAbsent(named.hooks)) return undefined;
  const hooks = Object.entries(named.hooks);
  const [, hook] = hooks.find(([name]) => name === endpoint) ?? (hooks.length === 1 ? hooks : [])[0] ?? [];
  return hook;
}
