import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { awsCognito } from "../../integrations/aws-cognito.ts";
import { awsDynamodb } from "../../integrations/aws-dynamodb.ts";
import { awsSes } from "../../integrations/aws-ses.ts";
import { carryOut } from "../support/carry-out.ts";

const now = () => Date.parse("2026-11-21T09:00:00Z");
const access = {
  region: "eu-central-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const keys = { [access.accessKeyId]: access.secretAccessKey };
const wrong = { secretAccessKey: "another" };
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox({ now });
});
const admin = (path: string, init?: RequestInit) => sandbox.admin(new Request(`http://sandbox${path}`, init));
const seed = async (body: object) =>
  expect((await admin("/seed", { method: "POST", body: JSON.stringify({ ...body, keys }) })).status).toBe(200);
const holds = async (text: string) => (await admin(`/holdings?text=${encodeURIComponent(text)}`)).json();

describe("the stand-in for Amazon DynamoDB", () => {
  const settings = {
    ...access,
    table: "people",
    partitionKey: "pk",
    partitions: "USER#{id}, CART#{id}",
    partitionType: "",
    sortKey: "sk",
  };
  const carry = (more: Partial<typeof settings> = {}) =>
    carryOut(sandbox, awsDynamodb.actions.erase, { ...settings, ...more }, { type: "user_id", value: "1" }, { now });
  const item = (partition: string, sort: string, name: string) => ({
    pk: { S: partition },
    sk: { S: sort },
    name: { S: name },
  });
  const table = { vendor: "aws-dynamodb", table: "people", partition_key: "pk", sort_key: "sk" };

  it("erases a person's partitions, page by page, and nobody else's", async () => {
    const orders = Array.from({ length: 230 }, (_, nth) => item("USER#1", `ORDER#${nth}`, "Ada"));
    await seed({ ...table, items: [...orders, item("CART#1", "A", "Ada"), item("USER#10", "A", "Bob")] });
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("leaves what it cannot write at once, and has it erased by the next attempts", async () => {
    const items = Array.from({ length: 25 }, (_, nth) => item("USER#1", `${nth}`, "Ada"));
    await seed({ ...table, items, writes_at_once: 20 });
    expect(await carry()).toMatchObject([{ answer: { outcome: "slow_down" } }]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
  });

  it("refuses a wrong secret, a table that is not there, and a key that is not the table's", async () => {
    await seed({ ...table, items: [item("USER#1", "A", "Ada")] });
    expect(await carry(wrong)).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
    expect(await carry({ table: "others" })).toMatchObject([{ answer: { outcome: "unforeseen" } }]);
    expect(await carry({ sortKey: "" })).toMatchObject([{ answer: { outcome: "unforeseen" } }]);
    expect(await carry({ partitionKey: "sk" })).toMatchObject([{ answer: { outcome: "unforeseen" } }]);
    expect(await holds("Ada")).not.toEqual([]);
  });
});

describe("the stand-in for Amazon Cognito", () => {
  const settings = { ...access, userPoolId: "eu-central-1_Example01" };
  const carry = (identity: { type: string; value: string }, more: Partial<typeof settings> = {}) =>
    carryOut(sandbox, awsCognito.actions.erase, { ...settings, ...more }, identity, { now });
  const email = { type: "email", value: "ada@example.com" };
  beforeEach(() =>
    seed({
      vendor: "aws-cognito",
      pool: "eu-central-1_Example01",
      users: [
        { username: "ada", attributes: { email: "ada@example.com" } },
        { username: "Google_1", attributes: { email: "ada@example.com" } },
        {
          username: "bob",
          sub: "sub-of-bob",
          attributes: { email: "bob@example.com", phone_number: "+4915112345678" },
        },
      ],
    }),
  );

  it("erases every user of an address, and one by telephone number or sub", async () => {
    expect(await carry(email)).toMatchObject([
      { identity: { value: "ada" }, answer: { outcome: "erased" }, sight: "absent" },
      { identity: { value: "Google_1" }, answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await carry({ type: "aws-cognito.username", value: "sub-of-bob" })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(await carry({ type: "phone", value: "+4915112345678" })).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
  });

  it("refuses a wrong secret, and tells a pool that is not there from a user who is not", async () => {
    expect(await carry(email, wrong)).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
    expect(await carry(email, { userPoolId: "eu-central-1_Other" })).toMatchObject([
      { answer: { outcome: "unforeseen", what: "Cognito answered ResourceNotFoundException" } },
    ]);
    expect(await holds("ada@example.com")).not.toEqual([]);
  });
});

describe("the stand-in for Amazon SES", () => {
  const settings = { ...access, contactList: "newsletter" };
  const carry = (more: Partial<typeof settings> = {}, ...keeps: readonly string[]) =>
    carryOut(
      sandbox,
      awsSes.actions.erase,
      { ...settings, ...more },
      { type: "email", value: "ada@example.com" },
      { now, keeps },
    );
  beforeEach(() =>
    seed({
      vendor: "aws-ses",
      region: "eu-central-1",
      contact_list: "newsletter",
      contacts: ["ada@example.com", "bob@example.com"],
      suppressed: ["ada@example.com"],
    }),
  );

  it("erases the contact and the suppressed address", async () => {
    expect(await carry()).toMatchObject([{ answer: { outcome: "erased" }, sight: "absent" }]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("bob@example.com")).not.toEqual([]);
    expect(await carry()).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("keeps the suppressed address where the policy does", async () => {
    expect(await carry({}, "suppression_list")).toMatchObject([{ answer: { outcome: "retained" } }]);
    expect(await holds("ada@example.com")).toHaveLength(1);
  });

  it("refuses a wrong secret, and a list that is not there", async () => {
    expect(await carry(wrong)).toMatchObject([{ answer: { outcome: "unauthorized" } }]);
    expect(await carry({ contactList: "others" })).toMatchObject([{ answer: { outcome: "unforeseen" } }]);
  });
});
