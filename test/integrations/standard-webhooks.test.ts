import { describe, expect, it } from "vitest";
import { standardWebhooks } from "../../integrations/standard-webhooks.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = standardWebhooks;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("there is a hook");

const event = { type: "erasure.requested", timestamp: "2026-01-01T00:00:00.123Z", data: { user_id: "u-1" } };
const read = (change: object, headers: Readonly<Record<string, string>> = { "webhook-id": "msg_1" }) =>
  hook.read(proven(JSON.stringify({ ...event, ...change }), headers, 7));
const identityOf = (data: object) => {
  const reading = read({ data });
  return reading.ok ? reading.value[0]?.signals[0]?.identity : undefined;
};

describe("the convention for Standard Webhooks", () => {
  it("reads whom a type is about, under the message's id and the event's time", () => {
    expect(read({})).toEqual({
      ok: true,
      value: [
        {
          id: "msg_1",
          name: "erasure.requested",
          signals: [
            {
              type: "erasure_requested",
              identity: { type: "standard-webhooks.user", value: "u-1" },
              at: Date.parse("2026-01-01T00:00:00.123Z"),
            },
          ],
        },
      ],
    });
    expect(read({}, { "svix-id": "msg_2" })).toMatchObject({ value: [{ id: "msg_2" }] });
  });

  it("prefers user_id to id, and either to an e-mail address", () => {
    const own = (value: string) => ({ type: "standard-webhooks.user", value });
    expect(identityOf({ user_id: "u-1", id: "evt_1", email: "ada@example.com" })).toEqual(own("u-1"));
    expect(identityOf({ id: 7, email: "ada@example.com" })).toEqual(own("7"));
    expect(identityOf({ user_id: "", id: null, email: "ada@example.com" })).toEqual({
      type: "email",
      value: "ada@example.com",
    });
  });

  it.each([
    { change: { data: {} }, at: "data" },
    { change: { data: null }, at: "data" },
    { change: { data: { user_id: 2 ** 60 } }, at: "data" },
    { change: { timestamp: "2026-01-01" }, at: "timestamp" },
    { change: { timestamp: undefined }, at: "timestamp" },
  ])("refuses what does not say $at", ({ change }) => {
    expect(read(change).ok).toBe(false);
  });

  it("counts types that are not of the convention, and asks nothing of them", () => {
    for (const type of ["invoice.paid", "user.created", "toString"])
      expect(read({ type, data: undefined, timestamp: undefined })).toMatchObject({
        ok: true,
        value: [{ id: "msg_1", name: type, signals: [] }],
      });
    expect(read({ type: "Ada <ada@example.com>" }).ok).toBe(false);
  });

  it("erases nobody for being disabled", () => {
    expect(hook.authority.account_disabled).toBe("record");
  });
});

describe("the standard's signature", () => {
  // The library's own example; the public key of RFC 8032 section 7.1, test 1.
  const at = 1_614_265_330_000;
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const body = '{"test": 2432232314}';
  const publicKey = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

  it("agrees with the library's example", async () => {
    const settings = { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    expect((await checked(hook.verify, { body, headers }, settings, { now: at })).ok).toBe(true);
    expect((await checked(hook.verify, { body, headers }, settings, { now: at + 301_000 })).ok).toBe(false);
  });

  it("[I5] refuses a public key's signature of another length, and does not throw", async () => {
    for (const length of [0, 1, 63, 65, 128]) {
      const signature = `v1a,${btoa("x".repeat(length))}`;
      const odd = { ...headers, "webhook-signature": signature };
      expect((await checked(hook.verify, { body, headers: odd }, { secret: publicKey }, { now: at })).ok).toBe(false);
    }
  });
});
