import { describe, expect, it } from "vitest";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { sharedSignals } from "../../integrations/shared-signals.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { fail } from "../../src/result.ts";
import { checked, proven } from "../support/proven.ts";
import { sample } from "./samples/shared-signals.ts";

const { hooks } = sharedSignals;
if (isAbsent(hooks)) throw new Error("a transmitter has a hook");
const { events: hook } = hooks;
if (hook === undefined) throw new Error("a transmitter has a hook");

const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const OAUTH = "https://schemas.openid.net/secevent/oauth/event-type/";
const NOW = Date.parse("2026-11-21T09:00:00Z");
const IAT = 1_508_184_845;
const AT = IAT * 1000 + 999;

/** The claims of the examples in RISC 1.0 and the OAuth event types. */
const base = {
  iss: "https://idp.example.com/",
  jti: "756E69717565206964656E746966696572",
  iat: IAT,
  aud: "636C69656E745F6964",
};
const SUB = { format: "iss_sub", iss: "https://idp.example.com/", sub: "7375626A656374" };
const subject = { type: "shared-signals.subject", value: "https://idp.example.com/#7375626A656374" };
const read = (claims: unknown) => hook.read(proven(JSON.stringify(claims)));
const signalsOf = (claims: unknown) => {
  const reading = read(claims);
  return reading.ok ? reading.value.flatMap(({ signals }) => signals) : reading.problem.at;
};
const purged = (sub_id: unknown) => ({ ...base, sub_id, events: { [`${RISC}account-purged`]: {} } });
const named = (sub_id: unknown) => {
  const signals = signalsOf(purged(sub_id));
  return typeof signals === "string" ? signals : signals.map(({ identity }) => identity);
};

describe("what a transmitter tells us", () => {
  it("reads RISC's own example of a disabled account, which is noted", () => {
    const events = { [`${RISC}account-disabled`]: { reason: "hijacking" } };
    expect(read({ ...base, sub_id: SUB, events })).toEqual({
      ok: true,
      value: [
        {
          id: `${base.iss} ${base.jti} ${RISC}account-disabled`,
          name: `${RISC}account-disabled`,
          signals: [{ type: "account_disabled", identity: subject, at: AT }],
        },
      ],
    });
    expect(hook.authority).toMatchObject({ account_disabled: "record", account_restored: "record" });
  });

  it("takes a purged account for deleted there, and leaves the rest to the policy", () => {
    expect(signalsOf(purged(SUB))).toEqual([{ type: "account_deleted", identity: subject, at: AT }]);
    expect(hook.authority.account_deleted).toBe("here");
  });

  it("counts what only matters to sessions, and what it does not know", () => {
    for (const name of [`${CAEP}session-revoked`, `${RISC}identifier-recycled`, "https://example.com/events/other"])
      expect(read({ ...base, sub_id: { format: "email", email: "foo@example.com" }, events: { [name]: {} } })).toEqual({
        ok: true,
        value: [{ id: `${base.iss} ${base.jti} ${name}`, name, signals: [] }],
      });
  });

  it("reads a verification, with and without a state", () => {
    const name = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    for (const details of [{ state: "VGhpcyBpcyBhIHN0YXRl" }, {}])
      expect(read({ ...base, sub_id: { format: "opaque", id: "s1" }, events: { [name]: details } })).toMatchObject({
        ok: true,
        value: [{ name, signals: [] }],
      });
  });

  it("knows a repeat by issuer and jti, and tells apart what one token says twice", () => {
    const reading = read({
      ...base,
      sub_id: SUB,
      events: { [`${RISC}account-purged`]: {}, [`${OAUTH}tokens-revoked`]: {} },
    });
    expect(reading.ok && new Set(reading.value.map(({ id }) => id)).size).toBe(2);
    const other = read({ ...purged(SUB), iss: "https://other.example.com" });
    expect(reading.ok && other.ok && reading.value[0]?.id !== other.value[0]?.id).toBe(true);
  });
});

describe("when it happened", () => {
  const at = (more: object, details: object = {}) => {
    const signals = signalsOf({ ...purged(SUB), ...more, events: { [`${RISC}account-purged`]: details } });
    return typeof signals === "string" ? signals : signals[0]?.at;
  };

  it("takes the event's own time, else the token's", () => {
    expect(at({ toe: IAT - 20 }, { event_timestamp: IAT - 10 })).toBe(AT - 10_000);
    expect(at({ toe: IAT - 20 })).toBe(AT - 20_000);
    expect(at({})).toBe(AT);
    expect(at({ iat: IAT + 0.5 })).toBe(AT);
  });

  it("believes nothing that happened after it was told, nor milliseconds for seconds", () => {
    expect(at({}, { event_timestamp: IAT + 86_400 })).toBe(AT);
    expect(at({}, { event_timestamp: IAT * 1000 })).toBe(AT);
  });
});

