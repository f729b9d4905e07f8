import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { at, byStatus, endpointAt, postForm, postJson, read, readRefusal } from "../../src/contract/call.ts";
import { erased, found, notFound } from "../../src/contract/outcome.ts";
import { isPublicEndpoint, isPublicHost } from "../../src/contract/settings.ts";
import { replyOf } from "../support/play.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

describe("an address made of named parts", () => {
  it("is called with the values and shown with their names", () => {
    expect(
      at`https://api.acme.example/v1/contacts/${{ contact: "a/b?c#d" }}/notes?after=${{ after: "x&y=z" }}`,
    ).toEqual({
      url: "https://api.acme.example/v1/contacts/a%2Fb%3Fc%23d/notes?after=x%26y%3Dz",
      template: "https://api.acme.example/v1/contacts/{contact}/notes?after={after}",
    });
  });

  it("[I13] keeps its origin and its path's shape, whatever the value", () => {
    const values = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.webPath({ size: "small" }),
      fc.constantFrom("%2e%2e", "..%2f", "\\..\\", "@evil.example", "//evil.example"),
    );
    fc.assert(
      fc.property(values, (value) => {
        fc.pre(!["", ".", ".."].includes(value) && value.isWellFormed());
        const { url } = at`https://api.acme.example/v1/contacts/${{ contact: value }}/notes?limit=1`;
        const parsed = new URL(url);
        const [empty, version, contacts, contact = "", notes, ...rest] = parsed.pathname.split("/");
        expect([parsed.origin, empty, version, contacts, notes, rest]).toEqual([
          "https://api.acme.example",
          "",
          "v1",
          "contacts",
          "notes",
          [],
        ]);
        expect(decodeURIComponent(contact)).toBe(value);
        expect(parsed.search).toBe("?limit=1");
        expect(parsed.hash).toBe("");
      }),
      { numRuns: 500 },
    );
  });

  it.each(["", ".", ".."])("[I13] cannot be made of %j, which a parser would take for a step", (value) => {
    expect(() => at`https://api.acme.example/contacts/${{ contact: value }}`).toThrow(RangeError);
  });

  it("[I7] does not show a customer's own endpoint", () => {
    expect(endpointAt("https://privacy.example.com/secret-path").template).toBe("{endpoint}");
  });
});

describe("a call's body", () => {
  it("is a form whose fields cannot run into each other", () => {
    const call = postForm(endpointAt("https://x.example/"), { a: "1" }, [
      ["objects[customers][]", "cus_1&x=y"],
      ["objects[customers][]", "cus_2"],
    ]);
    expect(call.headers).toEqual({ a: "1", "content-type": "application/x-www-form-urlencoded" });
    expect([...new URLSearchParams(call.body)]).toEqual([
      ["objects[customers][]", "cus_1&x=y"],
      ["objects[customers][]", "cus_2"],
    ]);
  });

  it("is JSON with its type", () => {
    const call = postJson(endpointAt("https://x.example/"), {}, { a: "ü" });
    expect(call).toMatchObject({ method: "POST", body: '{"a":"ü"}', headers: { "content-type": "application/json" } });
  });
});

describe("[I4] reading a reply", () => {
  const schema = z.object({ deleted: z.literal(true), deep: z.object({ id: z.string() }).optional() });

  it("gives what fits", () => {
    expect(read(replyOf({ status: 200, body: { deleted: true, more: 1 } }), schema)).toEqual({
      ok: true,
      value: { deleted: true },
    });
  });

  it.each([
    ["", "the body is not JSON"],
    ["<html>", "the body is not JSON"],
    ["{}", "the body has no usable deleted"],
    ['{"deleted":"true"}', "the body has no usable deleted"],
    ['{"deleted":true,"deep":{"id":1}}', "the body has no usable deep.id"],
    ["null", "the body has no usable content"],
  ])("calls %s unforeseen, and names the place and never the value", (body, what) => {
    expect(read(replyOf({ status: 200, body }), schema)).toEqual({
      ok: false,
      problem: { outcome: "unforeseen", status: 200, what },
    });
  });

  it("reads a success only on 200, or on the statuses that are named", () => {
    const on = (status: number, ...statuses: readonly (readonly number[])[]) =>
      read(replyOf({ status, body: { deleted: true } }), schema, ...statuses);
    for (const status of [100, 201, 202, 204, 299, 301, 400, 404, 500])
      expect(on(status)).toEqual({
        ok: false,
        problem: { outcome: "unforeseen", status, what: "a status that the vendor does not document here" },
      });
    expect(on(202, [200, 202]).ok).toBe(true);
    expect(on(200, [202]).ok).toBe(false);
  });

  it("reads a refusal only on 4xx", () => {
    const on = (status: number) => readRefusal(replyOf({ status, body: { deleted: true } }), schema).ok;
    for (const status of [400, 401, 404, 499]) expect(on(status)).toBe(true);
    for (const status of [100, 200, 204, 302, 399, 500, 503]) expect(on(status)).toBe(false);
  });

  it("takes only the statuses that are listed", () => {
    const meanings = { 204: erased, 404: notFound };
    expect(byStatus(replyOf({ status: 204 }), meanings)).toEqual(erased);
    for (const status of [200, 202, 403, 500])
      expect(byStatus(replyOf({ status }), meanings)).toMatchObject({ outcome: "unforeseen", status });
  });

  it("calls a search that found none not found", () => {
    expect(found([])).toEqual(notFound);
  });
});

describe("[I13] a customer's own endpoint", () => {
  it.each(["https://privacy.example.com/", "https://privacy.example.com:443/a/b", "https://xn--bcher-kva.example/"])(
    "may be %s",
    (url) => {
      expect(isPublicEndpoint(url)).toBe(true);
    },
  );

  it.each([
    "https://0x7f.1/",
    "https://127.1/",
    "https://192.168.0.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost./",
    "https://a.localhost/",
    "https://host.lan/",
    "https://host.home.arpa/",
    "https://hidden.onion/",
    "https://privacy.example.com:80/",
    "javascript:alert(1)",
    "https:///x",
    "",
  ])("may not be %s", (url) => {
    expect(isPublicEndpoint(url)).toBe(false);
  });

  it("is judged alike with and without dots at the end of its name", () => {
    const names = ["privacy.example.com", "printer.local", "localhost", "127.0.0.1", "metadata.google.internal"];
    for (const name of names)
      for (const dots of [".", ".."]) expect(isPublicHost(`${name}${dots}`), name).toBe(isPublicHost(name));
    expect(isPublicHost("printer.local..")).toBe(false);
  });
});
