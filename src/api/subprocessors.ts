import { Hono } from "hono";
import { clientAddress } from "../connections/client.ts";
import { callbackPath } from "../connections/connection.ts";
import type { Challenge } from "../contract/challenge.ts";
import type { Hook, Integration } from "../contract/integration.ts";
import { isAbsent, isBulk } from "../contract/integration.ts";
import type { OAuth } from "../contract/oauth.ts";
import { settingsSchema } from "../contract/settings.ts";
import { examine } from "../lanes/examine.ts";
import { polledLanes } from "../lanes/poll.ts";
import { probe } from "../lanes/probe.ts";
import { GATEWAY, laneName } from "../platform/keys.ts";
import type { TenantKeys } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import { accountOf } from "../registry/account.ts";
import { change } from "../registry/change.ts";
import { isDevelopmentKey } from "../registry/development-key.ts";
import { notInForce, SUBPROCESSOR_ID, type Subprocessor, SubprocessorInput } from "../registry/subprocessor.ts";
import { rfc3339 } from "../request/deadline.ts";
import { scheduleDuties } from "../request/duty.ts";
import { ok } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { fitted, input } from "./input.ts";

/** The registry, and what can be entered into it. */
export const subprocessors = (local: boolean) => {
  const app = new Hono<Authorised>();

  app.get("/v1/integrations", requires("read"), (c) =>
    c.json({ integrations: [...c.var.ports.integrations.values()].map(integrationView) }),
  );

  app.get("/v1/integrations/:id", requires("read"), (c) => {
    const integration = c.var.ports.integrations.get(c.req.param("id"));
    return integration === undefined
      ? problemResponse(c, { reason: "not_found", what: "such integration" })
      : c.json(integrationView(integration));
  });

  app.get("/v1/subprocessors", requires("read"), (c) =>
    c.json({ subprocessors: Object.values(c.var.tenant.tenant.subprocessors).map(subprocessorView) }),
  );

  app.get("/v1/subprocessors/:id", requires("read"), (c) => {
    const { ports, tenant: context } = c.var;
    const entry = context.tenant.subprocessors[c.req.param("id")];
    if (entry === undefined) return problemResponse(c, { reason: "not_found", what: "such subprocessor" });
    const integration = ports.integrations.get(entry.integration);
    return c.json({
      ...subprocessorView(entry),
      ...(integration !== undefined &&
        !isAbsent(integration.oauth) && {
          oauth: {
            redirect_uri: ports.origin + callbackPath(context.tenant.n, integration, entry.id),
            // Nothing is registered there: the client's id is where its description lies.
            ...(integration.oauth.client.by === "document" && { client_id: clientAddress(ports, context) }),
          },
        }),
    });
  });

  /** May this subprocessor be called with new data now? */
  app.get("/v1/subprocessors/:id/allowed", requires("read"), async (c) => {
    const fresh = (await c.var.ports.tenants.byNumber(c.var.tenant.tenant.n, 5_000)) ?? c.var.tenant;
    const entry = fresh.tenant.subprocessors[c.req.param("id")];
    if (entry === undefined) return problemResponse(c, { reason: "not_found", what: "such subprocessor" });
    const reason = notInForce(entry, c.var.ports.now());
    c.header("cache-control", "private, max-age=5");
    return c.json({ allowed: reason === undefined, ...(reason !== undefined && { reason }) });
  });

  /** Do its credentials work, and have they the rights that they need? Calls the vendor with them, and changes nothing. */
  app.post("/v1/subprocessors/:id/check", requires("operate"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    // Whoever has just mended a credential wants to know of that one.
    const fresh = (await ports.tenants.byNumber(context.tenant.n, 0)) ?? context;
    const examined = await examine(ports, fresh, c.req.param("id"));
    if (examined === undefined) return problemResponse(c, { reason: "not_found", what: "such subprocessor" });
    const { subprocessor, result } = examined;
    ports.log("subprocessor_checked", { tenant: context.tenant.slug, subprocessor, result, by: actor });
    return c.json(examined, 200, { "cache-control": "no-store" });
  });

  app.put("/v1/subprocessors/:id", requires("operate"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const id = c.req.param("id");
    if (!SUBPROCESSOR_ID.test(id) || id === GATEWAY)
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: "id", expected: "lower-case letters, digits and hyphens; not `gateway`" }],
      });
    const body = await input(c, SubprocessorInput);
    if (!body.ok) return problemResponse(c, body.problem);
    const integration = ports.integrations.get(body.value.integration);
    if (integration === undefined)
      return problemResponse(c, {
        reason: "invalid",
        errors: [{ field: "integration", expected: `one of ${[...ports.integrations.keys()].join(", ")}` }],
      });
    const before = context.tenant.subprocessors[id];
    if (before !== undefined && before.integration !== integration.id) {
      const detail = `This subprocessor is ${before.integration}, whose credentials an erasure may still need: retire it and add another.`;
      return problemResponse(c, { reason: "conflict", detail });
    }
    const settings = fitted(settingsSchema(integration.settings), body.value.settings, ["settings"]);
    if (!settings.ok) return problemResponse(c, settings.problem);
    const forgeable = local ? undefined : developmentKeyIn(settings.value);
    if (forgeable !== undefined) {
      const expected = "the vendor's own key: this one is for development, and everybody can sign with it";
      return problemResponse(c, { reason: "invalid", errors: [{ field: `settings.${forgeable}`, expected }] });
    }
    // What is retired may have gone already; but nobody is told anything at an address that never answered.
    const isGone = body.value.status === "retired" && before !== undefined && samePlain(before, settings.value);
    const refused = isGone ? undefined : await probe(ports, integration, settings.value);
    if (refused !== undefined) return problemResponse(c, { reason: "endpoint_refused", detail: refused });

    const { secrets, plain } = await split(context.keys, id, integration, settings.value);
    const about = {
      by: actor,
      what: "subprocessor changed",
      id,
      ...(body.value.change_reason !== undefined && { reason: body.value.change_reason }),
    };
    const changed = await change(ports, context, about, async (tenant) => {
      const before = tenant.subprocessors[id];
      const entry: Subprocessor = {
        id,
        integration: integration.id,
        settings: plain,
        secrets,
        registersObjects: body.value.registers_objects,
        status: body.value.status,
        validFrom: body.value.valid_from ?? before?.validFrom ?? rfc3339(ports.now()),
        ...(body.value.valid_to !== undefined && { validTo: body.value.valid_to }),
        version: (before?.version ?? 0) + 1,
        facts: body.value.facts,
        ...(body.value.quota !== undefined && { quota: entered(body.value.quota) }),
        // What was agreed with the vendor is changed where it was agreed.
        ...(before?.stream !== undefined && { stream: before.stream }),
      };
      return ok({
        tenant: { ...tenant, subprocessors: { ...tenant.subprocessors, [id]: entry } },
        shown: subprocessorView(entry),
      });
    });
    if (!changed.ok) return problemResponse(c, changed.problem);
    // A lane that rests because its credential was refused need not rest any longer.
    const laneOf = (subprocessor: string) => laneName(context.tenant.n, subprocessor);
    const account = await accountOf(ports, context, id);
    const resting = account && { name: account.name, lanes: account.others.map(laneOf) };
    await ports.store.unpause(laneOf(id), resting, ports.now());
    const fresh = await ports.tenants.byNumber(context.tenant.n);
    const isPolled = fresh !== undefined && polledLanes(ports, fresh).includes(laneOf(id));
    if (isPolled) await ports.store.keepPolling([laneOf(id)], ports.now());
    await ports.wake([laneOf(id)]);
    await scheduleDuties(ports, { ...context, tenant: changed.value }, id);
    const entry = changed.value.subprocessors[id];
    return entry === undefined ? problemResponse(c, { reason: "internal" }) : c.json(subprocessorView(entry));
  });

  return app;
};

