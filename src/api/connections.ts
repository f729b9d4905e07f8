import { Hono } from "hono";
import { z } from "zod";
import { isBinding } from "../connections/client.ts";
import { confirmConnection } from "../connections/confirm.ts";
import { connectionsIn, parseConnectionId } from "../connections/connection.ts";
import { disconnect } from "../connections/end.ts";
import { startAddress } from "../connections/flow.ts";
import { type FreshProblem, freshGrant } from "../connections/fresh.ts";
import { partyOf, unfit } from "../connections/party.ts";
import { proofFor } from "../connections/proof.ts";
import { connectionView } from "../connections/view.ts";
import { isAbsent } from "../contract/integration.ts";
import type { OAuth } from "../contract/oauth.ts";
import type { Settings } from "../contract/settings.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { notInForce } from "../registry/subprocessor.ts";
import { rfc3339 } from "../request/deadline.ts";
import { mayReturnTo } from "../request/policy.ts";
import { openSubject } from "../request/subject.ts";
import { viewOf } from "../request/view.ts";
import { fail, ok, type Result } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { input } from "./input.ts";
import { Consent } from "./subjects.ts";

const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, "expected one scope, without spaces");

const StartInput = z.strictObject({
  subprocessor: z.string().max(64),
  /** What the product asks for; without, what the integration usually asks for. */
  scopes: z.array(Scope).min(1).max(50).optional(),
  /** One of the policy's `return_addresses`, with whatever query the product adds. */
  return_to: z.string().max(1000),
  /** Where the account lies, for vendors that have an address of their own for each customer: the shop, the subdomain. */
  site: z.string().max(255).optional(),
});

/** Where a token is bound to a key that stays here: the one call that it is wanted for. Elsewhere it changes nothing. */
const TokenInput = z.strictObject({
  call: z
    .strictObject({
      method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
      url: z.url({ protocol: /^https$/ }).max(2000),
      /** The last `DPoP-Nonce` that the host has sent. */
      nonce: z.string().min(1).max(500).optional(),
    })
    .optional(),
});

const ConfirmInput = z.strictObject({
  code: z.string().min(1).max(200),
  /** The product's own id of the person whose session it is. */
  subject: z.string().min(1).max(200),
  consent: Consent.optional(),
});

const NOT_FOUND: Problem = { reason: "not_found", what: "such connection" };

