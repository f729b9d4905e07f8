import { type Context, Hono } from "hono";
import { z } from "zod";
import { Identity } from "../contract/identity.ts";
import type { Integration, List } from "../contract/integration.ts";
import { type SignalType, type VendorEvent, withinSecond } from "../contract/signal.ts";
import { limited } from "../intake/body.ts";
import { importEvents, importSignals, namedBy, type SignalList } from "../intake/import.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { Subprocessor } from "../registry/subprocessor.ts";
import { CLOCK_SKEW_MS } from "../request/generation.ts";
import type { Entry } from "../request/record.ts";
import { fail, ok, type Result } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { identityErrors } from "./identities.ts";
import { input } from "./input.ts";

/** A thousand ids with their times are some hundred kilobytes; ids of the longest kind come in smaller lists. */
const MAX_LIST_BYTES = 1_048_576;
const MAX_IDS = 1000;

/** JSON, one value a line. It has no registered type; this is what those who write it use. */
const LINES = "application/x-ndjson";

/** Every kind of signal, so that a kind that is added to the contract does not compile until it stands here. */
const TYPES = {
  erasure_requested: true,
  account_deleted: true,
  deauthorized: true,
  token_revoked: true,
  account_disabled: true,
  account_restored: true,
  content_deleted: true,
  consent_withdrawn: true,
  access_requested: true,
} as const satisfies Record<SignalType, true>;

/** A time in whole seconds may mean any moment of its second; here it means the last, as where a vendor signs it. */
const At = z.iso
  .datetime({ offset: true })
  .transform((text) => (text.includes(".") ? Date.parse(text) : withinSecond(Math.floor(Date.parse(text) / 1000))));

const ListInput = z.strictObject({
  // The keys of a literal object are its members' names.
  type: z.enum(Object.keys(TYPES) as [SignalType, ...SignalType[]]),
  reference: z.string().min(1).max(200),
  ids: z
    .array(Identity.extend({ at: At.optional() }))
    .min(1)
    .max(MAX_IDS),
});

/** Lists of ids that vendors offer for download beside their hooks, or instead of them. */
export const signals = () => {
  const app = new Hono<Authorised>();

  app.post("/v1/subprocessors/:id/signals", requires("request"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const whose = named(c, c.req.param("id"));
    if (!whose.ok) return problemResponse(c, whose.problem);
    const { subprocessor, integration } = whose.value;
    const body = await input(c, ListInput, MAX_LIST_BYTES);
    if (!body.ok) return problemResponse(c, body.problem);
    const list = listOf(body.value, namedBy(context.tenant, subprocessor, integration), ports.now());
    if (!list.ok) return problemResponse(c, list.problem);
    const entries = await importSignals(ports, context, subprocessor, integration, list.value);
    // Deleted content opens no request: it is told to own systems in bulk.
    const isContent = list.value.type === "content_deleted";
    const results = isContent ? list.value.ids.map((): Imported => ({ result: "told" })) : entries.map(resultOf);
    ports.log("signals_imported", {
      tenant: context.tenant.slug,
      subprocessor: subprocessor.id,
      type: list.value.type,
      by: actor,
      ids: results.length,
    });
    return c.json({ counts: countsOf(results), results }, 202);
  });

  // A vendor's own file, as it was downloaded: each line says what it means.
  app.post("/v1/subprocessors/:id/signals/:list", requires("request"), async (c) => {
    const { ports, tenant: context, actor } = c.var;
    const whose = named(c, c.req.param("id"));
    if (!whose.ok) return problemResponse(c, whose.problem);
    const { subprocessor, integration } = whose.value;
    const name = c.req.param("list");
    const [, list] = Object.entries(integration.lists ?? {}).find(([each]) => each === name) ?? [];
    if (list === undefined) return problemResponse(c, { reason: "not_found", what: "such list" });
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== LINES) return problemResponse(c, { reason: "unsupported_media_type", expected: LINES });
    const body = await limited(c.req.raw, MAX_LIST_BYTES);
    if (!body.ok) return problemResponse(c, body.problem);
    const events = eventsIn(body.value, list, ports.now());
    if (!events.ok) return problemResponse(c, events.problem);
    const entries = await importEvents(ports, context, subprocessor, integration, { name, list }, events.value);
    const results = resultsOf(events.value, entries);
    ports.log("signals_imported", {
      tenant: context.tenant.slug,
      subprocessor: subprocessor.id,
      type: name,
      by: actor,
      ids: results.length,
    });
    return c.json({ counts: countsOf(results), results }, 202);
  });

  return app;
};

