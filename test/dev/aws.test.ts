import { expect, it } from "vitest";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";

const TOPIC = "arn:aws:sns:eu-central-1:123456789012:Erasures";
const confirm = (host: string, query: Readonly<Record<string, string>>) =>
  new Request(`https://${host}/?${new URLSearchParams(query)}`);

it("confirms a subscription in the topic's own region, as often as it is asked", async () => {
  const sandbox = createSandbox();
  const query = { Action: "ConfirmSubscription", TopicArn: TOPIC, Token: "2336412f37fb" };
  for (let time = 0; time < 2; time++) {
    const answer = await sandbox.fetch(confirm("sns.eu-central-1.amazonaws.com", query));
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(`<SubscriptionArn>${TOPIC}:`)]);
  }
  const refused = async (host: string, more: object) =>
    (await sandbox.fetch(confirm(host, { ...query, ...more }))).status;
  expect(await refused("sns.us-east-1.amazonaws.com", {})).toBe(400);
  expect(await refused("sns.eu-central-1.amazonaws.com", { Action: "Unsubscribe" })).toBe(400);
  expect(await refused("sns.eu-central-1.amazonaws.com", { Token: "" })).toBe(400);
  expect(await (await sandbox.admin(new Request("http://sandbox/holdings?text=Erasures"))).json()).not.toEqual([]);
});
