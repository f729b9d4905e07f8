import { describe, expect, it } from "vitest";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { sharedSignals } from "../../integrations/shared-signals.ts";
import type { Call } from "../../src/contract/call.ts";
import { keepPolling, poll } from "../../src/lanes/poll.ts";
import { POLL_ORDER } from "../../src/platform/scripts/poll.ts";
import type { Claimed } from "../../src/platform/store/lanes.ts";
import type { Ports } from "../../src/ports.ts";
import { fail, ok } from "../../src/result.ts";
import { sample } from "../integrations/samples/shared-signals.ts";
import { replyOf } from "../support/play.ts";
import { type Answered, bench, entry, LANE, NOW, n, TIMED_OUT } from "./samples.ts";

const POLL = "https://idp.example.com/poll/s1";
const SESSION = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
const vendor = await newVendorKey();

/** A lane whose transmitter answers in the order that the test says. */
async function lane(settings: object = {}, state: Readonly<Record<string, string>> = {}) {
  const made = await bench();
  const calls: Call[] = [];
  const noted: string[] = [];
  const logged: string[] = [];
  let answers: readonly Answered[] = [];
  let kept: Readonly<Record<string, string>> = state;
  let counted = 0;
  const subprocessor = {
    ...entry("acme"),
    integration: sharedSignals.id,
    settings: { ...sample.settings, poll: POLL, ...settings } as Record<string, string>,
  };
  const context = {
    ...made.context,
    tenant: { ...made.context.tenant, subprocessors: { acme: subprocessor } },
    secrets: async (_: string, name: string) => (name === "clientSecret" ? ["a secret"] : []),
  };
  const ports: Ports = {
    ...made.ports,
    tenants: { bySlug: async () => context, byNumber: async () => context },
    integrations: new Map([[sharedSignals.id, sharedSignals]]),
    keySets: { keys: async () => vendor.keys, text: async () => fail("absent") },
    log: (event, facts) => void logged.push(`${event} ${facts.check ?? facts.reason ?? ""}`),
    send: async (call) => {
      const [next, ...rest] = answers;
      if (next === undefined) throw new Error(`no answer is left for ${call.at.url}`);
      answers = rest;
      calls.push(call);
      return "problem" in next ? fail(next.problem) : ok(replyOf(next));
    },
    store: {
      ...made.ports.store,
      stream: async () => kept,
      streamPolled: async (_, __, problem) => void noted.push(problem),
      keepStreamToken: async (_, __, tk, tu) => {
        kept = { tk, tu: String(tu) };
      },
      countIgnored: async () => void counted++,
      quarantine: async () => true,
      isExpected: async (_, __, given) => given === "ours",
      streamVerified: async () => void noted.push("verified"),
    },
  };
  const order = (cursor = ""): Claimed => ({ id: POLL_ORDER, attempt: 1, payload: "", cursor, learned: [], joint: [] });
  return {
    ports,
    context,
    calls,
    noted,
    logged,
    counted: () => counted,
    bodies: () => calls.filter(({ at }) => at.url === POLL).map(({ body = "" }) => JSON.parse(body) as unknown),
    ask: async (next: readonly Answered[], cursor?: string) => {
      answers = next;
      calls.length = 0;
      const pace = { turn: async () => undefined, until: NOW + 100_000 };
      const told = await poll(ports, context, LANE, order(cursor), pace, () => true);
      expect(answers, "all was asked for").toEqual([]);
      const [settlement] = told.settlements;
      return { ...told, settlement, cursor: settlement?.what === "back" ? settlement.cursor : "" };
    },
  };
}

const token = (jti: string, more: object = {}, event = SESSION) =>
  vendor.token(
    {
      iss: sample.settings.issuer,
      aud: sample.settings.audience,
      iat: NOW / 1000,
      jti,
      sub_id: { format: "opaque", id: "s1" },
      events: { [event]: {} },
      ...more,
    },
    { typ: "secevent+jwt" },
  );
const gives = (sets: object, moreAvailable?: boolean): Answered => ({
  status: 200,
  body: { sets, ...(moreAvailable !== undefined && { moreAvailable }) },
});
const EMPTY = gives({});

