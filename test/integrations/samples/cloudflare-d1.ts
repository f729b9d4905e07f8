import { erased, notFound } from "../../../src/contract/outcome.ts";
import { on, type Sample, type Step, type Way } from "./kit.ts";

const ok = on(200);
const counted = (n: number) =>
  ok({ status: 200, body: { success: true, errors: [], result: [{ success: true, meta: {}, results: [{ n }] }] } });
const deleted = ok({
  status: 200,
  body: { success: true, errors: [], result: [{ success: true, meta: { changes: 1 }, results: [] }] },
});
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], part: Way["part"] = "run"): Way => ({
  action: "erase",
  part,
  identity: { type: "user_id", value: "1000000000001" },
  name,
  steps,
  outcome,
});

export const sample: Sample = {
  settings: {
    accountId: "0123456789abcdef0123456789abcdef",
    apiToken: "an-invented-token",
    databaseId: "01234567-89ab-4def-8123-456789abcdef",
    statements: "DELETE FROM people WHERE user_id = ?",
  },
  hooks: {},
  ways: [
    way("rows of a person", [counted(1), deleted], erased),
    way("no rows", [counted(0)], notFound),
    way("look at a table without rows", [counted(0)], "absent", "look"),
    way("look at a table with a row", [counted(1)], "present", "look"),
  ],
};
