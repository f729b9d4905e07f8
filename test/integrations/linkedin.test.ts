import { describe, expect, it } from "vitest";
import { linkedin } from "../../integrations/linkedin.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { answerAsked } from "../../src/intake/challenge.ts";
import { orderFor, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = linkedin;
if (isAbsent(hooks) || hooks.webhooks === undefined) throw new Error("LinkedIn has webhooks");
const { webhooks } = hooks;
const RECEIVED = Date.parse("2026-11-21T09:00:00Z");
const KEY = "client secret";
const read = (body: unknown) => webhooks.read(proven(JSON.stringify(body), {}, RECEIVED));
const notices = (...notifications: readonly object[]) => ({
  type: "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS",
  notifications,
});
const comment = (n: number) => `urn:li:comment:(urn:li:activity:1,${n})`;
const gone = (n: number, more: object = {}) => ({
  notificationId: n,
  action: "COMMENT_DELETE",
  generatedActivity: comment(n),
  lastModifiedAt: 1_700_000_000_123,
  ...more,
});
const lead = (leadAction: string, more: object = {}) => ({
  type: "LEAD_ACTION",
  leadGenFormResponse: "urn:li:leadGenFormResponse:1",
  leadType: "SPONSORED",
  leadAction,
  occurredAt: 1_700_000_000_123,
  ...more,
});

async function mac(text: string): Promise<string> {
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", bytes.encode(KEY), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const signed = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
  return Array.from(signed, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("what LinkedIn tells us", () => {
  it("notes each comment of a batch that was deleted, by LinkedIn's own id, however the batch is cut", () => {
    const batch = read(notices(gone(1), { notificationId: 2, action: "LIKE", generatedActivity: "urn:x" }, gone(3)));
    expect(batch).toEqual({
      ok: true,
      value: [1, 2, 3].map((n) =>
        n === 2
          ? { id: "2:LIKE:urn:x", name: "LIKE", signals: [] }
          : {
              id: `${n}:COMMENT_DELETE:${comment(n)}`,
              name: "COMMENT_DELETE",
              signals: [
                {
                  type: "content_deleted",
                  identity: { type: "linkedin.comment", value: comment(n) },
                  at: 1_700_000_000_123,
                },
              ],
            },
      ),
    });
    expect(read(notices(gone(3)))).toMatchObject({ value: [{ id: `3:COMMENT_DELETE:${comment(3)}` }] });
  });

  it("tells notifications apart whose ids are longer than a number holds", () => {
    const text = (id: string, n: number) =>
      `{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[{"notificationId":${id},"action":"COMMENT_DELETE","generatedActivity":"${comment(n)}"}]}`;
    const ids = [text("9007199254740992", 1), text("9007199254740993", 2)].map((each) => {
      const reading = webhooks.read(proven(each, {}, RECEIVED));
      return reading.ok ? reading.value[0]?.id : undefined;
    });
    expect(new Set(ids).size).toBe(2);
  });

  it("takes the time of receipt where none is signed", () => {
    expect(read(notices(gone(1, { lastModifiedAt: undefined })))).toMatchObject({
      value: [{ signals: [{ at: RECEIVED }] }],
    });
    expect(read(lead("DELETED", { occurredAt: undefined }))).toMatchObject({
      value: [{ signals: [{ at: RECEIVED }] }],
    });
  });

  it("notes a lead that was deleted, and counts one that was made", () => {
    expect(read(lead("DELETED"))).toMatchObject({
      ok: true,
      value: [
        {
          id: "urn:li:leadGenFormResponse:1:DELETED",
          signals: [{ type: "content_deleted", identity: { type: "linkedin.lead" }, at: 1_700_000_000_123 }],
        },
      ],
    });
    for (const action of ["CREATED", "SOMETHING_NEW"])
      expect(read(lead(action))).toMatchObject({ ok: true, value: [{ name: `LEAD_ACTION.${action}`, signals: [] }] });
  });

  it("counts a type and an action that it does not know", () => {
    expect(read({ type: "SOMETHING_NEW" })).toMatchObject({
      ok: true,
      value: [{ name: "SOMETHING_NEW", signals: [] }],
    });
    expect(read(notices({ notificationId: 1, action: "SOMETHING_NEW" }))).toMatchObject({
      ok: true,
      value: [{ signals: [] }],
    });
    expect(read(notices())).toEqual({ ok: true, value: [] });
  });

  it("counts a deletion that does not name the comment, and notes the others of its batch", () => {
    expect(read(notices(gone(1, { generatedActivity: undefined }), gone(2)))).toMatchObject({
      ok: true,
      value: [{ signals: [] }, { signals: [{ type: "content_deleted" }] }],
    });
  });

  it.each([
    {},
    { type: "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS" },
    { type: "LEAD_ACTION", leadAction: "DELETED" },
    lead("DELETED", { occurredAt: "yesterday" }),
    lead("DELETED", { leadGenFormResponse: "" }),
    notices({ action: "COMMENT_DELETE", generatedActivity: "urn:x" }),
    notices(gone(1, { generatedActivity: "" })),
  ])("refuses what does not say which", (said) => {
    expect(read(said)).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
  });
});

describe("LinkedIn's proof and challenge", () => {
  const by = async (signature: string, body = '{"type":"A"}') =>
    (await checked(webhooks.verify, { body, headers: { "x-li-signature": signature } }, { clientSecret: KEY })).ok;

  it("proves a code of the prefixed body, with and without the prefix in the header", async () => {
    const code = await mac('hmacsha256={"type":"A"}');
    expect(await by(code)).toBe(true);
    expect(await by(`hmacsha256=${code}`)).toBe(true);
    expect(await by(`sha256=${code}`)).toBe(false);
    expect(await by(`hmacsha256=hmacsha256=${code}`)).toBe(false);
    expect(await by(code.toUpperCase())).toBe(false);
    expect(await by("")).toBe(false);
    expect(await by("hmacsha256=")).toBe(false);
  });

  it("[I5] proves no code of the body alone", async () => {
    const code = await mac('{"type":"A"}');
    expect(await by(code)).toBe(false);
    expect(await by(`hmacsha256=${code}`)).toBe(false);
  });

  const ask = (code: string) =>
    answerAsked(webhooks.challenges ?? [], {
      method: "GET",
      url: `https://gateway.example.com/hooks/acme/linkedin/webhooks?challengeCode=${encodeURIComponent(code)}`,
      values: async () => [KEY],
    });

  it("answers the documented form of a challenge", async () => {
    const code = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    const answer = await ask(code);
    expect(answer?.status).toBe(200);
    expect(answer?.headers.get("content-type")).toContain("application/json");
    expect(await answer?.json()).toEqual({ challengeCode: code, challengeResponse: await mac(code) });
  });

  it.each([
    'hmacsha256={"type":"LEAD_ACTION","leadAction":"DELETED","leadGenFormResponse":"urn:x"}',
    "hmacsha256=",
    "890e4665-4dfe-4ab1-b689-ed553bceeed0 ",
    "890e4665-4dfe-1ab1-b689-ed553bceeed0",
    "890e46654dfe4ab1b689ed553bceeed0",
    "",
  ])("[I5] signs nothing else: %j", async (code) => {
    expect(await ask(code)).toBeUndefined();
  });

  it("tells plainly that nothing is heard of revocations", () => {
    expect(Object.keys(webhooks.authority)).toEqual(["content_deleted"]);
  });
});

describe("LinkedIn's grants", () => {
  const { oauth } = linkedin;
  const { revoke } = linkedin.actions;
  if (isAbsent(oauth) || isAbsent(revoke) || isBulk(revoke)) throw new Error("LinkedIn has OAuth");
  const account = { type: "linkedin.person", value: "782bbtaQ" };
  const grant = { accessToken: "AQX1", refreshToken: "AQW1", scopes: [], account };
  const order = orderFor({ clientId: "id", clientSecret: KEY }, { type: "connection", value: "con_1" }, { grant });

  it("come without the ID token that nobody asked for, and with a type of token", () => {
    expect(oauth.adapt?.({ status: 200, json: { access_token: "a", id_token: "b", scope: "openid,profile" } })).toEqual(
      {
        status: 200,
        json: { access_token: "a", token_type: "Bearer", scope: "openid profile" },
      },
    );
  });

  it("are asked about in a form, so that neither token nor secret stands in an address", () => {
    const { calls } = play(revoke.run(order), [{ status: 200, body: { active: true, status: "active" } }]);
    expect(calls.map(({ at, body }) => [at.url, body])).toEqual([
      ["https://www.linkedin.com/oauth/v2/introspectToken", "client_id=id&client_secret=client+secret&token=AQX1"],
    ]);
  });

  it("[I4] are not over because LinkedIn does not know the token, or says no reason", () => {
    for (const body of [{ active: false }, { active: false, status: "expired" }])
      expect(play(revoke.run(order), [{ status: 200, body }]).outcome).toMatchObject({ outcome: "stopped" });
  });
});
