import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { type HookSample, on, person, type Sample, signal, type Way } from "./kit.ts";

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
  ],
};
