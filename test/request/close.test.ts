import { describe, expect, it } from "vitest";
import { close } from "../../src/request/close.ts";
import { expand, receiptIn } from "../../src/request/compact.ts";
import { subjectReference } from "../../src/request/receipt.ts";
import { bench, email, NOW, summary } from "./samples.ts";

type Bench = Awaited<ReturnType<typeof bench>>;

describe("[I2] a close that cannot be made", () => {
  const spoil = (at: Bench, id: string, more: Readonly<Record<string, string>>) =>
    at.requests.set(id, { ...at.requests.get(id), ...more });

  it.each<readonly [string, (at: Bench, id: string) => unknown]>([
    ["the request's document is damaged", (at, id) => spoil(at, id, { d: "{" })],
    ["the request's key is damaged", (at, id) => spoil(at, id, { k: "v1.AAAA.AAAA" })],
    ["the request's seal is damaged", (at, id) => spoil(at, id, { s: "v1.AAAA.AAAA" })],
    ["a task is damaged", (at, id) => spoil(at, id, { "t:shop.erase": "{" })],
    ["the person's record is damaged", (at) => at.subjects.set("bob", { ...at.subjects.get("bob"), "e:x": "v1.A.A" })],
  ])("comes back later, and holds up nobody else, where %s", async (_, damage) => {
    const at = await bench();
    await at.link("bob", [email("bob")]);
    const ids = [await at.request("ada"), await at.request("bob"), await at.request("eve")] as const;
    for (const [index, id] of ids.entries()) await at.opened(id, index === 1 ? "bob" : undefined);
    await damage(at, ids[1]);
    const done = await at.run(close, "close", ids);
    expect(at.closings.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
    expect(summary(done.settlements)).toEqual([`close:${ids[1]} back later`]);
  });
});

it("[I2] looks again at once where the receipt was stale, and leaves to the start what is planned again", async () => {
  const at = await bench();
  const ids = [await at.request("ada"), await at.request("bob"), await at.request("eve")] as const;
  for (const id of ids) await at.opened(id);
  at.answers.set(ids[0], "stale");
  at.answers.set(ids[1], "replan");
  const done = await at.run(close, "close", ids);
  expect(done.settlements).toMatchObject([{ id: `close:${ids[0]}`, what: "back", due: NOW }]);
  expect(at.events.filter((event) => /_closed|_replan/.test(event))).toEqual([
    `request_replan ${ids[1]}`,
    `request_closed ${ids[2]}`,
  ]);
});

it("[I12] takes what had a grace window from the gate of the subject that it was recorded for, whoever it is of now", async () => {
  const at = await bench();
  const closure = { type: "closure", graceDays: 30, closing: "ada" } as const;
  const ids = [await at.request("ada", closure), await at.request("bob")] as const;
  await at.opened(ids[0], "ada-again");
  await at.opened(ids[1]);
  await at.run(close, "close", ids);
  expect(at.recorded.map(({ closing }) => closing)).toEqual(["ada", undefined]);
  expect(at.closings.map(({ subject, closing }) => [subject, closing])).toEqual([
    ["ada-again", "ada"],
    [`none-${ids[1]}`, undefined],
  ]);
});

it("drops the close of a request that is not open any more", async () => {
  const at = await bench();
  const id = await at.request("ada");
  at.requests.set(id, { st: "closed", c: "0.receipt" });
  expect(summary((await at.run(close, "close", [id])).settlements)).toEqual([`close:${id} drop`]);
  expect(at.closings).toEqual([]);
});

it("[I6] sets the receipt's issuer to this gateway, and names the person under the request's own salt", async () => {
  const at = await bench();
  const id = await at.request("ada");
  await at.opened(id);
  await at.run(close, "close", [id]);
  const receipt = receiptIn(await expand(at.closings[0]?.compact ?? ""));
  const salt = await at.context.keys.derive("receipt", id);
  expect(receipt).toMatchObject({
    iss: "https://gate.example",
    complete: true,
    sub: [await subjectReference(salt, email("ada"))],
  });
});