describe("what is said in a poll (RFC 8936 section 2)", () => {
  it("asks, acknowledges in the next poll what is durable, and comes back in a minute", async () => {
    const { ask, bodies, calls, counted, noted } = await lane();
    const { settlement, rest } = await ask([gives({ a: await token("a"), b: await token("b") }), EMPTY]);
    expect(bodies()).toEqual([
      { maxEvents: 50, returnImmediately: true },
      { maxEvents: 50, returnImmediately: true, ack: ["a", "b"] },
    ]);
    expect(counted()).toBe(2);
    expect(calls[0]).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      at: { template: "{poll}" },
    });
    expect(settlement).toMatchObject({ what: "back", due: NOW + 60_000 });
    expect([rest, noted]).toEqual([0, [""]]);
  });

  it("reads the standard's own reply, and takes none of its unsigned tokens", async () => {
    const jtis = ["4d3559ec67504aaba65d40b0363faad8", "3d0c3cf797584bd193bd0fb1bd4e7d30"] as const;
    // Section 2.4: both tokens are of the algorithm "none".
    const unsigned = "eyJhbGciOiJub25lIn0.ewogICJqdGkiOiAiNGQzNTU5ZWM2NzUwNGFhYmE2NWQ0MGIwMzYzZmFhZDgiCn0.";
    const sets = { [jtis[0]]: unsigned, [jtis[1]]: unsigned };
    const { ask, bodies, calls } = await lane();
    const first = await ask([gives(sets)]);
    const second = await ask([gives(sets)], first.cursor);
    expect(bodies()).toEqual([{ maxEvents: 50, returnImmediately: true }]);
    expect(second.cursor).not.toContain(jtis[0]);
    await ask([gives(sets), EMPTY], second.cursor);
    const error = { err: "invalid_request", description: "The token does not prove what it has to." };
    expect(bodies()[1]).toEqual({
      maxEvents: 50,
      returnImmediately: true,
      setErrs: { [jtis[0]]: error, [jtis[1]]: error },
    });
    expect(calls[1]?.headers["content-language"]).toBe("en");
  });

  it("asks on while there is more, and ends a long row by acknowledging only", async () => {
    const { ask, bodies } = await lane();
    const rows = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => gives({ [`j${at}`]: await token(`j${at}`) }, true)),
    );
    const { settlement } = await ask([...rows, EMPTY]);
    expect(bodies()).toHaveLength(11);
    expect(bodies().at(-1)).toEqual({ maxEvents: 0, returnImmediately: true, ack: ["j9"] });
    expect(settlement).toMatchObject({ what: "back", due: NOW });
  });

  it("[I10] is not kept at it by one who sends the same again, or more than was asked for", async () => {
    const { ask, bodies, counted } = await lane();
    const sets = Object.fromEntries(
      await Promise.all(Array.from({ length: 60 }, async (_, at) => [`j${at}`, await token(`j${at}`)] as const)),
    );
    await ask([gives(sets, true), gives(sets, true)]);
    expect(counted()).toBe(50);
    expect(bodies()).toHaveLength(2);
  });
});

describe("a token that is not taken", () => {
  it.each([
    ["no text", 7, "invalid_request"],
    ["of another name", token("other"), "invalid_request"],
    ["without a subject", token("a", { sub_id: undefined }, PURGED), "invalid_request"],
  ])("is reported at once: %s", async (_, made, err) => {
    const { ask, bodies } = await lane();
    await ask([gives({ a: await made }), EMPTY]);
    expect(bodies()[1]).toMatchObject({ setErrs: { a: { err } } });
  });

  it("[I2] is asked for again before it is reported, where its proof fails: a key may be on its way", async () => {
    const { ask, bodies, ports, logged } = await lane();
    const stranger = await newVendorKey();
    const keySets = { ...ports.keySets, keys: async () => stranger.keys };
    const found = ports.keySets;
    Object.assign(ports, { keySets });
    const set = gives({ a: await token("a") });
    const first = await ask([set]);
    expect(logged).toEqual(["set_refused bad_signature"]);
    Object.assign(ports, { keySets: found });
    await ask([set, EMPTY], first.cursor);
    expect(bodies()[1]).toMatchObject({ ack: ["a"] });
  });

  it("[I2] is neither acknowledged nor reported while keys cannot be had", async () => {
    const { ask, bodies, ports, noted } = await lane();
    Object.assign(ports, { keySets: { ...ports.keySets, keys: async () => undefined } });
    for (let cursor = "", round = 0; round < 5; round++)
      ({ cursor } = await ask([gives({ a: await token("a") })], cursor));
    expect(bodies()).toEqual([{ maxEvents: 50, returnImmediately: true }]);
    expect(noted.at(-1)).toBe("connection_failed");
  });

  it("is a verification of a state that is not ours", async () => {
    const name = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    const { ask, bodies, noted } = await lane();
    const verification = (jti: string, state?: string) => token(jti, { events: { [name]: { state } } });
    const sets = { a: await verification("a", "ours"), b: await verification("b", "x"), c: await verification("c") };
    await ask([gives(sets), EMPTY]);
    expect(bodies()[1]).toMatchObject({ ack: ["a", "c"], setErrs: { b: { err: "invalid_state" } } });
    expect(noted).toEqual(["verified", "verified", ""]);
  });
});

