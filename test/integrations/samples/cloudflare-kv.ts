import { erased, notFound } from "../../../src/contract/outcome.ts";
import { on, type Sample, type Step, type Way } from "./kit.ts";

const key = "user:1000000000001:profile";
const ok = on(200);
const list = (...names: readonly string[]) =>
  ok({
    status: 200,
    body: { success: true, errors: [], result: names.map((name) => ({ name })), result_info: { cursor: "" } },
  });
const deleted = ok({
  status: 200,
  body: { success: true, errors: [], result: { successful_key_count: 1, unsuccessful_keys: [] } },
});
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "user_id", value: "1000000000001" },
  name,
  steps,
  outcome,
  ...more,
});

export const sample: Sample = {
  settings: {
    accountId: "0123456789abcdef0123456789abcdef",
    apiToken: "an-invented-token",
    namespaceId: "fedcba9876543210fedcba9876543210",
    prefixes: "user:{id}:",
  },
  hooks: {},
  ways: [
    way("keys under the prefix", [list(key), deleted], erased),
    way("no keys", [list()], notFound),
    way("one key", [list(key), deleted], erased, { identity: { type: "cloudflare-kv.key", value: key } }),
    way("look at a prefix that is empty", [list()], "absent", { part: "look" }),
    way("look at a prefix that is not", [list(key)], "present", { part: "look" }),
  ],
};
