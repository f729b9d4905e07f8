import { describe, expect, it } from "vitest";
import { at, bearer, type Call, cameToNothing, del, endpointAt, get, type Reply } from "../../src/contract/call.ts";
import type { Identity } from "../../src/contract/identity.ts";
import {
  absent,
  defineIntegration,
  type Order,
  type Residual,
  type SingleAction,
  type Steps,
} from "../../src/contract/integration.ts";
import {
  type Answer,
  accepted,
  erased,
  found,
  informed,
  notFound,
  notYet,
  retained,
  revoked,
  type Sight,
} from "../../src/contract/outcome.ts";
import { dnsLabel, endpoint, type Settings, secret } from "../../src/contract/settings.ts";
import { parseRequestId } from "../../src/ids.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { type Attempt, drive, type Job } from "../../src/lanes/drive.ts";
import { STUCK_AFTER } from "../../src/lanes/lane.ts";
import { type Cursor, firstCursor } from "../../src/lanes/order.ts";
import type { SendProblem } from "../../src/ports.ts";
import { fail, ok, type Result } from "../../src/result.ts";
import { type Played, replyOf } from "../support/play.ts";

const START = Date.parse("2026-11-21T09:00:00Z");
const SOURCE = "https://acme.example/docs";
const REQUEST = parseRequestId(`req_11${"a".repeat(32)}`)?.id;
if (REQUEST === undefined) throw new Error("a request's id");

const ada = { type: "email", value: "ada@example.com" };
const adaToo = { type: "email", value: "ada.lovelace@example.com" };
const contact = (value: string) => ({ type: "acme.contact", value });

const address = (value: string) => at`https://api.acme.example/contacts/${{ contact: value }}`;
const erasing = (reply: Reply): Answer =>
  reply.status === 404
    ? notFound
    : reply.status === 204
      ? erased
      : { outcome: "unforeseen", status: reply.status, what: "odd" };

/** Deletes what it is given. */
const plain: Partial<SingleAction<Settings>> = {
  *run({ identity }) {
    return erasing(yield del(address(identity.value), bearer("key")));
  },
};

type Scripted = Played | { readonly problem: SendProblem };
type Setup = {
  readonly action?: Partial<SingleAction<Settings>>;
  readonly residuals?: readonly Residual[];
  readonly keeps?: Job["payload"]["keeps"];
  readonly identities?: readonly Identity[];
};

/** One order, tried as often as the test says, against answers in the order in which they come. */
function setup({ action = plain, residuals = [], keeps = {}, identities = [ada] }: Setup = {}) {
  const calls: Call[] = [];
  const random = 0;
  let now = START;
  let turns = 0;
  let answers: readonly Scripted[] = [];
  const whole: SingleAction<Settings> = {
    source: SOURCE,
    by: ["email", "acme.contact"],
    each: "identity",
    run: () => never(),
    ...action,
  };
  const integration = defineIntegration<Settings>({
    id: "acme",
    name: "Acme",
    about: "Holds contacts.",
    origins: ["https://api.acme.example", "https://{label}.acme.example"],
    settings: { apiKey: secret("API key"), url: endpoint("Address"), label: dnsLabel("Label") },
    identities: { "acme.contact": "Contact id" },
    hooks: absent("none", SOURCE),
    oauth: absent("none", SOURCE),
    actions: { erase: whole, revoke: absent("none", SOURCE) },
    residuals,
    retainable: [],
    limits: { connections: 1 },
  });
  const job: Job & { readonly action: SingleAction<Settings> } = {
    payload: {
      request: REQUEST ?? never(),
      task: {
        id: "acme.erase",
        subprocessor: "acme",
        integration: "acme",
        action: "erase",
        attempts: 0,
        due_at: "2026-12-21T23:59:59.999Z",
        state: "queued",
      },
      receivedAt: "2026-11-20T09:00:00.000Z",
      deadline: START,
      keeps,
      frees: [],
      key: "",
      sealed: "",
    },
    cursor: firstCursor(identities),
    integration,
    action: whole,
    settings: { apiKey: "secret key", url: "https://privacy.example.com/erasure", label: "mine" },
    turn: async () => {
      turns++;
    },
    until: START + 24 * 3_600_000,
    salt: "salt",
  };
  const send = async (call: Call): Promise<Result<Reply, SendProblem>> => {
    const [next, ...rest] = answers;
    if (next === undefined) throw new Error(`no answer is left for ${call.method} ${call.at.template}`);
    answers = rest;
    calls.push(call);
    return "problem" in next ? fail(next.problem) : ok(replyOf(next));
  };
  const ports = {
    send,
    now: () => now,
    random: (count: number) => new Uint8Array(count).fill(random),
    log: () => undefined,
  };
  return {
    calls,
    job,
    lines: () => calls.map(({ method, at: { url } }) => `${method} ${new URL(url).pathname}`),
    wait: (ms: number) => {
      now += ms;
    },
    now: () => now,
    turns: () => turns,
    attempt: (cursor: Cursor, ...replies: readonly Scripted[]): Promise<Attempt> => {
      answers = replies;
      return drive(ports, { ...job, cursor });
    },
    first: (...replies: readonly Scripted[]): Promise<Attempt> => {
      answers = replies;
      return drive(ports, job);
    },
  };
}

