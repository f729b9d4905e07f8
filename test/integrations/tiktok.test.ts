import { describe, expect, it } from "vitest";
import { tiktok as sender } from "../../cli/senders/tiktok.ts";
import { tiktok } from "../../integrations/tiktok.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = tiktok;
if (isAbsent(hooks) || hooks.webhooks === undefined) throw new Error("TikTok has webhooks");
const { webhooks } = hooks;
const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body)));
const event = (content: unknown, more: object = {}) => ({
  client_key: "key",
  event: "authorization.removed",
  create_time: 1_615_338_610,
  user_openid: "oid",
  content,
  ...more,
});
const types = (body: unknown) => {
  const reading = read(body);
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value.flatMap(({ signals }) => signals.map(({ type }) => type));
};

describe("what TikTok tells us", () => {
  it("reads the documented example, content in its own quotes and spaces", () => {
    expect(read(event('{"reason": 1 }'))).toEqual({
      ok: true,
      value: [
        {
          id: 'authorization.removed:oid:1615338610:{"reason": 1 }',
          name: "authorization.removed",
          signals: [
            { type: "deauthorized", identity: { type: "tiktok.open_id", value: "oid" }, at: 1_615_338_610_999 },
          ],
        },
      ],
    });
  });

  it("takes a deleted account for an account deletion, once", () => {
    expect(types(event('{"reason":2}'))).toEqual(["account_deleted"]);
    expect(webhooks.authority.account_deleted).toBe("everywhere");
  });

  it("ends the grant of a person whose age changed, and erases only where the policy says so", () => {
    expect(types(event('{"reason":3}'))).toEqual(["deauthorized", "erasure_requested"]);
    expect(webhooks.authority).toMatchObject({ deauthorized: "here", erasure_requested: "record" });
  });

  it("never takes a ban for a deletion", () => {
    expect(types(event('{"reason":4}'))).toEqual(["deauthorized", "account_disabled"]);
  });

  it("tells of a revocation by the app as well, so that it can be known as an echo", () => {
    expect(types(event('{"reason":5}'))).toEqual(["deauthorized"]);
  });

  it.each(['{"reason":6}', '{"reason":-1}', '{"reason":"2"}', "{}", "[]", "null", "", "no JSON", undefined])(
    "takes the event at its word where its reason is %j",
    (content) => {
      expect(types(event(content))).toEqual(["deauthorized"]);
    },
  );

  it.each(["video.upload.failed", "video.publish.completed", "portability.download.ready", "something.new"])(
    "counts %s, and causes nothing",
    (name) => {
      expect(read(event('{"reason":2}', { event: name }))).toMatchObject({ ok: true, value: [{ name, signals: [] }] });
      expect(types(event(undefined, { event: name, user_openid: undefined }))).toEqual([]);
    },
  );

  it("tells two ends of a grant apart, and knows a repeat", () => {
    const id = (body: unknown) => {
      const reading = read(body);
      return reading.ok ? reading.value[0]?.id : undefined;
    };
    const first = event('{"reason":1}');
    expect(id(event('{"reason":1}'))).toBe(id(first));
    const others = [{ create_time: 1_615_338_611 }, { user_openid: "other" }, { content: '{"reason":2}' }];
    for (const more of others) expect(id({ ...first, ...more })).not.toBe(id(first));
  });

  it.each([
    { body: event("{}", { event: undefined }), at: "event" },
    { body: event("{}", { create_time: "1" }), at: "create_time" },
    { body: event("{}", { create_time: undefined }), at: "create_time" },
    { body: event("{}", { user_openid: undefined }), at: "user_openid" },
    { body: event("{}", { user_openid: "" }), at: "user_openid" },
    { body: event({ reason: 1 }), at: "content" },
  ])("refuses what does not fit, at $at", ({ body, at }) => {
    expect(read(body)).toEqual({ ok: false, problem: { reason: "unreadable", at } });
  });
});

describe("TikTok's proof", () => {
  const made = (at: number) => {
    const make = sender.webhooks?.["authorization.removed (1)"]?.make;
    if (make === undefined) throw new Error("no sender");
    const token = () => Promise.reject(new Error("nothing signs tokens here"));
    return make({ settings: { clientSecret: "s" }, at, seed: "1", person: "oid", url: "", token, sign: token });
  };
  const by = async (signature: string, body: string) =>
    (await checked(webhooks.verify, { body, headers: { "tiktok-signature": signature } }, { clientSecret: "s" })).ok;

  it("covers the time, whatever else stands in the header", async () => {
    const { body, headers } = await made(1_633_174_587_000);
    const signature = headers["tiktok-signature"] ?? "";
    expect(await by(signature, body)).toBe(true);
    const code = signature.split(",s=")[1] ?? "";
    expect(await by(`s=${code},t=1633174587`, body)).toBe(true);
    expect(await by(`t=1633174588,s=${code}`, body)).toBe(false);
    expect(await by(`t=1633174587,t=1633174587,s=${code}`, body)).toBe(false);
    expect(await by(`s=${code}`, body)).toBe(false);
    expect(await by(code, body)).toBe(false);
  });

  it("takes an old delivery, because it may be repeated for three days and is not known to be signed anew", async () => {
    const { body, headers } = await made(-72 * 3_600_000 + 1_633_174_587_000);
    expect(await by(headers["tiktok-signature"] ?? "", body)).toBe(true);
    expect(webhooks.retriesForHours).toBe(72);
    expect(webhooks.answer).toBe(200);
  });
});

describe("TikTok's grants", () => {
  const { revoke } = tiktok.actions;
  if (isAbsent(revoke) || isBulk(revoke)) throw new Error("TikTok has a revocation");
  const account = { type: "tiktok.open_id", value: "oid" };
  const grant = { accessToken: "act.1", refreshToken: "rft.1", scopes: [], account };
  const order = orderFor({ clientKey: "key", clientSecret: "shh" }, { type: "connection", value: "con_1" }, { grant });
  const live = { status: 200, body: { data: {}, error: { code: "ok", message: "", log_id: "1" } } };

  it("end with the access token, by the key that TikTok calls its own", () => {
    const { calls } = play(revoke.run(order), [live, { status: 200, body: "" }]);
    expect(calls[1]?.at.url).toBe("https://open.tiktokapis.com/v2/oauth/revoke/");
    expect(calls[1]?.body).toBe("client_key=key&client_secret=shh&token=act.1");
  });

  it.each(["OK", { data: {} }, { error: { code: "ok" } }, "<html>"])("[I4] are not over because of %j", (body) => {
    expect(play(revoke.run(order), [live, { status: 200, body }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] are not found dead by any other refusal", () => {
    for (const code of ["scope_permission_missed", "invalid_params", "new"])
      expect(play(revoke.run(order), [{ status: 401, body: { error: { code } } }]).outcome).toMatchObject({
        outcome: "unforeseen",
      });
  });
});
