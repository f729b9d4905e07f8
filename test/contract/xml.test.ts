import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { one, oneOrNone, readXml } from "../../src/contract/xml.ts";
import { replyOf } from "../support/play.ts";

const Listing = z.object({
  Name: one,
  Marker: oneOrNone,
  Version: z.array(z.object({ Key: one, VersionId: oneOrNone })).default([]),
});
const reading = (body: string, status = 200) => readXml(replyOf({ status, body }), "Listing", Listing);
const listing = (inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Listing xmlns="urn:x">${inside}</Listing>`;

describe("reading an answer in XML", () => {
  it("gives elements by name, and text to the letter", () => {
    const body = listing(
      "<Name> b </Name><Version><Key>a&amp;&lt;&#38;&#x26;.txt</Key><VersionId>1</VersionId></Version>\n" +
        "<Marker/><Version><Key><![CDATA[<b>]]></Key></Version>",
    );
    expect(reading(body)).toEqual({
      ok: true,
      value: {
        Name: " b ",
        Marker: "",
        Version: [
          { Key: "a&<&&.txt", VersionId: "1" },
          { Key: "<b>", VersionId: "" },
        ],
      },
    });
    expect(reading(listing("<Name>b</Name>"))).toMatchObject({ ok: true, value: { Version: [] } });
  });

  it("[I4] reads nothing under a status that is not documented, nor under another root", () => {
    expect(reading(listing("<Name>b</Name>"), 206)).toMatchObject({ ok: false, problem: { outcome: "unforeseen" } });
    for (const body of ["<Error><Name>b</Name></Error>", "<listing><Name>b</Name></listing>", "", "{}", "<Listing>"])
      expect(reading(body), body).toMatchObject({
        ok: false,
        problem: { what: "the body is not XML with the root Listing" },
      });
  });

  it("names the place that does not fit, never the value", () => {
    for (const inside of ["", "<Name>ada</Name><Name>ada</Name>", "<Name><First>ada</First></Name>"]) {
      const read = reading(listing(inside));
      expect(read).toMatchObject({ ok: false, problem: { what: expect.stringContaining("Name") } });
      expect(JSON.stringify(read)).not.toContain("ada");
    }
  });

  it.each([
    ["an entity of its own", '<!DOCTYPE Listing [<!ENTITY a "b">]><Listing><Name>&a;</Name></Listing>'],
    [
      "entities that grow",
      '<!DOCTYPE Listing [<!ENTITY a "bbbbbbbb"><!ENTITY c "&a;&a;&a;&a;">]><Listing><Name>&c;&c;</Name></Listing>',
    ],
    ["a file", '<!DOCTYPE Listing [<!ENTITY a SYSTEM "file:///etc/passwd">]><Listing><Name>&a;</Name></Listing>'],
    ["a document type that nobody uses", "<!DOCTYPE Listing><Listing><Name>b</Name></Listing>"],
    ["an entity that nobody defines", "<Listing><Name>&nbsp;</Name></Listing>"],
    ["two roots", "<Listing><Name>b</Name></Listing><Listing/>"],
    ["an element that is not closed", "<Listing><Name>b</Listing>"],
    ["a character that XML does not have", "<Listing><Name>\u0001</Name></Listing>"],
  ])("[I10] refuses %s", (_, body) => {
    expect(reading(body)).toMatchObject({ ok: false });
  });

  it("[I10] bears whatever fits into an answer: depth, width, and marks that never end", () => {
    const MAX = 1_048_576;
    for (const [head, each, tail] of [
      ["", "<a>", ""],
      ["<Listing>", "<a>", "</Listing>"],
      ["<Listing>", "<a/>", "</Listing>"],
      ["<Listing><Name>", "&amp;", "</Name></Listing>"],
      ["<Listing><Name>", "&", "</Name></Listing>"],
      ["<Listing><Name>", "<![CDATA[", "</Name></Listing>"],
      ["<!DOCTYPE Listing [", "<", "]><Listing/>"],
      ["<Listing ", "a='", "/>"],
    ] as const)
      expect(typeof reading(head + each.repeat((MAX - 64) / each.length) + tail).ok).toBe("boolean");
    const deep = 40;
    const nested = `<Name>b</Name>${"<Version>".repeat(deep)}<Key>k</Key>${"</Version>".repeat(deep)}`;
    expect(reading(listing(nested))).toMatchObject({ ok: false });
  });

  it("gives names no meaning", () => {
    const body = listing("<Name>b</Name><__proto__><polluted>yes</polluted></__proto__><constructor>c</constructor>");
    expect(reading(body)).toMatchObject({ ok: true, value: { Name: "b" } });
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("[I5] answers rubbish with a result, never with an exception", () => {
    fc.assert(fc.property(fc.string(), (text) => !reading(text).ok && !reading(listing(`<Name>${text}`)).ok));
  });
});
