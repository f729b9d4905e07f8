import { describe, expect, it } from "vitest";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { googleCloud } from "../../integrations/google-cloud.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { fail } from "../../src/result.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = googleCloud;
const hook = isAbsent(hooks) ? undefined : hooks["pub-sub"];
if (hook === undefined) throw new Error("Google Cloud has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const attributes = {
  eventType: "OBJECT_DELETE",
  payloadFormat: "JSON_API_V1",
  bucketId: "uploads",
  objectId: "users/42/a b.jpg",
  objectGeneration: "1792574400000000",
  eventTime: "2026-11-21T08:59:00.123Z",
};
const pushed = (more: object = {}, message: object = {}) => ({
  message: {
    attributes: { ...attributes, ...more },
    data: "e30=",
    messageId: "2070443601311540",
    publishTime: "2026-11-21T08:59:30Z",
    ...message,
  },
  subscription: "projects/p/subscriptions/s",
});
const read = (body: unknown) => hook.read(proven(JSON.stringify(body), {}, NOW));
const signalsOf = (body: unknown) => {
  const reading = read(body);
  return reading.ok ? reading.value.flatMap(({ signals }) => signals) : reading.problem.at;
};

describe("what a tenant routes to us by Pub/Sub", () => {
  it("notes a deleted object, and knows a repeat by subscription and message", () => {
    const identity = { type: "google-cloud.object", value: "gs://uploads/users/42/a b.jpg" };
    const at = Date.parse("2026-11-21T08:59:00.123Z");
    const signals = [{ type: "content_deleted", identity, at }];
    const id = "projects/p/subscriptions/s 2070443601311540";
    expect(read(pushed())).toEqual({ ok: true, value: [{ id, name: "OBJECT_DELETE", signals }] });
    expect(hook.authority).toEqual({ content_deleted: "record" });
  });

  it("does not take a replaced object for a deleted one", () => {
    expect(signalsOf(pushed({ overwrittenByGeneration: "1792574400000001" }))).toEqual([]);
  });

  it.each(["OBJECT_FINALIZE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE", "com.example.user.deleted"])(
    "counts %s",
    (eventType) => {
      expect(read(pushed({ eventType }))).toMatchObject({ ok: true, value: [{ name: eventType, signals: [] }] });
    },
  );

  it("counts a message without attributes, which may be anything", () => {
    expect(read(pushed({}, { attributes: undefined }))).toMatchObject({ ok: true, value: [{ name: "message" }] });
  });

  it("takes the time of publishing, else of arrival, where the event's is none", () => {
    const at = (body: unknown) => {
      const signals = signalsOf(body);
      return typeof signals === "string" ? signals : signals[0]?.at;
    };
    expect(at(pushed({ eventTime: "yesterday" }))).toBe(Date.parse("2026-11-21T08:59:30Z"));
    expect(at(pushed({ eventTime: "2036-01-01T00:00:00Z" }))).toBe(NOW);
    expect(at({ ...pushed({ eventTime: "x" }, { publishTime: undefined }) })).toBe(NOW);
  });

  it("only counts an object whose name is longer than an identity can be", () => {
    expect(signalsOf(pushed({ objectId: "x".repeat(1024) }))).toEqual([]);
  });

  it.each([{}, { message: {} }, { ...pushed(), subscription: 7 }, pushed({}, { messageId: 7 })])(
    "refuses %j",
    (body) => {
      expect(read(body).ok).toBe(false);
    },
  );
});

describe("whether it is the tenant's own subscription", async () => {
  const vendor = await newVendorKey();
  const keySets = { keys: async () => vendor.keys, text: async () => fail("absent" as const) };
  const settings = { serviceAccount: "pusher@example.iam.gserviceaccount.com" };
  const url = "https://gateway.example.com/hooks/acme/google-cloud/pub-sub";
  const verified = async (more: object, scheme = "Bearer") => {
    const token = await vendor.token({
      iss: "https://accounts.google.com",
      aud: url,
      email: settings.serviceAccount,
      email_verified: true,
      iat: NOW / 1000 - 3000,
      exp: NOW / 1000 + 600,
      ...more,
    });
    const delivery = { body: "{}", url, headers: { authorization: `${scheme} ${token}` } };
    const result = await checked(hook.verify, delivery, settings, { now: NOW, keySets });
    return result.ok ? "ok" : result.problem.reason;
  };

  it("takes a token that is most of an hour old, because one serves for many messages", async () => {
    expect(await verified({})).toBe("ok");
    expect(await verified({ iss: "accounts.google.com" })).toBe("ok");
  });

  it("[I5] refuses another service account, which anybody at Google can have a token made for", async () => {
    expect(await verified({ email: "pusher@stranger.iam.gserviceaccount.com" })).toBe("not_for_us");
    expect(await verified({ email: undefined })).toBe("not_for_us");
    for (const email_verified of [false, "false", undefined])
      expect(await verified({ email_verified })).toBe("not_for_us");
  });

  it("[I5] refuses a token for another address, and one that is over", async () => {
    expect(await verified({ aud: `${url}/other` })).toBe("not_for_us");
    expect(await verified({ exp: NOW / 1000 - 301 })).toBe("stale");
  });

  it("[I5] refuses a delivery without a token, as a subscription without authentication sends", async () => {
    expect((await checked(hook.verify, { body: "{}", url }, settings, { now: NOW, keySets })).ok).toBe(false);
  });
});
