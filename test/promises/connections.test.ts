import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connecting } from "../support/connecting.ts";
import { dump } from "../support/dump.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const HOST = "id.example.com";

/** The whole life of a grant, against a real OpenID provider. */
describe("connections, through the deployed bundle", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  let redirectUri = "";
  const settings = { issuer: `https://${HOST}`, clientId: "quittance", clientSecret: "a secret of the tests" };
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("sign-in", "openid", settings);
    const { body } = await product.call("GET", "/v1/subprocessors/sign-in");
    redirectUri = (body as { readonly oauth: { readonly redirect_uri: string } }).oauth.redirect_uri;
    const client = { client_id: "quittance", client_secret: settings.clientSecret, redirect_uris: [redirectUri] };
    await world.admin("/seed", { vendor: "openid", ...client });
  });
  afterAll(() => world.stop());

  const userinfo = async (accessToken: string) =>
    (
      await world.sandbox.fetch(
        new Request(`https://${HOST}/me`, { headers: { authorization: `Bearer ${accessToken}` } }),
      )
    ).status;

  it("connects an account, and gives the product an access token that the provider takes", async () => {
    const { id, shown: connection, account, subject } = await product.connect("sign-in");
    expect(connection).toMatchObject({
      status: "active",
      scopes: ["openid"],
      account: { type: "openid.subject", value: account },
      tokens_given: { count: 0 },
    });
    const given = await product.token(id);
    expect(given.status).toBe(200);
    expect(given.body).toMatchObject({ token_type: "Bearer", scopes: ["openid"] });
    expect(await userinfo((given.body as { readonly access_token: string }).access_token)).toBe(200);
    // It is offered, and nobody demands it of this client.
    const at = (path: string) =>
      world.sandbox.recorded().filter(({ url }) => url.split("?")[0] === `https://${HOST}${path}`);
    expect(at("/request").map(({ status }) => status)).toEqual([201]);
    expect(new URLSearchParams(at("/request")[0]?.body).get("scope")).toBe("openid");
    expect(at("/auth")[0]?.url).not.toContain("scope");
    expect((await product.shown(id)).tokens_given).toMatchObject({ count: 1, last_to: expect.stringMatching(/^key_/) });
    expect((await product.call("GET", `/v1/subjects/${subject}/connections`)).body).toMatchObject({
      connections: [{ id }],
    });
  });

  it("[I7] holds no token, code or account in the open", async () => {
    const { id, account, code } = await product.connect("sign-in");
    const accessToken = await product.tokenOf(id);
    const all = JSON.stringify([...(await dump(world))]);
    for (const secret of [accessToken, account, code]) expect(all).not.toContain(secret);
  });

  it("revokes at the provider what the product disconnects, probes the dead token, and destroys it here", async () => {
    const { id } = await product.connect("sign-in");
    const accessToken = await product.tokenOf(id);
    const { status, body } = await product.call("DELETE", `/v1/connections/${id}`);
    expect(status).toBe(202);
    expect((await product.token(id)).status).toBe(409);
    const closed = await world.closed(SLUG, (body as { readonly id: string }).id);
    expect(closed).toMatchObject({ complete: true });
    const [task] = closed.tasks.filter(({ subprocessor }) => subprocessor === "sign-in");
    expect(task).toMatchObject({ action: "revoke", outcome: "revoked", level: "revoked" });
    expect(task?.evidence?.map(({ path, status: answered }) => [path, answered])).toEqual([
      ["/token/revocation", 200],
      ["/token/revocation", 200],
      ["/token/introspection", 200],
    ]);
    expect(await userinfo(accessToken)).toBe(401);
    expect(await product.shown(id)).toMatchObject({
      status: "ended",
      ended: { outcome: "revoked", request: closed.id },
    });
    const left = (await dump(world)).get([...(await dump(world)).keys()].find((key) => key.endsWith(id)) ?? "");
    expect(JSON.stringify(left)).not.toContain("v1.");
  });

  it("revokes all that a person has granted when they are erased", async () => {
    const subject = "ada";
    const one = await product.connect("sign-in", { subject, account: "first-account" });
    const two = await product.connect("sign-in", { subject, account: "second-account" });
    const tokens = [await product.tokenOf(one.id), await product.tokenOf(two.id)];
    const { body } = await product.call("POST", "/v1/requests", { type: "erasure", subject });
    const request = (body as { readonly id: string }).id;
    await world.until(SLUG, request, ({ tasks }) =>
      tasks.some((task) => task.id === "sign-in.revoke" && task.state === "ended"),
    );
    for (const each of tokens) expect(await userinfo(each)).toBe(401);
    for (const each of [one, two]) expect(await product.shown(each.id)).toMatchObject({ status: "ended" });
  });

  it("revokes what nobody confirms within ten minutes", async () => {
    const { id, code } = await product.land("sign-in", "nobody");
    expect(await product.shown(id)).toMatchObject({ status: "unconfirmed" });
    expect((await product.token(id)).status).toBe(409);
    await world.advance(11 * 60_000);
    await product.until(id, "ended");
    expect((await product.confirm(id, { code, subject: "late" })).status).toBe(409);
  });

  it("renews a token ahead of its end, once for all who ask at once, and never with a used refresh token", async () => {
    const { id } = await product.connect("sign-in");
    const before = await product.tokenOf(id);
    await world.advance(HOUR - 30_000);
    const calls = () =>
      world.sandbox
        .recorded()
        .filter(({ url, body }) => url === `https://${HOST}/token` && body.includes("refresh_token"));
    const made = calls().length;
    const given = await Promise.all(Array.from({ length: 20 }, () => product.tokenOf(id)));
    expect(calls().length - made).toBe(1);
    const [fresh] = new Set(given.filter((each) => each !== before));
    expect(fresh).toBeDefined();
    expect(await product.tokenOf(id)).toBe(fresh);
    await world.advance(DAY);
    expect(await product.tokenOf(id)).not.toBe(fresh);
    expect(await product.shown(id)).toMatchObject({ status: "active" });
  });

  it("binds a grant from its next renewal on where the operator asks for it since, and never unbinds one", async () => {
    const { id, account } = await product.connect("sign-in");
    type Held = { readonly openid: { readonly access_tokens: readonly { account: string; bound_to: string }[] } };
    const isBound = async () => {
      const { openid } = (await world.admin("/holdings")) as Held;
      return openid.access_tokens.filter((token) => token.account === account).map((token) => token.bound_to !== "");
    };
    const call = { method: "GET", url: `https://${HOST}/me` };
    const asked = () => product.call("POST", `/v1/connections/${id}/token`, { call });
    await product.enter("sign-in", "openid", { ...settings, dpop: "required" });
    await world.advance(31_000);
    // This one is good for a while yet, and for whoever has it: what it is, is what is said.
    expect((await asked()).body).toMatchObject({ token_type: "Bearer" });
    expect(await isBound()).toEqual([false]);
    await world.advance(HOUR);
    expect((await asked()).body).toMatchObject({ token_type: "DPoP", proof: expect.stringMatching(/^ey/) });
    expect(await isBound()).toEqual([false, true]);
    await product.enter("sign-in", "openid", settings);
    await world.advance(HOUR);
    expect((await product.token(id)).status).toBe(409);
    expect((await asked()).body).toMatchObject({ token_type: "DPoP" });
    expect(await isBound()).toEqual([false, true, true]);
    expect((await product.disconnect(id)).tasks).toMatchObject([{ outcome: "revoked" }]);
    expect(await isBound()).toEqual([]);
  });
});
