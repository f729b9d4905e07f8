import type { Answer } from "../../../src/contract/outcome.ts";
import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { type Sample, type Step, signal, type Way } from "./kit.ts";

const facebookUser = { type: "facebook.user_id", value: "1000000000001" };
const graph = (reply: Played): Step => ({
  reply,
  documented: (status) => status === 200 || Math.trunc(status / 100) === 4,
});
const graphError = (code: number, error_subcode?: number) => ({
  error: { message: "(#1) no", type: "OAuthException", code, ...(error_subcode !== undefined && { error_subcode }) },
});
const removal = (name: string, reply: Played, outcome: Answer): Way => ({
  name,
  action: "revoke",
  part: "run",
  identity: facebookUser,
  steps: [graph(reply)],
  outcome,
});

export const sample: Sample = {
  settings: {
    appId: "123456789012345",
    appSecret: "0123456789abcdef0123456789abcdef",
    verifyToken: "meadow-lantern-cobalt",
  },
  hooks: {
    "data-deletion": { data_deletion: (at) => [signal("erasure_requested", facebookUser, at)] },
    deauthorize: { deauthorize: (at) => [signal("deauthorized", facebookUser, at)] },
    webhooks: {
      "permissions.connected": (at) => [signal("deauthorized", facebookUser, at)],
      "permissions.{permission}": (at) => [signal("consent_withdrawn", facebookUser, at)],
    },
  },
  ways: [
    removal("success", { status: 200, body: { success: true } }, revoked),
    removal("plain true", { status: 200, body: "true" }, revoked),
    removal("app not authorised", { status: 400, body: graphError(190, 458) }, notFound),
    removal("no such object", { status: 400, body: graphError(100, 33) }, notFound),
  ],
};
