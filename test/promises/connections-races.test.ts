import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newBrowser } from "../support/browser.ts";
import { connecting, GITHUB, grantsAt } from "../support/connecting.ts";
import { DAY, HOUR, metaCallback, type RequestShape, signedRequest, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";

/** What becomes of connections when something comes in between. */
describe("connections, when something comes in between", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  let accounts = 7000;
  const account = () => String(++accounts);
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("github", "github", GITHUB);
  });
  afterEach(() => world.admin("/faults", undefined, "DELETE"));
  afterAll(() => world.stop());

  const status = async (id: string) => (await product.shown(id)).status;
  const policy = async (more: object) => {
    const { version: _, ...before } = (await product.call("GET", "/v1/policy")).body as Record<string, unknown>;
    expect((await product.call("PUT", "/v1/policy", { ...before, ...more })).status).toBeLessThan(300);
  };
  const requestsFrom = async (source: string) => {
    const { body } = await product.call("GET", "/v1/requests");
    return (body as { readonly requests: readonly RequestShape[] }).requests.filter((each) => each.source === source);
  };
  const complete = (request: string, task: string, outcome: string) =>
    product.call("POST", `/v1/requests/${request}/tasks/${task}/complete`, { outcome, reason: "a test" });
  const erase = async (subject: string) =>
    ((await product.call("POST", "/v1/requests", { type: "erasure", subject })).body as RequestShape).id;

  it("[I3] keeps a person's connections in use when the signal that would have ended them turns out to be too old", async () => {
    const [stranger, person] = [await world.person(SLUG, "fb-stranger"), await world.person(SLUG, "fb-person")];
    const { id } = await product.connect("github", { subject: person.id, account: account() });
    await policy({ ceiling_per_hour: 1 });
    const secret = world.setting(SLUG, "facebook", "appSecret");
    for (const { facebookId } of [stranger, person]) {
      const signed = signedRequest(secret, facebookId, world.gateway.now());
      expect((await metaCallback(world, SLUG, "data-deletion", signed)).status).toBe(200);
    }
    const held = (await requestsFrom("facebook/data-deletion")).find((each) => each.held !== undefined);
    expect(held).toBeDefined();
    await policy({ ceiling_per_hour: 200 });
    await world.advance(HOUR);
    // They have come back: whatever Facebook told before that is over.
    const since = new Date(world.gateway.now()).toISOString();
    const linked = await product.call("PUT", `/v1/subjects/${person.id}`, {
      identities: [{ type: "facebook.user_id", value: person.facebookId, since }],
    });
    expect(linked.status, JSON.stringify(linked.body)).toBeLessThan(300);
    expect((await product.call("POST", `/v1/requests/${held?.id}/release`)).status).toBe(200);
    await world.until(SLUG, held?.id ?? "", (seen) => seen.status === "cancelled");
    expect(await status(id)).toBe("active");
    expect(await product.tokenOf(id)).not.toBe("");
  });

  it("takes up no account of somebody who was erased by their id alone", async () => {
    const [whose, subject] = [account(), "erased by id"];
    await product.connect("github", { subject, account: whose });
    await erase(subject);
    await expect
      .poll(async () => {
        await world.advance(15_000);
        await world.gateway.sweep();
        return (await grantsAt(world, "github", whose)).length;
      })
      .toBe(0);
    const again = await product.land("github", whose);
    const refused = await product.confirm(again.id, { code: again.code, subject: "came back by itself" });
    expect(refused, JSON.stringify(refused.body)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("erased") },
    });
  });

  it("[I4] claims nothing of a grant for which the vendor's token endpoint gives no token for reasons of its own", async () => {
    const whose = account();
    const { id } = await product.connect("github", { account: whose });
    await world.advance(9 * HOUR);
    await world.admin("/faults/github", { kind: "unauthorized", match: "/access_token" }, "PUT");
    const { body } = await product.call("DELETE", `/v1/connections/${id}`);
    const request = (body as RequestShape).id;
    const seen = await world.until(SLUG, request, ({ tasks }) =>
      tasks.some(({ state }) => state === "stuck" || state === "ended"),
    );
    expect(seen.tasks).toMatchObject([{ state: "stuck", reason: expect.stringContaining("token") }]);
    expect(await grantsAt(world, "github", whose)).toHaveLength(1);
    await world.admin("/faults", undefined, "DELETE");
    await world.advance(HOUR);
    const closed = await world.closed(SLUG, request);
    expect(closed.tasks).toMatchObject([{ outcome: "revoked" }]);
    expect(await grantsAt(world, "github", whose)).toHaveLength(0);
  });

  it("[I4] does not say that nothing was found where the tokens were destroyed before the vendor had revoked them", async () => {
    const [whose, subject] = [account(), "given up on"];
    const { id } = await product.connect("github", { subject, account: whose });
    await world.admin("/faults/github", { kind: "server_error", match: "/applications/" }, "PUT");
    const first = ((await product.call("DELETE", `/v1/connections/${id}`)).body as RequestShape).id;
    const open = (request: string) =>
      world.until(SLUG, request, ({ tasks }) => tasks.some(({ attempts }) => attempts > 0));
    await open(first);
    const revocation = { type: "revocation", subject, scope: "github" };
    const second = ((await product.call("POST", "/v1/requests", revocation)).body as RequestShape).id;
    await open(second);
    expect((await complete(first, "github.revoke", "unresolved")).status).toBe(200);
    await world.closed(SLUG, first);
    expect(await product.shown(id)).toMatchObject({ status: "ended", ended: { outcome: "unresolved" } });
    await world.admin("/faults", undefined, "DELETE");
    const closed = await world.closed(SLUG, second);
    expect(closed.tasks).toMatchObject([{ outcome: "stopped", reason: expect.stringContaining("destroyed") }]);
  });

  it("revokes what the product disconnects, though it takes that back while nothing has begun", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => product.connect("github", { account: account() })));
    for (const { id } of all) {
      const { body } = await product.call("DELETE", `/v1/connections/${id}`);
      const { status: said } = await product.call("POST", `/v1/requests/${(body as RequestShape).id}/cancel`);
      // Nobody was given its tokens any more from then on: there is nothing to go back to.
      expect(said).toBe(409);
    }
    for (const { id } of all) await product.until(id, "ended");
  });

  it("[I3] ends none of an account's connections because one more cannot be told whose it is", async () => {
    const whose = account();
    const { id } = await product.connect("github", { account: whose });
    await world.admin("/faults/github", { kind: "server_error", status: 503, match: "api.github.com/user" }, "PUT");
    const back = await newBrowser(world).signIn(await product.begin("github"), whose);
    expect(back.url.searchParams.get("error")).toBe("account_unknown");
    await world.admin("/faults", undefined, "DELETE");
    const user = { headers: { authorization: `Bearer ${await product.tokenOf(id)}` } };
    expect((await world.sandbox.fetch(new Request("https://api.github.com/user", user))).status).toBe(200);
  });

  it("[I11] sends nobody to a subprocessor that was retired since, and makes no grant of whoever is there", async () => {
    await product.enter("github-left", "github", GITHUB);
    const [start, whose] = [await product.begin("github-left"), account()];
    const away = newBrowser(world);
    const left = await away.open(await product.begin("github-left"));
    const page = left.headers.get("location") ?? "";
    const agreed = await away.open(page, { form: { prompt: "login", login: whose } });
    const before = { integration: "github", settings: GITHUB };
    const retired = { ...before, status: "retired", valid_to: new Date(world.gateway.now() - 1000).toISOString() };
    const { status: said, body } = await product.call("PUT", "/v1/subprocessors/github-left", retired);
    expect(said, JSON.stringify(body)).toBeLessThan(300);
    await world.advance(31_000);
    expect((await newBrowser(world).open(start)).headers.get("location")).toContain("error=vendor_unreachable");
    const landed = await away.open(agreed.headers.get("location") ?? "");
    expect(landed.headers.get("location")).toContain("error=vendor_unreachable");
    expect(await grantsAt(world, "github", whose)).toEqual([]);
  });

  it("[I11] gives no token of a subprocessor that was retired since, renews none, and revokes what was granted all the same", async () => {
    const settings = {
      secretToken: "vyDY1nu_QV-0123456789",
      clientId: "R3xH_8fsQ0ipUnFm9sSKAg",
      clientSecret: "a secret",
    };
    await product.enter("zoom-left", "zoom", settings);
    const whose = "uLoRgfbbTayCX6r2Q_qQsQ";
    const { id } = await product.connect("zoom-left", { account: whose });
    const entry = { integration: "zoom", settings };
    const validTo = new Date(world.gateway.now()).toISOString();
    const put = (more: object) => product.call("PUT", "/v1/subprocessors/zoom-left", { ...entry, ...more });
    expect((await put({ status: "retired", valid_to: validTo })).status).toBeLessThan(300);
    await world.advance(31_000);
    expect(await product.token(id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/retired.*DELETE/) },
    });
    expect((await product.shown(id)).tokens_given).toMatchObject({ count: 0 });
    const asked = () => world.sandbox.recorded().filter(({ vendor }) => vendor === "zoom").length;
    const made = asked();
    const looks = async () => {
      await world.advance(DAY);
      for (let round = 0; round < 5; round++) await world.gateway.sweep();
    };
    await looks();
    await looks();
    expect(asked()).toBe(made);
    // In force again, it is looked after again.
    expect((await put({})).status).toBeLessThan(300);
    await world.advance(31_000);
    expect(await product.tokenOf(id)).not.toBe("");
    expect((await put({ status: "retired", valid_to: validTo })).status).toBeLessThan(300);
    await world.advance(DAY);
    // With a token that works, which it takes a renewal to have.
    expect((await product.disconnect(id)).tasks).toMatchObject([{ outcome: "revoked" }]);
    expect(await grantsAt(world, "zoom", whose)).toEqual([]);
  });

  it("keeps a state for the person where something only looks at the callback", async () => {
    const [browser, whose] = [newBrowser(world), account()];
    const left = await browser.open(await product.begin("github"));
    const agreed = await browser.open(left.headers.get("location") ?? "", { form: { prompt: "login", login: whose } });
    const callback = agreed.headers.get("location") ?? "";
    expect((await browser.open(callback, { method: "HEAD" })).status).toBe(204);
    expect((await browser.open(callback)).headers.get("location")).toContain("connection=con_");
  });

  it("counts a token that is given out though it could not be renewed", async () => {
    const { id } = await product.connect("github", { account: account() });
    await world.advance(8 * HOUR - 30_000);
    await world.admin("/faults/github", { kind: "server_error", status: 503, match: "/access_token" }, "PUT");
    await product.tokenOf(id);
    await product.tokenOf(id);
    expect((await product.shown(id)).tokens_given).toMatchObject({ count: 2 });
  });
});
