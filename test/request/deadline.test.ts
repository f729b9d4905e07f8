import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { days, deadline, keptUntil, rfc3339, watchAt } from "../../src/request/deadline.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const at = (text: string) => Date.parse(text);
const due = (received: string, zone: string, period: { months: number } | { days: number }) =>
  rfc3339(deadline(at(received), { deadline: period, zone }));

describe("the deadline of a request", () => {
  it.each([
    ["the same date of the next month", "2026-03-15T10:00:00Z", "UTC", { months: 1 }, "2026-04-15T23:59:59.999Z"],
    ["28 February, from 31 January", "2026-01-31T10:00:00Z", "UTC", { months: 1 }, "2026-02-28T23:59:59.999Z"],
    [
      "29 February of a leap year, from 31 January",
      "2028-01-31T10:00:00Z",
      "UTC",
      { months: 1 },
      "2028-02-29T23:59:59.999Z",
    ],
    [
      "29 February of a leap year, from 30 January",
      "2028-01-30T10:00:00Z",
      "UTC",
      { months: 1 },
      "2028-02-29T23:59:59.999Z",
    ],
    [
      "28 February of 2100, which is no leap year",
      "2100-01-31T10:00:00Z",
      "UTC",
      { months: 1 },
      "2100-02-28T23:59:59.999Z",
    ],
    ["29 March, from 29 February", "2028-02-29T10:00:00Z", "UTC", { months: 1 }, "2028-03-29T23:59:59.999Z"],
    ["30 April, from 31 March", "2026-03-31T10:00:00Z", "UTC", { months: 1 }, "2026-04-30T23:59:59.999Z"],
    [
      "30 April, from 31 January in three months",
      "2026-01-31T10:00:00Z",
      "UTC",
      { months: 3 },
      "2026-04-30T23:59:59.999Z",
    ],
    [
      "January of the next year, from December",
      "2026-12-31T10:00:00Z",
      "UTC",
      { months: 1 },
      "2027-01-31T23:59:59.999Z",
    ],
    ["45 days after the day of receipt", "2026-01-01T10:00:00Z", "UTC", { days: 45 }, "2026-02-15T23:59:59.999Z"],
    ["30 days, which are not one month", "2026-01-31T10:00:00Z", "UTC", { days: 30 }, "2026-03-02T23:59:59.999Z"],
    ["one day", "2026-06-30T23:59:59.999Z", "UTC", { days: 1 }, "2026-07-01T23:59:59.999Z"],
    ["local midnight in winter", "2026-11-15T10:00:00Z", "Europe/Berlin", { months: 1 }, "2026-12-15T22:59:59.999Z"],
    ["local midnight in summer", "2026-05-15T10:00:00Z", "Europe/Berlin", { months: 1 }, "2026-06-15T21:59:59.999Z"],
    [
      "the local date, which is tomorrow's",
      "2026-01-30T23:30:00Z",
      "Europe/Berlin",
      { months: 1 },
      "2026-02-28T22:59:59.999Z",
    ],
    [
      "the local date, which is yesterday's",
      "2026-02-01T03:00:00Z",
      "America/Los_Angeles",
      { months: 1 },
      "2026-03-01T07:59:59.999Z",
    ],
    [
      "a month that begins in winter and ends in summer",
      "2026-03-10T12:00:00Z",
      "Europe/Berlin",
      { months: 1 },
      "2026-04-10T21:59:59.999Z",
    ],
    [
      "a month that begins in summer and ends in winter",
      "2026-10-10T12:00:00Z",
      "Europe/Berlin",
      { months: 1 },
      "2026-11-10T22:59:59.999Z",
    ],
    [
      "the day on which clocks go forward",
      "2026-02-28T12:00:00Z",
      "Europe/Berlin",
      { days: 29 },
      "2026-03-29T21:59:59.999Z",
    ],
    [
      "the day on which clocks go back",
      "2026-09-25T12:00:00Z",
      "Europe/Berlin",
      { months: 1 },
      "2026-10-25T22:59:59.999Z",
    ],
    [
      "45 days over the change of clocks",
      "2026-10-01T12:00:00Z",
      "America/Los_Angeles",
      { days: 45 },
      "2026-11-16T07:59:59.999Z",
    ],
    ["half an hour's zone", "2026-01-31T20:00:00Z", "Asia/Kolkata", { months: 1 }, "2026-03-01T18:29:59.999Z"],
    [
      "the far side of the date line",
      "2026-01-30T12:00:00Z",
      "Pacific/Kiritimati",
      { months: 1 },
      "2026-02-28T09:59:59.999Z",
    ],
  ])("is %s", (_, received, zone, period, expected) => {
    expect(due(received, zone, period)).toBe(expected);
  });

  it("is the end of a local day, whenever and wherever", () => {
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Chatham");
    const received = fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") });
    fc.assert(
      fc.property(received, zone, fc.integer({ min: 1, max: 90 }), (from, where, count) => {
        const end = deadline(from, { deadline: { days: count }, zone: where });
        expect(clock(end, where)).toBe("23:59:59");
        expect(clock(end + 1, where)).toBe("00:00:00");
        // Whole days after the day of receipt, give or take the hour by which a clock was changed.
        expect(end - from).toBeGreaterThanOrEqual(days(count) - 2 * 3_600_000);
        expect(end - from).toBeLessThanOrEqual(days(count + 1) + 2 * 3_600_000);
      }),
    );
  });

  it("never comes earlier for who asks later", () => {
    const received = fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") });
    fc.assert(
      fc.property(received, fc.nat(days(40)), fc.integer({ min: 1, max: 3 }), (from, more, months) => {
        const policy = { deadline: { months }, zone: "Europe/Berlin" };
        expect(deadline(from + more, policy)).toBeGreaterThanOrEqual(deadline(from, policy));
      }),
    );
  });
});

