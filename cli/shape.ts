import { fail, ok, type Result } from "../src/result.ts";

/** Reads outside data, or says where it does not fit and what was expected: never the value itself. */
export type Reader<T> = (value: unknown, at: string) => Result<T, string>;
export type ReadBy<R> = R extends Reader<infer T> ? T : never;

const fits =
  <T>(is: (value: unknown) => value is T, expected: string): Reader<T> =>
  (value, at) =>
    is(value) ? ok(value) : fail(`${at}: expected ${expected}`);

export const text = fits((value): value is string => typeof value === "string" && value !== "", "text");
export const flag = fits((value): value is boolean => typeof value === "boolean", "true or false");
export const count = fits(
  (value): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
  "a whole number",
);

export const textThat = (is: (value: string) => boolean, expected: string): Reader<string> =>
  fits((value): value is string => typeof value === "string" && is(value), expected);

/** RFC 3339, with the zone that makes it a moment. */
export const isTime = (value: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));

export const time = textThat(isTime, "an RFC 3339 time");

export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, at) =>
    value === undefined ? ok(undefined) : reader(value, at);

export const list =
  <T>(reader: Reader<T>): Reader<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value)) return fail(`${at}: expected a list`);
    const items: T[] = [];
    for (const [index, each] of value.entries()) {
      const item = reader(each, `${at}[${index}]`);
      if (!item.ok) return item;
      items.push(item.value);
    }
    return ok(items);
  };

/** An object with members of any name, all of one kind, in their order. */
export const record =
  <T>(reader: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, at) => {
    if (!isObject(value)) return fail(`${at}: expected an object`);
    const members: [string, T][] = [];
    for (const [name, each] of Object.entries(value)) {
      const member = reader(each, `${at}.${name}`);
      if (!member.ok) return member;
      members.push([name, member.value]);
    }
    return ok(Object.fromEntries(members));
  };

type Shape = Readonly<Record<string, Reader<unknown>>>;

/** Members that the shape does not name are passed over: a later version may say more. */
export const object =
  <S extends Shape>(shape: S): Reader<{ readonly [K in keyof S]: ReadBy<S[K]> }> =>
  (value, at) => {
    if (!isObject(value)) return fail(`${at}: expected an object`);
    const members: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(shape)) {
      const member = reader(Object.hasOwn(value, name) ? value[name] : undefined, `${at}.${name}`);
      if (!member.ok) return member;
      members[name] = member.value;
    }
    // Each member was read by the reader of its name, and by no other.
    return ok(members as { readonly [K in keyof S]: ReadBy<S[K]> });
  };

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The JSON in a text; the parser's own message would repeat some of it. */
export function parseJson(source: string, what: string): Result<unknown, string> {
  try {
    const parsed: unknown = JSON.parse(source);
    return ok(parsed);
  } catch (error) {
    if (error instanceof SyntaxError) return fail(`${what} is not JSON`);
    throw error;
  }
}
