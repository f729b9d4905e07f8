import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BATCH, backoffMs, LEASE_MS, RUN_MS, restMs, STUCK_AFTER } from "../../src/lanes/lane.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const NOW = Date.parse("2026-11-21T09:00:00Z");
const HOUR = 3_600_000;
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("how long a failed order waits", () => {
  it("doubles from five seconds, above half of it by chance", () => {
    expect([1, 2, 3, 4].map((fails) => backoffMs(fails, 0))).toEqual([2500, 5000, 10_000, 20_000]);
    expect([1, 2, 3, 4].map((fails) => backoffMs(fails, 1))).toEqual([5000, 10_000, 20_000, 40_000]);
  });

  it("[I10] is never at once and never longer than six hours", () => {
    fc.assert(
      fc.property(fc.nat(5000), chance, (fails, random) => {
        expect(backoffMs(fails, random)).toBeGreaterThanOrEqual(2500);
        expect(backoffMs(fails, random)).toBeLessThanOrEqual(6 * HOUR);
      }),
    );
  });

  it("is never shorter after more failures", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), chance, (fails, more, random) => {
        expect(backoffMs(fails + more, random)).toBeGreaterThanOrEqual(backoffMs(fails, random));
      }),
    );
  });
});

describe("how long a lane rests after too many requests", () => {
  it.each([
    ["120", 120_000],
    ["1", 1000],
    ["0", 1000],
    ["00060", 60_000],
    ["Sat, 21 Nov 2026 09:02:00 GMT", 120_000],
    ["Saturday, 21-Nov-26 09:02:00 GMT", 120_000],
    ["Sat, 21 Nov 2026 08:00:00 GMT", 1000],
    ["Sat, 21 Nov 2036 09:00:00 GMT", 24 * HOUR],
    ["999999999", 24 * HOUR],
    ["soon", 30_000],
    ["", 30_000],
  ])("takes Retry-After %s for %i milliseconds", (header, ms) => {
    expect(restMs(header, NOW, 0)).toBe(ms);
  });

  it("takes half a minute to a minute where nothing is said", () => {
    expect(restMs(undefined, NOW, 0)).toBe(30_000);
    expect(restMs(undefined, NOW, 0.999_999)).toBe(60_000);
  });

  it("[I10] is at least a second and at most a day, whatever a vendor says", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String), fc.date().map(String)),
        chance,
        (header, random) => {
          const ms = restMs(header, NOW, random);
          expect(ms).toBeGreaterThanOrEqual(1000);
          expect(ms).toBeLessThanOrEqual(24 * HOUR);
        },
      ),
    );
  });
});

it("[I2] leases a batch for longer than a run may last", () => {
  expect(LEASE_MS).toBeGreaterThan(RUN_MS);
  expect(BATCH).toBeGreaterThan(0);
  expect(STUCK_AFTER).toBeGreaterThan(1);
});
