import { z } from "zod";
import { firstParty } from "../../integrations/first-party.ts";
import { absent, defineIntegration, type Hook, type Integration } from "../../src/contract/integration.ts";
import { secret } from "../../src/contract/settings.ts";
import { json } from "../../src/contract/signal.ts";
import { understand } from "../../src/intake/understand.ts";
import { redisClient } from "../../src/platform/redis.ts";
import { createStore } from "../../src/platform/store.ts";
import { createVault } from "../../src/platform/vault.ts";
import type { Ports } from "../../src/ports.ts";
import { tenants } from "../../src/registry/load.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import { fail } from "../../src/result.ts";
import { proven } from "./proven.ts";

const SOURCE = "https://platform.example/docs";
const Events = z.array(z.object({ id: z.string(), post: z.string(), at: z.number() }));

const hook: Hook = {
  source: SOURCE,
  verify: { scheme: "stripe", key: "key", withinSeconds: 300 },
  contentTypes: ["application/json"],
  read: json(Events, (events) =>
    events.map(({ id, post, at }) => ({
      id,
      name: "post.deleted",
      signals: [{ type: "content_deleted", identity: { type: "platform.post", value: post }, at }],
    })),
  ),
  authority: { content_deleted: "record" },
  retriesForHours: "unknown",
  events: ["post.deleted"],
};

/** A platform that nobody has: it tells of deleted posts, and of nothing else. */
const platform = defineIntegration({
  id: "platform",
  name: "Platform",
  about: "Holds posts.",
  origins: [],
  settings: { key: secret("Key") },
  identities: { "platform.post": "a post" },
  hooks: { posts: hook },
  oauth: absent("none", SOURCE),
  actions: { erase: absent("none", SOURCE), revoke: absent("none", SOURCE) },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

const entry: Subprocessor = {
  id: "platform",
  integration: platform.id,
  settings: {},
  secrets: {},
  registersObjects: false,
  status: "active",
  validFrom: "2026-01-01T00:00:00.000Z",
  version: 1,
  facts: {},
};

export type PostDeleted = z.infer<typeof Events>[number];

/**
 * Takes deliveries as the gateway's intake does, from a platform that the deployed bundle does not know, into the store that
 * the bundle works from: with the same keys and scripts, and without the message that would wake it.
 */
export function platformOf(
  at: { readonly redisUrl: string; readonly redisToken: string; readonly masterKey: string },
  now: () => number,
  log: Ports["log"] = () => undefined,
) {
  const [id = "", key = ""] = at.masterKey.split(":");
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const store = createStore(redisClient(at.redisUrl, at.redisToken));
  const vault = createVault([{ id, bytes: new Uint8Array(Buffer.from(key, "base64url")) }], random);
  const woken: string[] = [];
  const ports: Ports = {
    now,
    random,
    store,
    vault,
    tenants: tenants(store, vault, now),
    send: () => Promise.reject(new Error("intake calls nobody")),
    listen: () => Promise.reject(new Error("intake listens to nobody")),
    lines: () => Promise.reject(new Error("intake listens to nobody")),
    wake: async (lanes) => void woken.push(...lanes),
    later: () => undefined,
    log,
    integrations: new Map<string, Integration>([platform, firstParty].map((each) => [each.id, each])),
    signing: { sign: async () => "", jwks: async () => ({ keys: [] }) },
    keySets: { keys: async () => undefined, text: async () => fail("absent" as const) },
    sleep: async () => undefined,
    origin: "https://gateway.example.com",
  };
  return {
    woken,
    deliver: async (slug: string, events: readonly PostDeleted[]): Promise<void> => {
      const context = await ports.tenants.bySlug(slug);
      if (context === undefined) throw new Error(`there is no ${slug}`);
      const found = {
        context,
        subprocessor: entry,
        integration: platform,
        endpoint: "posts",
        hook,
        values: async () => [],
      };
      const understood = await understand(ports, found, proven(JSON.stringify(events)));
      if (!understood.ok) throw new Error(understood.problem.at);
    },
  };
}
