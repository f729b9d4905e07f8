import { describe, expect, it } from "vitest";
import { keySets } from "../../src/platform/key-sets.ts";
import type { ClientCredentials } from "../../src/ports.ts";
import { fail, ok } from "../../src/result.ts";

const ADDRESS = "https://keys.example.com/jwks";
const CERTIFICATE = "https://certs.example.com/one.pem";
const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const jwks = (kid: string) => JSON.stringify({ keys: [{ kty: "RSA", kid, n: "AQAB", e: "AQAB" }] });

/** Time passes while somebody waits. */
const waits = (state: { now: number }) => async (ms: number) => {
  state.now += ms;
  await new Promise((resolve) => setImmediate(resolve));
};

type Answer = Response | "down" | string;

/** A key server whose answer can be changed, and a clock. */
function stand(first: Answer) {
  const state = { now: 1_700_000_000_000, answer: first, asked: [] as string[], logged: [] as string[] };
  const fetcher = async (input: RequestInfo | URL, options?: RequestInit): Promise<Response> => {
    expect(options?.redirect).toBe("manual");
    state.asked.push(String(input));
    if (state.answer === "down") throw new TypeError("connection failed");
    return typeof state.answer === "string" ? new Response(state.answer) : state.answer;
  };
  const sets = keySets(
    fetcher,
    () => state.now,
    (event, facts) => void state.logged.push(`${event} ${JSON.stringify(facts)}`),
    ["gate.example"],
    waits(state),
  );
  const kid = async (isFresh = false, address = ADDRESS) => (await sets.keys(address, isFresh))?.keys[0]?.kid;
  return { state, sets, kid };
}

describe("published keys", () => {
  it("are asked for once an hour, and are one and the same object until then", async () => {
    const { state, sets, kid } = stand(jwks("a"));
    expect(await kid()).toBe("a");
    expect(await sets.keys(ADDRESS, false)).toBe(await sets.keys(ADDRESS, false));
    state.answer = jwks("b");
    state.now += HOUR - 1;
    expect(await kid()).toBe("a");
    state.now += 1;
    expect(await kid()).toBe("b");
    expect(state.asked).toEqual([ADDRESS, ADDRESS]);
  });

  it("are asked for at once where a key is missing, but once a minute at most", async () => {
    const { state, kid } = stand(jwks("a"));
    await kid();
    state.answer = jwks("b");
    expect(await kid(true)).toBe("a");
    state.now += MINUTE - 1;
    expect(await kid(true)).toBe("a");
    state.now += 1;
    expect(await kid(true)).toBe("b");
    for (let again = 0; again < 50; again++) expect(await kid(true)).toBe("b");
    expect(state.asked).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ["nobody answers", "down"],
    ["the server fails", new Response(null, { status: 503 })],
    ["the answer is a page", "<html>"],
    ["the answer holds no key", '{"keys":[]}'],
    ["the answer is another document", '{"keys":{"a":1}}'],
    ["the answer is too large", `{"keys":[],"x":"${"x".repeat(70_000)}"}`],
    ["the answer leads elsewhere", new Response(null, { status: 302, headers: { location: "https://evil.example/" } })],
    ["there is nothing any more", new Response(null, { status: 404 })],
  ])("are used for a day while %s, and then cannot be had", async (_, answer) => {
    const { state, kid } = stand(jwks("a"));
    await kid();
    state.answer = answer;
    state.now += HOUR;
    expect(await kid()).toBe("a");
    expect(await kid(true)).toBe("a");
    expect(state.asked).toHaveLength(2);
    state.now += 23 * HOUR - 1;
    expect(await kid()).toBe("a");
    state.now += 1;
    expect(await kid()).toBeUndefined();
    state.answer = jwks("b");
    state.now += MINUTE;
    expect(await kid()).toBe("b");
    expect(new Set(state.logged).size).toBe(1);
    expect(state.logged[0]).toContain("keys.example.com");
  });

  it("are asked for again a minute after a failure, not before", async () => {
    const { state, kid } = stand("down");
    for (let again = 0; again < 20; again++) expect(await kid(again % 2 === 0)).toBeUndefined();
    expect(state.asked).toHaveLength(1);
    state.answer = jwks("a");
    state.now += MINUTE - 1;
    expect(await kid()).toBeUndefined();
    state.now += 1;
    expect(await kid()).toBe("a");
  });

  it("go on being used by others while one asks for new ones", async () => {
    const { state, sets, kid } = stand(jwks("a"));
    await kid();
    state.now += 2 * HOUR;
    const [one, ...others] = await Promise.all(Array.from({ length: 9 }, () => sets.keys(ADDRESS, false)));
    expect(one?.keys).toHaveLength(1);
    for (const each of others) expect(each?.keys).toHaveLength(1);
    expect(state.asked).toHaveLength(2);
  });
});

