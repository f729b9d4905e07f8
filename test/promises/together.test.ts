import { compactVerify, createRemoteJWKSet } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR, type Person, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const VENDORS = ["stripe", "meta", "openai"] as const;
/** Longer than any of this takes before the clock is moved on purpose. */
const LEASE = HOUR;

describe("what is worked together, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  const ask = async (subject: string): Promise<RequestShape> => {
    const { status, body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject });
    expect(status).toBe(202);
    return body as RequestShape;
  };
  const planned = ({ tasks }: RequestShape) => tasks.length > 0;
  /** What changes something at a vendor and names the person. */
  const changes = (person: Person) =>
    world.sandbox
      .recorded()
      .filter(({ vendor, method }) => VENDORS.some((each) => each === vendor) && method !== "GET")
      .map(({ method, url, body }) => `${method} ${decodeURIComponent(url)} ${body}`)
      .filter((call) => [person.id, person.facebookId].some((word) => call.includes(word)));
  const receipt = async (id: string) => {
    const { body } = await world.api("GET", `/v1/receipts/${id}`, world.key(SLUG));
    const keys = createRemoteJWKSet(new URL(`${world.url}/.well-known/jwks.json`));
    const { payload } = await compactVerify((body as { receipt: string }).receipt, keys, { algorithms: ["Ed25519"] });
    return JSON.parse(new TextDecoder().decode(payload)) as { request: string; received_at: string; sub: unknown };
  };
  /** Nobody's lane is worked until its vendor's credential is mended: another person's request finds it refused. */
  const asleep = async (name: string) => {
    for (const vendor of VENDORS) await world.admin(`/faults/${vendor}`, { kind: "unauthorized" }, "PUT");
    const first = await ask((await world.person(SLUG, name)).id);
    await world.until(
      SLUG,
      first.id,
      ({ tasks }) => tasks.filter(({ reason }) => reason?.includes("PUT /v1/subprocessors")).length === VENDORS.length,
    );
    for (const vendor of VENDORS) await world.admin(`/faults/${vendor}`, undefined, "DELETE");
    return first;
  };

  it("[I3] asks each vendor once for two requests of one person that met before either was begun, with a receipt each", async () => {
    const other = await asleep("opens");
    const ada = await world.person(SLUG, "ada");
    const first = await ask(ada.id);
    await world.until(SLUG, first.id, planned);
    const second = await ask(ada.id);
    await world.until(SLUG, second.id, planned);
    expect(second.id).not.toBe(first.id);
    expect(changes(ada), "the lanes rest").toEqual([]);

    const closed = [await world.closed(SLUG, first.id), await world.closed(SLUG, second.id)];
    expect(closed.map(({ complete }) => complete)).toEqual([true, true]);
    const calls = changes(ada);
    expect(calls.toSorted()).toEqual([...new Set(calls)].toSorted());
    const alone = await world.person(SLUG, "alone");
    await world.closed(SLUG, (await ask(alone.id)).id);
    expect(calls.length, "as many as for one request").toBe(changes(alone).length);
    expect(calls.length).toBeGreaterThan(0);

    const [one, two] = [await receipt(first.id), await receipt(second.id)];
    expect([one.request, two.request]).toEqual([first.id, second.id]);
    expect(two.sub, "[I7] a receipt's references are its own").not.toEqual(one.sub);
    await world.closed(SLUG, other.id);
  });

  it("[I3] asks again for a request that came when the first had been begun, which is then found to be done", async () => {
    const bob = await world.person(SLUG, "bob");
    for (const vendor of VENDORS)
      await world.admin(`/faults/${vendor}`, { kind: "server_error", status: 503, count: 1 }, "PUT");
    const first = await ask(bob.id);
    await world.until(
      SLUG,
      first.id,
      ({ tasks }) => tasks.filter(({ attempts }) => attempts > 0).length >= VENDORS.length,
    );
    const second = await ask(bob.id);
    const closed = [await world.closed(SLUG, first.id), await world.closed(SLUG, second.id)];
    expect(closed.map(({ complete }) => complete)).toEqual([true, true]);
    for (const { id } of closed) expect((await receipt(id)).request).toBe(id);
  });

  it("[I4] ends one of two by hand, and the other goes on to its own end", async () => {
    const other = await asleep("opens2");
    const cid = await world.person(SLUG, "cid");
    const requests = [await ask(cid.id), await ask(cid.id)];
    for (const { id } of requests) await world.until(SLUG, id, planned);
    const [first, second] = requests;
    const done = { outcome: "manual_done", reason: "deleted in the dashboard" };
    await world.api("POST", `/v1/requests/${first?.id}/tasks/openai.erase/complete`, world.key(SLUG), done);
    const ends = async (id = "") =>
      (await world.closed(SLUG, id)).tasks.find(({ id: task }) => task === "openai.erase")?.outcome;
    expect(await ends(first?.id)).toBe("manual_done");
    expect(await ends(second?.id)).toBe("erased");
    await world.closed(SLUG, other.id);
  });

  it("[I10] keeps off a lane that another run is at, and takes it over when that run's lease has ended", async () => {
    const dan = await world.person(SLUG, "dan");
    await world.redis.raw(["HSET", "o:1:openai", "~o", `elsewhere ${world.gateway.now() + LEASE}`]);
    const { id } = await ask(dan.id);
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(({ state }) => state === "ended").length >= 3);
    const calls = () =>
      world.sandbox
        .recorded()
        .filter(({ vendor, body, url }) => vendor === "openai" && `${url} ${body}`.includes("dan"));
    const early = calls();
    expect(early).toEqual([]);
    expect((await world.closed(SLUG, id)).complete).toBe(true);
    expect(calls()).not.toEqual([]);
  });

  it("[I6 I10] works no holder's lane while the tenant has all its runs, and its own steps all the same", async () => {
    const eve = await world.person(SLUG, "eve");
    const ends = String(world.gateway.now() + LEASE);
    await world.redis.raw(["ZADD", "k:1", ...Array.from({ length: 8 }, (_, at) => [ends, `1:elsewhere${at}`]).flat()]);
    const before = world.sandbox.recorded().length;
    const { id } = await ask(eve.id);
    await world.until(SLUG, id, planned);
    expect(world.sandbox.recorded()).toHaveLength(before);
    expect((await world.closed(SLUG, id)).complete, "whoever does not come back gives its place up").toBe(true);
  });
});
