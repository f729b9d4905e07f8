import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dump } from "../support/dump.ts";
import { HOUR, type Person, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const OTHER = "isocial-track";
const TOKEN = "dev_enterprise_token_of_nobody";
const STREAMS = ["x/users-stream", "x/tweets-stream"] as const;
const MINUTE = 60_000;

type Health = Readonly<
  Record<
    string,
    {
      readonly behind_seconds: number;
      readonly failures: number;
      readonly reasons?: readonly string[];
      readonly unreadable: number;
      readonly gap?: object;
    }
  >
>;

/** Streams that X opens to a tenant's own credential, and what becomes of those whom that tenant knows. */
describe("visiting X's compliance streams, through the deployed bundle", () => {
  let world: World;
  let count = 0;
  let seen = 0;
  let settings: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    world = await startWorld();
    // Connecting may take its time on a busy machine.
    await world.gateway.waitAtMost(2000);
    settings = {
      consumerSecret: world.setting(SLUG, "x", "consumerSecret"),
      complianceToken: TOKEN,
    };
    await usual();
    await enter();
    await world.gateway.sweep();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    lookFromHere();
    await world.admin("/faults/x", undefined, "DELETE");
    await usual();
  });

  const usual = () =>
    world.admin("/x/settings", { keep_alive_ms: 5, drop_after: null, pieces: null, disconnects: false }, "PUT");
  const enter = async (more: object = {}) => {
    const { status, body } = await world.api("PUT", "/v1/subprocessors/x", world.key(SLUG), {
      integration: "x",
      settings,
      ...more,
    });
    expect(status, JSON.stringify(body)).toBeLessThan(300);
  };
  const linked = async (id: string, slug = SLUG, value = `16000000000000${1000 + ++count}`) => {
    const person = await world.person(slug, id, slug === SLUG ? { unknownTo: ["mixpanel"] } : {});
    const { status } = await world.api("PUT", `/v1/subjects/${id}`, world.key(slug), {
      identities: [
        { type: "user_id", value: id },
        { type: "x.user_id", value },
      ],
    });
    expect(status).toBeLessThan(300);
    return { person, user: value };
  };
  const account = (name: string, id: string) => world.admin("/x/news", { stream: "users", name, id });
  const post = (id: string, author: string) => world.admin("/x/news", { stream: "tweets", name: "delete", id, author });
  const minute = async () => {
    await world.advance(MINUTE);
    await world.gateway.sweep();
  };
  const requests = async (slug = SLUG) => {
    const { body } = await world.api("GET", "/v1/requests", world.key(slug));
    return (body as { requests: RequestShape[] }).requests.filter(({ source }) => source.startsWith("x/"));
  };
  const newest = async () => {
    const [first] = await requests();
    if (first === undefined) throw new Error("nothing was recorded");
    return first;
  };
  /** What was sent before is kept: all of it is judged by X's own description. */
  const lookFromHere = () => {
    seen = world.sandbox.recorded().length;
  };
  const visits = () =>
    world.sandbox
      .recorded()
      .slice(seen)
      .filter(({ url }) => url.includes("/compliance/stream"))
      .map(({ url, headers, status }) => ({ url: new URL(url), headers, status }));
  const gate = async (id: string) =>
    (await world.api("GET", `/v1/subjects/${id}/gate`, world.key(SLUG))).body as { allowed: boolean; reason?: string };
  /** What Stripe keeps of payments is kept by law. */
  const isErased = async ({ email }: Person) =>
    (await world.held(email)).filter((path) => !path.startsWith("/stripe")).length === 0;
  const health = async () => ((await (await fetch(`${world.url}/healthz`)).json()) as { streams: Health }).streams;
  const waiting = async () => {
    const { body } = await world.api("GET", "/v1/content-deletions", world.key(SLUG));
    return (body as { received: readonly Readonly<Record<string, unknown>>[] }).received;
  };

  it("opens all eight parts with the token, one after the other, and none of it stands anywhere", async () => {
    await minute();
    const asked = visits();
    expect(asked.map(({ url }) => `${url.pathname}${url.search}`).toSorted()).toEqual(
      ["tweets", "users"].flatMap((stream) =>
        ["1", "2", "3", "4"].map((part) => `/2/${stream}/compliance/stream?partition=${part}&backfill_minutes=2`),
      ),
    );
    expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    const text = JSON.stringify([[...(await dump(world))], await health()]);
    expect(text).not.toContain(TOKEN);
    expect(await health()).toMatchObject({ [STREAMS[0]]: { failures: 0, unreadable: 0 } });
    for (const stream of STREAMS) expect((await health())[stream]?.behind_seconds).toBeLessThan(30);
  });

  it("[I3] erases a known person whose account is deleted, once, however often it is told", async () => {
    const { person, user } = await linked("xa-ann");
    expect(await isErased(person)).toBe(false);
    await account("user_delete", user);
    await minute();
    const request = await newest();
    expect(request.source).toBe("x/users-stream");
    expect(Date.parse(request.due_at) - Date.parse(request.received_at)).toBe(24 * HOUR);
    const before = (await requests()).length;
    await minute();
    await minute();
    expect((await requests()).length).toBe(before);
    const closed = await world.closed(SLUG, request.id);
    expect(closed.complete).toBe(true);
    expect(await isErased(person)).toBe(true);
    // What comes too late opens nothing, and brings nobody back.
    await account("user_undelete", user);
    await minute();
    expect((await requests()).length).toBe(before);
    expect(await gate("xa-ann")).toEqual({ allowed: false, reason: "unknown_subject" });
  });

  it("[I3] obeys no deletion that X has taken back, in whichever order it hears of both", async () => {
    const { person, user } = await linked("xa-bob");
    await account("user_delete", user);
    await world.advance(2000);
    await account("user_undelete", user);
    const before = (await requests()).length;
    await minute();
    expect((await requests()).slice(0, (await requests()).length - before).map(({ status }) => status)).not.toContain(
      "open",
    );
    await minute();
    expect(await gate("xa-bob")).toEqual({ allowed: true });
    expect(await isErased(person)).toBe(false);
    // Who leaves once more leaves.
    await account("user_delete", user);
    await minute();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("only notes who was suspended, and counts the rest by name", async () => {
    const { person, user } = await linked("xa-cat");
    const before = (await requests()).length;
    for (const name of ["user_suspend", "user_unsuspend", "user_protect", "user_something_new"])
      await account(name, user);
    await minute();
    expect((await requests()).length).toBe(before);
    expect(await isErased(person)).toBe(false);
    const counts = [...(await dump(world))]
      .filter(([key]) => /^s:.+x\/users-stream/.test(key))
      .map(([, text]) => text)
      .join();
    for (const name of ["user_suspend", "user_unsuspend", "user_protect", "other"])
      expect(counts).toContain(`${name}\\":1`);
  });

  it("[I7 I12] keeps nothing of strangers, however many there are", async () => {
    await minute();
    const before = await dump(world);
    for (let each = 0; each < 200; each++) {
      await account("user_delete", `99${each}`);
      await post(`77${each}`, `99${each}`);
    }
    await minute();
    const after = await dump(world);
    expect([...after.keys()].filter((key) => !before.has(key))).toEqual([]);
    const changed = [...after].filter(([key, value]) => before.get(key) !== value).map(([key]) => key);
    expect(changed.filter((key) => !/^(s:|h:|t:)/.test(key))).toEqual([]);
  });

  it("tells own systems of a deleted post of a known person, and of a registered post of anybody", async () => {
    const { user } = await linked("xa-dan");
    const { status } = await world.api("POST", "/v1/subjects/xa-dan/objects", world.key(SLUG), {
      objects: [{ subprocessor: "x", type: "x.post", id: "1900000000000000042" }],
    });
    expect(status).toBeLessThan(300);
    await post("1900000000000000041", user);
    await post("1900000000000000042", "98765");
    await post("1900000000000000043", "98765");
    const before = (await requests()).length;
    await minute();
    const told = () =>
      new Set(
        world.sandbox
          .recorded()
          .filter(({ body }) => body.includes('"content.deleted"'))
          .flatMap(({ body }) =>
            (JSON.parse(body) as Told).data.items.map(({ type, id, source }) => `${source} ${type} ${id}`),
          ),
      );
    for (let wait = 0; wait < 100 && told().size < 2; wait++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told()).toEqual(
      new Set(["x/tweets-stream x.post 1900000000000000041", "x/tweets-stream x.post 1900000000000000042"]),
    );
    expect((await requests()).length).toBe(before);
    expect(JSON.stringify(await waiting())).toContain("x/tweets-stream");
  });

  it("[I2] goes on after a connection that died in the middle of a line, cut anywhere", async () => {
    const { person, user } = await linked("xa-eve");
    await world.admin("/x/settings", { drop_after: 1, pieces: 7 }, "PUT");
    const part = 2;
    await world.admin("/x/news", { stream: "users", name: "user_protect", id: "4", partition: part });
    await world.admin("/x/news", { stream: "users", name: "user_delete", id: user, partition: part });
    const before = (await requests()).length;
    await minute();
    expect((await requests()).length).toBe(before);
    await world.admin("/x/settings", { drop_after: null }, "PUT");
    await minute();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("[I2] asks again for hours that were missed, a piece a minute, and misses nothing of them", async () => {
    const { person, user } = await linked("xa-fay");
    await minute();
    await world.advance(7 * MINUTE);
    await account("user_delete", user);
    await world.advance(6 * MINUTE);
    lookFromHere();
    await world.gateway.sweep();
    expect(visits().every(({ url }) => url.searchParams.has("start_time") && url.searchParams.has("end_time"))).toBe(
      true,
    );
    expect(new Set(visits().map(({ status }) => status))).toEqual(new Set([200]));
    await minute();
    await minute();
    expect(visits().at(-1)?.url.searchParams.get("backfill_minutes")).not.toBeNull();
    expect((await health())[STREAMS[0]]?.behind_seconds).toBeLessThan(30);
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("believes no end that X has announced as a fault", async () => {
    await minute();
    await world.advance(20 * MINUTE);
    await world.admin("/x/settings", { disconnects: true }, "PUT");
    const behind = async () => (await health())[STREAMS[0]]?.behind_seconds ?? 0;
    const before = await behind();
    await minute();
    expect(await behind()).toBeGreaterThan(before);
    await world.admin("/x/settings", { disconnects: false }, "PUT");
    for (let turn = 0; turn < 4; turn++) await minute();
    expect(await behind()).toBeLessThan(60);
  });

  it("shows in /healthz that X refuses the credential, names no tenant there, and goes on when it takes it", async () => {
    const { person, user } = await linked("xa-gus");
    await world.admin("/faults/x", { kind: "unauthorized", match: "compliance/stream" }, "PUT");
    await account("user_delete", user);
    await minute();
    for (const stream of STREAMS)
      expect((await health())[stream]).toMatchObject({ failures: 1, reasons: ["credential_refused"] });
    expect(JSON.stringify(await health())).not.toContain(SLUG);
    // It rests, and is not asked each minute.
    const asked = visits().length;
    await world.advance(30_000);
    await world.gateway.sweep();
    expect(visits().length).toBe(asked);
    await world.admin("/faults/x", undefined, "DELETE");
    await minute();
    for (const stream of STREAMS) expect((await health())[stream]?.reasons).toBeUndefined();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("rests where X wants rest", async () => {
    await world.admin("/faults/x", { kind: "rate_limited", match: "users/compliance/stream" }, "PUT");
    await minute();
    expect((await health())[STREAMS[0]]).toMatchObject({ failures: 1, reasons: ["rate_limited"] });
    expect((await health())[STREAMS[1]]).toMatchObject({ failures: 0 });
    await world.admin("/faults/x", undefined, "DELETE");
    await minute();
    await minute();
    expect((await health())[STREAMS[0]]).toMatchObject({ failures: 0 });
  });

  it("[I5 I10] is harmed by no line, whatever stands in it", async () => {
    const { person, user } = await linked("xa-hal");
    const say = (text: string) =>
      world.sandbox.admin(new Request("http://sandbox/x/lines/users/3", { method: "POST", body: text }));
    const news = (at: string) => JSON.stringify({ data: { user_delete: { user: { id: user }, event_at: at } } });
    for (const text of [
      "{",
      "null",
      "[]",
      '{"data":{}}',
      `{"data":{"user_delete":{"user":{"id":"${"9".repeat(1_048_576)}"},"event_at":"2026-01-01T00:00:00Z"}}}`,
      news("2999-01-01T00:00:00.000Z"),
      news("yesterday"),
    ])
      await say(text);
    const before = (await requests()).length;
    await minute();
    expect((await requests()).length).toBe(before);
    expect((await health())[STREAMS[0]]).toMatchObject({ unreadable: 7, failures: 0 });
    expect((await health())[STREAMS[0]]?.behind_seconds).toBeLessThan(30);
    await world.admin("/x/news", { stream: "users", name: "user_delete", id: user, partition: 3 });
    await minute();
    await world.closed(SLUG, (await newest()).id);
    expect(await isErased(person)).toBe(true);
  });

  it("[I6] tells no other tenant, though it knows the same account", async () => {
    const { user } = await linked("xa-ivy");
    const other = await linked("xa-ivy-elsewhere", OTHER, user);
    const before = await requests(OTHER);
    await account("user_delete", user);
    await minute();
    await world.closed(SLUG, (await newest()).id);
    expect(await requests(OTHER)).toEqual(before);
    expect((await world.held(other.person.email)).length).toBeGreaterThan(0);
    const keys = [...(await dump(world)).keys()].filter((key) => /^s:.*x\//.test(key));
    expect(keys).toHaveLength(8);
    expect(new Set(keys.map((key) => key.split(":")[1])).size).toBe(1);
  });

  it("says what it has missed when it was away for longer than X remembers", async () => {
    expect((await health())[STREAMS[0]]?.gap).toBeUndefined();
    await world.advance(30 * HOUR);
    await world.gateway.sweep();
    for (const stream of STREAMS) expect((await health())[stream]?.gap).toBeDefined();
    expect(new Set(visits().map(({ status }) => status))).toEqual(new Set([200]));
  });

  it("[I11] reads nothing for a subprocessor that is retired, or has no token", async () => {
    await enter({ status: "retired" });
    await minute();
    expect(visits()).toEqual([]);
    settings = { consumerSecret: settings.consumerSecret };
    await enter();
    await minute();
    expect(visits()).toEqual([]);
    expect(await health()).not.toHaveProperty(STREAMS[0]);
  });
});

type Told = {
  readonly data: {
    readonly items: readonly { readonly type: string; readonly id: string; readonly source: string }[];
  };
};
