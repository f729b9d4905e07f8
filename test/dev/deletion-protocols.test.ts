import { exportJWK, generateKeyPair } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { ddrf } from "../../integrations/ddrf.ts";
import { opendsr } from "../../integrations/opendsr.ts";
import { carryOut } from "../support/carry-out.ts";
import { newCertificate } from "../support/certificate.ts";

let now: number;
let sandbox: Sandbox;
const clock = {
  now: () => now,
  wait: (seconds: number) => {
    now += seconds * 1000;
  },
};
const seed = (body: object) =>
  sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(body) }));
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();
const fetched = (url: string) => sandbox.fetch(new Request(url));

beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
});

describe("erasing at the stand-in for a processor that speaks OpenDSR", () => {
  const settings = async (certificate?: string) => ({
    url: "https://opendsr.example.com/v2",
    authorization: "Bearer t0ken",
    regulation: "gdpr",
    domain: "opendsr.example.com",
    certificate: certificate ?? (await (await fetched("https://opendsr.example.com/cert.pem")).text()),
  });
  const ada = { type: "email", value: "ada@example.com" };
  beforeEach(() => seed({ vendor: "opendsr", people: [{ email: "ada@example.com" }, { email: "bob@example.com" }] }));

  it("erases the person once the processor says, signed, that it is completed", async () => {
    const ends = await carryOut(sandbox, opendsr.actions.erase, await settings(), ada, clock);
    expect(ends).toMatchObject([{ answer: { outcome: "erased" } }]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("bob@example.com")).not.toEqual([]);
  });

  it("goes on with a request that the processor has already", async () => {
    await carryOut(sandbox, opendsr.actions.erase, await settings(), ada, clock);
    const ends = await carryOut(sandbox, opendsr.actions.erase, await settings(), ada, clock);
    expect(ends).toMatchObject([{ answer: { outcome: "erased" } }]);
  });

  it("[I4] believes nobody with another certificate", async () => {
    const other = await newCertificate({ commonName: "opendsr.example.com" });
    const ends = await carryOut(sandbox, opendsr.actions.erase, await settings(other.pem), ada, clock);
    expect(ends).toMatchObject([{ answer: { outcome: "unforeseen" } }]);
  });
});

describe("asking at the stand-in for a partner in the IAB's framework", () => {
  const identity = { type: "ddrf.identifier", value: "email:sha256:28f6dc889e" };
  const settings = async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const facts = { kid: "own-1", alg: "ES256" };
    await seed({ vendor: "ddrf", publishers: { "acme.example": [{ ...(await exportJWK(publicKey)), ...facts }] } });
    const discovered = await (await fetched("https://ddrf.example.com/dsrdelete.json")).json();
    return {
      endpoint: discovered.endpoint,
      partnerKeys: JSON.stringify(discovered.publicKey),
      issuer: "acme.example",
      signingKey: JSON.stringify({ ...(await exportJWK(privateKey)), ...facts }),
    };
  };
  const ends = async (changed: object, value = identity.value) =>
    carryOut(sandbox, ddrf.actions.erase, { ...(await settings()), ...changed }, { ...identity, value }, clock);

  it("is told of each identifier, and acknowledges it: which is no erasure", async () => {
    expect(await ends({})).toEqual([{ identity, answer: { outcome: "informed" } }]);
    expect(await holds("28f6dc889e")).not.toEqual([]);
  });

  it("says in its receipt what it does not take", async () => {
    for (const [value, what] of [
      ["idfa:sha256:1", "the partner does not take identifiers of this type"],
      ["email:md5:1", "the partner does not take identifiers in this format"],
    ] as const)
      expect(await ends({}, value)).toMatchObject([{ answer: { outcome: "unforeseen", status: 400, what } }]);
  });

  it("refuses who has not published the key", async () => {
    expect(await ends({ issuer: "other.example" })).toMatchObject([{ answer: { outcome: "unforeseen", status: 400 } }]);
  });

  it("[I4] is not believed without a receipt of its own", async () => {
    const { publicKey } = await generateKeyPair("ES256", { extractable: true });
    const partnerKeys = JSON.stringify([{ ...(await exportJWK(publicKey)), kid: "partner-1" }]);
    expect(await ends({ partnerKeys })).toMatchObject([
      { answer: { what: "the answer is not the partner's signed receipt of this request" } },
    ]);
  });
});