describe("trouble at the transmitter", () => {
  it.each([
    [TIMED_OUT, "timed_out"],
    [{ status: 503 } as Answered, "vendor_down 503"],
    [{ status: 404 } as Answered, "unforeseen 404"],
    [{ status: 200, body: [] } as Answered, "unforeseen 200"],
  ])("comes back later, never later than in a quarter of an hour: %j", async (answer, reason) => {
    const { ask, noted } = await lane();
    let cursor = "";
    for (let round = 0; round < 12; round++) {
      const asked = await ask([answer], cursor);
      cursor = asked.cursor;
      if (asked.settlement?.what !== "back") throw new Error("the order is gone");
      expect(asked.settlement.due).toBeGreaterThanOrEqual(NOW + 30_000);
      expect(asked.settlement.due).toBeLessThanOrEqual(NOW + 15 * 60_000);
    }
    expect(noted[0]).toBe(reason);
  });

  it("rests where it is asked to, and where its credential is refused", async () => {
    const { ask } = await lane();
    expect((await ask([{ status: 429, headers: { "retry-after": "300" } }])).rest).toBe(NOW + 300_000);
    expect((await ask([{ status: 401 }])).rest).toBeGreaterThan(NOW);
    expect((await ask([{ status: 403 }])).rest).toBeGreaterThan(NOW);
  });

  it("asks for less after an answer that was too large", async () => {
    const { ask, bodies } = await lane();
    const { cursor } = await ask([{ problem: { reason: "too_large", maxBytes: 1 } }]);
    await ask([EMPTY], cursor);
    expect(bodies()).toEqual([{ maxEvents: 12, returnImmediately: true }]);
  });
});

describe("what opens the stream", () => {
  const client = { tokenEndpoint: "https://idp.example.com/token", clientId: "us:1" };
  const issued: Answered = { status: 200, body: { access_token: "token-1", token_type: "Bearer", expires_in: 3600 } };

  it("is had by client credentials, kept sealed until it ends, and had anew where it is refused", async () => {
    const { ask, calls, ports } = await lane(client);
    await ask([issued, EMPTY]);
    expect(calls[0]).toMatchObject({
      at: { url: client.tokenEndpoint },
      headers: { authorization: `Basic ${btoa("us%3A1:a+secret")}` },
      body: "grant_type=client_credentials",
    });
    expect(calls[1]?.headers.authorization).toBe("Bearer token-1");
    await ask([EMPTY]);
    expect(calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer token-1"]);
    expect(JSON.stringify(await ports.store.stream(n, "acme"))).not.toContain("token-1");
    await ask([{ status: 401 }, issued, EMPTY]);
    expect((await ask([{ status: 401 }, issued, { status: 401 }])).rest).toBeGreaterThan(NOW);
  });

  it("is not had from a token endpoint that refuses us", async () => {
    const { ask, noted } = await lane(client);
    await ask([{ status: 400, body: { error: "invalid_client" } }]);
    expect(noted).toEqual(["credential 400"]);
  });
});

describe("the order to poll", () => {
  it("goes when there is nothing to poll any more", async () => {
    for (const change of [{ poll: undefined }, {}]) {
      const { ask, context, bodies } = await lane(change);
      if (!("poll" in change)) Object.assign(context.tenant.subprocessors.acme, { status: "retired" });
      expect((await ask([])).settlement).toMatchObject({ what: "drop" });
      expect(bodies()).toEqual([]);
    }
  });

  it("[I13] is not obeyed at an address that the transmitter named elsewhere", async () => {
    const { ask, context } = await lane();
    const stream = { id: "s1", delivery: "poll", endpoint: "https://evil.example.org/poll", audience: [], events: [] };
    Object.assign(context.tenant.subprocessors.acme, { stream });
    expect((await ask([])).settlement).toMatchObject({ what: "drop" });
  });

  it("[I2] is put back where it was lost, and one tenant's trouble is its own", async () => {
    const { ports, context } = await lane();
    const kept: string[] = [];
    await keepPolling({
      ...ports,
      tenants: {
        ...ports.tenants,
        byNumber: async (number) => {
          if (number === "2") throw new Error("damaged");
          return context;
        },
      },
      store: {
        ...ports.store,
        tenantCount: async () => 3,
        keepPolling: async (lanes) => {
          kept.push(...lanes);
          return [];
        },
      },
    });
    expect(kept).toEqual([LANE, LANE]);
  });
});
