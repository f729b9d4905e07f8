import { unforeseen } from "../../../src/contract/call.ts";
import type { Answer } from "../../../src/contract/outcome.ts";
import { erased, notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { byNoGrant, connection, type Sample, type Step, signal, unpublishing, type Way } from "./kit.ts";

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

const grant = { accessToken: "EAAlong", refreshToken: "", scopes: ["public_profile"], account: facebookUser };
const unknown = { ...grant, account: { type: "connection", value: "unknown" } };

const published = unpublishing({ type: "facebook.post", value: "100200300_400500600" }, grant);
const pageToken = graph({ status: 200, body: { access_token: "EAApage", id: "100200300" } });
const noPage = graph({ status: 400, body: graphError(100, 33) });

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
    { ...removal("a connection", { status: 200, body: { success: true } }, revoked), identity: connection, grant },
    {
      ...removal("a connection whose account was not learnt", { status: 200, body: { success: true } }, revoked),
      identity: connection,
      grant: unknown,
    },
    {
      name: "the person's token is dead",
      action: "revoke",
      part: "look",
      identity: connection,
      grant,
      steps: [graph({ status: 400, body: graphError(190, 458) })],
      outcome: "absent",
    },
    {
      name: "the person's token still works",
      action: "revoke",
      part: "look",
      identity: connection,
      grant,
      steps: [graph({ status: 200, body: { id: facebookUser.value } })],
      outcome: "present",
    },
    published({
      name: "a post of the person's Page",
      steps: [pageToken, graph({ status: 200, body: { success: true } })],
      outcome: erased,
    }),
    published({
      name: "a Page that the person does not manage",
      steps: [noPage],
      outcome: byNoGrant("Meta gives it no token for the Page (error 100)"),
    }),
    published({
      name: "a Page of which the person has no more than a view",
      steps: [graph({ status: 200, body: { id: "100200300" } })],
      outcome: byNoGrant("Meta gives it no token for the Page"),
    }),
    published({
      name: "a permission that was not granted",
      steps: [pageToken, graph({ status: 403, body: graphError(200) })],
      outcome: byNoGrant("Meta wants a permission that it does not have (error 200)"),
    }),
    published({
      name: "what is no post of a Page",
      identity: { type: "facebook.post", value: "100200300" },
      steps: [],
      outcome: unforeseen({ status: 0 }, "a post of a Page is registered as page id_post id"),
    }),
    published({
      name: "it is gone",
      part: "look",
      steps: [pageToken, graph({ status: 400, body: graphError(100, 33) })],
      outcome: "absent",
    }),
    published({
      name: "it is there",
      part: "look",
      steps: [pageToken, graph({ status: 200, body: { id: "100200300_400500600" } })],
      outcome: "present",
    }),
    published({ name: "nobody can look", part: "look", steps: [noPage], outcome: "no_view" }),
    {
      name: "no token of the person",
      action: "revoke",
      part: "look",
      identity: facebookUser,
      steps: [],
      outcome: "no_view",
    },
  ],
  oauth: {
    token: () => ({ status: 200, body: { access_token: "EAAshort", token_type: "bearer", expires_in: 5183 } }),
    longer: { status: 200, body: { access_token: "EAAlong", token_type: "bearer", expires_in: 5_183_999 } },
    asks: [graph({ status: 200, body: { id: facebookUser.value } })],
    grant,
    lastsSeconds: 5_183_999,
    invalidGrant: {
      status: 400,
      body: {
        error: {
          message: "This authorization code has been used.",
          type: "OAuthException",
          code: 100,
          error_subcode: 36_009,
          fbtrace_id: "AbC",
        },
      },
    },
  },
};
