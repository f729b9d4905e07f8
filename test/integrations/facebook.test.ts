import { describe, expect, it } from "vitest";
import { facebook } from "../../integrations/facebook.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { notFound, revoked } from "../../src/contract/outcome.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { revoke } = facebook.actions;
if (isAbsent(revoke) || isBulk(revoke)) throw new Error("Facebook Login has a revocation");
const order = orderFor(
  { appId: "123456789012345", appSecret: "app secret", verifyToken: "" },
  { type: "facebook.user_id", value: "1000000000001" },
);
const refused = (code: number, error_subcode?: number): Played => ({
  status: 400,
  body: {
    error: { message: "no", type: "OAuthException", code, ...(error_subcode !== undefined && { error_subcode }) },
  },
});
const outcomeOf = (reply: Played) => play(revoke.run(order), [reply]).outcome;

describe("revoking a grant at Facebook", () => {
  it("deletes all permissions with the app's own token, so that no person's token is kept", () => {
    const { calls } = play(revoke.run(order), [{ status: 200, body: { success: true } }]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "DELETE",
      at: {
        url: "https://graph.facebook.com/v23.0/1000000000001/permissions",
        template: "https://graph.facebook.com/{version}/{user}/permissions",
      },
      headers: { authorization: "Bearer 123456789012345|app secret" },
    });
  });

  it.each([{ body: { success: true } }, { body: "true" }, { body: { success: true, extra: 1 } }])(
    "takes $body for a revocation",
    ({ body }) => {
      expect(outcomeOf({ status: 200, body })).toEqual(revoked);
    },
  );

  it.each([
    { body: "false" },
    { body: { success: false } },
    { body: { success: "true" } },
    { body: "<html>OK</html>" },
    { body: "" },
  ])("[I4] does not take $body for a revocation", ({ body }) => {
    expect(outcomeOf({ status: 200, body })).toMatchObject({ outcome: "unforeseen", status: 200 });
  });

  it("takes an app that the person has not authorised, or does not any more, for no grant", () => {
    expect(outcomeOf(refused(190, 458))).toEqual(notFound);
  });

  it("takes an id under which the app may see nothing for no grant", () => {
    expect(outcomeOf(refused(100, 33))).toEqual(notFound);
  });

  it.each([undefined, 460, 463, 467])("stops the lane on error 190 with the subcode %s", (subcode) => {
    expect(outcomeOf(refused(190, subcode))).toMatchObject({ outcome: "unauthorized", status: 400 });
  });

  it("stops the lane when error 190 comes with status 401", () => {
    expect(outcomeOf({ ...refused(190), status: 401 })).toMatchObject({ outcome: "unauthorized", status: 401 });
  });

  it.each([4, 17, 32, 613])("slows down when throttled with code %i, which is no 429", (code) => {
    expect(outcomeOf(refused(code))).toEqual({ outcome: "slow_down", seconds: 300 });
  });

  it.each([1, 2, 10, 100, 200, 240, 368, 459])("[I4] claims nothing on error %i", (code) => {
    expect(outcomeOf(refused(code))).toMatchObject({ outcome: "unforeseen", what: `Graph error ${code}` });
  });

  it("[I4] reads an error only in a refusal, and a success only with 200", () => {
    for (const status of [200, 202, 302, 500])
      expect(outcomeOf({ ...refused(190, 458), status })).toMatchObject({ outcome: "unforeseen", status });
    for (const status of [201, 202, 204, 400])
      expect(outcomeOf({ status, body: { success: true } })).toMatchObject({ outcome: "unforeseen", status });
  });

  it("[I4] does not take subcode 458 or 33 of another error for an absent grant", () => {
    expect(outcomeOf(refused(200, 458))).toMatchObject({ outcome: "unforeseen" });
    expect(outcomeOf(refused(190, 33))).toMatchObject({ outcome: "unauthorized" });
  });

  it("[I13] lets no user id change the address", () => {
    for (const value of ["me/permissions?x=", "../../me", "a#b", "%2e%2e"]) {
      const { calls } = play(revoke.run({ ...order, identity: { type: "facebook.user_id", value } }), [
        refused(100, 33),
      ]);
      expect(new URL(calls[0]?.at.url ?? "").pathname.split("/")).toHaveLength(4);
    }
    expect(() => play(revoke.run({ ...order, identity: { type: "facebook.user_id", value: ".." } }), [])).toThrow(
      RangeError,
    );
  });
});

