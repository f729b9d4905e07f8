import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGateway } from "../../dev/gateway.ts";
import { dump } from "../support/dump.ts";
import { HOUR, type Person, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const STREAM = "bluesky/network";

/** A public stream that tells of everybody, and what becomes of those whom a tenant knows. */
describe("listening to Bluesky's network, through the deployed bundle", () => {
  let world: World;
  let count = 0;
  beforeAll(async () => {
    world = await startWorld();
    await enter(SLUG);
    // The first reading begins with what is new from then on.
    await world.admin("/bluesky/accounts/did:plc:aaaaaaaaaaaaaaaaaaaaaaa2", { status: "active" }, "PUT");
    await world.gateway.sweep();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    await world.admin("/requests", undefined, "DELETE");
    await world.admin("/bluesky/settings", { linger_ms: 150, down: [], host_down: false }, "PUT");
  });

  const enter = async (slug: string, more: object = {}) => {
    const { status } = await world.api("PUT", "/v1/subprocessors/bluesky", world.key(slug), {
      integration: "bluesky",
      settings: { tapPassword: "dev_tap_password" },
      ...more,
    });
    expect(status).toBeLessThan(300);
  };
  const newDid = () => {
    let rest = ++count;
    let name = "";
    for (let at = 0; at < 24; at++) {
      name = "abcdefghijklmnopqrstuvwxyz234567".charAt(rest % 32) + name;
      rest = Math.floor(rest / 32);
    }
    return `did:plc:${name}`;
  };
  const linked = async (id: string, type = "bluesky.did") => {
    const person = await world.person(SLUG, id, { unknownTo: ["mixpanel"] });
    const did = newDid();
    await world.admin("/seed", { vendor: "bluesky", accounts: [{ did, posts: ["3kpost"] }] });
    const { status } = await world.api("PUT", `/v1/subjects/${id}`, world.key(SLUG), {
      identities: [
        { type: "user_id", value: id },
        { type, value: did },
      ],
    });
    expect(status).toBeLessThan(300);
    return { person, did };
  };
  const becomes = (did: string, status: string, told?: string | null) =>
    world.admin(`/bluesky/accounts/${did}`, { status, ...(told !== undefined && { told }) }, "PUT");
  const requests = async (slug = SLUG) => {
    const { body } = await world.api("GET", "/v1/requests", world.key(slug));
    return (body as { requests: RequestShape[] }).requests.filter(({ source }) => source.startsWith("bluesky/"));
  };
  const newest = async () => {
    const [first] = await requests();
    if (first === undefined) throw new Error("nothing was recorded");
    return first;
  };
  const sockets = () =>
    world.sandbox
      .recorded()
      .filter(({ headers }) => headers.upgrade === "websocket")
      .map(({ url, status }) => ({ url: new URL(url), status }));
  const lookups = () => world.sandbox.recorded().filter(({ url }) => /plc\.directory|getRepoStatus/.test(url));
  const notes = async () => [...(await dump(world)).values()].filter((text) => text.includes('["st","noted"]')).length;
  /** What Stripe keeps of payments is kept by law. */
  const isErased = async ({ email }: Person) =>
    (await world.held(email)).filter((path) => !path.startsWith("/stripe")).length === 0;
  const health = async () => {
    const body = (await (await fetch(`${world.url}/healthz`)).json()) as {
      streams: Record<string, { behind_seconds: number; failures: number; gap?: object; unreadable: number }>;
    };
    return body.streams[STREAM];
  };

  it.each(["bluesky.did", "did"])("erases a person, known by %s, who has deleted their account there", async (type) => {
    const { person, did } = await linked(`ann-${type.replace(".", "-")}`, type);
    expect(await isErased(person)).toBe(false);
    await becomes(did, "deleted");
    await world.gateway.sweep();
    const request = await newest();
    expect(request.source).toBe(STREAM);
    const closed = await world.closed(SLUG, request.id);
    expect(closed.tasks.find(({ id }) => id === "stripe.erase")).toBeDefined();
    expect(await isErased(person)).toBe(true);
    expect(lookups().map(({ url }) => new URL(url).host)).toEqual(["plc.directory", "morel.us-east.host.bsky.network"]);
    // What was told is told again, from a little before; it is known.
    const before = (await requests()).length;
    await world.gateway.sweep();
    expect((await requests()).length).toBe(before);
  });

  it("erases whose account was taken down, and only notes who was suspended, deactivated or is back", async () => {
    const { person, did } = await linked("bob");
    const before = [(await requests()).length, await notes()] as const;
    for (const status of ["suspended", "deactivated", "active"]) {
      await becomes(did, status);
      await world.advance(1000);
    }
    await world.gateway.sweep();
    expect([(await requests()).length, await notes()]).toEqual([before[0], before[1] + 3]);
    expect(await isErased(person)).toBe(false);
    expect(lookups()).toEqual([]);
    await becomes(did, "takendown");
    await world.gateway.sweep();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("[I5] erases nobody of whom the network says what their own host contradicts", async () => {
    const { person, did } = await linked("cat");
    await becomes(did, "active", "deleted");
    await world.gateway.sweep();
    const { id, held, status } = await newest();
    expect([held, status]).toEqual(["confirmation", "scheduled"]);
    const seen = await world.until(SLUG, id, (view) => view.status === "cancelled");
    expect(seen.tasks).toEqual([]);
    expect(await isErased(person)).toBe(false);
    expect(JSON.stringify([...(await dump(world))])).not.toContain(did);
  });

  it("[I2] waits for a host that is offline, loses nothing, and takes silence for no deletion", async () => {
    const { person, did } = await linked("dan");
    await world.admin("/bluesky/settings", { host_down: true }, "PUT");
    await becomes(did, "deleted");
    await world.gateway.sweep();
    const { id } = await newest();
    for (let hours = 0; hours < 3; hours++) {
      await world.advance(HOUR);
      await world.gateway.sweep();
    }
    expect((await newest()).held).toBe("confirmation");
    expect(lookups().length).toBeGreaterThan(2);
    expect(await isErased(person)).toBe(false);
    await world.admin("/bluesky/settings", { host_down: false }, "PUT");
    await world.closed(SLUG, id);
    expect(await isErased(person)).toBe(true);
  });

  it("notes a deleted post of a known person, and a registered post of anybody", async () => {
    const { did } = await linked("eve");
    const { status } = await world.api("POST", "/v1/subjects/eve/objects", world.key(SLUG), {
      objects: [
        { subprocessor: "bluesky", type: "bluesky.post", id: "at://did:web:other.example/app.bsky.feed.post/3kother" },
      ],
    });
    expect(status).toBeLessThan(300);
    const before = await notes();
    await world.admin(`/bluesky/accounts/${did}/posts/3kpost`, undefined, "DELETE");
    await world.admin("/bluesky/accounts/did:web:other.example/posts/3kother", undefined, "DELETE");
    await world.admin("/bluesky/accounts/did:web:other.example/posts/3kanother", undefined, "DELETE");
    await world.gateway.sweep();
    expect(await notes()).toBe(before + 2);
  });

  it("[I7 I12] keeps nothing of strangers, however many there are, nor of what nobody can read", async () => {
    await world.gateway.sweep();
    const before = await dump(world);
    for (let each = 0; each < 300; each++) await becomes(newDid(), "deleted");
    for (const text of [
      "",
      "{",
      "null",
      '{"did":1}',
      `{"did":"did:plc:x","time_us":9e15,"kind":"account"}`,
      "x".repeat(300_000),
    ])
      await world.sandbox.admin(new Request("http://sandbox/bluesky/messages", { method: "POST", body: text }));
    await world.gateway.sweep();
    const after = await dump(world);
    expect([...after.keys()].filter((key) => !before.has(key))).toEqual([]);
    const changed = [...after].filter(([key, value]) => before.get(key) !== value).map(([key]) => key);
    expect(changed.filter((key) => !/^(s:|h:|t:)/.test(key))).toEqual([]);
    expect(await health()).toMatchObject({ unreadable: 6, failures: 0 });
    expect(after.get(`s:${STREAM}`)).toContain('\\"account deleted\\":3');
  });

  it("goes on elsewhere where a host is down, from further back, and says so when none answers", async () => {
    const { person, did } = await linked("fay");
    await world.gateway.sweep();
    const from = Number(sockets().at(-1)?.url.searchParams.get("cursor"));
    await world.admin("/bluesky/settings", { down: [sockets().at(-1)?.url.hostname ?? ""] }, "PUT");
    await becomes(did, "deleted");
    await world.admin("/requests", undefined, "DELETE");
    await world.gateway.sweep();
    const [refused, taken] = sockets();
    expect([refused?.status, taken?.status]).toEqual([503, 101]);
    expect(taken?.url.hostname).not.toBe(refused?.url.hostname);
    expect(Number(taken?.url.searchParams.get("cursor"))).toBeLessThan(Number(refused?.url.searchParams.get("cursor")));
    expect(from).toBeGreaterThan(1e15);
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("[I2] goes on after a restart of the gateway where it had stopped", async () => {
    const { person, did } = await linked("gus");
    await world.gateway.sweep();
    await becomes(did, "deleted");
    const offset = world.gateway.now() - Date.now();
    const second = await startGateway({
      redis: world.redis,
      redisToken: "dev_test_redis_token",
      sandbox: world.sandbox,
      secrets: world.secrets,
      movable: true,
      quiet: true,
    });
    await fetch(`${second.url}/__clock?offset=${offset}`, { method: "POST" });
    await second.sweep();
    await second.stop();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("says what it has missed when it was away for longer than the stream remembers", async () => {
    expect((await health())?.gap).toBeUndefined();
    await world.advance(40 * HOUR);
    await world.gateway.sweep();
    expect((await health())?.gap).toBeDefined();
    expect((await health())?.behind_seconds).toBeGreaterThan(36 * 3600);
  });

  it("[I11] does not listen for a tenant whose subprocessor is retired, nor at all when no tenant does", async () => {
    const { person, did } = await linked("hal");
    await enter(SLUG, { status: "retired" });
    await becomes(did, "deleted");
    await world.admin("/requests", undefined, "DELETE");
    await world.gateway.sweep();
    expect(sockets()).toEqual([]);
    expect(await isErased(person)).toBe(false);
    await enter(SLUG);
    await world.gateway.sweep();
    expect(sockets().length).toBeGreaterThan(0);
  });

  it("[I5] takes the same news from a Tap, and asks first as well", async () => {
    const { person, did } = await linked("ivy");
    const post = (password: string, event: object) =>
      fetch(`${world.url}/hooks/${SLUG}/bluesky/tap`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`,
        },
        body: JSON.stringify(event),
      });
    const event = { id: 1, type: "user", user: { did, handle: "ivy.example", isActive: false, status: "deleted" } };
    expect((await post("wrong", event)).status).toBe(401);
    await becomes(did, "deleted", null);
    expect((await post("dev_tap_password", event)).status).toBe(200);
    expect((await post("dev_tap_password", event)).status).toBe(200);
    const request = await newest();
    expect(request.source).toBe("bluesky/tap");
    await world.closed(SLUG, request.id);
    expect(lookups().filter(({ url }) => decodeURIComponent(url).includes(did)).length).toBe(2);
    expect(await isErased(person)).toBe(true);
  });
});
