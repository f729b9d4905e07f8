import { Hono } from "hono";
import { z } from "zod";
import { Identity } from "../contract/identity.ts";
import { type SignalType, withinSecond } from "../contract/signal.ts";
import { importSignals, namedBy, type SignalList } from "../intake/import.ts";
import { type Problem, problemResponse } from "../problem.ts";
import { CLOCK_SKEW_MS } from "../request/generation.ts";
import type { Entry } from "../request/record.ts";
import { fail, ok, type Result } from "../result.ts";
import { type Authorised, requires } from "./auth.ts";
import { identityErrors } from "./identities.ts";
import { input } from "./input.ts";

/** A thousand ids with their times are some hundred kilobytes; ids of the longest kind come in smaller lists. */
const MAX_LIST_BYTES = 1_048_576;
const MAX_IDS = 1000;

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
    const subprocessor = context.tenant.subprocessors[c.req.param("id")];
    if (subprocessor === undefined) return problemResponse(c, { reason: "not_found", what: "such subprocessor" });
    const integration = ports.integrations.get(subprocessor.integration);
    if (integration === undefined) {
      const detail = `This version has no integration ${subprocessor.integration}, and does not know its ids.`;
      return problemResponse(c, { reason: "conflict", detail });
    }
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

  return app;
};

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
  readonly request?: string;
  readonly result: "opened" | "held" | "duplicate" | "noted" | "told";
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
  const counts = { opened: 0, held: 0, duplicate: 0, noted: 0, told: 0 };
  for (const { result } of results) counts[result]++;
  return counts;
};
