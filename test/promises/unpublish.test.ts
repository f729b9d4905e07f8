import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connected, connecting, GOOGLE } from "../support/connecting.ts";
import { HOUR, type Person, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";

type Platform = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  /** The account that somebody with this number has there. */
  readonly account: (n: number) => string;
  readonly site?: (n: number) => string;
  /** What was published, by its type and id, and where the stand-in holds it. */
  readonly post: (n: number) => { readonly type: string; readonly value: string };
  readonly seed: (n: number, account: string) => object;
  /** What the stand-in shows of it in its holdings. */
  readonly mark: (n: number) => string;
  readonly level: "verified_absent" | "deleted_reported";
};

const meta = (id: string) => ({ appId: id, appSecret: "aaaabbbbccccdddd0000111122223333" });
const plain = (vendor: string, id: (n: number) => string) => (n: number, account: string) => ({
  vendor,
  posts: [{ id: id(n), account, text: `published ${n}` }],
});
const did = (n: number) => `did:plc:${"a".repeat(20)}${["ada", "bob", "cyd", "dan", "eve"][n % 5]}${"b"}`;
const key = (n: number) => `3kb3fge5lm3${n}`;

const platforms: readonly Platform[] = [
  {
    integration: "x",
    settings: { consumerSecret: "a".repeat(40), clientId: "a-client-id", clientSecret: "a-client-secret" },
    scopes: ["users.read", "tweet.read", "tweet.write", "offline.access"],
    account: (n) => `160000${n}`,
    post: (n) => ({ type: "x.post", value: `190000000000${n}` }),
    seed: plain("x", (n) => `190000000000${n}`),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "threads",
    settings: meta("990602627938098"),
    scopes: ["threads_basic", "threads_delete"],
    account: (n) => `1784${n}`,
    post: (n) => ({ type: "threads.post", value: `1800000000000${n}` }),
    seed: plain("threads", (n) => `1800000000000${n}`),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "facebook",
    settings: meta("990602627938099"),
    scopes: ["public_profile", "pages_manage_posts"],
    account: (n) => `7${n}`,
    post: (n) => ({ type: "facebook.post", value: `10020${n}_40050${n}` }),
    seed: (n, account) => ({
      vendor: "facebook",
      pages: [{ id: `10020${n}`, managers: [account] }],
      posts: [{ id: `10020${n}_40050${n}`, account: `10020${n}`, text: `published ${n}` }],
    }),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "linkedin",
    settings: { clientId: "a-client-id", clientSecret: "a-client-secret" },
    scopes: ["openid", "profile", "w_member_social"],
    account: (n) => `782bb${n}`,
    post: (n) => ({ type: "linkedin.post", value: `urn:li:share:68447855235${n}` }),
    seed: plain("linkedin", (n) => `urn:li:share:68447855235${n}`),
    mark: (n) => `published ${n}`,
    level: "deleted_reported",
  },
  {
    integration: "youtube",
    settings: GOOGLE,
    scopes: ["openid", "https://www.googleapis.com/auth/youtube.force-ssl"],
    account: (n) => `10000000000000000${n}`,
    post: (n) => ({ type: "youtube.video", value: `dQw4w9Wg${n}` }),
    seed: plain("google", (n) => `dQw4w9Wg${n}`),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "pinterest",
    settings: { clientId: "1234567", clientSecret: "a-client-secret" },
    scopes: ["user_accounts:read", "pins:read", "pins:write"],
    account: (n) => `549755885${n}`,
    post: (n) => ({ type: "pinterest.pin", value: `813744226420795${n}` }),
    seed: plain("pinterest", (n) => `813744226420795${n}`),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "reddit",
    settings: { clientId: "a-client-id", clientSecret: "a-client-secret" },
    scopes: ["identity", "read", "edit"],
    account: (n) => `ada${n}`,
    post: (n) => ({ type: "reddit.item", value: `t3_15b${n}` }),
    seed: plain("reddit", (n) => `t3_15b${n}`),
    mark: (n) => `published ${n}`,
    level: "verified_absent",
  },
  {
    integration: "bluesky",
    settings: { scopes: "transition:generic" },
    scopes: ["atproto", "transition:generic"],
    account: did,
    site: did,
    post: (n) => ({ type: "bluesky.post", value: `at://${did(n)}/app.bsky.feed.post/${key(n)}` }),
    seed: (n, account) => ({ vendor: "bluesky", accounts: [{ did: account, posts: [key(n)] }] }),
    mark: key,
    level: "verified_absent",
  },
];

