import { erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, type HookSample, on, person, type Sample, signal, type Way } from "./kit.ts";

const HASH = "2d9e8a4f6c1b0d7e5a3f9c8b7d6e5f4a";
const member = { type: "mailchimp.member", value: `list1/${HASH}` };
const addressId = { type: "mailchimp.address_id", value: "8a25ff1d98" };
const way = (given: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: member,
  ...given,
});
const lists = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { lists: ids.map((id) => ({ id })), total_items: ids.length },
});
const shown: Played = { status: 200, body: { id: HASH, email_address: "ada@example.com", status: "archived" } };
const missing: Played = { status: 404, body: { title: "Resource Not Found", status: 404 } };
const only = on(200);
const byId = on(200, 404);
const removal = on(204, 404);

const grant = {
  accessToken: "5c6ccc561059aa386da9d112215bae55",
  refreshToken: "",
  scopes: [],
  account: { type: "mailchimp.account", value: "106" },
};
const metadata: Played = {
  status: 200,
  body: {
    dc: "us6",
    role: "owner",
    accountname: "Ada's lace",
    user_id: 106,
    login: { email: "ada@example.com" },
    login_url: "https://login.mailchimp.com",
    api_endpoint: "https://us6.api.mailchimp.com",
  },
};
const asked = on(200, 401);

const audience: HookSample = {
  "unsubscribe/unsub": (at) => [signal("consent_withdrawn", addressId, at)],
  "unsubscribe/delete": (at) => [signal("account_deleted", addressId, at)],
  cleaned: () => [],
  upemail: () => [],
  profile: () => [],
  subscribe: () => [],
};

export const sample: Sample = {
  settings: {
    apiKey: "0123456789abcdef0123456789abcdef-us21",
    dataCenter: "us21",
    clientId: "635959587059",
    clientSecret: "nobodys-client-secret",
    signingSecret: "9f86d081884c7d659a2feaa0c55ad015",
    addressSecret: "zLr0Yt5kQ8mW2xVb7nC4jH9sD1fG6aPe",
  },
  hooks: { audience, "audience-unsigned": audience },
  ways: [
    way({
      name: "e-mail in one of two audiences",
      identity: person,
      steps: [only(lists("list1", "list2")), byId(shown), byId(missing)],
      outcome: { outcome: "found", identities: [member] },
    }),
    way({
      name: "e-mail in no audience",
      identity: person,
      steps: [only(lists("list1")), byId(missing)],
      outcome: notFound,
    }),
    way({
      name: "id of an address",
      identity: addressId,
      steps: [only(lists("list1")), only({ status: 200, body: { members: [{ id: HASH }] } })],
      outcome: { outcome: "found", identities: [member] },
    }),
    way({ name: "member erased", steps: [removal({ status: 204 })], outcome: erased }),
    way({ name: "member who is gone", steps: [removal(missing)], outcome: notFound }),
    way({ name: "look at a member who is gone", part: "look", steps: [byId(missing)], outcome: "absent" }),
    way({ name: "look at a member who is there", part: "look", steps: [byId(shown)], outcome: "present" }),
    way({
      name: "connection",
      action: "revoke",
      identity: connection,
      grant,
      steps: [],
      outcome: stoppedBecause(
        "Mailchimp has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app among the account's connected apps",
      ),
    }),
  ],
  oauth: {
    token: () => ({ status: 200, body: { access_token: grant.accessToken, expires_in: 0, scope: null } }),
    asks: [on(200)(metadata)],
    grant,
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "The code is not valid." } },
    alive: [
      { name: "alive", steps: [asked(metadata)], outcome: "alive" },
      { name: "over", steps: [asked({ status: 200, body: { error: "invalid_token" } })], outcome: "ended" },
      {
        name: "over, by its status",
        steps: [asked({ status: 401, body: { error: "invalid_token" } })],
        outcome: "ended",
      },
    ],
  },
};
