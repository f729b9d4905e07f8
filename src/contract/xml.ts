import { parseXml, XmlCdata, XmlDocumentType, XmlElement, XmlError, XmlText } from "@rgrove/parse-xml";
import { z } from "zod";
import { fail, ok, type Result } from "../result.ts";
import { type Reply, unforeseen } from "./call.ts";
import type { Unforeseen } from "./outcome.ts";

/**
 * A success in XML, read by a schema, as `read` does with JSON: the root has to be called so, and only the statuses that the
 * vendor documents count. An element without elements in it is its text, any other an object of lists by name:
 * `<Found><Key>a</Key><Key>b</Key></Found>` is `{ Key: ["a", "b"] }`. Attributes and namespaces are not looked at.
 */
export const readXml = <S extends z.ZodType>(
  reply: Reply,
  root: string,
  schema: S,
  statuses: readonly number[] = [200],
): Result<z.infer<S>, Unforeseen> => {
  if (!statuses.includes(reply.status)) return fail(unforeseen(reply));
  const content = contentOf(reply.text, root);
  if (content === undefined) return fail(unforeseen(reply, `the body is not XML with the root ${root}`));
  const parsed = schema.safeParse(content);
  if (parsed.success) return ok(parsed.data);
  const path = parsed.error.issues[0]?.path.join(".") ?? "";
  return fail(unforeseen(reply, `the body has no usable ${path || "content"}`));
};

/** An element that stands there exactly once. */
export const one = z.tuple([z.string()]).transform(([text]) => text);

/** Where it may be missing, or be empty. */
export const oneOrNone = z
  .tuple([z.string()])
  .optional()
  .transform((texts) => texts?.[0] ?? "");

/** Deeper than any answer that is read here. */
const DEEPEST = 16;

function contentOf(text: string, root: string): unknown {
  const element = rootOf(text);
  return element?.name === root ? inside(element, 1) : undefined;
}

/**
 * A document type could define entities, which an answer of a vendor has no need of: it is refused whole. (The parser knows
 * XML's five and character references, and takes any other for an error.)
 */
function rootOf(text: string): XmlElement | undefined {
  try {
    const document = parseXml(text, { preserveDocumentType: true });
    if (document.children.some((node) => node instanceof XmlDocumentType)) return undefined;
    return document.root ?? undefined;
  } catch (error) {
    // Elements in elements by the ten thousand use up the stack, which is no mistake of ours.
    if (error instanceof XmlError || error instanceof RangeError) return undefined;
    throw error;
  }
}

type Inside = { readonly [name: string]: readonly (string | Inside)[] };

/** Undefined for what goes too deep. The object has no prototype, so that no name means anything. */
function inside(element: XmlElement, depth: number): Inside | undefined {
  if (depth > DEEPEST) return undefined;
  const lists: Record<string, (string | Inside)[]> = Object.create(null);
  for (const node of element.children) {
    if (!(node instanceof XmlElement)) continue;
    const content = node.children.some((child) => child instanceof XmlElement) ? inside(node, depth + 1) : textOf(node);
    if (content === undefined) return undefined;
    const list = lists[node.name];
    if (list === undefined) lists[node.name] = [content];
    else list.push(content);
  }
  return lists;
}

const textOf = (element: XmlElement): string =>
  element.children.map((node) => (node instanceof XmlText || node instanceof XmlCdata ? node.text : "")).join("");
