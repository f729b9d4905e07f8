import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { type ConnectionShape, connecting, GITHUB, grantsAt } from "../support/connecting.ts";
import { dump } from "../support/dump.ts";
import { HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";

/** What browsers, vendors and products may bring that does not fit: refused clearly, and nothing is kept. */
describe("[I5] connections and hostile input", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("github", "github", GITHUB);
  });
  afterEach(() => world.admin("/faults", undefined, "DELETE"));
  afterAll(() => world.stop());

  const connectionKeys = async () => [...(await dump(world)).keys()].filter((key) => /^(n|ca|os|ot):/.test(key)).sort();
  /** Nothing of what was tried stays behind. */
  async function leavesNothing(tried: () => Promise<void>) {
    const before = await connectionKeys();
    await tried();
    expect(await connectionKeys()).toEqual(before);
  }

  /** A person at the vendor's page: what the vendor would send back, not yet brought. */
  async function away(account = "31") {
    const browser = newBrowser(world);
    const left = await browser.open(await product.begin("github"));
    const page = left.headers.get("location") ?? "";
    const agreed = await browser.open(page, { form: { prompt: "login", login: account } });
    return { browser, page: new URL(page), back: new URL(agreed.headers.get("location") ?? "") };
  }
  const exchanges = () => world.sandbox.recorded().filter(({ url }) => url.endsWith("/access_token")).length;

  const changed = (url: URL, change: (parameters: URLSearchParams) => void) => {
    const copy = new URL(url);
    change(copy.searchParams);
    return copy.href;
  };

  it("binds a way to the browser that began it, by a cookie that no script and no other host reads", async () => {
    const start = await product.begin("github");
    const { headers, status } = await newBrowser(world).open(start);
    expect(status).toBe(303);
    const cookie = headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Host-quittance-\S+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("opens a start address once, within ten minutes, and not for what only looks ahead", async () => {
    const start = await product.begin("github");
    const ahead = await fetch(start, { headers: { "sec-purpose": "prefetch" }, redirect: "manual" });
    const head = await fetch(start, { method: "HEAD", redirect: "manual" });
    expect([ahead.status, head.status]).toEqual([204, 204]);
    expect((await newBrowser(world).open(start)).status).toBe(303);
    const again = await newBrowser(world).open(start);
    expect(again.status).toBe(400);
    expect(again.text).toContain("This link was used before");
    const late = await product.begin("github");
    await world.advance(11 * 60_000);
    expect((await newBrowser(world).open(late)).status).toBe(400);
    expect((await newBrowser(world).open(`${world.url}/oauth/start/11${"a".repeat(43)}`)).status).toBe(400);
    expect((await newBrowser(world).open(`${world.url}/oauth/start/nonsense`)).status).toBe(400);
  });

  const ways: readonly (readonly [string, (way: Awaited<ReturnType<typeof away>>) => Promise<string>])[] = [
    ["a state that was made up", async ({ back }) => changed(back, (all) => all.set("state", `11${"a".repeat(43)}`))],
    [
      "a state of another tenant's number",
      async ({ back }) => changed(back, (all) => all.set("state", `12${"a".repeat(43)}`)),
    ],
    ["no state", async ({ back }) => changed(back, (all) => all.delete("state"))],
    ["two states", async ({ back }) => changed(back, (all) => all.append("state", "x"))],
    ["two codes", async ({ back }) => changed(back, (all) => all.append("code", "x"))],
    ["the callback of another integration", async ({ back }) => back.href.replace("/oauth/github/", "/oauth/openid/")],
    ["a longer callback", async ({ back }) => back.href.replace("/callback?", "/callback/1.github?")],
  ];
  it.each(ways)("shows a code to nobody that comes with %s", async (_, make) => {
    const way = await away();
    const made = exchanges();
    const arrived = await way.browser.open(await make(way));
    expect(arrived.status).toBe(400);
    expect(arrived.text).toContain("Your account was not connected");
    expect(arrived.text).not.toContain("evil");
    expect(exchanges()).toBe(made);
    expect(await grantsAt(world, "github", "31")).toEqual([]);
  });

  it("[I10] asks the store for no ticket or state that was made up, and for a genuine one as before", async () => {
    const asked = async (make: () => Promise<number>) => {
      world.redis.resetStats();
      expect(await make()).toBe(400);
      return world.redis.stats().commands;
    };
    const { browser, back } = await away("30");
    const state = back.searchParams.get("state") ?? "";
    const ticket = new URL(await product.begin("github")).pathname.split("/").at(-1) ?? "";
    const start = (made: string) => fetch(`${world.url}/oauth/start/${made}`).then(({ status }) => status);
    const land = (made: string) =>
      browser.open(changed(back, (all) => all.set("state", made))).then(({ status }) => status);
    const bent = (text: string) => [
      `11${"a".repeat(65)}`,
      `13${"a".repeat(65)}`,
      `9zzzzzzzzz${"a".repeat(65)}`,
      `${text.slice(0, 5)}${text[5] === "A" ? "B" : "A"}${text.slice(6)}`,
      `${text.slice(0, -1)}${text.at(-1) === "A" ? "B" : "A"}`,
      `${text[0]}${text[1] === "2" ? "3" : "2"}${text.slice(2)}`,
      `${text}A`,
      text.slice(0, -1),
      "",
      "x".repeat(4000),
    ];
    for (const made of [...bent(state), ticket]) expect(await asked(() => land(made)), made).toBe(0);
    for (const made of [...bent(ticket).filter((each) => each !== ""), state])
      expect(await asked(() => start(made)), made).toBe(0);
    world.redis.resetStats();
    expect((await browser.open(back.href)).headers.get("location")).toContain("connection=con_");
    expect((await newBrowser(world).open(`${world.url}/oauth/start/${ticket}`)).status).toBe(303);
    expect(world.redis.stats().roundTrips).toBe(4);
    // Used, they are still asked for: nobody remembers them but the store.
    expect(await asked(() => land(state))).toBe(1);
    expect(await asked(() => start(ticket))).toBe(1);
  });

  it("takes a state once, and only from the browser that it was given to", async () => {
    const mine = await away("32");
    const stranger = await newBrowser(world).open(mine.back.href);
    expect(stranger.status).toBe(400);
    expect(stranger.text).toContain("another browser");
    // It was taken: not even the right browser goes on with it.
    expect((await mine.browser.open(mine.back.href)).status).toBe(400);
    const again = await away("32");
    expect((await again.browser.open(again.back.href)).status).toBe(303);
    expect((await again.browser.open(again.back.href)).status).toBe(400);
  });

  it("refuses a code of another way, because its verifier is another", async () => {
    const [attacker, victim] = [await away("666"), await away("33")];
    const swapped = changed(victim.back, (all) => all.set("code", attacker.back.searchParams.get("code") ?? ""));
    const arrived = await victim.browser.open(swapped);
    expect(arrived.headers.get("location")).toBe(`${RETURN_TO}?error=vendor_error`);
    expect(await grantsAt(world, "github", "666")).toEqual([]);
  });

  it("never reflects what a vendor says, and knows its word only from a list", async () => {
    for (const [error, told] of [
      ["access_denied", "access_denied"],
      ["<script>alert(1)</script>", "vendor_error"],
      ["unknown_word", "vendor_error"],
    ] as const) {
      const { browser, back } = await away();
      const arrived = await browser.open(
        changed(back, (all) => {
          all.delete("code");
          all.set("error", error);
          all.set("error_description", "<img src=x onerror=alert(1)>");
          all.set("error_uri", "https://evil.example/");
        }),
      );
      expect(arrived.headers.get("location")).toBe(`${RETURN_TO}?error=${told}`);
      expect(arrived.text).toBe("");
    }
  });

  it.each([
    "https://evil.example/settings/connections",
    "https://app.product.example.evil.example/settings/connections",
    "https://app.product.example@evil.example/settings/connections",
    "https://app.product.example/settings/connections/../../evil",
    "https://app.product.example/settings/connections#fragment",
    "http://app.product.example/settings/connections",
    "//app.product.example/settings/connections",
    "javascript:alert(1)",
    "/settings/connections",
  ])("sends nobody to %s", (address) =>
    leavesNothing(async () => {
      const { status, body } = await product.call("POST", "/v1/connections", {
        subprocessor: "github",
        return_to: address,
      });
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ field: "return_to" }] });
    }),
  );

  it("keeps the return address's own query, and takes what is ours to say out of it", async () => {
    const returnTo = `${RETURN_TO}?tab=accounts&code=forged&connection=con_forged`;
    const landed = await newBrowser(world).signIn(await product.begin("github", { returnTo }), "34");
    expect(landed.url.searchParams.getAll("code")).not.toContain("forged");
    expect(landed.url.searchParams.getAll("connection")).toHaveLength(1);
    expect(landed.url.searchParams.get("tab")).toBe("accounts");
  });

  it.each([
    [{ kind: "malformed", body: "html" }, "vendor_error"],
    [{ kind: "malformed", body: "cut" }, "vendor_error"],
    [{ kind: "server_error", status: 503 }, "vendor_unreachable"],
    [{ kind: "drop_after" }, "vendor_unreachable"],
    [{ kind: "rate_limited" }, "vendor_unreachable"],
  ])("keeps nothing where the token endpoint fails by %j, and asks it once", async (fault, error) => {
    const { browser, back } = await away("35");
    await world.admin("/faults/github", { ...fault, match: "/login/oauth/access_token" }, "PUT");
    const made = exchanges();
    const before = (await connectionKeys()).filter((key) => !key.startsWith("os:"));
    const arrived = await browser.open(back.href);
    expect(arrived.headers.get("location")).toBe(`${RETURN_TO}?error=${error}`);
    expect(exchanges() - made).toBe(1);
    expect((await connectionKeys()).filter((key) => !key.startsWith("os:"))).toEqual(before);
  });

  it("gives back what it cannot keep: tokens are revoked while they are known", async () => {
    const { browser, back } = await away("36");
    await world.admin("/faults/github", { kind: "slow", ms: 400, match: "/user" }, "PUT");
    const arriving = browser.open(back.href);
    await expect.poll(() => world.sandbox.recorded().some(({ url }) => url.endsWith("/user"))).toBe(true);
    await expect.poll(async () => (await grantsAt(world, "github", "36")).length).toBe(1);
    world.redis.outage(true);
    const arrived = await arriving;
    world.redis.outage(false);
    expect(arrived.headers.get("location")).toBe(`${RETURN_TO}?error=temporarily_unavailable`);
    expect(await grantsAt(world, "github", "36")).toEqual([]);
  });

  it("saves what was renewed though the store was away when the vendor answered", async () => {
    const { id } = await product.connect("github", { account: "37" });
    const before = await product.tokenOf(id);
    await world.advance(9 * HOUR);
    await world.admin("/faults/github", { kind: "slow", ms: 300, match: "/access_token" }, "PUT");
    const made = exchanges();
    const asking = product.token(id);
    await expect.poll(() => exchanges()).toBe(made + 1);
    world.redis.outage(true);
    await new Promise((resolve) => setTimeout(resolve, 450));
    world.redis.outage(false);
    const { status, body } = await asking;
    expect(status, JSON.stringify(body)).toBe(200);
    const fresh = (body as { readonly access_token: string }).access_token;
    expect(fresh).not.toBe(before);
    expect(await product.tokenOf(id)).toBe(fresh);
    await world.advance(9 * HOUR);
    expect(await product.tokenOf(id)).not.toBe(fresh);
  });

  it("lets nobody confirm a connection with another code, for another subject, or for another tenant", async () => {
    const { id, code } = await product.land("github", "38");
    const other = await product.land("github", "39");
    expect((await product.confirm(id, { code: other.code, subject: "ada" })).status).toBe(409);
    expect((await product.confirm(id, { code: "guess", subject: "ada" })).status).toBe(409);
    expect((await product.confirm(`con_11${"0".repeat(32)}`, { code, subject: "ada" })).status).toBe(404);
    const elsewhere = connecting(world, "socra");
    expect((await elsewhere.confirm(id, { code, subject: "ada" })).status).toBe(404);
    expect((await product.confirm(id, { code, subject: "ada" })).status).toBe(200);
    // The same again is the same; for somebody else it is not.
    expect((await product.confirm(id, { code, subject: "ada" })).status).toBe(200);
    expect((await product.confirm(id, { code, subject: "eve" })).status).toBe(409);
    const { body } = await product.call("GET", "/v1/subjects/eve/connections");
    expect(body).toEqual({ connections: [] });
  });

  it("takes no connection for an object that a product registers", async () => {
    const objects = [{ subprocessor: "product", type: "connection", id: `con_11${"0".repeat(32)}` }];
    const { status, body } = await product.call("POST", "/v1/subjects/ada/objects", { objects });
    expect([status, body]).toMatchObject([422, { errors: [{ field: "objects.0.type" }] }]);
  });

  it("says what is wrong with a wish, and what to do", async () => {
    const wish = (more: object) => product.call("POST", "/v1/connections", { return_to: RETURN_TO, ...more });
    expect(await wish({ subprocessor: "nobody" })).toMatchObject({ status: 422 });
    expect(await wish({ subprocessor: "stripe", site: "x" })).toMatchObject({ status: 422 });
    expect(await wish({ subprocessor: "github", site: "shop" })).toMatchObject({
      status: 422,
      body: { errors: [{ field: "site" }] },
    });
    expect(await wish({ subprocessor: "github", scopes: ["one two"] })).toMatchObject({ status: 422 });
    expect(await wish({ subprocessor: "github", surprise: true })).toMatchObject({ status: 422 });
    await product.enter("github-hooks", "github", { webhookSecret: GITHUB.webhookSecret });
    expect(await wish({ subprocessor: "github-hooks" })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("clientId") },
    });
  });

  it("gives no token to a key that may only read, and counts each that it gives", async () => {
    const { id } = await product.connect("github", { account: "40" });
    const made = await product.call("POST", "/v1/keys", { role: "read" });
    const readOnly = (made.body as { readonly api_key: string }).api_key;
    expect((await world.api("POST", `/v1/connections/${id}/token`, readOnly, {})).status).toBe(403);
    await product.tokenOf(id);
    await product.tokenOf(id);
    const { body } = await world.api("GET", `/v1/connections/${id}`, readOnly);
    expect((body as ConnectionShape).tokens_given.count).toBe(2);
    expect(JSON.stringify(body)).not.toContain("at_");
  });
});
