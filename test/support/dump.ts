import type { World } from "./world.ts";

/** Every key of the store with all that stands in it, as one text a key: to see what is there and what is not. */
export async function dump(world: Pick<World, "redis">): Promise<ReadonlyMap<string, string>> {
  const { raw } = world.redis;
  const names = (await raw(["KEYS", "*"])) as string[];
  const entries = await Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const type = await raw(["TYPE", name]);
      // Redis may move fields and members about by itself: their order says nothing.
      if (type === "hash") return [name, JSON.stringify(pairs((await raw(["HGETALL", name])) as string[]))];
      if (type === "zset") return [name, JSON.stringify(await raw(["ZRANGE", name, "0", "-1", "WITHSCORES"]))];
      if (type === "set") return [name, JSON.stringify(((await raw(["SMEMBERS", name])) as string[]).sort())];
      if (type === "list") return [name, JSON.stringify(await raw(["LRANGE", name, "0", "-1"]))];
      return [name, String(await raw(["GET", name]))];
    }),
  );
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const pairs = (flat: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: flat.length / 2 }, (_, at) => flat.slice(2 * at, 2 * at + 2)).sort(([a = ""], [b = ""]) =>
    a < b ? -1 : 1,
  );
