import { Hono } from "hono";
import type { Hook, Integration } from "../contract/integration.ts";
import { isAbsent } from "../contract/integration.ts";
import type { Signal } from "../contract/signal.ts";
import { statusCode } from "../ids.ts";
import type { App, Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import type { Subprocessor } from "../registry/subprocessor.ts";
import { type Intent, record } from "../request/record.ts";
import { limited } from "./body.ts";
import { type Proven, verify } from "./verify.ts";

/** The largest delivery that is read: Stripe's and Meta's are a few kilobytes; Graph webhooks may batch a thousand. */
export const MAX_DELIVERY_BYTES = 1_048_576;

/** A snapshot this old is loaded again before a delivery is refused, because its secret may have been rotated. */
const RELOAD_MS = 10_000;

type Found = {
  readonly context: Context;
  readonly subprocessor: Subprocessor;
  readonly integration: Integration;
  readonly endpoint: string;
  readonly hook: Hook;
};

/** What vendors tell us: verify, read what it means, record what it causes, answer as the vendor wants. */
export const hooks = () => {
  const app = new Hono<App>();

  app.all("/hooks/:tenant/:subprocessor/:endpoint?", async (c) => {
    const ports = c.var.ports;
    if (c.req.method !== "POST") return problemResponse(c, { reason: "method_not_allowed", allowed: "POST" });
    const type = mediaType(c.req.header("content-type"));
    if (type === undefined)
      return problemResponse(c, {
        reason: "unsupported_media_type",
        expected: "application/json or application/x-www-form-urlencoded",
      });
    const body = await limited(c.req.raw, MAX_DELIVERY_BYTES);
    if (!body.ok) return problemResponse(c, body.problem);
    const delivery = { body: body.value, header: (name: string) => c.req.header(name) };
    const path = c.req.param();

    const proof = await prove(ports, path, type, delivery);
    // Unknown tenant, unknown subprocessor and wrong signature answer alike.
    if (proof === undefined) return problemResponse(c, { reason: "delivery_refused" });
    const { found, proven } = proof;
    const reading = found.hook.read(proven.text);
    if (!reading.ok) {
      ports.log("delivery_unreadable", {
        tenant: path.tenant,
        subprocessor: path.subprocessor,
        at: reading.problem.at,
      });
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: reading.problem.at, expected: "what the vendor documents" }],
      });
    }
    const { deliveryId, signals } = reading.value;
    if (signals.length === 0) return c.body(null, 202);
    const entries = await record(ports, found.context, (context) =>
      signals.map((signal, index) => intentOf(context, found, signal, `${deliveryId}#${index}`)),
    );
    const [first] = entries;
    if (found.hook.answer === undefined || first === undefined) return c.body(null, 202);
    const code = await statusCode(found.context.keys, first.id);
    return c.json(found.hook.answer({ statusUrl: `${ports.origin}/status/${code}`, code }), 200);
  });

  return app;
};

function mediaType(header: string | undefined): string | undefined {
  const type = header?.split(";")[0]?.trim().toLowerCase();
  return type === "application/json" || type === "application/x-www-form-urlencoded" ? type : undefined;
}

/** Finds the hook and checks the delivery; once more with a fresh snapshot if the one at hand may be out of date. */
async function prove(
  ports: Ports,
  path: { readonly tenant: string; readonly subprocessor: string; readonly endpoint?: string | undefined },
  type: string,
  delivery: Parameters<typeof verify>[1],
): Promise<{ readonly found: Found; readonly proven: Proven } | undefined> {
  let seen: Context | undefined;
  for (const maxAgeMs of [undefined, RELOAD_MS]) {
    const context = await ports.tenants.bySlug(path.tenant, maxAgeMs);
    if (context !== undefined && context.version === seen?.version) return undefined;
    seen = context;
    const found = context === undefined ? undefined : find(ports, context, path);
    if (found === undefined) continue;
    const { scheme } = found.hook.verify;
    const secrets = await found.context.secrets(found.subprocessor.id, found.hook.verify.key);
    const importKey = (secret: string) =>
      found.context.once(`hmac ${secret}`, () =>
        crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
          "verify",
        ]),
      );
    const result =
      found.hook.contentType === type
        ? await verify(found.hook.verify, delivery, secrets, importKey, ports.now())
        : undefined;
    if (result?.ok === true) return { found, proven: result.value };
    const check = result === undefined ? "content_type" : result.problem.reason;
    ports.log("delivery_refused", { tenant: path.tenant, subprocessor: path.subprocessor, scheme, check });
  }
  return undefined;
}

function find(
  ports: Ports,
  context: Context,
  path: { readonly subprocessor: string; readonly endpoint?: string | undefined },
): Found | undefined {
  const subprocessor = context.tenant.subprocessors[path.subprocessor];
  const integration = subprocessor === undefined ? undefined : ports.integrations.get(subprocessor.integration);
  if (subprocessor === undefined || integration === undefined || isAbsent(integration.hooks)) return undefined;
  const named = Object.entries(integration.hooks);
  const [endpoint, hook] =
    (path.endpoint === undefined && named.length === 1 ? named[0] : named.find(([name]) => name === path.endpoint)) ??
    [];
  if (endpoint === undefined || hook === undefined || context.tenant.status !== "active") return undefined;
  return { context, subprocessor, integration, endpoint, hook };
}

/**
 * What a proven signal causes. Verified is not authorised: the policy says what each hook's signals may do, and a hook
 * speaks only for identities of its own integration unless the policy widens that.
 */
function intentOf(
  { tenant }: Context,
  { subprocessor, integration, endpoint, hook }: Found,
  signal: Signal,
  delivery: string,
): Intent {
  const source = `${subprocessor.id}/${endpoint}`;
  const isOwn = Object.hasOwn(integration.identities, signal.identity.type);
  const mayName = isOwn || (tenant.policy.widen[source] ?? []).includes(signal.identity.type);
  const decided: Partial<Record<string, "record" | "here" | "everywhere">> = tenant.policy.authority[source] ?? {};
  const authority = mayName ? (decided[signal.type] ?? hook.authority[signal.type] ?? "record") : "record";
  const ended = signal.type === "deauthorized" || signal.type === "token_revoked";
  return {
    type: ended && authority !== "everywhere" ? "revocation" : "erasure",
    source,
    delivery,
    authority,
    // An id of the vendor's own means nothing at another account of the same vendor.
    identities: [isOwn ? { ...signal.identity, subprocessor: subprocessor.id } : signal.identity],
    // What people ask for is never an echo; what a vendor reports may be.
    ...(signal.type !== "erasure_requested" && { echoOf: subprocessor.id }),
    signalAt: signal.at,
    ...(authority !== "everywhere" && { scope: subprocessor.id }),
    ...(ended && { endedByHolder: true as const }),
  };
}