function never(): never {
  throw new Error("not in this test");
}

const done = { status: 204 };
const timedOut: Scripted = { problem: { reason: "timed_out", afterMs: 10_000 } };
const again = (attempt: Attempt): number => ("again" in attempt ? attempt.again - START : Number.NaN);
const states = ({ cursor }: Attempt) => cursor.targets.map(({ state }) => state.at);

describe("an attempt that comes to an end", () => {
  it("ends as erased, on the vendor's word, where there is no look", async () => {
    const attempt = await setup().first(done);
    expect(attempt).toMatchObject({ end: { outcome: "erased", level: "deleted_reported" } });
    expect(attempt).not.toHaveProperty("end.retained");
  });

  it("asks for each identity, one after the other", async () => {
    const drove = setup({ identities: [ada, adaToo] });
    expect(await drove.first(done, done)).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.lines()).toEqual([
      "DELETE /contacts/ada%40example.com",
      "DELETE /contacts/ada.lovelace%40example.com",
    ]);
  });

  it("does what can be done of a person's things, and then says which was odd", async () => {
    const drove = setup({ identities: [ada, adaToo, contact("c-1")] });
    const attempt = await drove.first({ status: 418 }, done, done);
    expect(attempt).toMatchObject({ park: "stuck", reason: "odd (status 418)" });
    expect(states(attempt)).toEqual(["todo", "done", "done"]);
    // Told to retry, it asks for the odd one alone.
    expect(await drove.attempt(attempt.cursor, done)).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.lines()).toHaveLength(4);
  });

  it("does the others where a thing of a person's has an id that cannot stand in an address", async () => {
    const drove = setup({ identities: [contact(".."), ada, adaToo] });
    const attempt = await drove.first(done, done);
    expect(attempt).toMatchObject({ park: "stuck", reason: "the integration failed: RangeError" });
    expect(states(attempt)).toEqual(["todo", "done", "done"]);
  });

  it("[I2] looks at what was erased, though another thing of the person's is odd", async () => {
    const action: Partial<SingleAction<Settings>> = {
      ...plain,
      look: {
        afterSeconds: 60,
        *run({ identity }) {
          return (yield get(address(identity.value), bearer("key"))).status === 404 ? "absent" : "present";
        },
      },
    };
    const drove = setup({ action, identities: [ada, adaToo] });
    const attempt = await drove.first({ status: 418 }, done);
    expect(attempt).toMatchObject({ state: "stuck", reason: "odd (status 418)", again: START + 60_000 });
    drove.wait(60_000);
    const looked = await drove.attempt(attempt.cursor, { status: 418 }, { status: 404 });
    expect(looked).toMatchObject({ park: "stuck", reason: "odd (status 418)" });
    expect(states(looked)).toEqual(["todo", "done"]);
  });

  it("is not found only when no identity was", async () => {
    expect(await setup({ identities: [ada, adaToo] }).first({ status: 404 }, { status: 404 })).toMatchObject({
      end: { outcome: "not_found", level: "verified_absent" },
    });
    expect(await setup({ identities: [ada, adaToo] }).first({ status: 404 }, done)).toMatchObject({
      end: { outcome: "erased" },
    });
  });

  it.each<readonly [Answer, object]>([
    [revoked, { outcome: "revoked", level: "revoked" }],
    [{ outcome: "stopped" }, { outcome: "stopped", level: "deleted_reported" }],
    [informed, { outcome: "informed", level: "attested" }],
  ])("[I4] ends %o as what it is", async (answer, end) => {
    const action = answering(() => answer);
    expect(await setup({ action }).first()).toMatchObject({ end });
  });

  it("asks once for the whole person, with all identities, where the action takes them together", async () => {
    const seen: (readonly Identity[])[] = [];
    const action: Partial<SingleAction<Settings>> = {
      ...answering(({ identities }) => {
        seen.push(identities);
        return erased;
      }),
      each: "person",
    };
    expect(await setup({ action, identities: [ada, adaToo] }).first()).toMatchObject({ end: { outcome: "erased" } });
    expect(seen).toEqual([[ada, adaToo]]);
  });

  it("[I4] is not found on the word of a system that is asked for the whole person", async () => {
    const action: Partial<SingleAction<Settings>> = { ...answering(() => notFound), each: "person" };
    expect(await setup({ action }).first()).toMatchObject({
      end: { outcome: "not_found", level: "deleted_reported" },
    });
  });

  it("[I4] is stuck, and not an end, when there is no identity to look with", async () => {
    for (const each of ["identity", "person"] as const)
      expect(await setup({ action: { ...plain, each }, identities: [] }).first()).toMatchObject({
        park: "stuck",
        reason: expect.stringContaining("PUT /v1/subjects"),
      });
  });

  it("gives each step the same idempotency key at every attempt of one epoch", async () => {
    const keys: string[] = [];
    const action = answering(({ idempotencyKey }) => {
      keys.push(idempotencyKey("erase"), idempotencyKey("look"));
      return erased;
    });
    const drove = setup({ action });
    await drove.first();
    await drove.attempt(drove.job.cursor);
    await drove.attempt({ ...drove.job.cursor, epoch: 1 });
    expect(keys[0]).toBe(keys[2]);
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(key.length).toBeLessThanOrEqual(255);
  });
});

