import fc from "fast-check";
import { expect, it } from "vitest";
import type { Verification } from "../../src/contract/verification.ts";
import type { Refused } from "../../src/intake/schemes/scheme.ts";
import type { KeySets } from "../../src/ports.ts";
import { bytes, checked, type Posted } from "./proven.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

export const proves = (text: string) => ({ ok: true, value: expect.objectContaining({ text }) });
export const refuses = (reason: Refused["reason"]) => ({ ok: false, problem: expect.objectContaining({ reason }) });

/** A genuine delivery, and all that its scheme is told. */
export type Case = {
  readonly scheme: Verification;
  readonly settings: Readonly<Record<string, string | readonly string[]>>;
  readonly posted: Posted & { readonly headers: Readonly<Record<string, string>> };
  readonly now?: number;
  readonly keySets?: KeySets;
};

export const check = ({ scheme, posted, settings, now = 0, keySets }: Case, changed: Posted = {}) =>
  checked(scheme, { ...posted, ...changed }, settings, { now, ...(keySets !== undefined && { keySets }) });

/**
 * What holds of every scheme that signs the body: the genuine delivery is proven, and none in which anything that is signed
 * is otherwise. `others` are settings that are not the right ones; `lists` are headers that may hold one signature several times.
 */
export function itProvesNothingElse(
  name: string,
  make: () => Case | Promise<Case>,
  others: Case["settings"],
  { covers = ["body"], lists = [] }: { readonly covers?: readonly string[]; readonly lists?: readonly string[] } = {},
): void {
  const refused = async (genuine: Case, changed: Posted, why = "") =>
    expect((await check(genuine, changed)).ok, why).toBe(false);

  it(`[I5] ${name}: proves the genuine delivery`, async () => {
    expect(await check(await make())).toMatchObject({ ok: true });
  });

  it(`[I5] ${name}: refuses any byte of the body changed, added or left out`, async () => {
    const genuine = await make();
    const body = bytes(genuine.posted.body ?? "");
    if (!covers.includes("body")) return;
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Uint8Array.from(body);
        changed[at] = (changed[at] ?? 0) ^ by;
        await refused(genuine, { body: changed });
        await refused(genuine, { body: new Uint8Array([...body.slice(0, at), ...body.slice(at + 1)]) });
        await refused(genuine, { body: new Uint8Array([...body.slice(0, at), by, ...body.slice(at)]) });
      }),
      { numRuns: 150 },
    );
    await refused(genuine, { body: new Uint8Array([0xef, 0xbb, 0xbf, ...body]) });
    await refused(genuine, { body: new Uint8Array([...body, 0x0a]) });
  });

  it(`[I5] ${name}: refuses any header changed, left out, or sent twice`, async () => {
    const genuine = await make();
    const { headers } = genuine.posted;
    for (const [header, value] of Object.entries(headers)) {
      const set = (text: string) => ({ headers: { ...headers, [header]: text } });
      const { [header]: _, ...without } = headers;
      await refused(genuine, { headers: without }, header);
      // What stands twice reaches us as one text.
      for (const twice of [`${value}, ${value}`, `${value},${value}`, `, ${value}`, `${value},`])
        if (!lists.includes(header)) await refused(genuine, set(twice), `${header}: ${twice}`);
      await fc.assert(
        fc.asyncProperty(fc.nat(value.length - 1), fc.stringMatching(/^[ -~]$/), async (at, other) => {
          fc.pre(other !== value[at]);
          const changed = value.slice(0, at) + other + value.slice(at + 1);
          await refused(genuine, set(changed), `${header}: ${changed}`);
        }),
        { numRuns: 150 },
      );
    }
  });

  it(`[I5] ${name}: refuses another address or method where it is signed`, async () => {
    const genuine = await make();
    const { url = "", method = "POST" } = genuine.posted;
    if (covers.includes("url"))
      for (const other of [`${url}x`, `${url}&x=1`, url.slice(0, -1), url.replace("https", "http"), `${url}#x`])
        await refused(genuine, { url: other }, other);
    if (covers.includes("method"))
      for (const other of ["GET", "PUT", method.toLowerCase()]) await refused(genuine, { method: other }, other);
  });

  it(`[I5] ${name}: refuses everything under another key, and without one; the right one may stand anywhere`, async () => {
    const genuine = await make();
    expect((await check({ ...genuine, settings: { ...genuine.settings, ...others } })).ok).toBe(false);
    for (const [setting, wrong] of Object.entries(others)) {
      const { [setting]: right = [], ...without } = genuine.settings;
      expect((await check({ ...genuine, settings: without })).ok, setting).toBe(false);
      for (const list of [
        [right, wrong],
        [wrong, right],
      ])
        expect(await check({ ...genuine, settings: { ...without, [setting]: list.flat() } })).toMatchObject({
          ok: true,
        });
    }
  });

  it(`[I5] ${name}: answers anything with a result, never with an exception`, async () => {
    const genuine = await make();
    const names = Object.keys(genuine.posted.headers);
    const piece = fc.oneof(
      fc.constantFrom(
        "",
        ",",
        ";",
        "=",
        "t=1",
        "v1=",
        "v1,",
        "v1a,AA==",
        "sha256=",
        "AA==",
        "00",
        "0",
        "{",
        "__proto__",
      ),
      fc.constantFrom(...Object.values(genuine.posted.headers), "none"),
      fc.string({ maxLength: 12 }),
    );
    const value = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: names.length, maxLength: names.length }),
        fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.json().map(bytes), value.map(bytes)),
        async (values, body) => {
          const headers = Object.fromEntries(names.map((each, at) => [each, values[at] ?? ""]));
          expect((await check(genuine, { headers, body })).ok).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
}

/** What holds of every scheme with a signed time: it may be so far from ours, on either side, and no further. */
export function itKeepsToItsWindow(
  name: string,
  make: (at: number) => Case | Promise<Case>,
  withinSeconds: number,
): void {
  it.each([
    [-withinSeconds - 1, false],
    [-withinSeconds, true],
    [withinSeconds, true],
    [withinSeconds + 1, false],
  ])(`[I5] ${name}: a time %i seconds from ours is good: %s`, async (ahead, good) => {
    const now = Date.parse("2026-11-21T09:00:00Z");
    const genuine = { ...(await make(now + ahead * 1000)), now };
    expect(await check(genuine)).toEqual(good ? expect.objectContaining({ ok: true }) : refuses("stale"));
  });
}
