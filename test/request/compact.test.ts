import fc from "fast-check";
import { base64url } from "jose";
import { expect, it } from "vitest";
import { closedRecord, compact, expand, receiptIn } from "../../src/request/compact.ts";
import { RECEIPT_TYP } from "../../src/request/receipt.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

// The id of an Ed25519 key is a SHA-256 (RFC 7638), its signature 64 bytes (RFC 8032).
const kid = base64url.encode(Uint8Array.from({ length: 32 }, (_, at) => 255 - at));
const signature = base64url.encode(Uint8Array.from({ length: 64 }, (_, at) => 3 * at));
const headed = (header: object, payload: string | Uint8Array) =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(payload)}.${signature}`;
const jws = (payload: string | Uint8Array) => headed({ alg: "Ed25519", kid, typ: RECEIPT_TYP }, payload);

it("gives back to the letter what was signed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.json(), fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 2000 })),
      async (payload) => {
        expect(await expand(await compact(jws(payload)))).toBe(jws(payload));
      },
    ),
    { numRuns: 30 },
  );
});

it("is plain seven-bit text, one byte a character", async () => {
  const packed = await compact(jws(Uint8Array.from({ length: 2000 }, (_, at) => (at * 151) % 256)));
  expect([...packed].every((character) => character.charCodeAt(0) < 128)).toBe(true);
});

it.each([
  { alg: "EdDSA", kid, typ: RECEIPT_TYP },
  { alg: "Ed25519", kid, typ: "JWT" },
  { kid, alg: "Ed25519", typ: RECEIPT_TYP },
  { alg: "Ed25519", kid, typ: RECEIPT_TYP, crit: [] },
])("refuses the header %o, which it could not give back", async (header) => {
  await expect(compact(headed(header, "{}"))).rejects.toThrow("not a receipt of ours");
});

it("needs less than half the space for a receipt", async () => {
  const tasks = Array.from({ length: 10 }, (_, index) => ({
    id: `holder-${index}.erase`,
    subprocessor: `holder-${index}`,
    integration: "holder",
    action: "erase",
    outcome: "erased",
    level: "verified_absent",
    at: "2026-11-21T09:00:00.000Z",
  }));
  const receipt = jws(JSON.stringify({ iss: "https://gate.example", request: "req_1", tasks }));
  expect((await compact(receipt)).length).toBeLessThan(receipt.length / 2);
});

it("reads the receipt", () => {
  expect(receiptIn(jws('{"complete":true,"sub":["ü"]}'))).toEqual({ complete: true, sub: ["ü"] });
});

it("tells a closed record's place in the log from its receipt", async () => {
  const packed = await compact(jws('{"request":"req_1"}'));
  expect(closedRecord(`12.${packed}`)).toEqual({ index: 12, packed });
});