describe("[I4] an answer that settles nothing", () => {
  it("is stuck, with the reason, and raises the epoch", async () => {
    const attempt = await setup().first({ status: 418 });
    expect(attempt).toMatchObject({ park: "stuck", reason: "odd (status 418)", cursor: { epoch: 1 } });
  });

  it("keeps what was done for other identities", async () => {
    const drove = setup({ identities: [ada, adaToo] });
    const attempt = await drove.first(done, { status: 418 });
    expect(states(attempt)).toEqual(["done", "todo"]);
    const next = await drove.attempt(attempt.cursor, done);
    expect(next).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.calls).toHaveLength(3);
  });

  it("waits for the holder's own completion where it said that it would complete", async () => {
    const action = answering(() => ({ outcome: "awaits_completion" }));
    expect(await setup({ action }).first()).toMatchObject({ park: "accepted" });
  });

  it("goes on at once, without a failure, when there is more to do", async () => {
    const attempt = await setup({ action: answering(() => ({ outcome: "more" })) }).first();
    expect(attempt).toMatchObject({ again: START, state: "queued", cursor: { fails: 0 } });
  });

  it("lets the lane rest when the vendor says too fast in words of its own", async () => {
    const attempt = await setup({ action: answering(() => ({ outcome: "slow_down", seconds: 300 })) }).first();
    expect(attempt).toMatchObject({ rest: START + 300_000, state: "queued", again: START });
  });

  it("stops the lane when the vendor refuses the credential in words of its own", async () => {
    const action = answering(() => ({ outcome: "unauthorized", status: 400, what: "refused" }));
    expect(await setup({ action }).first()).toMatchObject({ state: "stuck", rest: START + 900_000 });
  });

  it("stops the lane when its key cannot sign, and says what to do, since no repetition helps", async () => {
    const attempt = await setup().first({ problem: { reason: "cannot_sign" } });
    expect(attempt).toMatchObject({ state: "stuck", rest: START + 900_000, cursor: { epoch: 0, fails: 0 } });
    expect(attempt).toHaveProperty(
      "reason",
      expect.stringMatching(/^credential refused: .*cannot sign.*PUT \/v1\/subprocessors$/),
    );
  });
});

