import fc from "fast-check";
import { base64url } from "jose";
import { expect, it } from "vitest";
import { compact, expand, payloadOf } from "../../src/request/compact.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const jws = (payload: string | Uint8Array) =>
  `${base64url.encode('{"alg":"EdDSA"}')}.${base64url.encode(payload)}.c2lnbmF0dXJl`;

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

it("leaves header and signature as they are", async () => {
  const [header, , signature] = jws("{}").split(".");
  const [kept, , same] = (await compact(jws("{}"))).split(".");
  expect([kept, same]).toEqual([header, signature]);
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

it("reads the payload", () => {
  expect(payloadOf(jws('{"complete":true}'))).toEqual({ complete: true });
});
