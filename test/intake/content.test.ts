import { describe, expect, it } from "vitest";
import { z } from "zod";
import { at, get } from "../../src/contract/call.ts";
import { absent, type ContentItem, type Hook, type Integration } from "../../src/contract/integration.ts";
import { informed } from "../../src/contract/outcome.ts";
import { json } from "../../src/contract/signal.ts";
import { understand } from "../../src/intake/understand.ts";
import { contentPlace, itemsOf } from "../../src/lanes/content.ts";
import type { NewContent } from "../../src/platform/store/new-content.ts";
import type { NewRequest, RequestStore } from "../../src/platform/store/requests.ts";
import type { Context } from "../../src/registry/load.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import { Policy } from "../../src/request/policy.ts";
import { bench, entry, holder, NOW, SOURCE } from "../lanes/samples.ts";
import { proven } from "../support/proven.ts";

const Events = z.array(z.object({ id: z.string(), post: z.string().optional(), account: z.string().optional() }));

const hook: Hook = {
  source: SOURCE,
  verify: { scheme: "stripe", key: "secret", withinSeconds: 300 },
  contentTypes: ["application/json"],
  read: json(Events, (events) =>
    events.map(({ id, post, account }) => ({
      id,
      name: "deleted",
      signals: [
        ...(account === undefined
          ? []
          : [{ type: "account_deleted" as const, identity: { type: "posts.user", value: account }, at: NOW }]),
        ...(post === undefined
          ? []
          : [
              {
                type: "content_deleted" as const,
                identity: { type: post.startsWith("other") ? "email" : "posts.post", value: post },
                at: NOW - 5000,
              },
            ]),
      ],
    })),
  ),
  authority: { account_deleted: "everywhere", content_deleted: "record" },
  retriesForHours: "unknown",
  events: ["deleted"],
};

const content: NonNullable<Integration["content"]> = function* () {
  yield get(at`https://api.acme.example/deleted`, {});
  return informed;
};

const posts: Integration = holder({
  id: "posts",
  identities: { "posts.user": "an account", "posts.post": "a post" },
  hooks: { events: hook },
  actions: { erase: absent("none", SOURCE), revoke: absent("none", SOURCE) },
});

const all: Readonly<Record<string, Subprocessor>> = {
  posts: entry("posts"),
  product: entry("product", { integration: "own" }),
  search: entry("search", { integration: "own" }),
};

type Delivery = { readonly requests: readonly NewRequest[]; readonly content: NewContent | undefined };

/** A tenant with one platform and own systems; what would be made durable is remembered. */
async function gateway(
  setup: {
    readonly policy?: object;
    readonly subprocessors?: Readonly<Record<string, Subprocessor>>;
    readonly stale?: number;
  } = {},
) {
  const made = await bench();
  const deliveries: Delivery[] = [];
  const woken: (readonly string[])[] = [];
  let stale = setup.stale ?? 0;
  const recorded = (requests: readonly NewRequest[]) =>
    requests.map(() => ({ result: "recorded" as const, wake: true }));
  const store: Pick<RequestStore, "record" | "recordDelivery"> = {
    record: async (requests) => {
      deliveries.push({ requests, content: undefined });
      return recorded(requests);
    },
    recordDelivery: async (requests, told) => {
      deliveries.push({ requests, content: told });
      if (stale-- > 0) return { recorded: recorded(requests), content: { result: "stale", woken: [] } };
      return { recorded: recorded(requests), content: { result: "kept", woken: ["1:product"] } };
    },
  };
  const context: Context = {
    ...made.context,
    tenant: {
      ...made.context.tenant,
      policy: Policy.parse(setup.policy ?? {}),
      subprocessors: setup.subprocessors ?? all,
    },
  };
  Object.assign(made.ports, {
    store,
    tenants: { bySlug: async () => context, byNumber: async () => context },
    wake: async (lanes: readonly string[]) => void woken.push(lanes),
    integrations: new Map([
      [posts.id, posts],
      ["own", holder({ id: "own", content })],
    ]),
  });
  const found = {
    context,
    subprocessor: entry("posts"),
    integration: posts,
    endpoint: "events",
    hook,
    values: async () => [],
  };
  const open = async (told: NewContent | undefined, subprocessor: string, at = 0): Promise<readonly ContentItem[]> => {
    const chunk = told?.told.find((each) => each.subprocessor === subprocessor)?.chunks[at];
    if (chunk === undefined) throw new Error(`${subprocessor} is not told`);
    const place = contentPlace(subprocessor, chunk.id);
    const key = await context.keys.unwrap(place, chunk.wrapped);
    return itemsOf(await key.open(place, chunk.sealed));
  };
  return {
    ...made,
    deliveries,
    woken,
    open,
    take: (events: readonly object[]) => understand(made.ports, found, proven(JSON.stringify(events))),
  };
}

