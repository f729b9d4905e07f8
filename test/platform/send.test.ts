import { createHash } from "node:crypto";
import { calculateJwkThumbprint, EmbeddedJWK, importJWK, jwtVerify } from "jose";
import { describe, expect, it, vi } from "vitest";
import { get, postForm, type Sign } from "../../src/contract/call.ts";
import { sender } from "../../src/platform/send.ts";
import { binding } from "../integrations/samples/kit.ts";

const sending = (url: string, ...forbidden: readonly string[]) =>
  sender(
    () => Promise.resolve(new Response("{}")),
    () => 0,
    forbidden,
  )(get({ url, template: url }, {}));

it.each([
  "https://gate.example/",
  "https://GATE.example/",
  "https://gate.example./",
  "https://gate.example../",
  "https://store.example/",
  "http://other.example/",
  "https://other.example:8443/",
])("[I13] does not call %s, whatever dots stand at the end of the name", async (url) => {
  expect(await sending(url, "gate.example", "store.example.")).toMatchObject({
    ok: false,
    problem: { reason: "forbidden_address" },
  });
});

it("calls other hosts", async () => {
  expect(await sending("https://other.example/", "gate.example")).toMatchObject({ ok: true, value: { status: 200 } });
});

it("[I10] bounds each call's time with few timers, however many calls begin at once", async () => {
  const timers = vi.spyOn(AbortSignal, "timeout");
  let now = 1_000;
  const signals: (AbortSignal | null | undefined)[] = [];
  const send = sender(
    async (_, init) => {
      signals.push(init?.signal);
      return new Response("{}");
    },
    () => now,
    [],
  );
  for (const at of [1_000, 1_000, 1_099, 1_100, 1_199, 500]) {
    now = at;
    await send(get({ url: "https://other.example/", template: "https://other.example/" }, {}));
  }
  expect(signals.map((signal) => signal?.aborted)).toEqual(signals.map(() => false));
  expect(new Set(signals).size).toBe(3);
  expect(timers).toHaveBeenCalledTimes(3);
  timers.mockRestore();
});

describe("a proof of possession", () => {
  const AT = "https://server.example/oauth/token";
  const AUDIENCE = "https://server.example";
  const nonce = (status: number, more: Readonly<Record<string, string>>, body = "") =>
    new Response(body, { status, headers: { "dpop-nonce": "nonce-1", ...more } });
  const asked = {
    "an authorization server": () => nonce(400, {}, '{"error": "use_dpop_nonce"}'),
    "a resource server": () => nonce(401, { "www-authenticate": 'DPoP algs="ES256", error="use_dpop_nonce"' }),
  };
  const { key, client } = binding;
  const { d: _, ...publicKey } = key;
  const { d: __, ...clientKey } = client.key;

  /** What left, and the answer. */
  async function sent(replies: readonly (() => Response)[], sign: Omit<Extract<Sign, { scheme: "dpop" }>, "scheme">) {
    const requests: Request[] = [];
    const send = sender(
      async (input, init) => {
        requests.push(new Request(input, init));
        return replies[requests.length - 1]?.() ?? Response.error();
      },
      () => Date.now(),
      [],
    );
    const call = postForm({ url: `${AT}?b=1#c`, template: AT }, {}, [["a", "b"]], {
      sign: { scheme: "dpop", ...sign },
    });
    const got = await send(call);
    const proofs = await Promise.all(
      requests.map(({ headers }) => jwtVerify(headers.get("dpop") ?? "", EmbeddedJWK, { typ: "dpop+jwt" })),
    );
    return { requests, got, proofs };
  }

  it("is made for one call, with the key's public half", async () => {
    const { requests, proofs } = await sent([() => new Response("{}")], { key, accessToken: "token-1" });
    const [request] = requests;
    const [proof] = proofs;
    expect(request?.headers.get("authorization")).toBe("DPoP token-1");
    expect(await request?.text()).toBe("a=b");
    expect(proof?.protectedHeader.jwk).toEqual(publicKey);
    expect(proof?.payload).toEqual({
      jti: expect.any(String),
      htm: "POST",
      htu: AT,
      iat: expect.any(Number),
      ath: createHash("sha256").update("token-1").digest("base64url"),
    });
  });

  it.each(Object.entries(asked))("is made anew with the nonce that %s asks for, once", async (_, ask) => {
    const { requests, proofs, got } = await sent([ask, () => new Response("{}")], {
      key,
      client: { ...client, audience: AUDIENCE },
    });
    expect(got).toMatchObject({ ok: true, value: { status: 200 } });
    expect(proofs.map(({ payload }) => payload.nonce)).toEqual([undefined, "nonce-1"]);
    expect(new Set(proofs.map(({ payload }) => payload.jti)).size).toBe(2);
    const forms = await Promise.all(requests.map(async (each) => new URLSearchParams(await each.text())));
    const assertions = forms.map((form) => form.get("client_assertion") ?? "");
    expect(new Set(assertions).size).toBe(2);
    for (const [at, form] of forms.entries()) {
      expect(form.get("a")).toBe("b");
      expect(form.get("client_id")).toBe(client.id);
      const key = await importJWK(clientKey, "ES256");
      const { payload, protectedHeader } = await jwtVerify(assertions[at] ?? "", key, { audience: AUDIENCE });
      expect(protectedHeader.kid).toBe(await calculateJwkThumbprint(clientKey));
      expect(payload).toMatchObject({ iss: client.id, sub: client.id, jti: expect.any(String) });
    }
    const again = await sent([ask, ask, () => new Response("{}")], { key });
    expect(again.requests).toHaveLength(2);
    expect(again.got).toMatchObject({ ok: true, value: { status: ask().status } });
  });

  it("is not made anew for another refusal, nor for a call without one", async () => {
    const other = () => nonce(400, {}, '{"error": "invalid_grant"}');
    expect((await sent([other, () => new Response("{}")], { key })).requests).toHaveLength(1);
    let calls = 0;
    const send = sender(
      async () => {
        calls++;
        return asked["an authorization server"]();
      },
      () => 0,
      [],
    );
    await send(get({ url: AT, template: AT }, {}));
    expect(calls).toBe(1);
  });
});