describe("[I2] trouble at the vendor", () => {
  it("comes back later after a time-out, and says that it hung", async () => {
    const attempt = await setup().first(timedOut);
    expect(attempt).toMatchObject({ state: "queued", hung: true, reason: "timed out, 1 times", cursor: { fails: 1 } });
    expect(again(attempt)).toBe(2500);
  });

  it.each<SendProblem>([{ reason: "connection_failed" }, { reason: "too_large", maxBytes: 1 }])(
    "comes back later after %o, without having hung",
    async (problem) => {
      const attempt = await setup().first({ problem });
      expect(attempt).toMatchObject({ state: "queued", cursor: { fails: 1 } });
      expect(attempt).not.toHaveProperty("hung");
    },
  );

  it("waits longer after each failure, and is stuck after eight, but is still tried", async () => {
    const drove = setup();
    let cursor = drove.job.cursor;
    const seen: (readonly [number, string])[] = [];
    for (let fails = 1; fails <= 10; fails++) {
      const attempt = await drove.attempt(cursor, timedOut);
      cursor = attempt.cursor;
      seen.push([again(attempt), "state" in attempt ? attempt.state : "ended"]);
    }
    expect(seen.map(([ms]) => ms)).toEqual([
      2500, 5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000,
    ]);
    expect(seen.map(([, state]) => state)).toEqual([
      ...Array(STUCK_AFTER - 1).fill("queued"),
      "stuck",
      "stuck",
      "stuck",
    ]);
  });

  it.each([500, 502, 503, 504, 599, 408])(
    "comes back later after status %i, with a new idempotency key",
    async (status) => {
      const attempt = await setup().first({ status });
      expect(attempt).toMatchObject({
        state: "queued",
        reason: `vendor down (status ${status}), 1 times`,
        cursor: { epoch: 1, fails: 1 },
      });
    },
  );

  it("[I3] keeps the idempotency key after a time-out or a lost connection, whose call may have worked", async () => {
    for (const problem of [timedOut, { problem: { reason: "connection_failed" } } as const])
      expect((await setup().first(problem)).cursor.epoch).toBe(0);
  });

  it("lets the lane rest as long as a vendor in maintenance asks", async () => {
    const attempt = await setup().first({ status: 503, headers: { "retry-after": "600" } });
    expect(attempt.rest).toBe(START + 600_000);
  });

  it.each([
    [{ "retry-after": "120" }, 120_000],
    [{ "Retry-After": "Sat, 21 Nov 2026 09:05:00 GMT" }, 300_000],
    [{}, 30_000],
    [{ "retry-after": "soon" }, 30_000],
  ])("rests after 429 with %o for %i milliseconds, which is no failure", async (headers, ms) => {
    const attempt = await setup().first({ status: 429, headers });
    expect(attempt).toMatchObject({ state: "queued", again: START, rest: START + ms, cursor: { fails: 0, epoch: 0 } });
  });

  it("stops the lane on 401, and names what to mend", async () => {
    const attempt = await setup().first({ status: 401 });
    expect(attempt).toMatchObject({ state: "stuck", rest: START + 900_000 });
    expect("reason" in attempt ? attempt.reason : "").toContain("PUT /v1/subprocessors");
  });

  it("leaves to the integration the statuses that it expects", async () => {
    for (const status of [401, 429, 503]) {
      const action: Partial<SingleAction<Settings>> = {
        *run({ identity }) {
          const reply = yield del(address(identity.value), {}, { expects: [status] });
          return reply.status === status ? notFound : erased;
        },
      };
      expect(await setup({ action }).first({ status })).toMatchObject({ end: { outcome: "not_found" } });
    }
  });

  it("[I3] keeps progress when a later call fails, and does not count it as a failure without progress", async () => {
    const drove = setup({ identities: [ada, adaToo] });
    const before = { ...drove.job.cursor, fails: 7 };
    const attempt = await drove.attempt(before, done, timedOut);
    expect(states(attempt)).toEqual(["done", "todo"]);
    expect(attempt).toMatchObject({ state: "queued", cursor: { fails: 1 } });
    expect(attempt.cursor.evidence).toHaveLength(1);
  });

  it("starts again from the top of an action whose later call failed", async () => {
    const action: Partial<SingleAction<Settings>> = {
      *run({ identity }) {
        yield get(address(identity.value), {});
        return erasing(yield del(address(identity.value), {}));
      },
    };
    const drove = setup({ action });
    const attempt = await drove.first({ status: 200 }, timedOut);
    expect(await drove.attempt(attempt.cursor, { status: 200 }, done)).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.lines().map((line) => line.split(" ")[0])).toEqual(["GET", "DELETE", "GET", "DELETE"]);
  });
});

describe("[I13] where calls may go", () => {
  const calling = (call: Call): Partial<SingleAction<Settings>> => ({
    *run() {
      yield call;
      return erased;
    },
  });

  it.each([
    "https://api.acme.example.evil.example/x",
    "https://evil.example/x",
    "http://api.acme.example/x",
    "https://api.acme.example:8443/x",
    "https://privacy.example.com/other",
    "https://privacy.example.com/erasure/",
    "not an address",
    "https://127.0.0.1/",
  ])("makes no call to %s", async (url) => {
    const drove = setup({ action: calling(get(endpointAt(url), {})) });
    expect(await drove.first()).toMatchObject({ park: "stuck", reason: expect.stringContaining("not allowed") });
    expect(drove.calls).toEqual([]);
  });

  it("calls a customer's own endpoint at exactly the address of its setting", async () => {
    const drove = setup({ action: calling(get(endpointAt("https://privacy.example.com/erasure"), {})) });
    expect(await drove.first({ status: 200 })).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.calls).toHaveLength(1);
  });

  it("calls an origin with one DNS label from a setting, and shows the path in evidence", async () => {
    const contact = at`https://${{ label: "mine" }}.acme.example/contacts/${{ contact: "c1" }}`;
    const attempt = await setup({ action: calling(del(contact, {})) }).first({ status: 200 });
    expect(attempt).toMatchObject({ end: { outcome: "erased" } });
    expect(attempt.cursor.evidence).toMatchObject([{ host: "mine.acme.example", path: "/contacts/{contact}" }]);
  });

  it("fills a label from a text only, and from nothing but one label", () => {
    const { job } = setup();
    const allowed = (host: string, settings: Record<string, string>, origins = job.integration.origins) =>
      isAllowed(get({ url: `https://${host}/x`, template: "" }, {}), {
        integration: { ...job.integration, origins },
        settings: { ...job.settings, ...settings },
      });
    expect(allowed("mine.acme.example", { label: "mine" })).toBe(true);
    expect(allowed("other.acme.example", { label: "mine" })).toBe(false);
    expect(allowed("a.b.acme.example", { label: "a.b" })).toBe(false);
    expect(allowed("mine.acme.example", { apiKey: "mine" }, ["https://{apiKey}.acme.example"])).toBe(false);
  });

  it("calls no endpoint that is not public, even if a setting says so", () => {
    const { job } = setup();
    for (const url of ["http://privacy.example.com/", "https://10.0.0.1/", "https://localhost/", "https://x.internal/"])
      expect(isAllowed(get(endpointAt(url), {}), { ...job, settings: { ...job.settings, url } })).toBe(false);
  });

  it("is stuck when the transport refuses the address, and shows the host only", async () => {
    const attempt = await setup().first({ problem: { reason: "forbidden_address", host: "api.acme.example" } });
    expect(attempt).toMatchObject({ park: "stuck", reason: "calls to api.acme.example are not allowed" });
  });
});

