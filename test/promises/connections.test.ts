import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { dump } from "../support/dump.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const HOST = "id.example.com";

type Connection = {
  readonly id: string;
  readonly status: string;
  readonly scopes: readonly string[];
  readonly account?: { readonly type: string; readonly value: string };
  readonly expires_at?: string;
  readonly tokens_given: { readonly count: number; readonly last_to?: string };
  readonly ended?: { readonly outcome: string; readonly request: string };
};

/** The whole life of a grant, against a real OpenID provider. */
describe("connections, through the deployed bundle", () => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await startWorld();
    const { body } = await call("GET", "/v1/policy");
    const { version: _, ...before } = body as Record<string, unknown>;
    expect((await call("PUT", "/v1/policy", { ...before, return_addresses: [RETURN_TO] })).status).toBe(200);
    await enter("sign-in");
  });
  afterAll(() => world.stop());

  const call = (method: string, path: string, body?: unknown) => world.api(method, path, world.key(SLUG), body);

  async function enter(id: string, more: { readonly rotates?: boolean } = {}) {
    const settings = { issuer: `https://${HOST}`, clientId: "quittance", clientSecret: "a secret of the tests" };
    const entered = await call("PUT", `/v1/subprocessors/${id}`, { integration: "openid", settings });
    expect(entered.status, JSON.stringify(entered.body)).toBeLessThan(300);
    const n = /:(\w+)$/.exec([...(await dump(world)).keys()].find((key) => key.startsWith("t:")) ?? "")?.[1];
    const { body } = await call("GET", `/v1/subprocessors/${id}`);
    const redirect = (body as { readonly oauth?: { readonly redirect_uri: string } }).oauth?.redirect_uri;
    expect(redirect, `tenant ${n}`).toBeDefined();
    await world.admin("/seed", {
      vendor: "openid",
      client_id: "quittance",
      client_secret: "a secret of the tests",
      redirect_uris: [redirect],
      ...more,
    });
  }

  const begin = async (subprocessor = "sign-in", returnTo = `${RETURN_TO}?tab=accounts`) => {
    const { status, body } = await call("POST", "/v1/connections", { subprocessor, return_to: returnTo });
    expect(status, JSON.stringify(body)).toBe(201);
    return (body as { readonly start_url: string }).start_url;
  };

  /** A person connects their account, and the product confirms it. */
  async function connect(subject = `person-${++people}`, account = `acct-${subject}`) {
    const landed = await newBrowser(world).signIn(await begin(), account);
    const connection = landed.url.searchParams.get("connection") ?? "";
    const code = landed.url.searchParams.get("code") ?? "";
    expect(landed.url.href, landed.text).toContain("connection=con_");
    const { status, body } = await call("POST", `/v1/connections/${connection}/confirm`, { code, subject });
    expect(status, JSON.stringify(body)).toBe(200);
    return { id: connection, code, subject, account, shown: body as Connection };
  }

  const shown = async (id: string) => (await call("GET", `/v1/connections/${id}`)).body as Connection;
  const token = (id: string) => call("POST", `/v1/connections/${id}/token`, {});
  const tokenOf = async (id: string) => ((await token(id)).body as { readonly access_token: string }).access_token;
  const userinfo = async (accessToken: string) =>
    (
      await world.sandbox.fetch(
        new Request(`https://${HOST}/me`, { headers: { authorization: `Bearer ${accessToken}` } }),
      )
    ).status;

  it("connects an account, and gives the product an access token that the provider takes", async () => {
    const { id, shown: connection, account } = await connect();
    expect(connection).toMatchObject({
      status: "active",
      scopes: ["openid"],
      account: { type: "openid.subject", value: account },
      tokens_given: { count: 0 },
    });
    const given = await token(id);
    expect(given.status).toBe(200);
    expect(given.body).toMatchObject({ token_type: "Bearer", scopes: ["openid"] });
    expect(await userinfo((given.body as { readonly access_token: string }).access_token)).toBe(200);
    expect((await shown(id)).tokens_given).toMatchObject({ count: 1, last_to: expect.stringMatching(/^key_/) });
    expect((await call("GET", "/v1/subjects/person-1/connections")).body).toMatchObject({ connections: [{ id }] });
  });

  it("[I6] holds no token, code or account in the open", async () => {
    const { id, account, code } = await connect();
    const accessToken = await tokenOf(id);
    const all = JSON.stringify([...(await dump(world))]);
    for (const secret of [accessToken, account, code]) expect(all).not.toContain(secret);
  });

  it("revokes at the provider what the product disconnects, probes the dead token, and destroys it here", async () => {
    const { id } = await connect();
    const accessToken = await tokenOf(id);
    const { status, body } = await call("DELETE", `/v1/connections/${id}`);
    expect(status).toBe(202);
    expect((await token(id)).status).toBe(409);
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
    expect(await shown(id)).toMatchObject({ status: "ended", ended: { outcome: "revoked", request: closed.id } });
    const left = (await dump(world)).get([...(await dump(world)).keys()].find((key) => key.endsWith(id)) ?? "");
    expect(JSON.stringify(left)).not.toContain("v1.");
  });

  it("revokes all that a person has granted when they are erased", async () => {
    const subject = `person-${++people}`;
    const [one, two] = [await connect(subject, "first-account"), await connect(subject, "second-account")];
    const tokens = [await tokenOf(one.id), await tokenOf(two.id)];
    const { body } = await call("POST", "/v1/requests", { type: "erasure", subject });
    const request = (body as { readonly id: string }).id;
    await world.until(SLUG, request, ({ tasks }) =>
      tasks.some((task) => task.id === "sign-in.revoke" && task.state === "ended"),
    );
    for (const each of tokens) expect(await userinfo(each)).toBe(401);
    for (const each of [one, two]) expect(await shown(each.id)).toMatchObject({ status: "ended" });
  });

  it("revokes what nobody confirms within ten minutes", async () => {
    const landed = await newBrowser(world).signIn(await begin(), "nobody");
    const id = landed.url.searchParams.get("connection") ?? "";
    expect(await shown(id)).toMatchObject({ status: "unconfirmed" });
    expect((await token(id)).status).toBe(409);
    await world.advance(11 * 60_000);
    await world.gateway.sweep();
    await expect
      .poll(
        async () => {
          await world.advance(15_000);
          await world.gateway.sweep();
          return (await shown(id)).status;
        },
        { timeout: 10_000 },
      )
      .toBe("ended");
    const code = landed.url.searchParams.get("code") ?? "";
    expect((await call("POST", `/v1/connections/${id}/confirm`, { code, subject: "late" })).status).toBe(409);
  });

  it("renews a token ahead of its end, once for all who ask at once, and never with a used refresh token", async () => {
    const { id } = await connect();
    const before = await tokenOf(id);
    await world.advance(HOUR - 30_000);
    const calls = () =>
      world.sandbox
        .recorded()
        .filter(({ url, body }) => url === `https://${HOST}/token` && body.includes("refresh_token"));
    const made = calls().length;
    const given = await Promise.all(Array.from({ length: 20 }, () => tokenOf(id)));
    expect(calls().length - made).toBe(1);
    const [fresh] = new Set(given.filter((each) => each !== before));
    expect(fresh).toBeDefined();
    expect(await tokenOf(id)).toBe(fresh);
    await world.advance(DAY);
    expect(await tokenOf(id)).not.toBe(fresh);
    expect(await shown(id)).toMatchObject({ status: "active" });
  });
});