describe("a delivery that tells of deleted content", () => {
  it("opens no request, and seals all of it as one for each who takes it, in one step", async () => {
    const made = await gateway();
    const understood = await made.take([
      { id: "e1", post: "post-of-e1" },
      { id: "e2", post: "p2" },
    ]);
    expect(understood).toEqual({ ok: true, value: [] });
    expect(made.deliveries).toHaveLength(1);
    const [{ requests, content: told } = { requests: undefined, content: undefined }] = made.deliveries;
    expect(requests).toEqual([]);
    expect(told).toMatchObject({ source: "posts/events", items: 2 });
    expect(told?.told.map(({ subprocessor, chunks }) => [subprocessor, chunks.map(({ items }) => items)])).toEqual([
      ["product", [2]],
      ["search", [2]],
    ]);
    const deleted = { type: "posts.post", source: "posts/events", deletedAt: "2026-11-21T08:59:55.000Z" };
    expect(await made.open(told, "product")).toEqual([
      { ...deleted, id: "post-of-e1" },
      { ...deleted, id: "p2" },
    ]);
    expect(JSON.stringify(told)).not.toContain("post-of-e1");
    expect(made.woken).toEqual([["1:product"]]);
    expect(made.events).toEqual(["content_received"]);
  });

  it("[I6] binds what is sealed to its place, under a key for each", async () => {
    const made = await gateway();
    await made.take([{ id: "e1", post: "p1" }]);
    const told = made.deliveries[0]?.content;
    const [product, search] = told?.told ?? [];
    const [one, two] = [product?.chunks[0], search?.chunks[0]];
    if (one === undefined || two === undefined) throw new Error("both are told");
    expect(one.id).toBe(two.id);
    expect(one.wrapped).not.toBe(two.wrapped);
    await expect(made.context.keys.unwrap(contentPlace("search", two.id), one.wrapped)).rejects.toThrow();
    const key = await made.context.keys.unwrap(contentPlace("product", one.id), one.wrapped);
    await expect(key.open(contentPlace("search", two.id), one.sealed)).rejects.toThrow();
  });

  it("[I3] derives the same ids for the same events, and others for others", async () => {
    const made = await gateway();
    for (const id of ["e1", "e1", "e2"]) await made.take([{ id, post: "p1" }]);
    const ids = made.deliveries.map(({ content: told }) => told?.told[0]?.chunks[0]?.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(ids[0]).toMatch(/^c[a-z2-7]{26}$/);
  });

  it("[I1] goes with what else the delivery tells, all in one", async () => {
    const made = await gateway();
    const understood = await made.take([
      { id: "e1", account: "u1", post: "p1" },
      { id: "e2", account: "u2" },
    ]);
    expect(understood.ok && understood.value).toHaveLength(2);
    expect(made.deliveries).toHaveLength(1);
    expect(made.deliveries[0]?.requests).toHaveLength(2);
    expect(made.deliveries[0]?.content?.items).toBe(1);
    expect(made.woken).toEqual([["1:gateway", "1:product"]]);
    await made.take([{ id: "e3", account: "u3" }]);
    expect(made.deliveries[1]?.content).toBeUndefined();
  });

  it("cuts what no single call could say", async () => {
    const made = await gateway();
    await made.take(Array.from({ length: 2001 }, (_, each) => ({ id: `e${each}`, post: `p${each}` })));
    const told = made.deliveries[0]?.content;
    expect(told?.told.map(({ chunks }) => chunks.map(({ items }) => items))).toEqual([
      [1000, 1000, 1],
      [1000, 1000, 1],
    ]);
    expect(await made.open(told, "search", 2)).toMatchObject([{ type: "posts.post", id: "p2000" }]);
  });

  it.each([
    ["where the policy says so", { authority: { "posts/events": { content_deleted: "record" } } }, all],
    ["where nobody takes it", {}, { posts: entry("posts") }],
  ])("is only counted %s", async (_, policy, subprocessors) => {
    const made = await gateway({ policy, subprocessors });
    await made.take([{ id: "e1", post: "p1" }]);
    expect(made.deliveries[0]?.content).toMatchObject({ items: 1, told: [] });
  });

  it("is told to those who may hold a copy: not the retired, not those to come, but those whose time is over", async () => {
    const own = { integration: "own" };
    const made = await gateway({
      subprocessors: {
        ...all,
        retired: entry("retired", { ...own, status: "retired" }),
        coming: entry("coming", { ...own, validFrom: "2027-01-01T00:00:00.000Z" }),
        over: entry("over", { ...own, validTo: "2026-06-01T00:00:00.000Z" }),
      },
    });
    await made.take([{ id: "e1", post: "p1" }]);
    expect(made.deliveries[0]?.content?.told.map(({ subprocessor }) => subprocessor)).toEqual([
      "product",
      "search",
      "over",
    ]);
  });

  it("speaks only for kinds of its own, unless the policy widens that", async () => {
    const event = [
      { id: "e1", post: "other" },
      { id: "e2", post: "p2" },
    ];
    const narrow = await gateway();
    await narrow.take(event);
    expect(narrow.deliveries[0]?.content).toMatchObject({ items: 2, told: [{ chunks: [{ items: 1 }] }, {}] });
    const wide = await gateway({ policy: { widen: { "posts/events": ["email"] } } });
    await wide.take(event);
    expect(wide.deliveries[0]?.content?.told[0]?.chunks[0]?.items).toBe(2);
  });

  it("[I1] is decided again when the registry has changed meanwhile", async () => {
    const made = await gateway({ stale: 1 });
    await made.take([{ id: "e1", post: "p1" }]);
    expect(made.deliveries).toHaveLength(2);
    expect(made.woken).toHaveLength(1);
  });
});