describe("[I8] the warning before a deadline", () => {
  it("comes after seven tenths of the time, and so before the deadline", () => {
    expect(watchAt(0, days(30))).toBe(days(21));
    fc.assert(
      fc.property(fc.nat(days(10_000)), fc.integer({ min: 1, max: days(100) }), (received, time) => {
        expect(watchAt(received, received + time)).toBeGreaterThanOrEqual(received);
        expect(watchAt(received, received + time)).toBeLessThan(received + time);
      }),
    );
  });
});

describe("[I9] the day until which something is kept", () => {
  it.each([
    [
      "counts days from the request",
      "2026-03-01T10:00:00Z",
      { days: 90 },
      "request",
      "UTC",
      "2026-05-30T23:59:59.999Z",
    ],
    [
      "counts years from the request",
      "2026-03-01T10:00:00Z",
      { years: 10 },
      "request",
      "UTC",
      "2036-03-01T23:59:59.999Z",
    ],
    [
      "ends on 28 February, a year after the leap day",
      "2028-02-29T10:00:00Z",
      { years: 1 },
      "request",
      "UTC",
      "2029-02-28T23:59:59.999Z",
    ],
    [
      "ends on the leap day, four years after one",
      "2028-02-29T10:00:00Z",
      { years: 4 },
      "request",
      "UTC",
      "2032-02-29T23:59:59.999Z",
    ],
    [
      "counts years from the year's end",
      "2026-03-01T10:00:00Z",
      { years: 10 },
      "year_end",
      "UTC",
      "2036-12-31T23:59:59.999Z",
    ],
    [
      "counts days from the year's end",
      "2026-03-01T10:00:00Z",
      { days: 1 },
      "year_end",
      "UTC",
      "2027-01-01T23:59:59.999Z",
    ],
    [
      "takes the local year's end",
      "2026-12-31T23:30:00Z",
      { years: 10 },
      "year_end",
      "Europe/Berlin",
      "2037-12-31T22:59:59.999Z",
    ],
    [
      "takes the local year's end in the west",
      "2027-01-01T07:00:00Z",
      { years: 6 },
      "year_end",
      "America/Los_Angeles",
      "2033-01-01T07:59:59.999Z",
    ],
    [
      "ends at local midnight in summer",
      "2026-03-01T10:00:00Z",
      { days: 122 },
      "request",
      "Europe/Berlin",
      "2026-07-01T21:59:59.999Z",
    ],
  ] as const)("%s", (_, received, keep, from, zone, expected) => {
    expect(rfc3339(keptUntil(at(received), { keep, from }, zone))).toBe(expected);
  });

  it("is never sooner from the year's end than from the request", () => {
    const received = fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") });
    fc.assert(
      fc.property(received, fc.integer({ min: 1, max: 30 }), (from, years) => {
        const zone = "Europe/Berlin";
        expect(keptUntil(from, { keep: { years }, from: "year_end" }, zone)).toBeGreaterThanOrEqual(
          keptUntil(from, { keep: { years }, from: "request" }, zone),
        );
      }),
    );
  });
});

const clock = (instant: number, timeZone: string) =>
  new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "medium" }).format(instant);
