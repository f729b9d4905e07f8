import { describe, expect, it } from "vitest";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { apple } from "../../integrations/apple.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { fail } from "../../src/result.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = apple;
const hook = isAbsent(hooks) ? undefined : hooks.notifications;
if (hook === undefined) throw new Error("Apple has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");

/** The shape that servers received, with an invented person. https://developer.apple.com/forums/thread/655485 */
const observed = (events: unknown) => ({
  iss: "https://appleid.apple.com",
  aud: "com.example.app",
  exp: 1_611_852_260,
  iat: 1_611_765_860,
  jti: "j1",
  events,
});
const read = (events: unknown, more: object = {}) =>
  hook.read(proven(JSON.stringify({ ...observed(events), ...more })));
const event = (more: object = {}) => ({
  type: "consent-revoked",
  sub: "000001.0.1",
  event_time: 1_611_765_847_700,
  ...more,
});
const signalsOf = (events: unknown) => {
  const reading = read(events);
  return reading.ok ? reading.value.flatMap(({ signals }) => signals) : reading.problem.at;
};
const identity = { type: "apple.sub", value: "000001.0.1" };

describe("what Apple tells us", () => {
  it("reads the event from JSON within JSON, to the millisecond", () => {
    expect(read(JSON.stringify(event()))).toEqual({
      ok: true,
      value: [
        {
          id: "j1",
          name: "consent-revoked",
          signals: [{ type: "deauthorized", identity, at: 1_611_765_847_700 }],
        },
      ],
    });
  });

  it("reads it as an object, and as a list, too", () => {
    expect(signalsOf(event())).toHaveLength(1);
    const reading = read([event(), event({ type: "email-enabled" })]);
    expect(reading.ok && reading.value.map(({ id }) => id)).toEqual(["j1:0", "j1:1"]);
  });

  it.each(["account-deleted", "account-delete"])("takes %s for the account's end", (type) => {
    expect(signalsOf(event({ type }))).toMatchObject([{ type: "account_deleted", identity }]);
    expect(hook.authority.account_deleted).toBe("everywhere");
  });

  it("notes that the person wants no mail, and no more", () => {
    const relay = { email: "x@privaterelay.appleid.com", is_private_email: "true" };
    expect(signalsOf(event({ type: "email-disabled", ...relay }))).toMatchObject([
      { type: "consent_withdrawn", identity },
    ]);
    expect(signalsOf(event({ type: "email-enabled", ...relay, is_private_email: true }))).toEqual([]);
    expect(hook.authority.consent_withdrawn).toBe("record");
  });

  it("counts what it does not know, even without a person", () => {
    for (const type of ["something-new", "constructor"]) expect(signalsOf({ type })).toEqual([]);
  });

  it("reads seconds where they are seconds, the token's time where there is none, and nothing after it was told", () => {
    const at = (event_time: number | undefined) => {
      const signals = signalsOf(event({ event_time }));
      return typeof signals === "string" ? signals : signals[0]?.at;
    };
    expect(at(1_611_765_847)).toBe(1_611_765_847_999);
    expect(at(undefined)).toBe(1_611_765_860_999);
    expect(at(1_911_765_847_700)).toBe(1_611_765_860_999);
  });

  it.each(["{", "null", "[]", "7", null, 7, [], event({ sub: undefined }), event({ sub: "" }), event({ sub: 1 })])(
    "refuses the events %j",
    (events) => {
      expect(read(events).ok).toBe(false);
    },
  );

  it("refuses a token without an id", () => {
    expect(read(event(), { jti: undefined }).ok).toBe(false);
  });
});

describe("whether it is Apple's own", async () => {
  const vendor = await newVendorKey();
  const keySets = { keys: async () => vendor.keys, text: async () => fail("absent" as const) };
  const settings = { clientIds: "com.example.app, com.example.web" };
  const verified = async (more: object) => {
    const times = { iat: NOW / 1000 - 60, exp: NOW / 1000 + 86_340 };
    const payload = await vendor.token({ ...observed(JSON.stringify(event())), ...times, ...more });
    const result = await checked(hook.verify, { body: JSON.stringify({ payload }) }, settings, { now: NOW, keySets });
    return result.ok ? "ok" : result.problem.reason;
  };

  it("takes any app of the team and no stranger's, though all have the same address and keys", async () => {
    expect(await verified({})).toBe("ok");
    expect(await verified({ aud: "com.example.web" })).toBe("ok");
    expect(await verified({ aud: "com.stranger.app" })).toBe("not_for_us");
    expect(await verified({ iss: "https://appleid.apple.com/" })).toBe("not_for_us");
  });

  it("refuses what has expired, and what never does", async () => {
    expect(await verified({ exp: NOW / 1000 - 301 })).toBe("stale");
    expect(await verified({ exp: undefined })).toBe("stale");
  });

  it("refuses a body without a payload", async () => {
    for (const body of ["", "{}", '{"payload":{}}', "null", "[]"])
      expect((await checked(hook.verify, { body }, settings, { now: NOW, keySets })).ok, body).toBe(false);
  });

  it("answers with 200, because anything else is sent again", () => {
    expect(hook.answer).toBe(200);
  });
});
