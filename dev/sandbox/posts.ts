import { z } from "zod";
import type { Json } from "./vendor.ts";

/** What was published, by whose account: `{posts: [{id, account, text?}]}` of a seed. */
export const PostSeed = z
  .array(z.strictObject({ id: z.string(), account: z.string(), text: z.string().default("") }))
  .default([]);

/** The posts of a platform, each in one account. */
export function posts() {
  const held = new Map<string, { readonly account: string; readonly text: string }>();
  return {
    has: (id: string) => held.has(id),
    authorOf: (id: string) => held.get(id)?.account,
    remove: (id: string) => held.delete(id),
    put(seeded: z.infer<typeof PostSeed>): void {
      for (const { id, account, text } of seeded) held.set(id, { account, text });
    },
    holdings: (): Json => Object.fromEntries(held),
    clear: () => held.clear(),
  };
}
