import { createHash, randomUUID } from "node:crypto";
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { connecting } from "../support/connecting.ts";
import { dump } from "../support/dump.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const AT = "https://id.example.com";
const USERINFO = `${AT}/me`;
const SECRET = "a secret of the tests";
const BASIC = `Basic ${btoa("quittance:a+secret+of+the+tests")}`;

/**
 * Tokens that are of no use without a key (RFC 9449), asked for by requests that are pushed (RFC 9126): against a real OpenID provider
 * that demands both of this client, and a nonce of its own in every proof. What became of it is read in the provider's own store.
 */
describe("connections with bound tokens, through the deployed bundle", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  const settings = { issuer: AT, clientId: "quittance", clientSecret: SECRET, dpop: "required" };
  beforeAll(async () => {
    world = await startWorld({
      elsewhere: ({ url }) => (url.startsWith(`${WEAK}/`) ? Promise.resolve(Response.json(WEAK_SELF)) : undefined),
    });
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("sign-in", "openid", settings);
    const { body } = await product.call("GET", "/v1/subprocessors/sign-in");
    const redirect = (body as { readonly oauth: { readonly redirect_uri: string } }).oauth.redirect_uri;
    const client = { client_id: "quittance", client_secret: SECRET, redirect_uris: [redirect] };
    await world.admin("/seed", { vendor: "openid", ...client, dpop_bound: true, pushes: true });
  });
  afterAll(() => world.stop());

  type Held = {
    readonly access_tokens: readonly { readonly account: string; readonly bound_to: string }[];
    readonly refresh_tokens: readonly { readonly account: string; readonly is_used: boolean }[];
    readonly grants: readonly { readonly account: string }[];
  };
  /** What the provider itself knows of an account. */
  const stored = async (account: string) => {
    const { openid } = (await world.admin("/holdings")) as { readonly openid: Held };
    const of = <T extends { readonly account: string }>(rows: readonly T[]) =>
      rows.filter((row) => row.account === account);
    return {
      access: of(openid.access_tokens),
      refresh: of(openid.refresh_tokens),
      grants: of(openid.grants).length,
    };
  };
  const calls = (path: string) => world.sandbox.recorded().filter(({ url }) => url.split("?")[0] === AT + path);
  /** Those of one grant, by the key that it is bound to: others are looked after meanwhile. */
  const renewals = async (account: string) => {
    const key = (await stored(account)).access[0]?.bound_to;
    const asked = calls("/token").filter(({ body }) => body.includes("grant_type=refresh_token"));
    const keys = await Promise.all(asked.map(({ headers }) => keyOf(headers.dpop)));
    return asked.filter((_, index) => keys[index] === key);
  };
  const keyOf = (proof = "") => calculateJwkThumbprint(decodeProtectedHeader(proof).jwk as JWK);

  type Given = { readonly access_token: string; readonly token_type: string; readonly proof: string };
  const given = async (id: string, call: object = { method: "GET", url: USERINFO }) => {
    const { status, body } = await product.call("POST", `/v1/connections/${id}/token`, { call });
    expect(status, JSON.stringify(body)).toBe(200);
    return body as Given;
  };
  const ask = (headers: Readonly<Record<string, string>>, method = "GET") =>
    world.sandbox.fetch(new Request(USERINFO, { method, headers }));
  const withProof = ({ access_token, token_type, proof }: Given) => ({
    authorization: `${token_type} ${access_token}`,
    dpop: proof,
  });
  const nonceNow = async (id: string) => (await ask(withProof(await given(id)))).headers.get("dpop-nonce") ?? "";
  /** What the product does: it asks for a proof, and once more with the nonce that the provider wants. */
  const usable = async (id: string) => given(id, { method: "GET", url: USERINFO, nonce: await nonceNow(id) });

  it("asks for a grant by a request that is pushed, so that the browser's address says nothing of it", async () => {
    const { account, shown } = await product.connect("sign-in");
    expect(shown).toMatchObject({ status: "active", account: { type: "openid.subject", value: account } });
    // The provider wants a nonce first.
    expect(calls("/request").map(({ status }) => status)).toEqual([400, 201]);
    const [left] = calls("/auth").map(({ url }) => new URL(url).searchParams);
    expect([...(left?.keys() ?? [])].toSorted()).toEqual(["client_id", "request_uri"]);
    const tokens = await stored(account);
    expect(tokens).toMatchObject({ access: [{ bound_to: expect.stringMatching(/./) }], grants: 1 });
  });

  it("gives the product a token with the proof for one call, which the provider takes once", async () => {
    const { id, account } = await product.connect("sign-in");
    const { status, body } = await product.token(id);
    expect([status, JSON.stringify(body)]).toEqual([409, expect.stringContaining("DPoP")]);
    expect((await product.shown(id)).tokens_given.count).toBe(0);
    const use = await usable(id);
    expect(use.token_type).toBe("DPoP");
    const first = await ask(withProof(use));
    expect([first.status, await first.json()]).toEqual([200, { sub: account }]);
    expect(decodeProtectedHeader(use.proof).jwk).not.toHaveProperty("d");
    const { access } = await stored(account);
    expect(access).toEqual([{ account, bound_to: await keyOf(use.proof) }]);
    // A replay; another method; another address.
    expect((await ask(withProof(use))).status).toBe(401);
    expect((await ask(withProof(await usable(id)), "POST")).status).toBe(401);
    const elsewhere = await given(id, { method: "GET", url: `${AT}/token`, nonce: await nonceNow(id) });
    expect((await ask(withProof(elsewhere))).status).toBe(401);
    const { status: refused } = await product.call("POST", `/v1/connections/${id}/token`, {
      call: { method: "GET", url: "https://evil.example/me" },
    });
    expect(refused).toBe(422);
  });

  it("[I7] makes a stolen token worth nothing: without its key nobody uses it", async () => {
    const { id } = await product.connect("sign-in");
    const { access_token: stolen } = await given(id);
    const nonce = await nonceNow(id);
    expect((await ask({ authorization: `Bearer ${stolen}` })).status).toBe(401);
    const own = await thief();
    const proof = await own.proof("GET", USERINFO, nonce, stolen);
    const taken = await ask({ authorization: `DPoP ${stolen}`, dpop: proof });
    expect([taken.status, taken.headers.get("www-authenticate")]).toEqual([401, expect.stringContaining("invalid")]);
    expect((await ask(withProof(await usable(id)))).status).toBe(200);
    const all = JSON.stringify([...(await dump(world))]);
    for (const open of [stolen, /\bkty\b/]) expect(all.match(open)).toBeNull();
  });

  it("renews once for all who ask at once, bound to the same key", async () => {
    const { id, account } = await product.connect("sign-in");
    const { access_token: before } = await given(id);
    const bound = (await stored(account)).access[0]?.bound_to;
    await world.advance(HOUR);
    const all = await Promise.all(Array.from({ length: 20 }, () => given(id)));
    const fresh = new Set(all.map((each) => each.access_token));
    expect(fresh.size).toBe(1);
    expect(fresh.has(before)).toBe(false);
    // Asked for a nonce, and then with it.
    expect((await renewals(account)).map(({ status }) => status)).toEqual([400, 200]);
    const { access, refresh } = await stored(account);
    expect(access.map((token) => token.bound_to)).toEqual([bound, bound]);
    expect(refresh.map((token) => token.is_used).toSorted()).toEqual([false, true]);
    expect((await ask(withProof(await usable(id)))).status).toBe(200);
  });

  it("notices that somebody has replayed a used refresh token, by which the provider ends all of the grant", async () => {
    const { id, account } = await product.connect("sign-in");
    await world.advance(HOUR);
    await given(id);
    const used = new URLSearchParams((await renewals(account)).at(-1)?.body).get("refresh_token") ?? "";
    const own = await thief();
    const replayed = await own.token({ grant_type: "refresh_token", refresh_token: used });
    expect(replayed).toEqual([400, "invalid_grant"]);
    expect(await stored(account)).toMatchObject({ access: [], refresh: [] });
    await world.advance(HOUR);
    expect(
      await product.call("POST", `/v1/connections/${id}/token`, { call: { method: "GET", url: USERINFO } }),
    ).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("is over") },
    });
    await product.until(id, "ended");
  });

  it("[I5] takes a callback once, of two that bring it at once as well, and a code is worth nothing to whoever replays it", async () => {
    const browser = newBrowser(world);
    const start = await product.begin("sign-in");
    const { url } = await browser.signIn(start, "replayed", ({ pathname }) =>
      pathname.startsWith("/oauth/openid/callback"),
    );
    const exchanges = () => calls("/token").filter(({ body, status }) => body.includes("code=") && status === 200);
    const made = exchanges().length;
    const both = await Promise.all([browser.open(url.href), browser.open(url.href)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([303, 400]);
    expect((await browser.open(url.href)).status).toBe(400);
    expect(exchanges()).toHaveLength(made + 1);
    expect(await stored("replayed")).toMatchObject({ access: [{}], refresh: [{ is_used: false }] });
    // With all that left for the provider, the secret included, but the key.
    const {
      code = "",
      redirect_uri = "",
      code_verifier = "",
    } = Object.fromEntries(new URLSearchParams(exchanges().at(-1)?.body));
    const own = await thief();
    const form = { grant_type: "authorization_code", code, redirect_uri, code_verifier };
    expect(await own.token(form)).toEqual([400, "invalid_grant"]);
    expect((await stored("replayed")).access.map(({ bound_to }) => bound_to)).not.toContain(await own.thumbprint);
  });

  it("gives back what the product disconnects, and keeps the provider's word that the dead token is dead", async () => {
    const { id, account } = await product.connect("sign-in");
    const use = await usable(id);
    const closed = await product.disconnect(id);
    const [task] = closed.tasks.filter(({ subprocessor }) => subprocessor === "sign-in");
    expect(task).toMatchObject({ action: "revoke", outcome: "revoked", level: "revoked" });
    expect(task?.evidence?.map(({ path, status }) => [path, status])).toEqual([
      ["/token/revocation", 200],
      ["/token/revocation", 200],
      ["/token/introspection", 200],
    ]);
    expect(await stored(account)).toEqual({ access: [], refresh: [], grants: 0 });
    expect((await ask(withProof(use))).status).toBe(401);
    expect(
      (await product.call("POST", `/v1/connections/${id}/token`, { call: { method: "GET", url: USERINFO } })).status,
    ).toBe(409);
  });

  it("looks after a bound grant daily, and ends it a day after it ended at the provider", async () => {
    const { id, account } = await product.connect("sign-in");
    await world.advance(DAY);
    await world.gateway.sweep();
    await expect.poll(async () => (await renewals(account)).map(({ status }) => status)).toEqual([400, 200]);
    const { access_token: token } = await given(id);
    const looks = () =>
      calls("/token/introspection").filter(({ body }) => new URLSearchParams(body).get("token") === token);
    await expect.poll(looks).toHaveLength(1);
    expect((await product.shown(id)).status).toBe("active");
    const refresh = new URLSearchParams((await renewals(account)).at(-1)?.body).get("refresh_token") ?? "";
    const own = await thief();
    // Reuse, which the provider takes for a theft and ends all.
    expect(await own.token({ grant_type: "refresh_token", refresh_token: refresh })).toEqual([400, "invalid_grant"]);
    await world.advance(DAY);
    await product.until(id, "ended");
  });

  it("[I13] shows a code to no other provider than the one that gave it, though another is entered meanwhile", async () => {
    const browser = newBrowser(world);
    const isBack = ({ pathname }: URL) => pathname.startsWith("/oauth/openid/callback");
    const { url } = await browser.signIn(await product.begin("sign-in"), "between two", isBack);
    const { dpop: _, ...unbound } = settings;
    await product.enter("sign-in", "openid", { ...unbound, issuer: WEAK });
    await world.advance(31_000);
    const { headers } = await browser.open(url.href);
    expect(headers.get("location")).toBe(`${RETURN_TO}?error=misconfigured`);
    await product.enter("sign-in", "openid", settings);
    await world.advance(31_000);
  });

  it("sends nobody to a provider that does not say that it takes proofs, and tells the operator why", async () => {
    await product.enter("weak", "openid", { ...settings, issuer: WEAK });
    const wish = { subprocessor: "weak", return_to: RETURN_TO };
    expect(await product.call("POST", "/v1/connections", wish)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("DPoP") },
    });
    const { dpop: _, ...unbound } = settings;
    await product.enter("weak", "openid", { ...unbound, issuer: WEAK });
    await world.advance(31_000);
    expect((await product.call("POST", "/v1/connections", wish)).status).toBe(201);
  });

  /** Somebody who has everything but the key: with one of their own, and proofs by this file's code. */
  async function thief() {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    const proof = (htm: string, htu: string, nonce: string, token?: string) =>
      new SignJWT({
        htm,
        htu,
        nonce,
        jti: randomUUID(),
        ...(token !== undefined && { ath: createHash("sha256").update(token).digest("base64url") }),
      })
        .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk })
        .setIssuedAt()
        .sign(privateKey);
    const post = async (form: Readonly<Record<string, string>>, nonce: string) =>
      world.sandbox.fetch(
        new Request(`${AT}/token`, {
          method: "POST",
          headers: {
            authorization: BASIC,
            "content-type": "application/x-www-form-urlencoded",
            dpop: await proof("POST", `${AT}/token`, nonce),
          },
          body: new URLSearchParams(form).toString(),
        }),
      );
    return {
      proof,
      thumbprint: calculateJwkThumbprint(jwk),
      async token(form: Readonly<Record<string, string>>) {
        const first = await post(form, "made up");
        const reply = await post(form, first.headers.get("dpop-nonce") ?? "");
        return [reply.status, ((await reply.json()) as { readonly error?: string }).error];
      },
    };
  }
});

const WEAK = "https://weak.example.org";

/** A provider that says nothing of proofs. */
const WEAK_SELF = { issuer: WEAK, authorization_endpoint: `${WEAK}/auth`, token_endpoint: `${WEAK}/token` };
