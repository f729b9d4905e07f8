import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { dump } from "../support/dump.ts";
import { type PostDeleted, platformOf } from "../support/platform.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "isocial-track";
const HOSTS = { product: `product.${SLUG}.example`, support: `support.${SLUG}.example` } as const;

type Sent = {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly batch: string;
    readonly items: readonly { readonly type: string; readonly id: string; readonly source: string }[];
  };
};
type Report = Readonly<Record<"received" | "told" | "given_up", readonly Readonly<Record<string, unknown>>[]>> & {
  readonly waiting: readonly { readonly subprocessor: string; readonly items: number }[];
};

/**
 * Intake runs the product's own code over a platform that stands for all that tell of deleted posts; from the store on it is
 * the deployed bundle.
 */
describe("posts that were deleted at their platform, through the deployed bundle", () => {
  let world: World;
  let platform: ReturnType<typeof platformOf>;
  const logged: string[] = [];
  beforeAll(async () => {
    world = await startWorld();
    const at = { redisUrl: world.redis.url, redisToken: "dev_test_redis_token", masterKey: world.secrets.MASTER_KEY };
    platform = platformOf(at, world.gateway.now, (event, facts) => {
      logged.push(JSON.stringify({ event, ...facts }));
    });
  });
  afterAll(() => world.stop());

  const posts = (prefix: string, count: number): readonly PostDeleted[] =>
    Array.from({ length: count }, (_, at) => ({
      id: `evt-${prefix}-${at}`,
      post: `post-${prefix}-${at}`,
      at: world.gateway.now() - 1000,
    }));
  /** What reached a host, answered or not. */
  const sent = (host: string, prefix: string): readonly Sent[] =>
    world.sandbox
      .recorded()
      .filter(({ url, body }) => new URL(url).hostname === host && body.includes(`post-${prefix}-`))
      .map(({ body }) => JSON.parse(body) as Sent);
  const idsOf = (batches: readonly Sent[]) => batches.flatMap(({ data }) => data.items.map(({ id }) => id));
  const report = async () => (await world.api("GET", "/v1/content-deletions", world.key(SLUG))).body as Report;
  const waiting = async () =>
    Object.fromEntries((await report()).waiting.map(({ subprocessor, items }) => [subprocessor, items]));
  const seed = (host: string, mode: string, prefix = "none", count = 0) =>
    world.admin("/seed", {
      vendor: "first-party",
      host,
      mode,
      content: posts(prefix, count).map(({ post }) => ({ type: "platform.post", id: post })),
    });
  const copies = async (host: string) =>
    ((await world.admin("/holdings")) as { first_party: Record<string, { content: string[]; received: object[] }> })
      .first_party[host];
  /** Moves the clock on until it has come to that. */
  const until = async (done: () => boolean | Promise<boolean>, stepMs = 61_000) => {
    for (let round = 0; round < 40; round++) {
      await world.advance(stepMs);
      await world.gateway.sweep();
      for (let wait = 0; wait < 20; wait++) {
        if (await done()) return;
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    }
    throw new Error("it never came to that");
  };
  const decide = async (authority: object) => {
    const policy = customers.find(({ slug }) => slug === SLUG)?.policy;
    const put = await world.api("PUT", "/v1/policy", world.key(SLUG), { ...policy, authority });
    expect(put.status).toBeLessThan(300);
  };
  const isTold = async () => Object.keys(await waiting()).length === 0;

  it("[IS-11] is told to every own system in batches of a thousand at most, and is no request", async () => {
    for (const host of Object.values(HOSTS)) await seed(host, "done", "a", 1200);
    const before = (await world.api("GET", "/v1/requests", world.key(SLUG))).body;
    await platform.deliver(SLUG, posts("a", 700));
    await platform.deliver(SLUG, posts("a", 1200).slice(700));
    expect(platform.woken).toEqual(["2:product", "2:support"]);
    expect(await waiting()).toEqual({ product: 1200, support: 1200 });
    await until(isTold);
    for (const host of Object.values(HOSTS)) {
      const batches = sent(host, "a");
      expect(batches.map(({ type, data }) => [type, data.items.length])).toEqual([
        ["content.deleted", 700],
        ["content.deleted", 500],
      ]);
      expect(batches[0]?.data.items[0]).toEqual({
        type: "platform.post",
        id: "post-a-0",
        source: "platform/posts",
        deleted_at: expect.stringMatching(/^\d{4}-.*Z$/),
      });
      expect((await copies(host))?.content).toEqual([]);
      expect((await copies(host))?.received.at(-1)).toMatchObject({ type: "content.deleted", items: 500, status: 200 });
    }
    expect((await world.api("GET", "/v1/requests", world.key(SLUG))).body).toEqual(before);
    expect(await report()).toMatchObject({
      received: [{ source: "platform/posts", items: 1200 }],
      told: [
        { subprocessor: "product", items: 1200 },
        { subprocessor: "support", items: 1200 },
      ],
      given_up: [],
      waiting: [],
    });
    const left = [...(await dump(world)).keys()].filter((name) => /^(v|l:2):/.test(name));
    expect(left, "no order, and nothing that was told").toEqual(["l:2:gateway"].filter((name) => left.includes(name)));
  });

  it("[I2 I3] repeats the very batch whose answer was lost, and leaves what came meanwhile for the next", async () => {
    await world.admin("/faults/first-party", { kind: "drop_after", count: 1, match: HOSTS.product }, "PUT");
    await platform.deliver(SLUG, posts("b", 3));
    await until(() => sent(HOSTS.product, "b").length > 0);
    await platform.deliver(SLUG, posts("b", 5).slice(3));
    await platform.deliver(SLUG, posts("b", 5).slice(3));
    await until(isTold);
    const [first, again, next] = sent(HOSTS.product, "b");
    expect(again).toEqual(first);
    expect(idsOf(first === undefined ? [] : [first])).toEqual(["post-b-0", "post-b-1", "post-b-2"]);
    expect(next?.data.batch).not.toBe(first?.data.batch);
    expect(idsOf(next === undefined ? [] : [next]), "once, though it was delivered twice").toEqual([
      "post-b-3",
      "post-b-4",
    ]);
    await world.admin("/faults/first-party", undefined, "DELETE");
  });

  it("[I10] rests where a system asks for it, and goes on afterwards", async () => {
    const fault = { kind: "rate_limited", retry_after_seconds: 3600, count: 1, match: HOSTS.support };
    await world.admin("/faults/first-party", fault, "PUT");
    await platform.deliver(SLUG, posts("c", 2));
    await until(async () => (await waiting()).product === undefined);
    expect(await waiting()).toEqual({ support: 2 });
    const begun = world.gateway.now();
    await until(isTold, 10 * 60_000);
    expect(world.gateway.now() - begun).toBeGreaterThan(45 * 60_000);
    await world.admin("/faults/first-party", undefined, "DELETE");
  });

  it("[I2] keeps at a system that is down, shows what waits, and tells all of it when it is back", async () => {
    await seed(HOSTS.product, "refuse");
    await platform.deliver(SLUG, posts("d", 2));
    await until(() => sent(HOSTS.product, "d").length > 3, 10 * 60_000);
    await platform.deliver(SLUG, posts("e", 1));
    expect(await report()).toMatchObject({
      waiting: [
        { subprocessor: "product", items: 3, oldest_received_at: expect.any(String) },
        { subprocessor: "support", items: 1 },
      ],
    });
    await seed(HOSTS.product, "done");
    await until(isTold, HOUR);
    const batches = new Set(sent(HOSTS.product, "d").map(({ data }) => data.batch));
    expect(batches.size, "one batch, however often").toBe(1);
    expect(idsOf(sent(HOSTS.product, "e"))).toEqual(["post-e-0"]);
  });

  it("[I12] gives up after thirty days, says how much, and forgets it", async () => {
    await seed(HOSTS.product, "gone");
    await platform.deliver(SLUG, posts("f", 4));
    await until(async () => (await report()).given_up.length > 0, 2 * DAY);
    expect(await report()).toMatchObject({ given_up: [{ subprocessor: "product", items: 4 }], waiting: [] });
    expect([...(await dump(world)).keys()].filter((name) => name.startsWith("v:"))).toEqual([]);
    await seed(HOSTS.product, "done");
  });

  it("is only counted where the policy says so", async () => {
    await decide({ "platform/posts": { content_deleted: "record" } });
    // The snapshot at hand is old: the store says so, and it is decided again.
    await platform.deliver(SLUG, posts("g", 6));
    expect(await waiting()).toEqual({});
    expect((await report()).received[0]).toMatchObject({ source: "platform/posts", items: 6 });
    expect(sent(HOSTS.product, "g")).toEqual([]);
  });

  it("[I6 I7] shows one tenant nothing of another's, and says no id outside what is sealed", async () => {
    await seed(HOSTS.product, "refuse");
    await decide({});
    await platform.deliver(SLUG, posts("h", 2));
    const other = await world.api("GET", "/v1/content-deletions", world.key("socra"));
    expect(other.body).toMatchObject({ received: [], told: [], given_up: [], waiting: [] });
    expect(JSON.stringify([...(await dump(world))])).not.toContain("post-h-");
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join("\n")).not.toMatch(/post-|evt-/);
    expect(logged.at(-1)).toBe(
      JSON.stringify({
        event: "content_received",
        tenant: SLUG,
        source: "platform/posts",
        items: 2,
        subprocessors: 2,
        result: "kept",
      }),
    );
  });
});