/** Connections: what people have granted at vendors, from the first redirect to the proven revocation. */
export const connections = () => {
  const app = new Hono<Authorised>();

  app.post("/v1/connections", requires("request"), async (c) => {
    const body = await input(c, StartInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const { subprocessor, return_to: returnTo, scopes, site } = body.value;
    const entry = context.tenant.subprocessors[subprocessor];
    const integration = ports.integrations.get(entry?.integration ?? "");
    if (entry === undefined || integration === undefined)
      return problemResponse(c, invalid("subprocessor", "the id of a subprocessor in your registry"));
    if (isAbsent(integration.oauth))
      return problemResponse(c, invalid("subprocessor", `one that grants access: ${integration.oauth.absent}`));
    const { oauth } = integration;
    const stops = notInForce(entry, ports.now());
    if (stops !== undefined)
      return problemResponse(c, { reason: "conflict", detail: `This subprocessor gets no new data: ${stops}.` });
    if ("id" in oauth.client && (entry.settings[oauth.client.id] ?? "") === "")
      return problemResponse(c, {
        reason: "conflict",
        detail: `Nobody can connect yet: enter the setting ${oauth.client.id} with PUT /v1/subprocessors/${subprocessor}.`,
      });
    const misfit = await misfitOf(ports, context, subprocessor, oauth);
    if (misfit !== undefined)
      return problemResponse(c, { reason: "conflict", detail: `Nobody can connect yet: ${misfit}.` });
    if (!mayReturnTo(context.tenant.policy, returnTo))
      return problemResponse(
        c,
        invalid("return_to", "a page that stands, by origin and path, in `return_addresses` of your policy"),
      );
    const wrong = siteProblem(integration.settings, oauth, site, entry.settings);
    if (wrong !== undefined) return problemResponse(c, invalid("site", wrong));
    const start = await startAddress(ports, context, {
      subprocessor,
      returnTo,
      scopes: scopes ?? oauth.scopes.standard,
      ...(site !== undefined && { site }),
    });
    return c.json({ start_url: start, expires_in: 600 }, 201);
  });

  app.get("/v1/connections/:id", requires("read"), async (c) => {
    const found = await own(c.var, c.req.param("id"));
    if (!found.ok) return problemResponse(c, found.problem);
    return c.json(await connectionView(c.var.tenant, found.value.id, found.value.hash));
  });

  app.get("/v1/subjects/:id/connections", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const { n } = context.tenant;
    const subject = await context.keys.derive("subject", c.req.param("id"));
    const [record = {}] = await ports.store.subjects([{ n, subject }]);
    const { known } = await openSubject(context.keys, subject, record);
    const ids = connectionsIn(known).map(({ value }) => value);
    const hashes = await ports.store.connections(ids.map((id) => ({ n, id })));
    const views = await Promise.all(
      hashes.map((hash, index) => (hash.st === undefined ? [] : connectionView(context, ids[index] ?? "", hash))),
    );
    return c.json({ connections: views.flat() });
  });

  app.post("/v1/connections/:id/confirm", requires("request"), async (c) => {
    const body = await input(c, ConfirmInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { ports, tenant: context } = c.var;
    const found = await own(c.var, c.req.param("id"));
    if (!found.ok) return problemResponse(c, found.problem);
    const subject = await context.keys.derive("subject", body.value.subject);
    const { id } = found.value;
    const confirmed = await confirmConnection(ports, context, id, body.value.code, subject, body.value.consent);
    if (!confirmed.ok) return problemResponse(c, confirmed.problem);
    const [hash = {}] = await ports.store.connections([{ n: context.tenant.n, id }]);
    return c.json({ ...(await connectionView(context, id, hash)), joins: confirmed.value.joins });
  });

  /** An access token that works for a while yet; that it was given, and to which key, is kept. */
  app.post("/v1/connections/:id/token", requires("request"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const parsed = parseConnectionId(c.req.param("id"));
    if (parsed === undefined || parsed.n !== context.tenant.n) return problemResponse(c, NOT_FOUND);
    const body = await input(c, TokenInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const { call } = body.value;
    if (call === undefined && (await isOfBinding(ports, context, parsed))) return problemResponse(c, BOUND);
    const grant = await freshGrant(ports, context, parsed.id, actor);
    if (!grant.ok) return problemResponse(c, tokenProblem(grant.problem, context, ports.now()));
    const { accessToken, expiresAt, scopes, account, binding } = grant.value;
    // Its subprocessor may have bound grants once, and bind no new ones now.
    if (binding !== undefined && call === undefined) return problemResponse(c, BOUND);
    const proof = call === undefined ? undefined : await proofFor(ports, grant.value, call);
    if (binding !== undefined && proof === undefined)
      return problemResponse(c, invalid("call.url", "an address at the host where the account lies"));
    c.header("cache-control", "no-store");
    return c.json({
      access_token: accessToken,
      token_type: proof === undefined ? "Bearer" : "DPoP",
      ...(proof !== undefined && { proof }),
      ...(expiresAt !== undefined && { expires_at: rfc3339(expiresAt) }),
      scopes,
      account,
    });
  });

  /** Ends a connection: its tokens are revoked at the vendor, and destroyed here. */
  app.delete("/v1/connections/:id", requires("request"), async (c) => {
    const { ports, tenant: context } = c.var;
    const found = await own(c.var, c.req.param("id"));
    if (!found.ok) return problemResponse(c, found.problem);
    const { id, hash } = found.value;
    const entry = await disconnect(ports, context, { id, subprocessor: hash.p ?? "" }, "product");
    if (entry === undefined) return problemResponse(c, { reason: "internal" });
    await ports.store.ending(context.tenant.n, [id]);
    return c.json(await viewOf(ports, context, entry.id), 202, { location: `/v1/requests/${entry.id}` });
  });

  return app;
};

const BOUND: Problem = {
  reason: "conflict",
  detail:
    "This connection's token is bound to a key that never leaves the gateway (DPoP, RFC 9449). Say for which call you need it, as `call`: {method, url, nonce?}; the answer has the proof for that one.",
};

/** Whether a connection is of a subprocessor that binds its grants. Most tenants have none, and need not ask the store first. */
async function isOfBinding(
  { integrations, store }: Ports,
  { tenant }: Context,
  connection: Parameters<Ports["store"]["connections"]>[0][number],
): Promise<boolean> {
  const binding = Object.values(tenant.subprocessors).filter(({ integration, settings }) => {
    const oauth = integrations.get(integration)?.oauth;
    return oauth !== undefined && !isAbsent(oauth) && isBinding(oauth.client, settings);
  });
  const [hash] = binding.length === 0 ? [] : await store.connections([connection]);
  return binding.some(({ id }) => id === hash?.p);
}

/** What keeps people from being sent to a provider that describes itself. Whether it answers at all is seen when somebody leaves. */
async function misfitOf(
  ports: Ports,
  context: Context,
  subprocessor: string,
  { server }: OAuth,
): Promise<string | undefined> {
  const party = "discovered" in server ? await partyOf(ports, context, subprocessor, {}) : undefined;
  const problem = party?.ok === true ? unfit(party.value) : party?.problem;
  return problem?.reason === "misconfigured" || problem?.reason === "unreadable" ? problem.what : undefined;
}

const invalid = (field: string, expected: string): Problem => ({ reason: "invalid", errors: [{ field, expected }] });

/** A connection of this tenant; of another's no more is said than that there is none. */
async function own(
  { ports, tenant: { tenant } }: Authorised["Variables"],
  text: string,
): Promise<Result<{ readonly id: string; readonly hash: Hash }, Problem>> {
  const parsed = parseConnectionId(text);
  if (parsed === undefined || parsed.n !== tenant.n) return fail(NOT_FOUND);
  const [hash = {}] = await ports.store.connections([parsed]);
  return hash.st === undefined ? fail(NOT_FOUND) : ok({ id: parsed.id, hash });
}

/**
 * Where a vendor has an address for each customer, it is the subprocessor's own or the connection's; where the server is found by what
 * the person says of themselves, that is always said.
 */
function siteProblem(
  settings: Settings,
  { site: name, server }: OAuth,
  said: string | undefined,
  entered: Context["tenant"]["subprocessors"][string]["settings"],
): string | undefined {
  const setting = "asks" in server ? server.asks : name === undefined ? undefined : settings[name];
  if (setting === undefined) return said === undefined ? undefined : "nothing: this vendor has one address for all";
  if (said === undefined)
    return name !== undefined && (entered[name] ?? "") !== "" ? undefined : withArticle(setting.label);
  const isFit = setting.kind === "text" && (setting.pattern?.test(said) ?? true);
  return isFit ? undefined : withArticle(setting.label);
}

/** A label within a sentence, where some have an article of their own. */
const withArticle = (label: string): string => `the ${label.replace(/^the /i, "")}`;

function tokenProblem(problem: FreshProblem, { tenant }: Context, now: number): Problem {
  switch (problem.reason) {
    case "none":
      return NOT_FOUND;
    case "not_active": {
      const why: Readonly<Record<string, string>> = {
        unconfirmed: "It has not been confirmed: POST /v1/connections/{id}/confirm.",
        ending: "It is being revoked.",
        ended: "It has ended.",
      };
      return { reason: "conflict", detail: `This connection gives no token. ${why[problem.state] ?? ""}` };
    }
    case "not_in_force": {
      const entry = tenant.subprocessors[problem.subprocessor];
      const why = entry === undefined ? undefined : notInForce(entry, now);
      return {
        reason: "conflict",
        detail: `This connection gives no token: ${problem.subprocessor} gets no new data, ${why ?? "it is not in force"}. Revoke it with DELETE /v1/connections/{id}, or put the subprocessor in force again with PUT /v1/subprocessors/${problem.subprocessor}.`,
      };
    }
    case "over":
      return {
        reason: "conflict",
        detail: `The vendor says that this grant is over; ${problem.request ?? "a request"} ends it here. Let the person connect again.`,
      };
    case "unreachable":
      return {
        reason: "vendor_refused",
        detail: "The token has expired and the vendor gave no new one now. Try again.",
      };
    case "refused":
      return { reason: "vendor_refused", detail: `The vendor refused to renew the token: ${problem.error}.` };
    case "unreadable":
      return { reason: "vendor_refused", detail: "The vendor's answer to the renewal of the token cannot be read." };
    case "unknown_account":
    case "misconfigured":
      return { reason: "conflict", detail: `The token cannot be renewed: ${problem.what}.` };
  }
}