/** What a tenant has published in people's own accounts goes when they ask for it, with their own grant, before that ends. */
describe("what was published for a person is deleted where they have it", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  let numbers = 100;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    for (const { integration, settings } of platforms)
      await product.enter(`posts-${integration}`, integration, settings);
  });
  afterAll(() => world.stop());

  type Author = { readonly person: Person; readonly n: number; readonly connected: Connected };

  /** Somebody connects, and the product publishes for them and registers what it published. */
  const author = async (
    platform: Platform,
    more: { readonly scopes?: readonly string[]; readonly of?: Person; readonly unregistered?: true } = {},
  ): Promise<Author> => {
    const n = ++numbers;
    const person = more.of ?? (await world.person(SLUG, `author-${platform.integration}-${n}`));
    const subprocessor = `posts-${platform.integration}`;
    const account = platform.account(n);
    await world.admin("/seed", platform.seed(n, account));
    const site = platform.site?.(n);
    const connected = await product.connect(subprocessor, {
      subject: person.id,
      account,
      scopes: more.scopes ?? platform.scopes,
      ...(site !== undefined && { site }),
    });
    if (more.unregistered !== true) {
      const { type, value } = platform.post(n);
      const objects = [{ subprocessor, type, id: value }];
      const { status, body } = await product.call("POST", `/v1/subjects/${person.id}/objects`, { objects });
      expect(status, JSON.stringify(body)).toBeLessThan(300);
    }
    return { person, n, connected };
  };
  const ask = async (person: Person, body: object) => {
    const { status, body: shown } = await product.call("POST", "/v1/requests", {
      type: "erasure",
      subject: person.id,
      ...body,
    });
    expect(status, JSON.stringify(shown)).toBe(202);
    return (shown as { readonly id: string }).id;
  };
  /** What a person has to do at Pinterest whoever is erased, about lists for advertising, is done at once. */
  const closed = async (id: string) => {
    const { tasks } = await world.until(SLUG, id, (view) => view.tasks.length > 0);
    const lists = tasks.find((task) => task.id === "posts-pinterest.erase");
    if (lists !== undefined)
      await product.call("POST", `/v1/requests/${id}/tasks/${lists.id}/complete`, {
        outcome: "not_found",
        reason: "no lists are uploaded",
      });
    return world.closed(SLUG, id);
  };
  const isThere = async ({ n }: Author, platform: Platform) => (await world.held(platform.mark(n))).length > 0;

  it.each(platforms)(
    "at $integration: the post is gone, then the grant, and the receipt says both",
    async (platform) => {
      const one = await author(platform);
      expect(await isThere(one, platform)).toBe(true);
      const done = await closed(await ask(one.person, { unpublish: true }));
      expect(await isThere(one, platform)).toBe(false);
      const own = done.tasks.filter(({ subprocessor }) => subprocessor === `posts-${platform.integration}`);
      const task = (action: string) => own.find((each) => each.action === action);
      expect(task("unpublish")).toMatchObject({ outcome: "erased", level: platform.level });
      expect(task("revoke")?.outcome).toMatch(/^(revoked|stopped)$/);
      expect(done.complete).toBe(true);
      // The grant was still good when the post was deleted with it.
      const calls = own.flatMap(({ action, evidence = [] }) => evidence.map((call) => ({ action, ...call })));
      expect(calls.filter(({ action }) => action === "unpublish").every(({ status }) => status !== 401)).toBe(true);
      expect(JSON.stringify(done)).not.toContain(platform.post(one.n).value);
    },
  );

  const [x] = platforms;
  if (x === undefined) throw new Error("X is a platform");

  it("leaves what people have in their own accounts where the request does not say otherwise", async () => {
    const one = await author(x);
    const done = await closed(await ask(one.person, {}));
    expect(done.tasks.map(({ action }) => action)).not.toContain("unpublish");
    expect(await isThere(one, x)).toBe(true);
  });

  it("finds which of a person's two accounts published what, and touches nobody else's", async () => {
    const first = await author(x);
    const second = await author(x, { of: first.person });
    const stranger = await author(x);
    await closed(await ask(first.person, { unpublish: true }));
    expect(await isThere(first, x)).toBe(false);
    expect(await isThere(second, x)).toBe(false);
    expect(await isThere(stranger, x)).toBe(true);
  });

  it("renews a token that has ended before it deletes with it", async () => {
    const one = await author(x);
    await world.advance(3 * HOUR);
    await closed(await ask(one.person, { unpublish: true }));
    expect(await isThere(one, x)).toBe(false);
  });

  it("[I4] is stuck, and keeps the grant, where the person has not granted so much", async () => {
    const one = await author(x, { scopes: ["users.read", "tweet.read", "offline.access"] });
    const id = await ask(one.person, { unpublish: true });
    const open = await world.until(SLUG, id, ({ tasks }) =>
      tasks.some(({ action, state }) => action === "unpublish" && state === "stuck"),
    );
    const [task] = open.tasks.filter(({ action }) => action === "unpublish");
    expect(task?.reason).toContain("without tweet.write");
    expect((await product.shown(one.connected.id)).status).toBe("ending");
    expect(await isThere(one, x)).toBe(true);
    // Which of them it is can be looked up, and the person's page says whose turn it is.
    const { body: registered } = await product.call("GET", `/v1/subjects/${one.person.id}/objects`);
    const { value } = x.post(one.n);
    expect(registered).toMatchObject({
      objects: expect.arrayContaining([{ subprocessor: "posts-x", type: "x.post", id: value }]),
    });
    const page = await (await fetch(open.status_url.replace(/^https?:\/\/[^/]+/, world.url))).text();
    expect(page).toContain("You can delete it there yourself");
    // The end of the grant cannot be said while the gateway holds it and waits.
    const early = await product.call("POST", `/v1/requests/${id}/tasks/posts-x.revoke/complete`, {
      outcome: "not_found",
      reason: "it should be gone",
    });
    expect(early.status).toBe(409);
    const odd = await product.call("POST", `/v1/requests/${id}/tasks/${task?.id}/complete`, {
      outcome: "revoked",
      reason: "deleted by its author",
    });
    expect(odd.status).toBe(422);
    // A person sees to it, and the revocation that waited goes on.
    const { status } = await product.call("POST", `/v1/requests/${id}/tasks/${task?.id}/complete`, {
      outcome: "manual_done",
      reason: "deleted by its author",
    });
    expect(status).toBe(200);
    const done = await closed(id);
    expect(done.tasks.find(({ id: each }) => each === "posts-x.revoke")?.outcome).toBe("revoked");
  });

  it("[I3] keeps the grant until what was registered late is gone, too", async () => {
    const one = await author(x, { scopes: ["users.read", "tweet.read", "offline.access"] });
    const id = await ask(one.person, { unpublish: true });
    const stuck = (task: string) =>
      world.until(SLUG, id, ({ tasks }) => tasks.some((each) => each.id === task && each.state === "stuck"));
    await stuck("posts-x.unpublish");
    const late = ++numbers;
    await world.admin("/seed", x.seed(late, x.account(one.n)));
    const objects = [{ subprocessor: "posts-x", type: "x.post", id: x.post(late).value }];
    await product.call("POST", `/v1/subjects/${one.person.id}/objects`, { objects });
    await stuck("posts-x.unpublish.2");
    const byHand = (task: string) =>
      product.call("POST", `/v1/requests/${id}/tasks/${task}/complete`, {
        outcome: "manual_done",
        reason: "deleted by its author",
      });
    await byHand("posts-x.unpublish");
    const open = await world.until(SLUG, id, () => true);
    expect(open.tasks.find((each) => each.id === "posts-x.revoke")).toMatchObject({
      state: "waiting",
      reason: expect.stringContaining("posts-x.unpublish.2"),
    });
    await byHand("posts-x.unpublish.2");
    expect((await closed(id)).tasks.find((each) => each.id === "posts-x.revoke")?.outcome).toBe("revoked");
  });

  it("[I3] does not lose the grant to another request of the same person, which leaves what is published", async () => {
    const one = await author(x, { scopes: ["users.read", "tweet.read", "offline.access"] });
    const first = await ask(one.person, { unpublish: true });
    const seen = (request: string, task: string, part: string) =>
      world.until(SLUG, request, ({ tasks }) =>
        tasks.some(({ id, state, reason = "" }) => id === task && `${state} ${reason}`.includes(part)),
      );
    await seen(first, "posts-x.unpublish", "stuck");
    const second = await ask(one.person, {});
    await seen(second, "posts-x.revoke", "or another of the same person");
    expect((await product.shown(one.connected.id)).status).toBe("ending");
    const ended = { outcome: "manual_done", reason: "deleted by its author" };
    await product.call("POST", `/v1/requests/${first}/tasks/posts-x.unpublish/complete`, ended);
    for (const id of [first, second])
      expect((await closed(id)).tasks.find((each) => each.id === "posts-x.revoke")?.outcome).toBe("revoked");
  });

  it("[I4] says that only the person can do it where no grant of theirs is left", async () => {
    const one = await author(x);
    await product.disconnect(one.connected.id);
    const id = await ask(one.person, { unpublish: true });
    const open = await world.until(SLUG, id, ({ tasks }) =>
      tasks.some(({ action, state }) => action === "unpublish" && state === "stuck"),
    );
    expect(open.tasks.find(({ action }) => action === "unpublish")?.reason).toContain("ask them to do it");
    expect(await isThere(one, x)).toBe(true);
  });

  it("[I4] claims nothing of what was not registered, and lets the grant end", async () => {
    const one = await author(x, { unregistered: true });
    const { body } = await product.call("POST", "/v1/requests", {
      type: "erasure",
      subject: one.person.id,
      unpublish: true,
      dry_run: true,
    });
    const { tasks } = body as { readonly tasks: readonly { readonly id: string; readonly state: string }[] };
    expect(tasks.map(({ id }) => id)).not.toContain("posts-x.unpublish");
    expect(tasks.find(({ id }) => id === "posts-x.revoke")).toMatchObject({ state: "queued" });
  });

  it("asks a person where the platform's API deletes nothing", async () => {
    const person = await world.person(SLUG, "author-instagram");
    await product.enter("posts-instagram", "instagram", meta("990602627938100"));
    await product.connect("posts-instagram", { subject: person.id, account: "17841" });
    const id = await ask(person, { unpublish: true });
    const open = await world.until(SLUG, id, ({ tasks }) =>
      tasks.some(({ subprocessor, state }) => subprocessor === "posts-instagram" && state === "manual"),
    );
    const task = (of: string) => open.tasks.find(({ id: each }) => each === `posts-instagram.${of}`);
    expect(task("unpublish")).toMatchObject({ state: "manual", instructions: expect.stringContaining("Instagram") });
    expect(task("revoke")?.state).toBe("waiting");
  });

  it("[I9] touches nothing under a legal hold, and keeps the grant until it is lifted", async () => {
    const one = await author(x);
    const hold = {
      identity: { type: "email", value: one.person.email },
      subprocessors: ["posts-x"],
      reason: "a claim is pending",
      review_at: "2027-12-01T00:00:00Z",
    };
    const { status, body } = await product.call("POST", "/v1/holds", hold);
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    const id = await ask(one.person, { unpublish: true });
    const open = await world.until(SLUG, id, ({ tasks }) =>
      tasks.some(({ action, state }) => action === "unpublish" && state === "stuck"),
    );
    expect(open.tasks.find(({ action }) => action === "unpublish")?.reason).toContain("legal hold");
    expect(await isThere(one, x)).toBe(true);
    await product.call("DELETE", `/v1/holds/${(body as { readonly id: string }).id}`);
    await product.call("POST", `/v1/requests/${id}/retry`, {});
    await closed(id);
    expect(await isThere(one, x)).toBe(false);
  });

  it("refuses it for a revocation, which deletes nothing", async () => {
    const { status, body } = await product.call("POST", "/v1/requests", {
      type: "revocation",
      scope: "posts-x",
      identities: [{ type: "x.user_id", value: "1" }],
      unpublish: true,
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain("unpublish");
  });
});
