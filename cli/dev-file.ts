import { ok, type Result } from "../src/result.ts";
import { isOrigin } from "./origin.ts";
import { list, object, optional, parseJson, type ReadBy, type Reader, record, text, textThat } from "./shape.ts";
import { nameOf, type Place, readText } from "./source.ts";
import type { Terminal } from "./terminal.ts";

/** Where `npm start` writes about the gateway that it runs. */
export const DEV_FILE = ".quittance/dev.json";

const anyText = textThat(() => true, "text");
const several = list(anyText);

/** A setting with several values holds the newest first. */
const newest: Reader<string> = (value, at) => {
  if (!Array.isArray(value)) return anyText(value, at);
  const values = several(value, at);
  return values.ok ? ok(values.value[0] ?? "") : values;
};

const DevFile = object({
  url: textThat(isOrigin, "the gateway's origin"),
  tenants: record(
    object({
      api_key: text,
      subprocessors: record(object({ integration: text, settings: optional(record(newest)) })),
    }),
  ),
});
export type DevFile = ReadBy<typeof DevFile>;
export type Tenants = DevFile["tenants"];

/** What `npm start` has written; refused, by what is wrong with it, where it is not there or is another file. */
export async function readDevFile(terminal: Terminal, path: string): Promise<Result<DevFile, string>> {
  const place: Place = { at: "file", path };
  const source = await readText(terminal, place);
  if (!source.ok) return source;
  const parsed = parseJson(source.value, nameOf(place));
  return parsed.ok ? DevFile(parsed.value, nameOf(place)) : parsed;
}