/** The setting whose value proves nothing, if there is one. */
const developmentKeyIn = (settings: Readonly<Record<string, string | readonly string[] | undefined>>) =>
  Object.entries(settings).find(([, value]) => [value ?? []].flat().some(isDevelopmentKey))?.[0];
const entered = ({ per_day, resets }: NonNullable<SubprocessorInput["quota"]>) => ({
  perDay: per_day,
  ...(resets !== undefined && { resets }),
});

/** Whether what is not secret stays as it was: the address that was proven among it. */
const samePlain = (before: Subprocessor, values: Readonly<Record<string, string | string[] | undefined>>): boolean =>
  Object.entries(before.settings).every(([name, value]) => values[name] === value);

async function split(
  keys: TenantKeys,
  id: string,
  integration: Integration,
  values: Readonly<Record<string, string | string[] | undefined>>,
) {
  const plain: Record<string, string> = {};
  const secrets: Record<string, readonly string[]> = {};
  for (const [name, setting] of Object.entries(integration.settings)) {
    const value = values[name];
    if (value === undefined) continue;
    const list = Array.isArray(value) ? value : [value];
    if (setting.kind === "secret")
      secrets[name] = await Promise.all(list.map((text) => keys.sealSetting(`${id} ${name}`, text)));
    else plain[name] = list[0] ?? "";
  }
  return { plain, secrets };
}

/** A registry entry as it is shown: secrets are counted, never given. */
export const subprocessorView = (entry: Subprocessor) => ({
  id: entry.id,
  integration: entry.integration,
  version: entry.version,
  status: entry.status,
  valid_from: entry.validFrom,
  ...(entry.validTo !== undefined && { valid_to: entry.validTo }),
  registers_objects: entry.registersObjects,
  settings: {
    ...entry.settings,
    ...Object.fromEntries(Object.entries(entry.secrets).map(([name, values]) => [name, `(${values.length} sealed)`])),
  },
  facts: entry.facts,
  ...(entry.quota !== undefined && { quota: quotaView(entry.quota) }),
  ...(entry.stream !== undefined && { stream: entry.stream }),
});

