import { z } from "zod";
import { awsJson, Keys, ServiceRefusal } from "./aws-json.ts";
import type { Json, MakeVendor } from "./vendor.ts";

const Value = z.record(z.string(), z.string());
const Item = z.record(z.string(), Value);
type Item = z.infer<typeof Item>;

/**
 * `{vendor, table, partition_key, sort_key?, items, keys?, writes_at_once?}`. Values are as DynamoDB has them:
 * `{"pk": {"S": "USER#1"}}`. Of more deletions in one call than `writes_at_once` the rest stays unprocessed.
 */
const Seed = z.strictObject({
  vendor: z.string(),
  table: z.string(),
  partition_key: z.string(),
  sort_key: z.string().optional(),
  items: z.array(Item).default([]),
  writes_at_once: z.int().positive().default(25),
  keys: Keys,
});
type Table = Omit<z.infer<typeof Seed>, "vendor" | "keys">;

const Query = z.strictObject({
  TableName: z.string(),
  KeyConditionExpression: z.literal("#p = :p"),
  ProjectionExpression: z.string(),
  ExpressionAttributeNames: z.record(z.string(), z.string()),
  ExpressionAttributeValues: z.strictObject({ ":p": Value }),
  ConsistentRead: z.boolean().optional(),
  Limit: z.int().positive().optional(),
});
const BatchWrite = z.strictObject({
  RequestItems: z.record(
    z.string(),
    z
      .array(z.strictObject({ DeleteRequest: z.strictObject({ Key: Item }) }))
      .min(1)
      .max(25),
  ),
});

/**
 * Tables of Amazon DynamoDB. A key names all of the table's key attributes and nothing else; deleting what is not there is no
 * refusal.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html and API_BatchWriteItem.html
 */
export const awsDynamodb: MakeVendor = (world) => {
  const tables = new Map<string, Table>();
  const secrets = new Map<string, string>();
  const tableOf = (name: string): Table => {
    const table = tables.get(name);
    if (table === undefined) throw new ServiceRefusal("ResourceNotFoundException");
    return table;
  };

  return awsJson(world, secrets, {
    id: "aws-dynamodb",
    about: "dynamodb.{region}.amazonaws.com",
    name: "dynamodb",
    type: "application/x-amz-json-1.0",
    target: "DynamoDB_20120810",
    operations: {
      Query(body) {
        const query = Query.parse(body);
        const table = tableOf(query.TableName);
        const names = query.ExpressionAttributeNames;
        const asked = query.ProjectionExpression.split(", ").map((each) => names[each] ?? "");
        // A name that no expression uses, and a condition on anything but the partition key, are refused.
        if (asked.length !== Object.keys(names).length || names["#p"] !== table.partition_key)
          throw new ServiceRefusal("ValidationException");
        const wanted = JSON.stringify(query.ExpressionAttributeValues[":p"]);
        const all = table.items.filter((item) => JSON.stringify(item[table.partition_key]) === wanted);
        const page = all.slice(0, query.Limit ?? all.length);
        const last = page.length < all.length ? page.at(-1) : undefined;
        return {
          Count: page.length,
          ScannedCount: page.length,
          Items: page.map((item) => only(item, asked)),
          ...(last && { LastEvaluatedKey: only(last, keyNames(table)) }),
        };
      },
      BatchWriteItem(body) {
        const left: Record<string, Json> = {};
        for (const [name, requests] of Object.entries(BatchWrite.parse(body).RequestItems)) {
          const table = tableOf(name);
          const keys = requests.map(({ DeleteRequest }) => DeleteRequest.Key);
          const expected = keyNames(table).toSorted().join();
          if (keys.some((key) => Object.keys(key).toSorted().join() !== expected))
            throw new ServiceRefusal("ValidationException");
          const gone = new Set(
            keys.slice(0, table.writes_at_once).map((key) => JSON.stringify(only(key, keyNames(table)))),
          );
          table.items = table.items.filter((item) => !gone.has(JSON.stringify(only(item, keyNames(table)))));
          if (keys.length > table.writes_at_once) left[name] = requests.slice(table.writes_at_once);
        }
        return { UnprocessedItems: left };
      },
    },
    seed(body) {
      const { vendor: _, keys, ...table } = Seed.parse(body);
      for (const [id, secret] of Object.entries(keys)) secrets.set(id, secret);
      tables.set(table.table, { ...table, items: [...(tables.get(table.table)?.items ?? []), ...table.items] });
      return { items: table.items.length };
    },
    holdings: () => ({
      items: [...tables].flatMap(([table, { items }]) => items.map((item): Json => ({ table, item }))),
    }),
    reset: () => tables.clear(),
  });
};

const keyNames = ({ partition_key, sort_key }: Table): readonly string[] =>
  sort_key === undefined ? [partition_key] : [partition_key, sort_key];

const only = (item: Item, names: readonly string[]): Item =>
  Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
