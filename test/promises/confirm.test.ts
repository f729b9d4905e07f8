import { afterAll, beforeAll, expect, it } from "vitest";
import { aws } from "../../cli/senders/aws.ts";
import { dump } from "../support/dump.ts";
import { startWorld, type World } from "../support/world.ts";

const TOPIC = "arn:aws:sns:eu-central-1:123456789012:Erasures";

let world: World;
let slug: string;

beforeAll(async () => {
  world = await startWorld();
  slug = Object.keys(world.tenants)[0] ?? "";
  const body = { integration: "aws", settings: { region: "eu-central-1", topics: TOPIC } };
  const { status } = await world.api("PUT", "/v1/subprocessors/aws-files", world.key(slug), body);
  expect(Math.floor(status / 100)).toBe(2);
});
afterAll(() => world.stop());

const told = async (event: string, seed: string) => {
  const url = `${world.url}/hooks/${slug}/aws-files/topics`;
  const make = aws.topics?.[event]?.make;
  if (make === undefined) throw new Error(`no sender for ${event}`);
  const { sign, token } = world.vendorKey;
  const { body, headers } = await make({
    settings: { topics: TOPIC },
    at: Date.now(),
    seed,
    person: "users/1000000000001/a b.jpg",
    url,
    sign,
    token,
  });
  return (await fetch(url, { method: "POST", body, headers })).status;
};
const calls = () =>
  world.sandbox.recorded().filter(({ url }) => url.startsWith("https://sns.eu-central-1.amazonaws.com/?"));
const orders = async () => JSON.stringify([...(await dump(world))]).match(/confirm:topics:\w+:d/g)?.length ?? 0;
const sooner = async (isDone: () => Promise<boolean>) => {
  for (let round = 0; round < 40 && !(await isDone()); round++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (round % 10 === 9) await world.advance(60_000);
    await world.gateway.sweep();
  }
  expect(await isDone()).toBe(true);
};

it("[I2] confirms a subscription by a call from the lane, which is tried again until it is heard", async () => {
  const fault = { kind: "server_error", count: 2 };
  await world.admin("/faults/aws", fault, "PUT");
  expect(await told("SubscriptionConfirmation", "one")).toBe(200);
  expect(await told("SubscriptionConfirmation", "one")).toBe(200);
  await sooner(async () => (await world.held("Erasures")).length > 0 && (await orders()) === 0);
  expect(calls().map(({ status }) => status)).toEqual([500, 500, 200]);
  const [call] = calls();
  expect(call?.headers).not.toHaveProperty("authorization");
});

it("takes what the topic tells, and does not call back when the subscription ends", async () => {
  const before = calls().length;
  for (const event of ["ObjectRemoved:Delete", "Complaint", "UnsubscribeConfirmation"])
    expect(await told(event, event)).toBe(200);
  expect(await orders()).toBe(0);
  expect(calls()).toHaveLength(before);
});