/** The registry entry that a list is of, and what knows its ids. */
function named(
  { var: { ports, tenant } }: Context<Authorised>,
  id: string,
): Result<{ readonly subprocessor: Subprocessor; readonly integration: Integration }, Problem> {
  const subprocessor = tenant.tenant.subprocessors[id];
  if (subprocessor === undefined) return fail({ reason: "not_found", what: "such subprocessor" });
  const integration = ports.integrations.get(subprocessor.integration);
  if (integration !== undefined) return ok({ subprocessor, integration });
  const detail = `This version has no integration ${subprocessor.integration}, and does not know its ids.`;
  return fail({ reason: "conflict", detail });
}

/** What every line tells; refused as a whole where one of them is not what the vendor documents. */
function eventsIn(bytes: Uint8Array, list: List, now: number): Result<readonly VendorEvent[], Problem> {
  const lines = textOf(bytes)
    ?.split("\n")
    .map((line) => line.trim());
  const filled = lines?.filter((line) => line !== "").length ?? 0;
  const expected = `1 to ${MAX_IDS} lines of JSON in UTF-8`;
  if (lines === undefined || filled === 0 || filled > MAX_IDS)
    return fail({ reason: "invalid", errors: [{ field: "(body)", expected }] });
  const errors: { readonly field: string; readonly expected: string }[] = [];
  const events = lines.flatMap((line, index) => {
    if (line === "") return [];
    const read = list.read(line, now);
    const isToCome = read.ok && read.value.some(({ signals }) => signals.some(({ at }) => at > now + CLOCK_SKEW_MS));
    if (read.ok && !isToCome) return read.value;
    const at = read.ok ? "time" : read.problem.at;
    errors.push({
      field: `lines.${index}.${at}`,
      expected: read.ok ? "a time that has passed" : "what the vendor documents",
    });
    return [];
  });
  return errors.length > 0 ? fail({ reason: "invalid", errors: errors.slice(0, 20) }) : ok(events);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    // TypeError: not UTF-8.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** In the order of the lines, and of the signals of each: requests have entries, in that order, and content has none. */
function resultsOf(events: readonly VendorEvent[], entries: readonly Entry[]): readonly Imported[] {
  const left = entries.values();
  return events.flatMap(({ name, signals }): Imported[] => {
    if (signals.length === 0) return [{ event: name, result: "ignored" }];
    return signals.flatMap(({ type }): Imported[] => {
      if (type === "content_deleted") return [{ event: name, result: "told" }];
      const { value } = left.next();
      return value === undefined ? [] : [{ event: name, ...resultOf(value) }];
    });
  });
}

/** Each id of a type that this subprocessor may name, with a time that has passed; refused as a whole otherwise. */
function listOf(
  { type, reference, ids }: z.infer<typeof ListInput>,
  types: readonly string[],
  now: number,
): Result<SignalList, Problem> {
  const late = now + CLOCK_SKEW_MS;
  const errors = [
    ...identityErrors(new Set(types), ids, "ids"),
    ...ids.flatMap(({ at = now }, index) =>
      at > late ? [{ field: `ids.${index}.at`, expected: "a time that has passed" }] : [],
    ),
  ];
  if (errors.length > 0) return fail({ reason: "invalid", errors: errors.slice(0, 20) });
  // A list without times says how things stand as it is handed in, as a delivery without one does.
  return ok({ type, reference, ids: ids.map(({ at = now, ...identity }) => ({ ...identity, at })) });
}

type Imported = {
  /** The vendor's name of it, where lines say it. */
  readonly event?: string;
  readonly request?: string;
  readonly result: "opened" | "held" | "duplicate" | "noted" | "told" | "ignored";
  /** Why it caused nothing. */
  readonly noted?: string;
};

function resultOf({ id, recorded }: Entry): Imported {
  switch (recorded.result) {
    case "recorded":
      return { request: id, result: "opened" };
    case "held":
      return { request: id, result: "held" };
    case "noted":
      return { request: id, result: "noted", noted: recorded.why };
    case "duplicate":
    case "conflict":
      return { request: id, result: "duplicate" };
  }
}

const countsOf = (results: readonly Imported[]): Readonly<Record<Imported["result"], number>> => {
  const counts = { opened: 0, held: 0, duplicate: 0, noted: 0, told: 0, ignored: 0 };
  for (const { result } of results) counts[result]++;
  return counts;
};
