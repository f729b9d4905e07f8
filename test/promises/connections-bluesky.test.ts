import { createLocalJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { connecting, grantsAt } from "../support/connecting.ts";
import { dump } from "../support/dump.ts";
import { DAY, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const ADA = { did: "did:plc:aaaaaaaaaaaaaaaaaaadayda", handle: "ada.example.org" };
const EVE = { did: "did:plc:aaaaaaaaaaaaaaaaaaaevexx" };
/** Who has no name of their own has one of the network's. */
const EVES_HANDLE = "aaaevexx.bsky.social";

/** People connect where their account lies, by what they call themselves; the tokens are bound to keys that stay here. */
describe("connections in the AT Protocol, through the deployed bundle", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("bluesky", "bluesky", { scopes: "transition:generic" });
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    await world.admin("/seed", { vendor: "bluesky", accounts: [ADA, EVE] });
    before = (await recorded()).length;
  });

  type Recorded = { readonly url: string; readonly method: string; readonly body: string; readonly status: number };
  /** All of a file's requests are judged in the end, so none is dropped between its tests. */
  let before = 0;
  const recorded = async () => (await world.admin("/requests")) as readonly Recorded[];
  const made = async (path: string) => {
    return (await recorded()).slice(before).filter(({ url }) => new URL(url).pathname === path);
  };
  const ending = async (site: string, as: string) =>
    (await newBrowser(world).signIn(await product.begin("bluesky", { site }), as)).url.searchParams.get("error");

  it("serves the tenant's client, and the public half of the key by which it proves itself", async () => {
    const reply = await fetch(`${world.url}/oauth/client-metadata/${SLUG}.json`, { redirect: "error" });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/json"]);
    const document = (await reply.json()) as Readonly<Record<string, unknown>>;
    expect(document).toMatchObject({
      client_id: `${world.url}/oauth/client-metadata/${SLUG}.json`,
      redirect_uris: [`${world.url}/oauth/bluesky/callback`],
      scope: "atproto transition:generic",
      dpop_bound_access_tokens: true,
      token_endpoint_auth_method: "private_key_jwt",
      jwks_uri: `${world.url}/oauth/jwks/${SLUG}.json`,
    });
    const keys = () => fetch(String(document.jwks_uri)).then((answer) => answer.json());
    const { keys: [key] = [] } = (await keys()) as { readonly keys?: readonly object[] };
    expect(Object.keys(key ?? {}).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    expect(await keys()).toEqual({ keys: [key] });
    for (const path of ["client-metadata/nobody", "jwks/nobody", "client-metadata/socra", "jwks/socra"])
      expect((await fetch(`${world.url}/oauth/${path}.json`)).status, path).toBe(404);
  });

  it.each([
    ["a name of their own", ADA.handle, ADA.did],
    ["a name of the network's", EVES_HANDLE, EVE.did],
    ["their DID", EVE.did, EVE.did],
  ])("connects a person who gives %s", async (_, site, account) => {
    const { id, shown } = await product.connect("bluesky", { account, site });
    expect(shown.account).toEqual({ type: "bluesky.did", value: account });
    const [authorize] = (await made("/oauth/authorize")).map(({ url }) => new URL(url).searchParams);
    expect([...(authorize?.keys() ?? [])].toSorted()).toEqual(["client_id", "request_uri"]);
    const { status, body } = await product.token(id);
    expect([status, JSON.stringify(body)]).toEqual([409, expect.stringContaining("DPoP")]);
    expect((await product.shown(id)).tokens_given.count).toBe(0);
    await product.disconnect(id);
  });

  it("gives a product a token with the proof for one call to the account's host, and never the key", async () => {
    const { id } = await product.connect("bluesky", { account: ADA.did, site: ADA.handle });
    const url = "https://morel.us-east.host.bsky.network/xrpc/com.atproto.server.getSession";
    const given = async (call: object) => product.call("POST", `/v1/connections/${id}/token`, { call });
    type Given = { readonly access_token: string; readonly token_type: string; readonly proof: string };
    const called = async (address: string, nonce?: string) => {
      const { status, body } = await given({ method: "GET", url, ...(nonce !== undefined && { nonce }) });
      expect(status, JSON.stringify(body)).toBe(200);
      const { access_token, token_type, proof } = body as Given;
      expect(JSON.stringify(body)).not.toContain('"d":');
      const headers = { authorization: `${token_type} ${access_token}`, dpop: proof };
      return world.sandbox.fetch(new Request(address, { headers }));
    };
    const first = await called(url);
    const nonce = first.headers.get("dpop-nonce") ?? "";
    expect([first.status, nonce]).toEqual([401, expect.stringMatching(/./)]);
    const second = await called(url, nonce);
    expect([second.status, await second.json()]).toEqual([200, { did: ADA.did, handle: ADA.handle, active: true }]);
    for (const elsewhere of [
      "https://bsky.social/oauth/token",
      "https://evil.example/",
      "http://morel.us-east.host.bsky.network/",
    ])
      expect((await given({ method: "GET", url: elsewhere })).status).toBe(422);
    expect((await product.shown(id)).tokens_given.count).toBeGreaterThanOrEqual(2);
    await product.disconnect(id);
  });

  it("tells the product's page where there is nobody of this name, and when another person comes back", async () => {
    expect(await ending("nobody.example.net", ADA.did)).toBe("account_unknown");
    expect(await ending(ADA.handle, EVE.did)).toBe("account_unknown");
    // What the other person granted is given back.
    expect(await grantsAt(world, "bluesky", EVE.did)).toEqual([]);
  });

  it("asks for no more than the client's document says", async () => {
    const { body } = await product.call("POST", "/v1/connections", {
      subprocessor: "bluesky",
      return_to: RETURN_TO,
      site: ADA.handle,
      scopes: ["atproto", "transition:email"],
    });
    const { start_url: start } = body as { readonly start_url: string };
    expect((await newBrowser(world).signIn(start, ADA.did)).url.href).toBe(`${RETURN_TO}?error=invalid_scope`);
  });

  it("needs to be told who it is", async () => {
    for (const site of [{}, { site: "ada" }, { site: "https://ada.example.org" }]) {
      const wish = { subprocessor: "bluesky", return_to: RETURN_TO, ...site };
      const { status, body } = await product.call("POST", "/v1/connections", wish);
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ field: "site", expected: "the person's handle or DID" }] });
    }
  });

  it("renews with a proof of the same key, and ends a day after the person ended it at their server", async () => {
    const { id } = await product.connect("bluesky", { account: ADA.did, site: ADA.handle });
    await world.advance(DAY);
    await world.gateway.sweep();
    await expect
      .poll(async () => (await made("/xrpc/com.atproto.server.getSession")).map(({ status }) => status))
      .toEqual([401, 200]);
    const renewals = (await made("/oauth/token")).filter(({ body }) => body.includes("grant_type=refresh_token"));
    // The first is asked for a nonce.
    expect(renewals.map(({ status }) => status)).toEqual([400, 200]);
    expect((await product.shown(id)).status).toBe("active");
    await world.admin(`/bluesky/accounts/${ADA.did}`, { status: "deleted", told: null }, "PUT");
    await world.advance(DAY);
    await product.until(id, "ended");
  });

  it("revokes with both proofs, and has the server refuse what is dead", async () => {
    const { id } = await product.connect("bluesky", { account: ADA.did, site: ADA.handle });
    const closed = await product.disconnect(id);
    const [task] = closed.tasks.filter(({ subprocessor }) => subprocessor === "bluesky");
    expect(task).toMatchObject({ action: "revoke", outcome: "revoked" });
    expect(task?.evidence?.map(({ host, path, status }) => [host, path, status])).toEqual([
      ["bsky.social", "/oauth/revoke", 200],
      ["bsky.social", "/oauth/revoke", 200],
      ["bsky.social", "/oauth/token", 400],
    ]);
    expect(await grantsAt(world, "bluesky", ADA.did)).toEqual([]);
    const keys = createLocalJWKSet(await (await fetch(`${world.url}/oauth/jwks/${SLUG}.json`)).json());
    for (const { body } of await made("/oauth/revoke"))
      await jwtVerify(new URLSearchParams(body).get("client_assertion") ?? "", keys, {
        audience: "https://bsky.social",
        currentDate: new Date(world.gateway.now()),
      });
  });

  it("[I7] keeps tokens and keys sealed, and says no name", async () => {
    const { id } = await product.connect("bluesky", { account: ADA.did, site: ADA.handle });
    const stored = JSON.stringify([...(await dump(world))]);
    for (const open of [/\bkty\b/, /\b[ar]t_[\w-]{24}/, ADA.did, ADA.handle]) expect(stored.match(open)).toBeNull();
    await product.disconnect(id);
  });
});
