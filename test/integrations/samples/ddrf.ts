import { informed } from "../../../src/contract/outcome.ts";
import { on, type Sample } from "./kit.ts";

const claims = btoa('{"version":"1.0","rqJWT":"a.b.c","raResultCode":0}').replace(/=+$/, "");

export const sample: Sample = {
  settings: {
    endpoint: "https://ddrf.example.com/api/delete",
    partnerKeys: '[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"partner-1"}]',
    issuer: "acme.example",
    signingKey: '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d","kid":"own-1","alg":"ES256"}',
  },
  hooks: {},
  ways: [
    {
      name: "acknowledged",
      action: "erase",
      part: "run",
      identity: { type: "ddrf.identifier", value: "email:sha256:28f6dc889e" },
      steps: [on(202, 400)({ status: 202, body: `e30.${claims}.c2ln`, proven: true })],
      outcome: informed,
    },
  ],
};
