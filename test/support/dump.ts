import type { World } from "./world.ts";

/** Every key of the store with all that stands in it, as one text a key: to see what is there and what is not. */
export async function dump(world: Pick<World, "redis">): Promise<ReadonlyMap<string, string>> {
  const { raw } = world.redis;
  const names = (await raw(["KEYS", "*"])) as string[];
  const entries = await Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const type = await raw(["TYPE", name]);
      if (type === "hash") return [name, JSON.stringify(await raw(["HGETALL", name]))];
      if (type === "zset") return [name, JSON.stringify(await raw(["ZRANGE", name, "0", "-1", "WITHSCORES"]))];
      if (type === "set") return [name, JSON.stringify(await raw(["SMEMBERS", name]))];
      if (type === "list") return [name, JSON.stringify(await raw(["LRANGE", name, "0", "-1"]))];
      return [name, String(await raw(["GET", name]))];
    }),
  );
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
