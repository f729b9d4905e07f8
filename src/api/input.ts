import type { Context } from "hono";
import type { z } from "zod";
import { limited } from "../intake/body.ts";
import type { Problem } from "../problem.ts";
import { fail, ok, type Result } from "../result.ts";
import { expectation } from "./expectation.ts";

/** The largest document that the API reads. */
export const MAX_INPUT_BYTES = 262_144;

/** The request's JSON, read by a schema; every field that does not fit is named, with what was expected. */
export async function input<S extends z.ZodType>(
  c: Context,
  schema: S,
  maxBytes = MAX_INPUT_BYTES,
): Promise<Result<z.infer<S>, Problem>> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const body = await limited(c.req.raw, maxBytes);
  if (!body.ok) return body;
  if (body.value.byteLength > 0 && type !== "application/json")
    return fail({ reason: "unsupported_media_type", expected: "application/json" });
  const json = parsed(body.value);
  return json.ok ? fitted(schema, json.value) : json;
}

export function fitted<S extends z.ZodType>(
  schema: S,
  value: unknown,
  prefix: readonly string[] = [],
): Result<z.infer<S>, Problem> {
  const result = schema.safeParse(value, { error: expectation });
  if (result.success) return ok(result.data);
  const errors = result.error.issues.slice(0, 20).map((issue) => ({
    field: [...prefix, ...issue.path.map(String)].join(".") || "(body)",
    expected: issue.message,
  }));
  return fail({ reason: "invalid", errors });
}

function parsed(bytes: Uint8Array): Result<unknown, Problem> {
  if (bytes.byteLength === 0) return ok({});
  try {
    return ok(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)));
  } catch (error) {
    // TypeError: not UTF-8. SyntaxError: not JSON.
    if (error instanceof SyntaxError || error instanceof TypeError)
      return fail({ reason: "invalid", errors: [{ field: "(body)", expected: "valid JSON in UTF-8" }] });
    throw error;
  }
}
