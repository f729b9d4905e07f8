import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { dump } from "../support/dump.ts";
import { startWorld, type World } from "../support/world.ts";

const SLUG = "imai";
const HOST = "idp.transmitter.example";
const ISSUER = `https://${HOST}/tenant`;
const AUDIENCE = "https://product.example.com/signals";
const PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
const PATH = "/v1/subprocessors/idp/stream";

type View = {
  readonly stream?: { readonly id: string; readonly delivery: string; readonly endpoint?: string };
  readonly audience_fits?: boolean;
  readonly verification: { readonly state: string; readonly asked_at?: string; readonly last_verified_at?: string };
  readonly status?: { readonly status: string };
  readonly polling?: { readonly active: boolean; readonly last_polled_at?: string; readonly problem?: string };
};
type Held = {
  readonly delivery: string;
  readonly status: string;
  readonly waiting: readonly string[];
  readonly acknowledged: readonly string[];
  readonly reported: Readonly<Record<string, string>>;
};
type Requests = {
  readonly requests: readonly { readonly id: string; readonly source: string; readonly status: string }[];
};
type Push = { readonly authorization: string | null; readonly content_type: string; readonly body: string };

describe("a stream of security events, from its set-up to its end, through the deployed bundle", () => {
  let world: World;
  const settings = {
    issuer: ISSUER,
    keys: `https://${HOST}/ssf/key-set`,
    audience: AUDIENCE,
    tokenEndpoint: `https://${HOST}/oauth/token`,
    clientId: "quittance",
    clientSecret: "dev_client_secret",
    authorization: "Bearer dev_push_secret",
  };

  beforeAll(async () => {
    world = await startWorld();
    const client = { id: settings.clientId, secret: settings.clientSecret };
    await world.admin("/seed", { vendor: "transmitter", host: HOST, audience: AUDIENCE, client });
    await enter(settings);
    const policy = customers.find(({ slug }) => slug === SLUG)?.policy;
    const authority = { "idp/events": { account_deleted: "everywhere" } };
    await world.api("PUT", "/v1/policy", world.key(SLUG), { ...policy, authority });
  });
  afterAll(() => world.stop());

  const enter = async (values: object, status = "active") => {
    const put = await world.api("PUT", "/v1/subprocessors/idp", world.key(SLUG), {
      integration: "shared-signals",
      settings: values,
      status,
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
  };
  const manage = async (action: object, status = 200) => {
    const answer = await world.api("POST", PATH, world.key(SLUG), action);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    return answer.body as View;
  };
  const view = async () => (await world.api("GET", PATH, world.key(SLUG))).body as View;
  const held = async (): Promise<Held> => {
    const all = (await world.admin("/holdings")) as { transmitter: Record<string, Record<string, Held>> };
    const [stream] = Object.values(all.transmitter[HOST] ?? {});
    if (stream === undefined) throw new Error("the transmitter has no stream");
    return stream;
  };
  const subject = (sub: string) => ({ format: "iss_sub", iss: ISSUER, sub });
  const tell = async (event: object) => (await world.admin(`/transmitter/${HOST}/events`, event)) as readonly string[];
  const purge = (sub: string, more: object = {}) => tell({ event: PURGED, subject: subject(sub), ...more });
  const link = async (id: string, sub: string) => {
    await world.person(SLUG, id);
    const identity = { type: "shared-signals.subject", value: `${ISSUER}#${sub}` };
    const put = await world.api("PUT", `/v1/subjects/${id}`, world.key(SLUG), { identities: [identity] });
    expect(put.status, JSON.stringify(put.body)).toBeLessThan(300);
  };
  const requests = async () =>
    ((await world.api("GET", "/v1/requests", world.key(SLUG))).body as Requests).requests.filter(
      ({ source }) => source === "idp/events",
    );
  const polls = () =>
    world.sandbox
      .recorded()
      .filter(({ url, method }) => method === "POST" && url.includes("/ssf/poll/"))
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const until = async (done: () => boolean | Promise<boolean>, stepMs = 61_000) => {
    for (let round = 0; round < 30; round++) {
      await world.advance(stepMs);
      await world.gateway.sweep();
      for (let wait = 0; wait < 30; wait++) {
        if (await done()) return;
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    }
    throw new Error(`it never came to that: ${JSON.stringify(await view())}`);
  };

  it("is set up at the transmitter, with what its configuration says and no more than it needs", async () => {
    expect(await view()).toEqual({ verification: { state: "never" } });
    const made = await manage({ action: "create", delivery: "poll", description: "Quittance" });
    expect(made).toMatchObject({
      stream: {
        delivery: "poll",
        endpoint: expect.stringContaining(`https://${HOST}/ssf/poll/`),
        audience: [AUDIENCE],
      },
      audience_fits: true,
      polling: { active: true },
    });
    // The first poll may come at any time from now on.
    const isSetUp = ({ hostname, pathname }: URL) => hostname === HOST && !pathname.startsWith("/ssf/poll/");
    const asked = world.sandbox.recorded().filter(({ url }) => isSetUp(new URL(url)));
    expect(asked.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
      "GET /.well-known/ssf-configuration/tenant",
      "POST /oauth/token",
      "POST /ssf/streams",
    ]);
    expect(asked[0]?.headers.authorization, "discovery needs no credential").toBeUndefined();
    expect(JSON.parse(asked[2]?.body ?? "")).toEqual({
      events_requested: expect.arrayContaining([PURGED]),
      delivery: { method: "urn:ietf:rfc:8936" },
      description: "Quittance",
    });
    await manage({ action: "create" }, 409);
  });

  it("[I1] is polled each minute, and a deleted account is acknowledged only once its request is durable", async () => {
    await link("ada", "sub-ada");
    const [jti = ""] = await purge("sub-ada");
    expect((await held()).waiting).toEqual([jti]);
    await until(async () => (await held()).acknowledged.includes(jti));
    const [first, second] = polls().slice(-2);
    expect(first).toEqual({ maxEvents: 50, returnImmediately: true });
    expect(second).toEqual({ maxEvents: 50, returnImmediately: true, ack: [jti] });
    const [request] = await requests();
    const closed = await world.closed(SLUG, request?.id ?? "");
    expect(closed.complete).toBe(true);
    expect(closed.tasks.map(({ subprocessor, outcome }) => `${subprocessor} ${outcome}`).toSorted()).toEqual([
      "customers erased",
      "google-cloud-storage retained",
      "profiles erased",
    ]);
    expect((await view()).polling).toEqual({
      active: true,
      last_tried_at: expect.any(String),
      last_polled_at: expect.any(String),
    });
  });

  it("[I2 I3] is delivered again where the store was away between the poll and the record: one request", async () => {
    await link("bob", "sub-bob");
    const before = (await requests()).length;
    const [jti = ""] = await purge("sub-bob");
    await world.admin("/faults/transmitter", { kind: "slow", ms: 400, count: 1, match: "/ssf/poll/" }, "PUT");
    const asked = polls().length;
    await world.advance(61_000);
    await world.gateway.sweep();
    for (let wait = 0; wait < 200 && polls().length === asked; wait++)
      await new Promise((done) => setTimeout(done, 10));
    expect(polls().length).toBe(asked + 1);
    world.redis.outage(true);
    await new Promise((done) => setTimeout(done, 2500));
    expect((await held()).waiting, "nothing was acknowledged").toEqual([jti]);
    world.redis.outage(false);
    expect((await requests()).length).toBe(before);
    await until(async () => (await held()).acknowledged.includes(jti));
    expect((await requests()).length).toBe(before + 1);
  });

  it("[I3] knows by its jti what comes again because its acknowledgement was lost", async () => {
    await link("eve", "sub-eve");
    const before = (await requests()).length;
    const [jti = ""] = await purge("sub-eve");
    // The first poll is answered, the one that acknowledges never arrives.
    await world.admin(
      "/faults/transmitter",
      [
        { kind: "slow", ms: 0, match: "/ssf/poll/" },
        { kind: "drop_before", match: "/ssf/poll/" },
      ],
      "PUT",
    );
    await until(async () => (await held()).acknowledged.includes(jti));
    expect(polls().filter(({ ack }) => JSON.stringify(ack)?.includes(jti)).length).toBeGreaterThan(1);
    expect((await requests()).length).toBe(before + 1);
    await world.admin("/faults/transmitter", undefined, "DELETE");
  });

  it("is verified: the event with our state is shown, and none with another", async () => {
    const asked = await manage({ action: "verify" });
    expect(asked.verification).toEqual({ state: "awaited", asked_at: expect.any(String) });
    await until(async () => (await view()).verification.last_verified_at !== undefined);
    expect((await view()).verification.state).toBe("verified");
    const name = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    const [jti = ""] = await tell({ event: name, subject: subject("s"), details: { state: "somebody else's" } });
    await until(async () => (await held()).reported[jti] !== undefined);
    expect((await held()).reported[jti]).toBe("invalid_state");
  });

  it("[I5] reports what does not prove itself, after minutes, and nothing of it has happened", async () => {
    const before = (await requests()).length;
    const jtis = [
      ...(await purge("sub-x", { tamper: true })),
      ...(await purge("sub-x", { claims: { aud: "https://other.example.com" } })),
      ...(await purge("sub-x", { claims: { iss: `${ISSUER}/` } })),
      ...(await purge("sub-x", { claims: { sub_id: { format: "iss_sub" } } })),
    ];
    await until(async () => (await held()).waiting.length === 0);
    const { reported } = await held();
    expect(jtis.map((jti) => reported[jti])).toEqual([
      "invalid_key",
      "invalid_audience",
      "invalid_issuer",
      "invalid_request",
    ]);
    expect((await requests()).length).toBe(before);
    const kept = (await world.api("GET", "/v1/deliveries", world.key(SLUG))).body as { deliveries: readonly object[] };
    expect(kept.deliveries).toMatchObject([{ subprocessor: "idp", endpoint: "events", at: "sub_id" }]);
  });

  it("stops and goes on, and says how it stands", async () => {
    const paused = await manage({ action: "status", status: "paused", reason: "maintenance" });
    expect(paused.status).toMatchObject({ status: "paused" });
    expect((await manage({ action: "status" })).status).toMatchObject({ status: "paused" });
    expect((await manage({ action: "status", status: "enabled" })).status).toMatchObject({ status: "enabled" });
  });

  it("is pushed instead, with the agreed secret, and says to a known sender what does not fit", async () => {
    await until(async () => (await held()).waiting.length === 0);
    const pushed = await manage({ action: "update", delivery: "push" });
    expect(pushed).toMatchObject({ stream: { delivery: "push" }, polling: { active: false } });
    const push = async (more: object, headers?: (sent: Push) => Record<string, string>) => {
      await purge("sub-push", more);
      const sent = ((await world.admin("/events?vendor=transmitter")) as readonly Push[]).at(-1);
      if (sent === undefined) throw new Error("nothing was pushed");
      const answer = await fetch(`${world.url}/hooks/${SLUG}/idp/events`, {
        method: "POST",
        headers: {
          "content-type": sent.content_type,
          ...(headers?.(sent) ?? { authorization: sent.authorization ?? "" }),
        },
        body: sent.body,
      });
      const text = await answer.text();
      const err = text === "" ? undefined : (JSON.parse(text) as { err: string }).err;
      return [answer.status, err, answer.headers.get("content-language")];
    };
    expect(await push({})).toEqual([202, undefined, null]);
    expect(await push({}, () => ({}))).toEqual([400, "authentication_failed", "en"]);
    expect(await push({ claims: { aud: "https://other.example.com" } })).toEqual([400, "invalid_audience", "en"]);
    expect(await push({ claims: { iss: `${ISSUER}/` } })).toEqual([400, "invalid_issuer", "en"]);
    expect(await push({ tamper: true })).toEqual([400, "invalid_key", "en"]);
    expect(await push({ tamper: true }, () => ({ authorization: "Bearer x" }))).toEqual([
      400,
      "authentication_failed",
      "en",
    ]);
    expect(await push({ claims: { sub_id: "x" } })).toEqual([400, "invalid_request", "en"]);
    const asked = polls().length;
    await world.advance(5 * 60_000);
    await world.gateway.sweep();
    expect(polls().length, "it is polled no more").toBe(asked);
  });

  it("[I13] sends its credentials nowhere but to the issuer's origin, or the one that the operator named", async () => {
    const calls = world.sandbox
      .recorded()
      .filter(({ headers }) => headers.authorization?.startsWith("Bearer ") === true);
    const hosts = new Set(calls.filter(({ url }) => url.includes("/ssf/")).map(({ url }) => new URL(url).hostname));
    expect([...hosts]).toEqual([HOST]);
  });

  it("[I7] is deleted, and nothing of it is left in the open", async () => {
    expect((await manage({ action: "delete" })).stream).toBeUndefined();
    const stored = JSON.stringify([...(await dump(world))]);
    for (const text of ["sub-ada", "dev_client_secret", "dev_push_secret"]) expect(stored).not.toContain(text);
    await manage({ action: "verify" }, 409);
    const other = await world.api("GET", PATH, world.key("socra"));
    expect(other.status).toBe(404);
  });

  it("is polled at an address that was entered by hand, says what is wrong there, and stops when it is retired", async () => {
    await enter({ ...settings, poll: `https://${HOST}/ssf/poll/none` });
    await until(async () => (await view()).polling?.problem !== undefined);
    expect([...(await dump(world)).keys()].filter((name) => /^l:\w+:idp$/.test(name))).toHaveLength(1);
    expect((await view()).polling).toMatchObject({ active: true, problem: "unforeseen 404" });
    await enter({ ...settings, poll: `https://${HOST}/ssf/poll/none` }, "retired");
    expect((await view()).polling).toMatchObject({ active: false });
    const lanes = async () => [...(await dump(world)).keys()].filter((name) => /^l:\w+:idp$/.test(name));
    await until(async () => (await lanes()).length === 0);
  });
});
