import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prefixes, prefixesOf } from "../../../integrations/houses/key-prefix.ts";
import { settingsSchema } from "../../../src/contract/settings.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_122 });

const slashes = prefixes("Prefixes", ["/"]);
const takes = (templates: string, setting = slashes) =>
  settingsSchema({ templates: setting }).safeParse({ templates }).success;

describe("a template of a prefix", () => {
  it.each([
    "users/{id}/",
    "{id}/",
    "a/b/user-{id}/c/",
    "users/{id}/, exports/{id}/",
    " users/{id}/ ,exports/{id}/ ",
    "user-{id}.d/",
  ])("may be %s", (templates) => expect(takes(templates)).toBe(true));

  it.each([
    ["", "the whole bucket"],
    ["/", "the whole bucket"],
    ["users/", "everybody"],
    ["users/{id}", "1 would take 10"],
    ["users/{id}-", "1 would take 1-2"],
    ["users/{id}/a", "no delimiter at its end"],
    ["users/{id}/{id}/", "twice"],
    ["users/{name}/", "another name"],
    ["users/{id}/, exports/", "one that is everybody's"],
    ["users/{id}/,", "an empty one"],
    ["users//{id}/", "an empty step"],
    ["users/{id}:", "another delimiter"],
    [Array.from({ length: 9 }, (_, nth) => `a${nth}/{id}/`).join(","), "nine"],
  ])("may not be %s: %s", (templates) => expect(takes(templates)).toBe(false));

  it("has one delimiter, which the store offers", () => {
    const keys = prefixes("Prefixes", ["/", ":"]);
    expect(takes("app/user:{id}:,cart:{id}:", keys)).toBe(true);
    expect(takes("user:{id}:,cart/{id}/", keys)).toBe(false);
    expect(takes("user|{id}|", keys)).toBe(false);
  });

  it("[I10] is read in no time, whatever is written there", () => {
    for (const text of ["a/".repeat(2000), `${"a".repeat(4000)}`, "{id}/,".repeat(600), " ".repeat(4096)])
      expect(takes(`${text}!`)).toBe(false);
  });
});

describe("the prefixes of one person", () => {
  it("are the templates with the id", () => {
    expect(prefixesOf("users/{id}/, exports/user-{id}/zip/", "42")).toEqual(["users/42/", "exports/user-42/zip/"]);
    expect(prefixesOf("users/{id}/", "$&")).toEqual(["users/$&/"]);
    expect(prefixesOf("user:{id}:", "Ada Ä")).toEqual(["user:Ada Ä:"]);
  });

  it.each([
    "",
    ".",
    "..",
    "a/b",
    "/",
    "1/",
    "../2",
    "a..b",
    "a\\b",
    "1\n",
    "\u0000",
    "1\u007f",
    "1\u200b",
    " 1",
    "1 ",
    "{id}",
    "}",
  ])("[I14] are none for the id %j", (id) =>
    expect(prefixesOf("users/{id}/", id)).toMatchObject({ outcome: "unforeseen", status: 0 }),
  );

  it("[I14] are none for an id with the store's own delimiter", () => {
    expect(prefixesOf("user:{id}:", "1:2")).toMatchObject({ outcome: "unforeseen" });
    expect(prefixesOf("user:{id}:", "1/2")).toMatchObject({ outcome: "unforeseen" });
  });

  it.each([
    ["{id}/, users/{id}/", "users", "everybody under users/"],
    ["{id}/, users/{id}/", "1", "a part of what is the person's with the id users"],
    ["{id}/, user-{id}/", "user-7", "what is 7's"],
    ["{id}/, user-{id}/", "7", "what is user-7's"],
    ["a/{id}/, a/b/{id}/", "b", "everybody under a/b/"],
    ["a/{id}/, {id}/b/", "b", "a's"],
  ])("[I14] at %s are none for the id %s, which would take %s", (templates, id) => {
    expect(prefixesOf(templates, id)).toMatchObject({ outcome: "unforeseen" });
  });

  it.each(["users/{id}/, exports/{id}/", "a/{id}/, {id}/b/", "user-{id}/, export-{id}/"])(
    "are there at %s, where each has a word of its own",
    (templates) => expect(prefixesOf(templates, "1")).toHaveLength(2),
  );

  it("may lie in each other for the same person", () => {
    expect(prefixesOf("users/{id}/, users/{id}/exports/", "1")).toEqual(["users/1/", "users/1/exports/"]);
  });

  it("[I14] never take what any other person's prefixes have, whatever the templates and ids", () => {
    const word = fc.constantFrom("a", "b", "ab", "user-");
    const step = fc.tuple(word, word).map(([one, other]) => `${one}${other}`);
    const template = fc
      .tuple(
        fc.array(word, { maxLength: 2 }),
        fc.constantFrom("", "a", "user-"),
        fc.constantFrom("", "b"),
        fc.array(word, { maxLength: 2 }),
      )
      .map(([before, head, tail, after]) => [...before, `${head}{id}${tail}`, ...after, ""].join("/"));
    const id = fc.oneof(word, step, fc.constantFrom("1", "10"));
    fc.assert(
      fc.property(fc.array(template, { minLength: 1, maxLength: 3 }), id, id, (templates, mine, other) => {
        fc.pre(mine !== other);
        const list = templates.join(",");
        expect(takes(list)).toBe(true);
        const own = prefixesOf(list, mine);
        if ("outcome" in own) return;
        const keys = templates.map((each) => `${each.replace("{id}", other)}file`);
        for (const prefix of own)
          for (const key of keys) expect(key.startsWith(prefix), `${prefix} ${key}`).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
