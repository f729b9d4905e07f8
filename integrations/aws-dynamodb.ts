import { z } from "zod";
import { noCall, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import {
  type Answer,
  erased,
  notFound,
  type SlowDown,
  type Unauthorized,
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { optional, type Settings, text } from "../src/contract/settings.ts";
import { awsSettings, operation, originsOf, SIGV4, stopping } from "./houses/aws.ts";

/**
 * A table of Amazon DynamoDB holds items about the tenant's people, in partitions whose keys have their ids. We erase all items
 * of such partitions. What lies under other keys only is found by no query of the table, and not erased.
 */
const BATCH = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html";

/** A page of keys, and as many of them as one call deletes. */
const PAGE = 100;
const BATCH_SIZE = 25;

/** One attempt's part, with four calls a page. */
const MOST_PAGES = 20;

const NAME = /^[^\s{}]{1,255}$/;
const VALUE = "[^\\s,{}]*\\{id\\}[^\\s,{}]*";

const settings = {
  ...awsSettings,
  table: text("Table", /^[\w.-]{3,255}$/),
  partitionKey: text("Name of the partition key", NAME),
  partitions: text(
    "Partition keys of one person, such as USER#{id}, separated by commas",
    new RegExp(`^\\s*${VALUE}(?:\\s*,\\s*${VALUE}){0,7}\\s*$`),
  ),
  partitionType: optional(text("Type of the partition key: S (text) or N (number)", /^[SN]$/)),
  sortKey: optional(text("Name of the sort key, where the table has one", NAME)),
} satisfies Settings;
type TableOrder = Order<typeof settings>;

const Value = z.partialRecord(z.enum(["S", "N", "B"]), z.string());
const Keys = z.array(z.record(z.string(), Value));
const Page = z.object({ Items: Keys });
const Written = z.object({ UnprocessedItems: z.record(z.string(), z.array(z.unknown())).optional() });
type Key = z.infer<typeof Keys>[number];

export const awsDynamodb = defineIntegration({
  id: "aws-dynamodb",
  name: "Amazon DynamoDB",
  about: "Stores records for the tenant.",
  origins: originsOf("dynamodb"),
  settings,
  identities: { "aws-dynamodb.id": "The id in the table's partition keys, where it is not the user_id" },

  hooks: absent("its streams are read by the account's own functions", BATCH),
  oauth: absent("access keys only", SIGV4),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SIGV4),
    erase: {
      source: BATCH,
      by: ["user_id", "aws-dynamodb.id"],
      each: "identity",
      *run(order) {
        const partitions = partitionsOf(order);
        if ("outcome" in partitions) return partitions;
        let pages = 0;
        for (const partition of partitions)
          for (;;) {
            const keys = yield* keysIn(partition, order);
            if ("outcome" in keys) return keys;
            if (keys.length === 0) break;
            if (++pages > MOST_PAGES) return { outcome: "more" };
            const stopped = yield* without(keys, order);
            if (stopped !== undefined) return stopped;
          }
        // Each partition was seen empty after its last deletion, by a consistent read.
        return pages > 0 ? erased : notFound;
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const partitions = partitionsOf(order);
          if ("outcome" in partitions) return partitions;
          for (const partition of partitions) {
            const keys = yield* keysIn(partition, order);
            if ("outcome" in keys) return keys;
            if (keys.length > 0) return "present";
          }
          return "absent";
        },
      },
    },
  },

  // Point-in-time recovery and backups are the operator's own to turn on, and are not asked about.
  residuals: [],
  retainable: [],
  limits: { connections: 2, account: { settings: ["region", "table"] } },
});

const JSON_1_0 = { type: "application/x-amz-json-1.0", target: "DynamoDB_20120810" };

/**
 * The values of a person's partition keys. An id with one of the marks that the templates have could name another kind of
 * partition (`1#ORDERS` at `USER#{id}`), and is refused, as is one that could be another person's at another template.
 */
function partitionsOf({ identity: { value: id }, settings }: TableOrder): readonly string[] | Unforeseen {
  const all = settings.partitions.split(",").map((template) => template.trim());
  const marks = new Set(all.join("").replace(/\{id\}|[\w.@+-]/g, ""));
  const isName = id.trim() === id && !/[\p{Cc}\p{Cf}{},]/u.test(id) && ![...id].some((each) => marks.has(each));
  const isNumber = settings.partitionType !== "N" || /^(?:0|[1-9]\d{0,37})$/.test(id);
  if (id === "" || !isName || !isNumber) return NO_KEY;
  const mine = all.map((template) => template.replace("{id}", () => id));
  const isAnothers = all.some((template) => {
    const [head = "", tail = ""] = template.split("{id}");
    return mine.some(
      (value) =>
        value.startsWith(head) &&
        value.endsWith(tail) &&
        value !== head + id + tail &&
        value.length > head.length + tail.length,
    );
  });
  return isAnothers ? NO_KEY : mine;
}

const NO_KEY = unforeseen(
  noCall,
  "this id cannot stand in a partition key, because it could reach other people's data",
);

type Stop = Unauthorized | SlowDown | Unforeseen;

/** The first keys of a partition, as they are now. */
function* keysIn(partition: string, order: TableOrder): Steps<readonly Key[] | Stop> {
  const { table, partitionKey, partitionType, sortKey } = order.settings;
  const type = partitionType === "N" ? "N" : "S";
  const reply = yield operation("dynamodb", JSON_1_0, "Query", order.settings, {
    TableName: table,
    KeyConditionExpression: "#p = :p",
    ProjectionExpression: sortKey === "" ? "#p" : "#p, #s",
    ExpressionAttributeNames: { "#p": partitionKey, ...(sortKey !== "" && { "#s": sortKey }) },
    ExpressionAttributeValues: { ":p": { [type]: partition } },
    ConsistentRead: true,
    Limit: PAGE,
  });
  const stop = stopping(reply);
  if (stop !== undefined) return stop;
  const page = read(reply, Page);
  if (!page.ok) return page.problem;
  // Whatever a page says, nothing of another partition is touched.
  const isOurs = (key: Key) =>
    key[partitionKey]?.[type] === partition && (sortKey === "" || Object.hasOwn(key, sortKey));
  return page.value.Items.every(isOurs)
    ? page.value.Items
    : unforeseen(reply, "the page has keys that were not asked for");
}

/** Deletes a page's items, in as many calls as it takes; returns what stands in the way. */
function* without(keys: readonly Key[], order: TableOrder): Steps<Answer | undefined> {
  const { table } = order.settings;
  for (let at = 0; at < keys.length; at += BATCH_SIZE) {
    const deletions = keys.slice(at, at + BATCH_SIZE).map((key) => ({ DeleteRequest: { Key: key } }));
    const reply = yield operation("dynamodb", JSON_1_0, "BatchWriteItem", order.settings, {
      RequestItems: { [table]: deletions },
    });
    const stop = stopping(reply);
    if (stop !== undefined) return stop;
    const written = read(reply, Written);
    if (!written.ok) return written.problem;
    // The table is too busy for all of them; the next attempt finds again what is left.
    if (Object.values(written.value.UnprocessedItems ?? {}).some((left) => left.length > 0))
      return { outcome: "slow_down", seconds: 5 };
  }
  return undefined;
}