const oauthView = ({ source, client, scopes, site, server, refresh, pkce }: OAuth) => ({
  source,
  settings:
    client.by === "document"
      ? { scopes: client.scopes }
      : {
          client_id: client.id,
          client_secret: client.secret,
          ...(client.dpop !== undefined && { dpop: client.dpop }),
        },
  scopes: scopes.standard,
  pkce: pkce === "S256",
  renewable: !isAbsent(refresh),
  ...(site !== undefined && { site }),
  ...("asks" in server && { asks: server.asks.label }),
});

const quotaView = ({ perDay, resets }: NonNullable<Subprocessor["quota"]>) => ({
  per_day: perDay,
  ...(resets !== undefined && { resets }),
});

/** Deleted content is told to whoever takes it, whatever an integration says. */
const withContent = (authority: Hook["authority"]): Hook["authority"] =>
  authority.content_deleted === undefined ? authority : { ...authority, content_deleted: "everywhere" };

/** All that is needed to make a registry entry, without reading source. */
function integrationView(integration: Integration) {
  const { id, name, about, origins, settings, identities, hooks, streams, lists, oauth, actions } = integration;
  const { residuals, retainable, limits } = integration;
  return {
    id,
    name,
    about,
    origins,
    settings: Object.entries(settings).map(([key, setting]) => ({
      name: key,
      kind: setting.kind,
      label: setting.label,
      required: setting.required,
      ...("pattern" in setting && setting.pattern !== undefined && { pattern: setting.pattern.source }),
    })),
    identities: Object.entries(identities).map(([type, meaning]) => ({ type, meaning })),
    hooks: isAbsent(hooks)
      ? hooks
      : Object.entries(hooks).map(([endpoint, hook]) => ({
          endpoint,
          path: `/hooks/{tenant}/{subprocessor}/${endpoint}`,
          scheme: hook.verify.scheme,
          content_types: hook.contentTypes,
          ...(hook.confirm !== undefined && { confirms: hook.confirm.signals }),
          ...(hook.transmitter !== undefined && { stream: "/v1/subprocessors/{id}/stream" }),
          ...(hook.challenges !== undefined && { challenges: hook.challenges.map(challengeView) }),
          events: hook.events,
          authority: withContent(hook.authority),
          retries_for_hours: hook.retriesForHours,
          source: hook.source,
        })),
    ...(streams !== undefined && {
      streams: Object.entries(streams).map(([name, stream]) => ({
        stream: name,
        origins: stream.origins,
        ...(stream.reach === "tenant" && { needs: stream.bearer, parts: stream.parts }),
        events: stream.events,
        authority: stream.confirm === undefined ? withContent(stream.authority) : stream.authority,
        looks_back_hours: stream.lookbackHours,
        source: stream.source,
      })),
    }),
    oauth: isAbsent(oauth) ? oauth : oauthView(oauth),
    ...(lists !== undefined && {
      lists: Object.entries(lists).map(([list, { events, authority, source }]) => ({
        list,
        path: `/v1/subprocessors/{id}/signals/${list}`,
        events,
        authority,
        source,
      })),
    }),
    ...(limits.perDay !== undefined && {
      quota: { per_day: limits.perDay.calls, resets: limits.perDay.resets, source: limits.perDay.source },
    }),
    takes_content_deletions: integration.content !== undefined,
    ...(integration.check !== undefined && {
      check: isAbsent(integration.check)
        ? integration.check
        : { shows: integration.check.shows, source: integration.check.source },
    }),
    actions: Object.fromEntries(
      Object.entries(actions).map(([key, action]) => [
        key,
        isAbsent(action)
          ? action
          : {
              by: action.by,
              asynchronous: (isBulk(action) ? action.bulk.check : action.check) !== undefined,
              read_back: action.look !== undefined,
              ...(isBulk(action) && { bulk: action.bulk.most }),
              ...(action.needs !== undefined && { needs: action.needs.settings }),
              source: action.source,
            },
      ]),
    ),
    ...(integration.duties !== undefined && {
      duties: Object.entries(integration.duties).map(([duty, { everyHours, what, source }]) => ({
        duty,
        every_hours: everyHours,
        what,
        source,
      })),
    }),
    ...(integration.requestDeadline !== undefined && {
      request_deadline: {
        hours: integration.requestDeadline.hours,
        source: integration.requestDeadline.source,
      },
    }),
    keeps_after_erasure: residuals,
    retainable_categories: retainable,
  };
}

const challengeView = (challenge: Challenge) => ({
  ask: challenge.ask,
  ...(challenge.ask === "query" && { query: challenge.name }),
  ...(challenge.ask === "presence" && { method: challenge.method }),
  source: challenge.source,
});
