import { describe, expect, it } from "vitest";
import { ddrf } from "../../integrations/ddrf.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = ddrf.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("the framework has an erasure");

const settings = {
  endpoint: "https://ddrf.example.com/d",
  partnerKeys: "[]",
  issuer: "acme.example",
  signingKey: '{"kty":"EC","d":"d","alg":"ES256","kid":"own-1"}',
};
const one = { type: "ddrf.identifier", value: "email:sha256:28f6dc889e" };
const two = { type: "ddrf.identifier", value: "idfa:raw:a:b" };
const order = orderFor(settings, one, { identities: [one, two] });
const receipt = (claims: unknown) => `e30.${btoa(JSON.stringify(claims)).replace(/=+$/, "")}.c2ln`;
const outcome = (played: Played) => play(erase.run(order), [played]).outcome;
const signOf = (changed: object) => play(erase.run({ ...order, ...changed }), [{ status: 500 }]).calls[0]?.sign;

describe("asking a partner by the framework", () => {
  it("signs a token for the identifier within one for the transaction, each identifier with its own", () => {
    const sub = { identifierType: "email", identifierFormat: "sha256", identifierValue: "28f6dc889e" };
    expect(signOf({})).toMatchObject({
      scheme: "nested-jwt",
      inside: "idJWT",
      inner: { version: "1.0", iss: "acme.example", sub, iat: 1_795_165_200 },
      outer: { version: "1.0", iss: "acme.example", sub },
    });
    const other = signOf({ identity: two });
    expect(other).toMatchObject({ inner: { sub: { identifierValue: "a:b" } } });
    expect(other).not.toMatchObject({ inner: { jti: Reflect.get(signOf({}) ?? {}, "inner").jti } });
  });

  it("stops the lane where the key is none", () => {
    for (const signingKey of ["", "no JWK", '{"kty":"EC","alg":"ES256","kid":"public"}'])
      expect(play(erase.run({ ...order, settings: { ...settings, signingKey } }), []).outcome).toMatchObject({
        outcome: "unauthorized",
      });
  });

  it("does not call where an identifier has another form", () => {
    const bare = { ...one, value: "ada@example.com" };
    expect(play(erase.run({ ...order, identity: bare }), []).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] takes a receipt for no more than it is", () => {
    const good = { status: 202, body: receipt({ raResultCode: 0 }), proven: true };
    expect(outcome(good)).toEqual({ outcome: "informed" });
    for (const changed of [
      { proven: false },
      { status: 400 },
      { body: receipt({ raResultCode: 4 }) },
      { body: receipt({ raResultCode: 99 }) },
      { body: receipt({}) },
      { body: "" },
      { body: "a.b.c.d" },
      { body: "e30.abcde.c2ln" },
    ])
      expect(outcome({ ...good, ...changed }), JSON.stringify(changed)).toMatchObject({ outcome: "unforeseen" });
  });
});
