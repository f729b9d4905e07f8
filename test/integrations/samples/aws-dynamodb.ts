import { erased, notFound } from "../../../src/contract/outcome.ts";
import { on, type Sample, type Step, type Way } from "./kit.ts";

const key = { pk: { S: "USER#1000000000001" }, sk: { S: "PROFILE" } };
const page = (...items: readonly object[]) => on(200)({ status: 200, body: { Items: items, Count: items.length } });
const written = on(200)({ status: 200, body: { UnprocessedItems: {} } });
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
    region: "eu-central-1",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    table: "example-people",
    partitionKey: "pk",
    partitions: "USER#{id}",
    partitionType: "S",
    sortKey: "sk",
  },
  hooks: {},
  ways: [
    way("items of the partition", [page(key), written, page()], erased),
    way("no items", [page()], notFound),
    way("look at a partition that is empty", [page()], "absent", "look"),
    way("look at a partition that is not", [page(key)], "present", "look"),
  ],
};
