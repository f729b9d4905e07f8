import { describe, expect, it } from "vitest";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { google } from "../../integrations/google.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { fail } from "../../src/result.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = google;
if (isAbsent(hooks)) throw new Error("Google has a hook");
const hook = hooks["security-events"];
if (hook === undefined) throw new Error("Google has a hook");

const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const OAUTH = "https://schemas.openid.net/secevent/oauth/event-type/";
const CLIENT = "123456789-abcedfgh.apps.googleusercontent.com";
const NOW = Date.parse("2026-11-21T09:00:00Z");

/** https://developers.google.com/identity/protocols/risc, "Handle security events". */
const DOCUMENTED = {
  iss: "https://accounts.google.com/",
  aud: CLIENT,
  iat: 1_508_184_845,
  jti: "756E69717565206964656E746966696572",
  events: {
    [`${RISC}account-disabled`]: {
      subject: { subject_type: "iss-sub", iss: "https://accounts.google.com/", sub: "7375626A656374" },
      reason: "hijacking",
    },
  },
};
const person = { type: "google.sub", value: "7375626A656374" };
const read = (claims: unknown) => hook.read(proven(JSON.stringify(claims)));
const signalsOf = (name: string, details: unknown) => {
  const reading = read({ ...DOCUMENTED, events: { [name]: details } });
  return reading.ok ? reading.value.flatMap(({ signals }) => signals) : reading.problem.at;
};

describe("what Google tells us", () => {
  it("reads the example of its documentation: a disabled account is noted", () => {
    const id = `https://accounts.google.com/ ${DOCUMENTED.jti} ${RISC}account-disabled`;
    const signals = [{ type: "account_disabled", identity: person, at: 1_508_184_845_999 }];
    expect(read(DOCUMENTED)).toEqual({ ok: true, value: [{ id, name: `${RISC}account-disabled`, signals }] });
    expect(hook.authority.account_disabled).toBe("record");
  });

  it.each([
    {
      subject_type: "id_token_claims",
      iss: "https://accounts.google.com",
      sub: "7375626A656374",
      email: "a@example.com",
    },
    { subject_type: "id_token_claims", iss: "accounts.google.com", sub: "7375626A656374" },
    { subject_type: "iss_sub", iss: "https://accounts.google.com", sub: "7375626A656374" },
    { format: "iss_sub", iss: "https://accounts.google.com/", sub: "7375626A656374" },
  ])("reads the subject %j", (subject) => {
    expect(signalsOf(`${OAUTH}tokens-revoked`, { subject })).toMatchObject([
      { type: "deauthorized", identity: person },
    ]);
  });

  it("reads the final RISC form too", () => {
    const sub_id = { format: "iss_sub", iss: "https://accounts.google.com/", sub: "7375626A656374" };
    const reading = read({ ...DOCUMENTED, sub_id, events: { [`${RISC}account-purged`]: {} } });
    expect(reading).toMatchObject({ ok: true, value: [{ signals: [{ type: "account_deleted", identity: person }] }] });
  });

  it("takes an e-mail address only where there is no account id", () => {
    const subject = { subject_type: "id_token_claims", iss: "https://accounts.google.com/", email: "a@example.com" };
    expect(signalsOf(`${RISC}account-disabled`, { subject })).toMatchObject([
      { identity: { type: "email", value: "a@example.com" } },
    ]);
  });

  it.each(["prefix", "hash_base64_sha512_sha512"])("spells a revoked token by its algorithm, %s", (alg) => {
    const subject = {
      subject_type: "oauth_token",
      token_type: "refresh_token",
      token_identifier_alg: alg,
      token: "1//0abc",
    };
    expect(signalsOf(`${OAUTH}token-revoked`, { subject })).toMatchObject([
      { type: "token_revoked", identity: { type: "google.refresh_token", value: `${alg}:1//0abc` } },
    ]);
  });

  it("reads every event of a token, and counts what it does not know", () => {
    const { subject } = DOCUMENTED.events[`${RISC}account-disabled`] ?? {};
    const reading = read({
      ...DOCUMENTED,
      events: { [`${RISC}sessions-revoked`]: { subject }, [`${OAUTH}tokens-revoked`]: { subject }, other: {} },
    });
    expect(reading.ok && reading.value.map(({ signals }) => signals.length)).toEqual([0, 1, 0]);
  });

  it("reads a test of the stream, which has no subject", () => {
    expect(signalsOf(`${RISC}verification`, { state: "ours" })).toEqual([]);
  });

  it.each([
    undefined,
    { subject_type: "iss-sub", iss: "https://accounts.example.com/", sub: "1" },
    { subject_type: "iss-sub", iss: "https://accounts.google.com/" },
  ])("refuses the subject %j", (subject) => {
    expect(signalsOf(`${OAUTH}tokens-revoked`, { subject })).toBe("sub_id");
  });

  it("[I5] does not take an ID token, which has the same issuer, audience and keys, for an event", () => {
    expect(read({ iss: DOCUMENTED.iss, aud: CLIENT, sub: "1", iat: 1, exp: 2, email: "a@example.com" }).ok).toBe(false);
  });
});

describe("whether it is Google's own", async () => {
  const vendor = await newVendorKey();
  const keySets = { keys: async () => vendor.keys, text: async () => fail("absent" as const) };
  const verified = async (more: object, typ?: string) => {
    const body = await vendor.token({ ...DOCUMENTED, ...more }, typ === undefined ? {} : { typ });
    const settings = { clientIds: `other.apps.googleusercontent.com, ${CLIENT}` };
    const result = await checked(hook.verify, { body }, settings, { now: NOW, keySets });
    return result.ok ? "ok" : result.problem.reason;
  };

  it("takes the issuer with its last slash and without, and no other", async () => {
    expect(await verified({})).toBe("ok");
    expect(await verified({ iss: "https://accounts.google.com" })).toBe("ok");
    for (const iss of ["https://accounts.google.com//", "http://accounts.google.com/", "accounts.google.com"])
      expect(await verified({ iss }), iss).toBe("not_for_us");
  });

  it("ignores an expiry, which a fact of the past does not have", async () => {
    expect(await verified({ exp: 1_508_184_900 })).toBe("ok");
  });

  it("takes any client of the project, alone or in a list, and no other project's", async () => {
    expect(await verified({ aud: ["other.apps.googleusercontent.com"] })).toBe("ok");
    expect(await verified({ aud: "stranger.apps.googleusercontent.com" })).toBe("not_for_us");
  });

  it("takes any type in the header, since none is documented", async () => {
    for (const typ of [undefined, "JWT", "secevent+jwt"]) expect(await verified({}, typ)).toBe("ok");
  });

  it("answers what fails with 400 and the error body of RFC 8935", () => {
    expect(hook.refusal?.status).toBe("secevent");
    expect(hook.answer).toBeUndefined();
  });
});