describe("[I10] an integration with a mistake in it", () => {
  it("is stopped after five hundred calls in one run", async () => {
    const action: Partial<SingleAction<Settings>> = {
      *run({ identity }) {
        for (;;) yield get(address(identity.value), {});
      },
    };
    const drove = setup({ action });
    const attempt = await drove.first(...Array<Played>(501).fill({ status: 200 }));
    expect(attempt).toMatchObject({ park: "stuck", reason: expect.stringContaining("500 calls") });
    expect(drove.calls).toHaveLength(500);
  });

  it("is stuck when it throws, by the error's name and without its words", async () => {
    const action: Partial<SingleAction<Settings>> = answering(({ identity }) => {
      throw new TypeError(`cannot read ${identity.value}`);
    });
    expect(await setup({ action }).first()).toMatchObject({
      park: "stuck",
      reason: "the integration failed: TypeError",
    });
  });

  it("is stuck when a value cannot stand in an address", async () => {
    const attempt = await setup({ identities: [{ type: "email", value: ".." }] }).first();
    expect(attempt).toMatchObject({ park: "stuck", reason: "the integration failed: RangeError" });
  });

  it("waits for its turn before each call", async () => {
    const drove = setup({ identities: [ada, adaToo] });
    await drove.first(done, done);
    expect(drove.turns()).toBe(2);
  });

  it("begins no call once its time is up, and comes back", async () => {
    const drove = setup();
    drove.wait(24 * 3_600_000);
    expect(await drove.first()).toMatchObject({ state: "queued", reason: "out of time, 1 times" });
    expect(drove.calls).toEqual([]);
  });

  it("keeps what others have done", async () => {
    const action = answering(({ identity }) => (identity === ada ? erased : never()));
    expect(states(await setup({ action, identities: [ada, adaToo] }).first())).toEqual(["done", "todo"]);
  });
});

describe("[I7] the evidence", () => {
  const reading: Partial<SingleAction<Settings>> = {
    *run({ identity }) {
      for (let page = 0; page < 9; page++)
        yield get(at`https://api.acme.example/search?email=${{ email: identity.value }}`, {});
      return erasing(yield del(address(identity.value), {}));
    },
  };

  it("is the last three calls, and shows the address by its names", async () => {
    const attempt = await setup({ action: reading }).first(
      ...Array<Played>(9).fill({ status: 200, body: "ada@example.com" }),
      done,
    );
    expect(attempt.cursor.evidence).toHaveLength(3);
    expect(attempt.cursor.evidence.at(-1)).toEqual({
      method: "DELETE",
      host: "api.acme.example",
      path: "/contacts/{contact}",
      status: 204,
      at: "2026-11-21T09:00:00Z",
      digest: expect.stringMatching(/^[A-Za-z0-9_-]{12}$/),
    });
    expect(attempt.cursor.evidence[0]?.path).toBe("/search");
    expect(JSON.stringify(attempt.cursor.evidence)).not.toContain("ada");
  });

  it("stays bounded over attempts", async () => {
    const drove = setup();
    let cursor = drove.job.cursor;
    for (let attempt = 0; attempt < 10; attempt++) cursor = (await drove.attempt(cursor, { status: 500 })).cursor;
    expect(cursor.evidence).toHaveLength(3);
  });

  it("names the vendor's own request id, but nothing else that comes in its place", async () => {
    const evidenceOf = async (headers: Record<string, string>) =>
      (await setup().first({ ...done, headers })).cursor.evidence[0];
    expect(await evidenceOf({ "request-id": "req_abc-1" })).toMatchObject({ vendor_request_id: "req_abc-1" });
    expect(await evidenceOf({ "x-request-id": "abc" })).toMatchObject({ vendor_request_id: "abc" });
    for (const odd of ["ada@example.com", "<script>", "a b", "x".repeat(81), ""])
      expect(await evidenceOf({ "request-id": odd })).not.toHaveProperty("vendor_request_id");
  });

  it("has a digest that differs by salt, so that two receipts cannot be compared", async () => {
    const one = setup();
    const digestOf = async (salt: string) =>
      (
        await drive(
          {
            send: async () => ok(replyOf(done)),
            now: one.now,
            random: (count) => new Uint8Array(count),
            log: () => undefined,
          },
          { ...one.job, salt },
        )
      ).cursor.evidence[0]?.digest;
    expect(await digestOf("a")).toBe(await digestOf("a"));
    expect(await digestOf("a")).not.toBe(await digestOf("b"));
  });

  it("notes a refusal too, because it was an answer", async () => {
    expect((await setup().first({ status: 429 })).cursor.evidence).toMatchObject([{ status: 429 }]);
    expect((await setup().first(timedOut)).cursor.evidence).toEqual([]);
  });
});