describe("revoking a connection at Facebook", () => {
  const account = { type: "facebook.user_id", value: "1000000000001" };
  const grant = { accessToken: "EAAlong", refreshToken: "", scopes: [], account };
  const connected = { ...order, identity: { type: "connection", value: "con_1" }, grant };

  it("removes the app by its own token, so that an expired token of the person is no hindrance", () => {
    const { calls } = play(revoke.run(connected), [{ status: 200, body: { success: true } }]);
    expect(calls[0]?.at.url).toBe("https://graph.facebook.com/v23.0/1000000000001/permissions");
    expect(calls[0]?.headers.authorization).toBe("Bearer 123456789012345|app secret");
  });

  it("removes it by the person's token where it was not learnt who they are", () => {
    const unknown = { ...grant, account: { type: "connection", value: "unknown" } };
    const { calls } = play(revoke.run({ ...connected, grant: unknown }), [{ status: 200, body: { success: true } }]);
    expect(calls[0]?.at.url).toBe("https://graph.facebook.com/v23.0/me/permissions");
    expect(calls[0]?.headers.authorization).toBe("Bearer EAAlong");
  });
});

describe("what Facebook tells us", () => {
  const { hooks } = facebook;
  if (isAbsent(hooks)) throw new Error("Facebook Login has hooks");
  const deletion = hooks["data-deletion"];
  const read = (payload: unknown) => deletion?.read(proven(JSON.stringify(payload)));

  it("takes a user id that is a number, as old SDK data has it", () => {
    expect(read({ user_id: 123, issued_at: 321 })).toEqual({
      ok: true,
      value: [
        {
          id: "123:321",
          name: "erasure_requested",
          signals: [{ type: "erasure_requested", identity: { type: "facebook.user_id", value: "123" }, at: 321_999 }],
        },
      ],
    });
  });

  it.each([
    { payload: { user_id: "", issued_at: 1 }, at: "user_id" },
    { payload: { user_id: 0, issued_at: 1 }, at: "user_id" },
    { payload: { user_id: 2 ** 60, issued_at: 1 }, at: "user_id" },
    { payload: { user_id: "1" }, at: "issued_at" },
    { payload: { user_id: "1", issued_at: -1 }, at: "issued_at" },
    { payload: { user_id: "1", issued_at: 1.5 }, at: "issued_at" },
    { payload: { user_id: "1", issued_at: 8_640_000_000_000 }, at: "issued_at" },
  ])("refuses $payload, and says only where it did not fit", ({ payload, at }) => {
    expect(read(payload)).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("answers a deletion with the address of the status page and its code, as Meta wants it", () => {
    const answer = typeof deletion?.answer === "function" ? deletion.answer : () => ({});
    expect(answer({ statusUrl: "https://gate.example/status/abc", code: "abc" })).toEqual({
      url: "https://gate.example/status/abc",
      confirmation_code: "abc",
    });
  });

  it("may cause an erasure everywhere by a deletion, and only its own end by a removal", () => {
    expect(deletion?.authority).toEqual({ erasure_requested: "everywhere" });
    expect(hooks.deauthorize?.authority).toEqual({ deauthorized: "here" });
  });
});

describe("what Graph webhooks tell us", () => {
  const { hooks } = facebook;
  if (isAbsent(hooks)) throw new Error("Facebook Login has hooks");
  const { webhooks } = hooks;
  if (webhooks === undefined) throw new Error("Facebook Login has Graph webhooks");
  const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body)));
  const entry = (uid: string, changes: readonly object[], time = 1_700_000_000) => ({ id: uid, uid, time, changes });
  const change = (field: string, verb: string) => ({ field, value: { verb } });
  const signals = (body: unknown) => {
    const reading = read(body);
    if (!reading.ok) throw new Error(reading.problem.at);
    return reading.value.flatMap((event) => event.signals.map(({ type, identity }) => [type, identity.value]));
  };

  it.each(["disconnected", "disconnect", "removed", "remove", "revoked"])(
    "takes the verb %s of a connection for its end",
    (verb) => {
      expect(signals({ object: "permissions", entry: [entry("7", [change("connected", verb)])] })).toEqual([
        ["deauthorized", "7"],
      ]);
    },
  );

  it.each([
    change("connected", "connected"),
    change("connected", "add"),
    change("connected", "something new"),
    change("email", "granted"),
    change("email", "removed"),
    change("bookmarked", "removed"),
    change("bookmarked", "revoked"),
    { field: "connected" },
    { field: "connected", value: "disconnected" },
  ])("counts $field with $value, and causes nothing", (said) => {
    const reading = read({ object: "permissions", entry: [entry("7", [said])] });
    expect(reading).toMatchObject({ ok: true, value: [{ name: `permissions.${said.field}`, signals: [] }] });
  });

  it("causes nothing by a change of any other object, whatever its fields are called", () => {
    for (const object of ["user", "page", "instagram", "new"])
      expect(signals({ object, entry: [entry("7", [change("connected", "disconnected")])] })).toEqual([]);
  });

  it("counts what only names the fields that have changed", () => {
    expect(
      read({ object: "permissions", entry: [{ id: "7", uid: "7", time: 1, changed_fields: ["connected"] }] }),
    ).toMatchObject({ ok: true, value: [{ name: "permissions.connected", signals: [] }] });
  });

  it("reads a batch of a thousand, and gives each update the id that it has in any other batch", () => {
    const entries = Array.from({ length: 1000 }, (_, index) =>
      entry(String(index), [change("connected", "disconnected"), change("email", "revoked")]),
    );
    const all = read({ object: "permissions", entry: entries });
    const one = read({ object: "permissions", entry: entries.slice(998) });
    if (!all.ok || !one.ok) throw new Error("unreadable");
    expect(new Set(all.value.map(({ id }) => id)).size).toBe(2000);
    expect(all.value.slice(-4)).toEqual(one.value);
  });

  it("takes the person's id, also where it is a number or stands in id alone", () => {
    const changes = [change("connected", "disconnected")];
    expect(signals({ object: "permissions", entry: [{ id: 9, time: 1, changes }] })).toEqual([["deauthorized", "9"]]);
    expect(signals({ object: "permissions", entry: [{ id: "0", uid: "8", time: 1, changes }] })).toEqual([
      ["deauthorized", "8"],
    ]);
  });

  it.each([
    { body: { entry: [] }, at: "object" },
    { body: { object: "permissions" }, at: "entry" },
    { body: { object: "permissions", entry: [{ time: 1, changes: [] }] }, at: "entry.0.id" },
    { body: { object: "permissions", entry: [{ id: "1", changes: [] }] }, at: "entry.0.time" },
    { body: { object: "permissions", entry: [{ id: "1", time: 1, changes: [{}] }] }, at: "entry.0.changes.0.field" },
  ])("refuses $body, and says only where it did not fit", ({ body, at }) => {
    expect(read(body)).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });

  it("proves the escaped text that Meta signs as it came, and no SHA-1", async () => {
    const body = '{"object":"permissions","entry":[],"note":"\\u00e9"}';
    const by = async (hash: string, text: string) => {
      const bytes = new TextEncoder();
      const key = await crypto.subtle.importKey("raw", bytes.encode("s"), { name: "HMAC", hash }, false, ["sign"]);
      const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
      return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
    };
    const result = (headers: Readonly<Record<string, string>>) =>
      checked(webhooks.verify, { body, headers }, { appSecret: "s" });
    const signature = `sha256=${await by("SHA-256", body)}`;
    expect((await result({ "x-hub-signature-256": signature })).ok).toBe(true);
    expect((await result({ "x-hub-signature": `sha1=${await by("SHA-1", body)}` })).ok).toBe(false);
    const unescaped = `sha256=${await by("SHA-256", JSON.stringify(JSON.parse(body)))}`;
    expect((await result({ "x-hub-signature-256": unescaped })).ok).toBe(false);
  });

  describe("its challenge", () => {
    const ask = (query: string, tokens: readonly string[] = ["meadow"]) =>
      answerAsked(webhooks.challenges ?? [], {
        method: "GET",
        url: `https://gateway.example.com/hooks/acme/facebook/webhooks?${query}`,
        values: async (name) => (name === "verifyToken" ? tokens : []),
      });

    it("gets its value back, and nothing else", async () => {
      const answer = await ask("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meadow");
      expect(answer?.status).toBe(200);
      expect(await answer?.text()).toBe("1158201444");
      expect(answer?.headers.get("content-type")).toContain("text/plain");
    });

    it.each([
      "hub.challenge=1&hub.verify_token=other",
      "hub.challenge=1",
      "hub.verify_token=meadow",
      "hub.challenge=%3Cscript%3E&hub.verify_token=meadow",
      "hub.challenge=1&hub.challenge=2&hub.verify_token=meadow",
    ])("is not answered with %s", async (query) => {
      expect(await ask(query)).toBeUndefined();
    });

    it("is not answered where no token is set", async () => {
      expect(await ask("hub.challenge=1&hub.verify_token=", [])).toBeUndefined();
    });
  });

  it("ends at most the grant itself, and only notes a permission that was withdrawn", () => {
    expect(webhooks.authority).toEqual({ deauthorized: "here", consent_withdrawn: "record" });
  });
});
