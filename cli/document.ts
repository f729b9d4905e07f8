import { ok, type Result } from "../src/result.ts";
import { count, flag, object, optional, parseJson, type ReadBy, text } from "./shape.ts";

const Document = object({
  request: text,
  final: flag,
  receipt: text,
  salt: optional(text),
  log: optional(object({ index: count })),
});

/** A receipt as it was handed over. Only the JWS is signed; what stands around it is the bearer's word. */
export type Handed = {
  readonly jws: string;
  readonly about: ReadBy<typeof Document> | undefined;
};

/** Reads a bare compact JWS, or the document of `GET /v1/receipts/{request}`; its address for keys is never followed. */
export function parseHanded(source: string): Result<Handed, string> {
  const trimmed = source.trim();
  if (!trimmed.startsWith("{")) return ok({ jws: trimmed, about: undefined });
  const parsed = parseJson(trimmed, "the document");
  if (!parsed.ok) return parsed;
  const document = Document(parsed.value, "document");
  return document.ok ? ok({ jws: document.value.receipt, about: document.value }) : document;
}
