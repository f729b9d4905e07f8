import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { DAY, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const LANE = "l:1:openai";

/** Less than one person's objects at OpenAI cost, each erased and looked at again. */
const PER_DAY = 8;

describe("a vendor's daily quota, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    const entry = customers.find(({ slug }) => slug === SLUG)?.subprocessors.openai;
    const entered = { ...entry, quota: { per_day: PER_DAY, resets: "UTC" } };
    const { status } = await world.api("PUT", "/v1/subprocessors/openai", world.key(SLUG), entered);
    expect(status).toBe(200);
  });
  afterAll(() => world.stop());

  const ask = async (subject: string): Promise<RequestShape> => {
    const { status, body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject });
    expect(status).toBe(202);
    return body as RequestShape;
  };
  const calls = () => world.sandbox.recorded().filter(({ vendor }) => vendor === "openai");
  const ended = ({ tasks }: RequestShape) => tasks.filter(({ state }) => state === "ended").map(({ id }) => id);

  /** Works the lane until it rests for the day, or has nothing left; what is erased is looked at seconds later. */
  const rested = async () => {
    for (let step = 0; step < 100; step++) {
      const [rests, left] = [
        await world.redis.raw(["HGET", "o:1:openai", "~p"]),
        await world.redis.raw(["ZCARD", LANE]),
      ];
      if (Number(left) === 0 || Number(rests) > world.gateway.now()) return;
      await world.gateway.sweep();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await world.advance(6_000);
    }
    throw new Error("the lane did not come to rest");
  };

  it("[I2 I6 I10] is never passed, holds up no other lane, and everything is done some days later", async () => {
    const people = await Promise.all(["ada", "bob", "cid"].map((name) => world.person(SLUG, name)));
    const requests = await Promise.all(people.map(({ id }) => ask(id)));
    const begun = Math.floor(world.gateway.now() / DAY);
    for (const { id } of requests)
      await world.until(SLUG, id, (view) => ended(view).includes("facebook.revoke") && ended(view).length >= 4);
    const today = calls().length;
    expect(Math.floor(world.gateway.now() / DAY), "it is still the same day").toBe(begun);
    expect(today).toBeGreaterThan(0);
    expect(today).toBeLessThanOrEqual(PER_DAY);

    let before = today;
    for (let day = 1; day <= 8 && Number(await world.redis.raw(["ZCARD", LANE])) > 0; day++) {
      await world.advance(DAY);
      await rested();
      const now = calls().length;
      expect(now - before, `day ${day}`).toBeLessThanOrEqual(PER_DAY);
      before = now;
    }
    for (const { id } of requests) expect((await world.closed(SLUG, id)).complete).toBe(true);
  });
});