describe("a search that finds something", () => {
  const searching: Partial<SingleAction<Settings>> = {
    *run({ identity }) {
      if (identity.type === "acme.contact") return erasing(yield del(address(identity.value), {}));
      const reply = yield get(at`https://api.acme.example/search?email=${{ email: identity.value }}`, {});
      return found(reply.text === "" ? [] : reply.text.split(" ").map(contact));
    },
  };

  it("[I3] comes back before anything is touched, so that the find can be made known first", async () => {
    const drove = setup({ action: searching });
    const attempt = await drove.first({ status: 200, body: "c1 c2" });
    expect(attempt).toMatchObject({
      again: START,
      state: "queued",
      cursor: { learned: [contact("c1"), contact("c2")], fails: 0 },
    });
    expect(states(attempt)).toEqual(["gone", "todo", "todo"]);
    expect(drove.lines()).toEqual(["GET /search"]);
  });

  it("then acts on each find, and not on the search again", async () => {
    const drove = setup({ action: searching });
    const attempt = await drove.first({ status: 200, body: "c1 c2" });
    expect(await drove.attempt(attempt.cursor, done, done)).toMatchObject({ end: { outcome: "erased" } });
    expect(drove.lines()).toEqual(["GET /search", "DELETE /contacts/c1", "DELETE /contacts/c2"]);
  });

  it("learns nothing twice, and nothing that was known before", async () => {
    const drove = setup({ action: searching, identities: [ada, adaToo, contact("c1")] });
    const first = await drove.first({ status: 200, body: "c1 c2" });
    const second = await drove.attempt(first.cursor, { status: 200, body: "c2 c3" });
    expect(second.cursor.learned).toEqual([contact("c2"), contact("c3")]);
    expect(second.cursor.targets.map(({ identity }) => identity)).toEqual([
      ada,
      adaToo,
      contact("c1"),
      contact("c2"),
      contact("c3"),
    ]);
  });

  it("is not found when it finds nothing", async () => {
    expect(await setup({ action: searching }).first({ status: 200, body: "" })).toMatchObject({
      end: { outcome: "not_found" },
    });
  });

  it("keeps what it found when a later search fails", async () => {
    const drove = setup({ action: searching, identities: [ada, adaToo] });
    const first = await drove.first({ status: 200, body: "c1" });
    const second = await drove.attempt(first.cursor, timedOut);
    expect(second.cursor.learned).toEqual([contact("c1")]);
    expect(states(second)).toEqual(["gone", "todo", "todo"]);
  });
});

describe("work that was accepted", () => {
  const accepting: Partial<SingleAction<Settings>> = {
    *run({ identity }) {
      const reply = yield del(address(identity.value), {});
      return reply.status === 202 ? accepted(`job-${identity.value}`, 60) : erasing(reply);
    },
    *check(reference) {
      const reply = yield get(at`https://api.acme.example/jobs/${{ job: reference }}`, {});
      return reply.text === "done" ? erased : accepted(reference, 120);
    },
  };

  it("[I4] is not an end: it is asked about at its time", async () => {
    const drove = setup({ action: accepting });
    const attempt = await drove.first({ status: 202 });
    expect(attempt).toMatchObject({ state: "accepted", again: START + 60_000 });
    expect(await drove.attempt(attempt.cursor)).toMatchObject({ state: "accepted", again: START + 60_000 });
    expect(drove.calls).toHaveLength(1);
    drove.wait(60_000);
    expect(await drove.attempt(attempt.cursor, { status: 200, body: "done" })).toMatchObject({
      end: { outcome: "erased" },
    });
    expect(drove.lines().at(-1)).toBe("GET /jobs/job-ada%40example.com");
  });

  it("is asked about again while it is not done, which is no failure", async () => {
    const drove = setup({ action: accepting });
    const first = await drove.first({ status: 202 });
    drove.wait(60_000);
    const second = await drove.attempt(first.cursor, { status: 200, body: "working" });
    expect(second).toMatchObject({ state: "accepted", again: START + 180_000, cursor: { fails: 0 } });
  });

  it("lets other identities go on meanwhile, and asks at the earliest time", async () => {
    const drove = setup({ action: accepting, identities: [ada, adaToo, contact("c1")] });
    const attempt = await drove.first({ status: 202 }, done, { status: 202 });
    expect(states(attempt)).toEqual(["accepted", "done", "accepted"]);
    expect(attempt).toMatchObject({ again: START + 60_000 });
  });

  it("comes back in the holder's time when a look at it fails", async () => {
    const drove = setup({ action: accepting });
    const first = await drove.first({ status: 202 });
    drove.wait(60_000);
    const second = await drove.attempt(first.cursor, timedOut);
    expect(states(second)).toEqual(["accepted"]);
    expect(second).toMatchObject({ state: "queued", hung: true });
  });

  it("is stuck where nothing can ask about it", async () => {
    const { check: _, ...blind } = accepting;
    const drove = setup({ action: blind });
    const first = await drove.first({ status: 202 });
    drove.wait(60_000);
    expect(await drove.attempt(first.cursor)).toMatchObject({ park: "stuck" });
  });

  it("begins anew when told to retry, where the holder's work came to nothing", async () => {
    const drove = setup({
      action: {
        ...accepting,
        *check() {
          yield get(at`https://api.acme.example/jobs`, {});
          return cameToNothing("the job failed");
        },
      },
    });
    const first = await drove.first({ status: 202 });
    drove.wait(60_000);
    const stuck = await drove.attempt(first.cursor, { status: 200 });
    expect(stuck).toMatchObject({ park: "stuck", reason: "the job failed", cursor: { epoch: 1 } });
    expect(await drove.attempt(stuck.cursor, { status: 202 })).toMatchObject({ state: "accepted" });
    expect(drove.lines().map((line) => line.split(" ")[0])).toEqual(["DELETE", "GET", "DELETE"]);
  });

  it("[I4] is not an end either where the action takes the whole person", async () => {
    const drove = setup({ action: { ...accepting, each: "person" } });
    const attempt = await drove.first({ status: 202 });
    expect(attempt).not.toHaveProperty("end");
    expect(attempt).toMatchObject({ state: "accepted", again: START + 60_000 });
  });
});

