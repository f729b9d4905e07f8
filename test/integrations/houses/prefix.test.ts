import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PREFIX_TEMPLATE, prefixFor } from "../../../integrations/houses/prefix.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

describe("the prefix of one person's objects", () => {
  it.each(["users/{id}/", "{id}/", "a b/{id}-files/", "x/{id}/y/"])(
    "takes %s, and puts the id in its place",
    (template) => {
      expect(PREFIX_TEMPLATE.test(template)).toBe(true);
      expect(prefixFor(template, "u-42")).toBe(template.replace("{id}", "u-42"));
    },
  );

  it.each([
    "users/{id}",
    "users/",
    "",
    "/",
    "{id}{id}/",
    "users/{user}/",
    "users/{id}/{x}/",
    "{id}\n/",
    "users/{id}\u0000/",
  ])("refuses %j, which could be of several people, or of nobody", (template) => {
    expect(PREFIX_TEMPLATE.test(template)).toBe(false);
    expect(prefixFor(template, "u-42")).toBeUndefined();
  });

  it.each(["", "a/b", "/", "..", ".", "a..b", "../a", "a\\b", "a\u0000", "a\nb", "\u007f", "\u0085"])(
    "[I14] refuses the id %j, which could lead to somebody else's",
    (id) => {
      expect(prefixFor("users/{id}/", id)).toBeUndefined();
    },
  );

  it("puts in an id as it is, whatever a replacement would make of it", () => {
    expect(prefixFor("users/{id}/", "$&{id}$1")).toBe("users/$&{id}$1/");
  });

  it("[I14] never gives two people prefixes of which one holds the other", () => {
    expect(prefixFor("users/{id}/", "10")?.startsWith(prefixFor("users/{id}/", "1") ?? "")).toBe(false);
    fc.assert(
      fc.property(
        fc.constantFrom("users/{id}/", "{id}/", "{id}/x/", "u{id}/", "{id}-a/b/"),
        fc.string({ minLength: 1 }),
        fc.string({ minLength: 1 }),
        (template, one, other) => {
          const [a, b] = [prefixFor(template, one), prefixFor(template, other)];
          return one === other || a === undefined || b === undefined || !(a.startsWith(b) || b.startsWith(a));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