describe("whom it concerns", () => {
  it.each([
    [SUB, subject],
    [
      { format: "opaque", id: "11112222333344445555" },
      { type: "shared-signals.opaque", value: "11112222333344445555" },
    ],
    [
      { format: "account", uri: "acct:a@example.com" },
      { type: "shared-signals.account", value: "acct:a@example.com" },
    ],
    [
      { format: "uri", uri: "urn:uuid:4e851e98" },
      { type: "shared-signals.uri", value: "urn:uuid:4e851e98" },
    ],
    [
      { format: "email", email: "user@example.com" },
      { type: "email", value: "user@example.com" },
    ],
    [
      { format: "phone_number", phone_number: "+12065550100" },
      { type: "phone", value: "+12065550100" },
    ],
    [
      { format: "phone", phone_number: "+1 206 555 0100" },
      { type: "phone", value: "+1 206 555 0100" },
    ],
    [
      { format: "did", url: "did:example:123456/did/url/path?versionId=1" },
      { type: "did", value: "did:example:123456" },
    ],
    [{ subject_type: "iss-sub", iss: SUB.iss, sub: SUB.sub }, subject],
    [{ ...SUB, extra: 1 }, subject],
  ])("reads %j", (sub_id, identity) => {
    expect(named(sub_id)).toEqual([identity]);
  });

  it("reads each alias, since any may be the one that the tenant knows", () => {
    const identifiers = [SUB, { format: "email", email: "user@example.com" }];
    expect(named({ format: "aliases", identifiers })).toEqual([subject, { type: "email", value: "user@example.com" }]);
  });

  it("takes the user of a complex subject only where all else says where the user belongs", () => {
    const tenant = { format: "opaque", id: "t1" };
    expect(named({ format: "complex", user: SUB, tenant })).toEqual([subject]);
    expect(named({ user: SUB })).toEqual([subject]);
    expect(named({ format: "complex", tenant })).toEqual([]);
    expect(named({ format: "complex", group: tenant })).toEqual([]);
    expect(named({ format: "complex", user: SUB, session: tenant })).toEqual([]);
    expect(named({ format: "complex", user: SUB, device: tenant })).toEqual([]);
  });

  it("finds nobody in formats that name nobody", () => {
    for (const sub_id of [
      { format: "ip-addresses", "ip-addresses": ["10.1.0.1"] },
      { format: "jwt_id", iss: "i", jti: "j" },
    ])
      expect(named(sub_id)).toEqual([]);
  });

  it.each([
    undefined,
    "x",
    null,
    { format: "iss_sub", iss: SUB.iss },
    { format: "email", email: "" },
    { format: "iss_sub", iss: SUB.iss, sub: 7 },
    { format: "did", url: "https://example.com" },
    { format: "opaque", id: "x".repeat(256) },
    { format: "aliases", identifiers: [] },
    { format: "aliases", identifiers: [{ format: "aliases", identifiers: [SUB] }] },
    { format: "complex", user: { format: "complex", user: SUB } },
  ])("refuses the subject %j", (sub_id) => {
    expect(named(sub_id)).toBe("sub_id");
  });

  it("reads the subject inside the event, as before 1.0, and refuses two that differ", () => {
    const name = `${RISC}account-purged`;
    const inside = { format: "iss_sub", iss: SUB.iss, sub: SUB.sub };
    expect(signalsOf({ ...base, events: { [name]: { subject: inside } } })).toMatchObject([{ identity: subject }]);
    expect(signalsOf({ ...base, sub_id: SUB, events: { [name]: { subject: inside } } })).toHaveLength(1);
    const other = { ...inside, sub: "somebody else" };
    expect(signalsOf({ ...base, sub_id: SUB, events: { [name]: { subject: other } } })).toBe("sub_id");
  });

  it("knows one revoked token by its own identifier, never by its account", () => {
    const token = {
      subject_type: "oauth_token",
      token_type: "refresh_token",
      token_identifier_alg: "plain",
      token: "7265667265736820746F6B656E20737472696E67",
    };
    const token_subject = { subject_type: "iss-sub", iss: SUB.iss, sub: "75736572206964" };
    const details = { subject: token, token_subject, reason: "inactive" };
    const said = { type: "token_revoked", identity: { type: "shared-signals.token", value: `plain:${token.token}` } };
    expect(signalsOf({ ...base, events: { [`${OAUTH}token-revoked`]: details } })).toMatchObject([said]);
    expect(signalsOf({ ...base, sub_id: SUB, events: { [`${OAUTH}token-revoked`]: details } })).toMatchObject([said]);
    expect(signalsOf({ ...base, sub_id: SUB, events: { [`${OAUTH}token-revoked`]: {} } })).toEqual([]);
  });
});