describe("looking again", () => {
  const looking = (sight: (reply: Reply) => Sight): Partial<SingleAction<Settings>> => ({
    ...plain,
    look: {
      afterSeconds: 60,
      *run({ identity }) {
        return sight(yield get(address(identity.value), {}));
      },
    },
  });
  const honest = looking(({ status }) => (status === 404 ? "absent" : "present"));

  it("[I4] is not erased before a later look has found nothing", async () => {
    const drove = setup({ action: honest });
    const attempt = await drove.first(done);
    expect(attempt).toMatchObject({ state: "queued", again: START + 60_000, reason: "erased; we look again" });
    drove.wait(60_000);
    expect(await drove.attempt(attempt.cursor, { status: 404 })).toMatchObject({
      end: { outcome: "erased", level: "verified_absent", read_back: "all" },
    });
  });

  it("[I4] rests on the vendor's word alone where it cannot look", async () => {
    const drove = setup({ action: looking(() => "no_view") });
    const attempt = await drove.first(done);
    drove.wait(60_000);
    expect(await drove.attempt(attempt.cursor, { status: 200 })).toMatchObject({
      end: { outcome: "erased", level: "deleted_reported", read_back: "none" },
    });
  });

  it("[I4] rests on the vendor's word for all, when one of several could not be looked at", async () => {
    const drove = setup({
      action: looking(({ status }) => (status === 404 ? "absent" : "no_view")),
      identities: [ada, adaToo],
    });
    const attempt = await drove.first(done, done);
    drove.wait(60_000);
    expect(await drove.attempt(attempt.cursor, { status: 404 }, { status: 200 })).toMatchObject({
      end: { level: "deleted_reported", read_back: "part" },
    });
  });

  it("[I4] lifts nothing that the holder was only told of beside what was seen to be gone", async () => {
    const both = {
      ...honest,
      *run({ identity }: Order): Steps<Answer> {
        yield del(address(identity.value), {});
        return identity.value === ada.value ? erased : informed;
      },
    };
    const drove = setup({ action: both, identities: [ada, adaToo] });
    const attempt = await drove.first(done, done);
    drove.wait(60_000);
    expect(await drove.attempt(attempt.cursor, { status: 404 })).toMatchObject({
      end: { outcome: "erased", level: "deleted_reported", read_back: "part" },
    });
  });

  it("says nothing of reading back where nothing was erased", async () => {
    const attempt = await setup({ action: honest }).first({ status: 404 });
    expect(attempt).toMatchObject({ end: { outcome: "not_found" } });
    expect(attempt).not.toHaveProperty("end.read_back");
  });

  it("erases again what is still there", async () => {
    const drove = setup({ action: honest });
    const first = await drove.first(done);
    drove.wait(60_000);
    const second = await drove.attempt(first.cursor, { status: 200 });
    expect(second).toMatchObject({
      state: "queued",
      cursor: { fails: 1 },
      reason: expect.stringContaining("still there"),
    });
    expect(states(second)).toEqual(["todo"]);
    const third = await drove.attempt(second.cursor, done);
    expect(states(third)).toEqual(["look"]);
    expect(drove.lines().map((line) => line.split(" ")[0])).toEqual(["DELETE", "GET", "DELETE"]);
  });

  it("[I2] is stuck, visibly, when a vendor says erased again and again and never is", async () => {
    const drove = setup({ action: honest });
    let attempt = await drove.first(done);
    for (let round = 0; round < STUCK_AFTER; round++) {
      drove.wait(3_600_000);
      attempt = await drove.attempt(attempt.cursor, { status: 200 });
      if ("state" in attempt && attempt.state === "stuck") break;
      drove.wait(3_600_000);
      attempt = await drove.attempt(attempt.cursor, done);
    }
    expect(attempt).toMatchObject({ state: "stuck" });
  });

  it("does not look before its time, when something else brings the order back", async () => {
    const action: Partial<SingleAction<Settings>> = {
      ...honest,
      *run({ identity }) {
        if (identity === adaToo) return found([contact("c1")]);
        return erasing(yield del(address(identity.value), {}));
      },
    };
    const drove = setup({ action, identities: [ada, adaToo] });
    const first = await drove.first(done);
    await drove.attempt(first.cursor, done, done);
    expect(drove.lines().filter((line) => line.startsWith("GET"))).toEqual([]);
  });

  it("[I4] sees nothing in an odd answer to a look", async () => {
    const drove = setup({
      action: looking(({ status }) => ({ outcome: "unforeseen", status, what: "the look was refused" })),
    });
    const first = await drove.first(done);
    drove.wait(60_000);
    expect(await drove.attempt(first.cursor, { status: 403 })).toMatchObject({
      park: "stuck",
      reason: "the look was refused (status 403)",
    });
  });

  it("[I4] is not an end either before the look, where the action takes the whole person", async () => {
    const attempt = await setup({ action: { ...honest, each: "person" } }).first(done);
    expect(attempt).not.toHaveProperty("end");
  });

  it("does not look at what was not found", async () => {
    expect(await setup({ action: honest }).first({ status: 404 })).toMatchObject({ end: { outcome: "not_found" } });
  });
});

