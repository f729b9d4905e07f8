import { platformOf } from "../test/support/platform.ts";
import { responder } from "./responder.ts";
import { type Stage, startStage, TOKEN } from "./stage.ts";
import { newTenant } from "./tenant.ts";
import { Driver } from "./work.ts";

const ITEMS = 1000;
const SLUG = "bench-content";

/** Ids of the length of a post's at X, LinkedIn or Threads. */
const posts = (prefix: number, count: number, at: number) =>
  Array.from({ length: count }, (_, place) => {
    const id = String(1_790_000_000_000_000_000n + BigInt(prefix) * 1_000_000n + BigInt(place) * 7_919n);
    return { id: `event-${id}`, post: id, at };
  });

/**
 * What a delivery of a thousand deleted posts costs at the store, with one own system that is told of them: taken by the
 * product's own intake in this process, because no hook of the bundle is needed for it; told by the bundle. Bytes are of what
 * waits, a thousand in one delivery and each in one of its own.
 */
export async function content() {
  const stage = await startStage();
  stage.vendors = responder;
  const gateway = await stage.startGateway("driven");
  try {
    const settings = { url: "https://product.bench.example/privacy", secret: `whsec_${"A".repeat(43)}=` };
    await newTenant(stage, gateway, SLUG, { product: { integration: "first-party", settings } });
    const driver = new Driver(stage, gateway);
    const at = { redisUrl: stage.redis.url, redisToken: TOKEN, masterKey: stage.secrets.MASTER_KEY };
    const platform = platformOf(at, () => driver.now());
    const tell = async () => {
      for (const lane of platform.woken.splice(0)) stage.queue.lanes.add(lane);
      await driver.drain();
    };
    // Scripts, snapshot and connections are warm from here on.
    await platform.deliver(SLUG, posts(0, 1, driver.now()));
    await tell();

    stage.redis.resetStats();
    await platform.deliver(SLUG, posts(1, ITEMS, driver.now()));
    const taken = stage.redis.stats();
    const bytes = await waitingBytes(stage);
    stage.redis.resetStats();
    await tell();
    const told = stage.redis.stats();
    for (let each = 0; each < ITEMS / 10; each++) await platform.deliver(SLUG, posts(2 + each, 1, driver.now()));
    const alone = await waitingBytes(stage);
    return {
      "content.round_trips_per_1000": taken.roundTrips,
      "content.commands_per_1000": taken.commands,
      "content.script_commands_per_1000": taken.scriptCommands,
      "content.bytes_per_item": bytes === null ? null : bytes / ITEMS,
      "content.bytes_per_item_alone": alone === null ? null : alone / (ITEMS / 10),
      "content.told_round_trips_per_1000": told.roundTrips,
      "content.told_commands_per_1000": told.commands,
    };
  } finally {
    await gateway.stop();
    await stage.stop();
  }
}

/** The store's only tenant. */
async function waitingBytes({ redis, kind }: Stage): Promise<number | null> {
  if (kind !== "redis-server") return null;
  return Number(await redis.raw(["MEMORY", "USAGE", "v:1:product", "SAMPLES", "0"]));
}