describe("a body that is no event", () => {
  it.each([
    [{ ...base, sub_id: SUB }, "events"],
    [{ ...base, sub_id: SUB, events: [] }, "events"],
    [{ ...base, sub_id: SUB, events: {} }, "events"],
    [{ ...base, sub_id: SUB, events: { [`${RISC}account-purged`]: null } }, "events"],
    [{ ...base, jti: undefined, sub_id: SUB, events: {} }, "jti"],
    [{ ...base, jti: "", sub_id: SUB, events: {} }, "jti"],
    [{ ...base, iat: "x", sub_id: SUB, events: {} }, "iat"],
    [{ ...base, iat: 1e300, sub_id: SUB, events: {} }, "iat"],
  ])("is unreadable: %j", (claims, at) => {
    expect(signalsOf(claims)).toBe(at);
  });

  it("does not trip over names that every object has", () => {
    expect(signalsOf({ ...base, sub_id: SUB, events: { constructor: {}, toString: {} } })).toEqual([]);
    expect(named({ format: "constructor" })).toEqual([]);
  });
});

describe("whether it is the transmitter's own", async () => {
  const vendor = await newVendorKey();
  const keySets = { keys: async () => vendor.keys, text: async () => fail("absent" as const) };
  const claims = {
    iss: sample.settings.issuer,
    aud: [sample.settings.audience, "https://another.example.com"],
    iat: NOW / 1000,
    jti: "j",
    sub_id: SUB,
    events: { [`${RISC}account-purged`]: {} },
  };
  const verified = async (more: object, typ = "secevent+jwt", settings = sample.settings) => {
    const body = await vendor.token({ ...claims, ...more }, { typ });
    const result = await checked(hook.verify, { body }, settings, { now: NOW, keySets });
    return result.ok ? "ok" : result.problem.reason;
  };

  it("takes one audience of several, and a time long past: a token tells of history", async () => {
    expect(await verified({})).toBe("ok");
    expect(await verified({ iat: NOW / 1000 - 30 * 86_400, exp: NOW / 1000 - 86_400 })).toBe("ok");
  });

  it("refuses another type, so that no ID token passes for an event", async () => {
    for (const typ of ["JWT", "at+jwt"]) expect(await verified({}, typ)).toBe("malformed");
    expect(await verified({}, "application/secevent+jwt")).toBe("ok");
    expect(await verified({}, "SECEVENT+JWT")).toBe("ok");
  });

  it("compares issuer and audience letter by letter", async () => {
    expect(await verified({ iss: "https://idp.example.com" })).toBe("not_for_us");
    expect(await verified({ aud: "https://another.example.com" })).toBe("not_for_us");
  });

  it("refuses what was issued in the future", async () => {
    expect(await verified({ iat: NOW / 1000 + 301 })).toBe("stale");
  });

  it("asks for keys nowhere but at a public address", async () => {
    for (const keys of ["http://idp.example.com/jwks.json", "https://127.0.0.1/jwks.json", "https://idp.internal/k"])
      expect(await verified({}, "secevent+jwt", { ...sample.settings, keys })).toBe("no_key");
  });

  it("[I5] says only to whoever has signed with the transmitter's key that issuer or audience do not fit", async () => {
    const stranger = await newVendorKey();
    const told = async (more: object, signer = vendor) => {
      const body = await signer.token({ ...claims, ...more }, { typ: "secevent+jwt" });
      const result = await checked(hook.verify, { body }, sample.settings, { now: NOW, keySets });
      return result.ok ? undefined : result.problem;
    };
    const odd = [{ iss: "https://idp.example.com" }, { aud: "https://another.example.com" }];
    for (const more of odd) {
      expect(await told(more)).toMatchObject({ reason: "not_for_us", known: true });
      expect(await told(more, stranger)).not.toHaveProperty("known");
    }
    expect(await told({}, stranger)).toEqual({ reason: "bad_signature" });
  });

  it("[I5] looks at a token only beside the stream's secret, where there is one", async () => {
    const settings = { ...sample.settings, authorization: ["Bearer new", "Bearer old"] };
    const stranger = await newVendorKey();
    const posted = async (headers: Record<string, string>, signer = vendor) => {
      const body = await signer.token(claims, { typ: "secevent+jwt" });
      const result = await checked(hook.verify, { body, headers }, settings, { now: NOW, keySets });
      return result.ok ? "ok" : result.problem;
    };
    for (const authorization of settings.authorization) expect(await posted({ authorization })).toBe("ok");
    for (const headers of [{}, { authorization: "Bearer x" }, { authorization: "new" }])
      expect(await posted(headers)).toEqual({ reason: "bad_signature" });
    // Whoever knows the secret is known, and may hear that it is the key.
    expect(await posted({ authorization: "Bearer new" }, stranger)).toEqual({ reason: "bad_signature", known: true });
  });

  it("names only settings that it has for its stream", () => {
    const { source: _, events, ...named } = hook.transmitter ?? { source: "", events: [] };
    expect(Object.values(named).filter((name) => !Object.hasOwn(sharedSignals.settings, name))).toEqual([]);
    expect(events.filter((event) => !hook.events.includes(event))).toEqual([]);
  });

  it("refuses with the error body of RFC 8935", () => {
    expect(hook.refusal?.status).toBe("secevent");
  });
});