describe("of several who need the same answer at once", () => {
  const atOnce = <T>(act: () => Promise<T>) => Promise.all(Array.from({ length: 9 }, act));

  it("one asks, and the others wait for it", async () => {
    const { state, kid } = stand(jwks("a"));
    expect(new Set(await atOnce(() => kid()))).toEqual(new Set(["a"]));
    expect(state.asked).toHaveLength(1);
    state.answer = jwks("b");
    state.now += MINUTE;
    expect(new Set(await atOnce(() => kid(true))), "a key that is not there yet").toEqual(new Set(["b"]));
    expect(state.asked).toHaveLength(2);
  });

  it("none has it where it does not come, and each hears so", async () => {
    const { state, kid } = stand("down");
    expect(new Set(await atOnce(() => kid()))).toEqual(new Set([undefined]));
    expect(state.asked).toHaveLength(1);
  });

  it("nobody waits for longer than a call may last, and one asks anew", async () => {
    const state = { now: 1_700_000_000_000, asked: 0 };
    const never = (): Promise<Response> => {
      state.asked++;
      return new Promise(() => undefined);
    };
    const sets = keySets(
      never,
      () => state.now,
      () => undefined,
      [],
      waits(state),
    );
    const begun = state.now;
    const lost = [sets.keys(ADDRESS, false), sets.keys(ADDRESS, false)];
    for (let turn = 0; turn < 300 && state.asked < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([state.asked, state.now - begun]).toEqual([2, 5_000]);
    expect(lost).toHaveLength(2);
  });

  it("one gets a token, and all get the keys behind it", async () => {
    const { asks, key } = guarded();
    expect(new Set((await atOnce(() => key())).map(({ ok }) => ok))).toEqual(new Set([true]));
    expect([asks("token"), asks("key")]).toEqual([1, 1]);
    const other = guarded();
    let name = 0;
    expect(new Set((await atOnce(() => other.key(`${name++}`))).map(({ ok }) => ok))).toEqual(new Set([true]));
    expect([other.asks("token"), other.asks("key")]).toEqual([1, 9]);
  });
});

describe("certificates", () => {
  it("are given as they came, and told from addresses where there are none", async () => {
    const { state, sets } = stand(PEM);
    expect(await sets.text(CERTIFICATE)).toEqual(ok(PEM));
    for (const [status, why] of [
      [403, "absent"],
      [404, "absent"],
      [410, "absent"],
      [301, "unavailable"],
      [429, "unavailable"],
      [500, "unavailable"],
    ] as const) {
      state.answer = new Response("no", { status });
      expect(await sets.text(`${CERTIFICATE}?${status}`), String(status)).toEqual(fail(why));
      expect(await sets.text(`${CERTIFICATE}?${status}`), "and so again").toEqual(fail(why));
    }
    state.answer = "rubbish";
    expect(await sets.text(`${CERTIFICATE}?rubbish`)).toEqual(fail("unavailable"));
  });

  it("[I13] are asked for at no more than twenty unknown addresses of a host in a minute; what is known stays", async () => {
    const { state, sets } = stand(PEM);
    await sets.text(CERTIFICATE);
    for (let at = 0; at < 1000; at++) {
      state.answer = new Response(null, { status: 404 });
      await sets.text(`https://certs.example.com/${at}.pem`);
    }
    expect(state.asked).toHaveLength(21);
    expect(await sets.text("https://certs.example.com/new.pem")).toEqual(fail("unavailable"));
    expect(await sets.text(CERTIFICATE)).toEqual(ok(PEM));
    state.answer = PEM;
    expect(await sets.text("https://other.example.com/new.pem"), "another host").toEqual(ok(PEM));
    state.now += MINUTE;
    state.answer = PEM;
    expect(await sets.text("https://certs.example.com/new.pem")).toEqual(ok(PEM));
    state.now += 2 * HOUR;
    state.answer = "down";
    expect(await sets.text(CERTIFICATE), "through an outage too").toEqual(ok(PEM));
  });

  it.each([
    "http://certs.example.com/",
    "https://certs.example.com:8443/",
    "https://gate.example/",
    "https://GATE.example./",
  ])("[I13] are not asked for at %s", async (address) => {
    const { state, sets } = stand(PEM);
    expect(await sets.text(address)).toEqual(fail("absent"));
    expect(state.asked).toEqual([]);
  });
});

const KEYS = "https://api.vendor.example/keys";
const TOKENS = "https://login.vendor.example/token";
const PUBLIC = '{"key":"-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"}';
const ours: ClientCredentials = { tokenAddress: TOKENS, scope: "keys", id: "us", secret: "right" };

/** A server of tokens, one of keys behind them, and a clock. Of each credential only the right secret gets a token. */
function guarded() {
  const state = {
    now: 1_700_000_000_000,
    lasts: 7200,
    issued: 0,
    refusing: false,
    tokens: "up" as "up" | "down" | Response,
    /** What the key server answers where the token is good. */
    answer: (address: string): Response =>
      address.endsWith("unknown") ? new Response(null, { status: 404 }) : new Response(PUBLIC),
    asked: [] as string[],
    logged: [] as string[],
  };
  const fetcher = async (input: RequestInfo | URL, options?: RequestInit): Promise<Response> => {
    expect(options?.redirect).toBe("manual");
    expect(options?.signal).toBeDefined();
    const address = String(input);
    const authorization = new Headers(options?.headers).get("authorization") ?? "";
    state.asked.push(`${options?.method ?? "GET"} ${address.slice(0, address.indexOf(".example"))}`);
    if (address === TOKENS) {
      if (state.tokens === "down") throw new TypeError("connection failed");
      if (state.tokens !== "up") return state.tokens;
      expect(options?.body).toBe("grant_type=client_credentials&scope=keys");
      if (!atob(authorization.slice("Basic ".length)).endsWith(":right")) return new Response("{}", { status: 401 });
      state.issued++;
      return Response.json({ access_token: `token-${state.issued}`, expires_in: state.lasts });
    }
    const [, token = 0] = /^Bearer token-(\d+)$/.exec(authorization) ?? [];
    if (Number(token) < 1 || Number(token) > state.issued || state.refusing) return new Response("{}", { status: 401 });
    return state.answer(address);
  };
  const sets = keySets(
    fetcher,
    () => state.now,
    (event, facts) => void state.logged.push(`${event} ${JSON.stringify(facts)}`),
    ["gate.example"],
    waits(state),
  );
  const asks = (what: "token" | "key") =>
    state.asked.filter((each) => each.startsWith(what === "token" ? "POST" : "GET")).length;
  return { state, sets, asks, key: (name = "a", by = ours) => sets.text(`${KEYS}/${name}`, by) };
}

describe("keys behind a token", () => {
  it("are asked for once an hour, with a token that is used until shortly before it ends", async () => {
    const { state, key, asks } = guarded();
    for (let again = 0; again < 5; again++) expect(await key()).toEqual(ok(PUBLIC));
    expect([asks("token"), asks("key")]).toEqual([1, 1]);
    state.now += HOUR;
    expect(await key()).toEqual(ok(PUBLIC));
    expect([asks("token"), asks("key")]).toEqual([1, 2]);
    state.now += HOUR - 5 * MINUTE - 1;
    await key("b");
    expect(asks("token")).toBe(1);
    state.now += 1;
    await key("c");
    expect(asks("token")).toBe(2);
    expect(state.logged).toEqual([]);
  });

  it("need a new token where the old one is taken back, and are used meanwhile", async () => {
    const { state, key, asks } = guarded();
    await key();
    state.refusing = true;
    state.now += HOUR;
    expect(await key()).toEqual(ok(PUBLIC));
    expect(await key("b")).toEqual(fail("unavailable"));
    state.refusing = false;
    state.now += MINUTE;
    expect(await key("b")).toEqual(ok(PUBLIC));
    expect(asks("token")).toBeGreaterThan(1);
  });

  it.each([
    ["nobody answers", "down" as const],
    ["its server fails", new Response(null, { status: 503 })],
    ["there is no such server", new Response(null, { status: 404 })],
    ["the answer is a page", new Response("<html>")],
    ["the answer holds no token", Response.json({ expires_in: 7200 })],
    ["the token could not stand in a header", Response.json({ access_token: "a\r\nb", expires_in: 7200 })],
    ["the answer leads elsewhere", new Response(null, { status: 307, headers: { location: "https://evil.example/" } })],
  ])("cannot be had without a token: %s; it is asked for once a minute", async (_, answer) => {
    const { state, key, asks } = guarded();
    state.tokens = answer;
    for (let again = 0; again < 30; again++) expect(await key(`${again}`)).toEqual(fail("unavailable"));
    expect([asks("token"), asks("key")]).toEqual([1, 0]);
    state.tokens = "up";
    state.now += MINUTE - 1;
    expect(await key()).toEqual(fail("unavailable"));
    state.now += MINUTE;
    expect(await key()).toEqual(ok(PUBLIC));
    expect(state.logged.join()).not.toContain("right");
  });

  it("are kept from whoever has a wrong secret, who spoils nothing for the others", async () => {
    const { state, key, asks } = guarded();
    const wrong = { ...ours, secret: "wrong" };
    expect(await key("a", wrong)).toEqual(fail("unavailable"));
    expect(await key("a", ours), "the same application, with its secret").toEqual(ok(PUBLIC));
    expect(await key("a", wrong), "neither its token nor its keys").toEqual(fail("unavailable"));
    for (let at = 0; at < 50; at++) await key(`${at}-unknown`, { ...ours, id: "flooded" });
    expect(await key("b", ours)).toEqual(ok(PUBLIC));
    expect(asks("token")).toBe(3);
    expect(JSON.stringify(state.logged)).not.toContain("wrong");
  });

  it("[I13] are asked for at no more than twenty unknown addresses in a minute; what is known stays", async () => {
    const { state, key, asks } = guarded();
    await key();
    for (let at = 0; at < 1000; at++) expect((await key(`${at}-unknown`)).ok).toBe(false);
    expect([asks("token"), asks("key")]).toEqual([1, 21]);
    expect(await key("new")).toEqual(fail("unavailable"));
    expect(await key()).toEqual(ok(PUBLIC));
    state.now += MINUTE;
    expect(await key("new")).toEqual(ok(PUBLIC));
  });

  it("are told from addresses where there are none; that a token may not read is no such answer", async () => {
    const { state, key } = guarded();
    for (const [status, why] of [
      [404, "absent"],
      [410, "absent"],
      [400, "unavailable"],
      [403, "unavailable"],
      [429, "unavailable"],
      [500, "unavailable"],
    ] as const) {
      state.answer = () => new Response("no", { status });
      expect(await key(`${status}`), `${status}`).toEqual(fail(why));
    }
    state.answer = () => new Response(PEM);
    expect(await key("certificate"), "another kind of document").toEqual(fail("unavailable"));
  });

  it("[I13] are not asked for at the gateway's own host, nor is a token", async () => {
    const { state, sets, key } = guarded();
    expect((await key("a", { ...ours, tokenAddress: "https://gate.example/token" })).ok).toBe(false);
    expect((await key("a", { ...ours, tokenAddress: "http://login.vendor.example/token" })).ok).toBe(false);
    expect(state.asked).toEqual([]);
    expect((await sets.text("https://gate.example/keys/a", ours)).ok).toBe(false);
    expect(state.asked).toEqual(["POST https://login.vendor"]);
  });
});