describe("[I9] what is kept", () => {
  const rule = { until: "2036-12-31T23:59:59.999Z", ground: "legal_obligation: HGB 257" };
  const keeping = answering(({ identity }) => retained("billing_records", [contact(identity.value)]));

  it("is named with the policy's last day and ground, and owed with its residue", async () => {
    const attempt = await setup({ action: keeping, keeps: { billing_records: rule } }).first();
    expect(attempt).toMatchObject({
      end: { outcome: "retained", level: "retained", retained: [{ category: "billing_records", ...rule }] },
      cursor: { residue: [contact(ada.value)] },
    });
  });

  it("is stuck where the policy has no rule for it", async () => {
    const attempt = await setup({ action: keeping }).first();
    expect(attempt).toMatchObject({ park: "stuck", reason: expect.stringContaining("no rule") });
    expect(attempt.cursor.residue).toEqual([]);
  });

  it.each(["constructor", "__proto__", "toString"])(
    "is stuck where the holder keeps what it calls %s",
    async (category) => {
      const action = answering(() => retained(category, []));
      expect(await setup({ action, keeps: { billing_records: rule } }).first()).toMatchObject({ park: "stuck" });
    },
  );

  it("is named with the vendor's own first day, where the vendor sets it", async () => {
    const action = answering(() => notYet("recent_payments", [contact("c1")], "2027-01-01T00:00:00.000Z", "too new"));
    expect(await setup({ action }).first()).toMatchObject({
      end: { retained: [{ category: "recent_payments", until: "2027-01-01T00:00:00.000Z", ground: "too new" }] },
    });
  });

  it("is said although everything else is erased", async () => {
    const action = answering(({ identity }) => (identity === ada ? erased : retained("billing_records", [])));
    expect(await setup({ action, identities: [ada, adaToo], keeps: { billing_records: rule } }).first()).toMatchObject({
      end: { outcome: "retained", retained: [{ category: "billing_records" }] },
    });
  });

  it("is named once a category, with the residue of each identity", async () => {
    const attempt = await setup({
      action: keeping,
      identities: [ada, adaToo],
      keeps: { billing_records: rule },
    }).first();
    expect("end" in attempt ? attempt.end.retained : []).toEqual([{ category: "billing_records", ...rule }]);
    expect(attempt.cursor.residue).toHaveLength(2);
  });

  it.each([
    ["2027-01-01T00:00:00.000Z", "2027-03-01T00:00:00.000Z"],
    ["2027-03-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  ])("is never said to be gone before the last of it is: %s and %s", async (one, other) => {
    const action = answering(({ identity }) =>
      notYet("recent_payments", [], identity === ada ? one : other, "too new"),
    );
    const attempt = await setup({ action, identities: [ada, adaToo] }).first();
    const untils = ("end" in attempt ? (attempt.end.retained ?? []) : []).map(({ until }) => until);
    expect(untils).toEqual(["2027-03-01T00:00:00.000Z"]);
  });

  it("adds what the holder keeps for a while, whatever we ask, counted from now", async () => {
    const residuals = [{ category: "logs", days: 30, ground: "abuse", source: SOURCE }];
    expect(await setup({ residuals }).first(done)).toMatchObject({
      end: { outcome: "erased", retained: [{ category: "logs", until: "2026-12-21T09:00:00.000Z", ground: "abuse" }] },
    });
    expect(await setup({ residuals }).first({ status: 404 })).not.toHaveProperty("end.retained");
  });
});

/** An action that needs no call to know its answer. */
function answering(answer: (order: Order) => Answer): Partial<SingleAction<Settings>> {
  return {
    // biome-ignore lint/correctness/useYield: it knows its answer.
    *run(order) {
      return answer(order);
    },
  };
}
