import { describe, expect, it } from "vitest";
import { at, below } from "../../src/contract/call.ts";
import { endpoint, isOwn, optional, secret, settingsSchema, text, tree } from "../../src/contract/settings.ts";

describe("[I13] what is a customer's own", () => {
  const base = "https://dsr.acme.example/v2";

  it("is an endpoint to the letter, and what lies below it only where it is a tree", () => {
    expect(isOwn(endpoint("Address"), base, base)).toBe(true);
    expect(isOwn(endpoint("Address"), base, `${base}/requests`)).toBe(false);
    expect(isOwn(tree("Address"), base, `${base}/requests`)).toBe(true);
    expect(isOwn(tree("Address"), `${base}/`, `${base}/requests?a=b`)).toBe(true);
  });

  it.each([
    "https://dsr.acme.example/v2evil",
    "https://dsr.acme.example/v2/../admin",
    "https://dsr.acme.example/v2/%2e%2e/admin",
    "https://dsr.acme.example/v1",
    "https://dsr.acme.example.evil.example/v2/requests",
    "http://dsr.acme.example/v2/requests",
    "no address",
  ])("is not %s", (address) => {
    expect(isOwn(tree("Address"), base, address)).toBe(false);
  });

  it("is nothing where the setting is unset, private or no endpoint", () => {
    expect(isOwn(tree("Address"), undefined, base)).toBe(false);
    expect(isOwn(tree("Address"), "", "")).toBe(false);
    expect(isOwn(tree("Address"), "https://localhost/v2", "https://localhost/v2/requests")).toBe(false);
    expect(isOwn(text("Address"), base, base)).toBe(false);
  });

  it("is called by an address below it, which evidence shows by the setting's name", () => {
    expect(below(`${base}/`, at`/requests/${{ request: "r-1" }}`)).toEqual({
      url: `${base}/requests/r-1`,
      template: "{endpoint}/requests/{request}",
    });
  });
});

describe("what a setting should look like", () => {
  const entering = (value: unknown) => {
    const settings = {
      key: secret("Secret key", /^sk_[a-z]+$/),
      long: optional(text("Long", new RegExp(`^(?:${"a|".repeat(50)}b)$`))),
      ahead: optional(text("Ahead", /^(?!x)/)),
    };
    return settingsSchema(settings)
      .safeParse(value)
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  };

  it("is shown where its pattern is simple, and never what was entered", () => {
    expect(entering({ key: "nope", long: "nope", ahead: "x" })).toEqual([
      "key: text that fits /^sk_[a-z]+$/ (Secret key)",
      "long: does not look right for: Long",
      "ahead: does not look right for: Ahead",
    ]);
    expect(entering({ key: ["sk_new", "nope"] })).toEqual(["key.1: text that fits /^sk_[a-z]+$/ (Secret key)"]);
    expect(entering({})).toEqual(["key: this setting is required"]);
  });
});
