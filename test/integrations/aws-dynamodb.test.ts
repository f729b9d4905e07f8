import { describe, expect, it } from "vitest";
import { awsDynamodb } from "../../integrations/aws-dynamodb.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { sample } from "./samples/aws-dynamodb.ts";

const { erase } = awsDynamodb.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("DynamoDB has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("DynamoDB can be looked at");

const settings = {
  region: "eu-central-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "an-invented-secret",
  table: "people",
  partitionKey: "pk",
  partitions: "USER#{id}",
  partitionType: "",
  sortKey: "sk",
};
const order = (value = "1", more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type: "user_id", value });
const item = (sort: string, partition = "USER#1") => ({ pk: { S: partition }, sk: { S: sort } });
const page = (...items: readonly object[]): Played => ({ status: 200, body: { Items: items } });
const written = (left: object = {}): Played => ({ status: 200, body: { UnprocessedItems: left } });
const refusal = (name: string, status = 400): Played => ({
  status,
  body: { __type: `com.amazonaws.dynamodb#${name}` },
});
const sentBy = (body: string | undefined): unknown => JSON.parse(body ?? "");

describe("erasing a person's partition in DynamoDB", () => {
  it("asks for keys consistently, deletes 25 at a time, and asks again until there are none", () => {
    const items = Array.from({ length: 26 }, (_, nth) => item(`A#${nth}`));
    const { calls, outcome } = play(erase.run(order()), [page(...items), written(), written(), page()]);
    expect(calls.map(({ headers }) => headers["x-amz-target"])).toEqual([
      "DynamoDB_20120810.Query",
      "DynamoDB_20120810.BatchWriteItem",
      "DynamoDB_20120810.BatchWriteItem",
      "DynamoDB_20120810.Query",
    ]);
    expect(sentBy(calls[0]?.body)).toEqual({
      TableName: "people",
      KeyConditionExpression: "#p = :p",
      ProjectionExpression: "#p, #s",
      ExpressionAttributeNames: { "#p": "pk", "#s": "sk" },
      ExpressionAttributeValues: { ":p": { S: "USER#1" } },
      ConsistentRead: true,
      Limit: 100,
    });
    expect(sentBy(calls[2]?.body)).toEqual({ RequestItems: { people: [{ DeleteRequest: { Key: item("A#25") } }] } });
    expect(calls[0]?.at.url).toBe("https://dynamodb.eu-central-1.amazonaws.com/");
    expect(calls[0]?.sign).toMatchObject({ scheme: "aws-sigv4", region: "eu-central-1", service: "dynamodb" });
    expect(outcome).toEqual(erased);
  });

  it("asks for a table without a sort key, and for one whose partition key is a number", () => {
    const plain = play(erase.run(order("42", { sortKey: "", partitions: "{id}", partitionType: "N" })), [
      page({ pk: { N: "42" } }),
      written(),
      page(),
    ]);
    expect(sentBy(plain.calls[0]?.body)).toMatchObject({
      ProjectionExpression: "#p",
      ExpressionAttributeNames: { "#p": "pk" },
      ExpressionAttributeValues: { ":p": { N: "42" } },
    });
    expect(plain.outcome).toEqual(erased);
  });

  it("goes through every partition that a person has", () => {
    const { calls, outcome } = play(erase.run(order("1", { partitions: "USER#{id}, CART#{id}" })), [page(), page()]);
    expect(calls.map(({ body }) => sentBy(body))).toMatchObject([
      { ExpressionAttributeValues: { ":p": { S: "USER#1" } } },
      { ExpressionAttributeValues: { ":p": { S: "CART#1" } } },
    ]);
    expect(outcome).toEqual(notFound);
  });

  it("rests where the table left something, and claims nothing", () => {
    const left = { people: [{ DeleteRequest: { Key: item("A") } }] };
    expect(play(erase.run(order()), [page(item("A")), written(left)]).outcome).toEqual({
      outcome: "slow_down",
      seconds: 5,
    });
  });

  it("[I14] deletes nothing that a page has of another partition", () => {
    for (const other of [
      item("A", "USER#10"),
      { sk: { S: "A" } },
      { pk: { S: "USER#1" } },
      { pk: { N: "1" }, sk: { S: "A" } },
    ]) {
      const { calls, outcome } = play(erase.run(order()), [page(item("A"), other)]);
      expect(calls).toHaveLength(1);
      expect(outcome).toMatchObject({ outcome: "unforeseen" });
    }
  });

  it.each([
    ["", {}],
    ["1#ORDERS", {}],
    ["1\n", {}],
    [" 1", {}],
    ["01", { partitionType: "N", partitions: "{id}" }],
    ["1e3", { partitionType: "N", partitions: "{id}" }],
    ["USER1", { partitions: "{id}, USER{id}" }],
  ])("[I14] makes no call for the id %j at %j", (id, more) => {
    for (const steps of [erase.run(order(id, more)), look.run(order(id, more))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("takes ids with the marks of a UUID or an address", () => {
    for (const id of ["3f0c8a54-0000-4000-8000-000000000001", "ada@example.com"])
      expect(play(erase.run(order(id, { partitions: "user-{id}" })), [page()]).outcome).toEqual(notFound);
  });

  it.each([
    [refusal("ResourceNotFoundException"), { outcome: "unforeseen" }],
    [refusal("ValidationException"), { outcome: "unforeseen" }],
    [refusal("UnrecognizedClientException"), { outcome: "unauthorized" }],
    [
      refusal("AccessDeniedException"),
      { outcome: "unauthorized", what: "AWS refused the access key: AccessDeniedException" },
    ],
    [refusal("ThrottlingException"), { outcome: "slow_down" }],
    [refusal("ProvisionedThroughputExceededException"), { outcome: "slow_down" }],
    [{ status: 200, body: {} }, { outcome: "unforeseen" }],
    [{ status: 200, body: "<html>" }, { outcome: "unforeseen" }],
  ])("[I4] claims nothing where the answer is %j", (reply, expected) => {
    expect(play(erase.run(order()), [reply]).outcome).toMatchObject(expected);
    if (reply.status !== 200)
      expect(play(erase.run(order()), [page(item("A")), reply]).outcome).toMatchObject(expected);
  });

  it("[I10] goes on in the next attempt where there is more than one attempt may erase", () => {
    const items = Array.from({ length: 100 }, (_, nth) => item(`${nth}`));
    const { calls, outcome } = play(erase.run(order()), ({ headers }) =>
      headers["x-amz-target"]?.endsWith("Query") === true ? page(...items) : written(),
    );
    expect(outcome).toEqual({ outcome: "more" });
    expect(calls).toHaveLength(101);
  });
});

it("looks at every partition", () => {
  const two = { partitions: "USER#{id},CART#{id}" };
  expect(play(look.run(order("1", two)), [page(), page()]).outcome).toBe("absent");
  expect(play(look.run(order("1", two)), [page(), page(item("A", "CART#1"))]).outcome).toBe("present");
  expect(play(look.run(order("1", two)), [refusal("InternalServerError", 400)]).outcome).toMatchObject({
    outcome: "unforeseen",
  });
});

it("takes no setting that could name everybody's partition", () => {
  const fits = (more: object) =>
    settingsSchema(awsDynamodb.settings).safeParse({ ...sample.settings, ...more }).success;
  expect(fits({ partitions: "USER#{id}, CART#{id}" })).toBe(true);
  for (const partitions of ["USER#", "{id}{id}", "{user}", "USER#{id},", ",".repeat(9)])
    expect(fits({ partitions }), partitions).toBe(false);
});
