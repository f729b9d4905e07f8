import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DAY, HOUR, type Person, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "isocial-track";

/** One call of a vendor for many people, and what may come between call and answer. */
describe("erasing many people with one call, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    await world.admin("/requests", undefined, "DELETE");
    await world.admin("/faults/mixpanel", undefined, "DELETE");
    await world.admin(
      "/mixpanel/settings",
      { pace: { seconds: DAY / 1000 }, ends: "SUCCESS", created: "task_id" },
      "PUT",
    );
  });

  const open = async (person: Person, slug = SLUG): Promise<string> => {
    const reply = await world.api("POST", "/v1/requests", world.key(slug), { type: "erasure", subject: person.id });
    expect(reply.status, JSON.stringify(reply.body)).toBe(202);
    return (reply.body as RequestShape).id;
  };
  const people = (...ids: readonly string[]) => Promise.all(ids.map((id) => world.person(SLUG, id)));
  const idsOf = (all: readonly Person[], slug = SLUG) =>
    all.flatMap(({ id }) => [`$device:${slug}-${id}`, `${slug}-${id}`]).sort();
  const taskOf = ({ tasks }: RequestShape) => tasks.find(({ id }) => id === "mixpanel.erase");
  const until = (request: string, done: (task: RequestShape["tasks"][number] | undefined) => boolean, slug = SLUG) =>
    world.until(slug, request, (seen) => done(taskOf(seen)));
  const isAccepted = (task: RequestShape["tasks"][number] | undefined) => task?.state === "accepted";

  /** The deletion jobs that were asked for, and what became of each call. */
  const asked = (host = "eu.mixpanel.com") =>
    world.sandbox
      .recorded()
      .filter(({ vendor, method, url }) => vendor === "mixpanel" && method === "POST" && new URL(url).host === host)
      .map(({ url, body, status }) => ({
        token: new URL(url).searchParams.get("token"),
        ids: (JSON.parse(body) as { distinct_ids: string[] }).distinct_ids.toSorted(),
        body,
        status,
      }));
  const checks = () =>
    world.sandbox.recorded().filter(({ vendor, method }) => vendor === "mixpanel" && method === "GET");
  /** Mixpanel asks for rest once, so that what comes meanwhile waits. */
  const rests = () =>
    world.admin("/faults/mixpanel", { kind: "rate_limited", retry_after_seconds: 60, count: 1 }, "PUT");
  const throttled = async (first: Person): Promise<string> => {
    await rests();
    const request = await open(first);
    await until(request, (task) => task?.reason?.includes("slow down") === true);
    return request;
  };

  it("[IS-1 I3] asks for one job for people who ask close together, and closes each with a receipt of its own", async () => {
    const all = await people("ann", "ben", "cat");
    const [ann, ...others] = all;
    const requests = [await throttled(ann as Person)];
    for (const person of others) requests.push(await open(person));
    for (const request of requests) await until(request, isAccepted);
    const [refused, ...made] = asked();
    expect(refused).toMatchObject({ status: 429, ids: idsOf([ann as Person]) });
    expect(made).toMatchObject([
      { status: 201, ids: idsOf(all), token: world.setting(SLUG, "mixpanel", "projectToken") },
    ]);

    const begun = world.gateway.now();
    const receipts = new Set<string>();
    for (const [index, request] of requests.entries()) {
      const closed = await world.closed(SLUG, request);
      expect(closed.complete).toBe(true);
      expect(taskOf(closed)).toMatchObject({ outcome: "erased", level: "deleted_reported" });
      const { evidence = [] } = taskOf(closed) ?? {};
      expect(evidence.length).toBeGreaterThan(0);
      expect(new Set(evidence.map((each) => JSON.stringify(each))).size, "each call once").toBe(evidence.length);
      for (const { host, path } of evidence) {
        expect(host).toBe("eu.mixpanel.com");
        expect(path, "neither project token nor job").toMatch(/^\/api\/app\/data-deletions\/v3\.0\/(\{job\})?$/);
      }
      const receipt = await world.api("GET", `/v1/receipts/${request}`, world.key(SLUG));
      receipts.add((receipt.body as { receipt: string }).receipt);
      expect((await world.held(all[index]?.email ?? "")).filter((path) => path.startsWith("/mixpanel"))).toEqual([]);
    }
    expect(receipts.size).toBe(3);
    expect(world.gateway.now() - begun, "a job takes its days").toBeGreaterThan(2 * DAY);
    expect(checks().length, "one question a day for all").toBeLessThanOrEqual(4);
    expect(asked()).toHaveLength(2);
  });

  it("[IS-2] asks for one job for those whose grace windows end together", async () => {
    const all = await people("dan", "eve", "fay");
    const requests = await Promise.all(
      all.map(async ({ id }) => {
        const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "closure", subject: id });
        return (body as RequestShape).id;
      }),
    );
    await world.advance(90 * DAY + HOUR);
    for (const request of requests) await until(request, isAccepted);
    expect(asked().map(({ ids }) => ids)).toEqual([idsOf(all)]);
    for (const request of requests) expect((await world.closed(SLUG, request)).complete).toBe(true);
  });

  it("[I2 I3] repeats the very same call when its answer was lost, and follows the job that it had made", async () => {
    const all = await people("gus", "hal");
    const [gus, hal] = all as [Person, Person];
    await world.admin(
      "/faults/mixpanel",
      [
        { kind: "rate_limited", retry_after_seconds: 60, count: 1 },
        { kind: "drop_after", count: 1 },
      ],
      "PUT",
    );
    const first = await open(gus);
    await until(first, (task) => task?.reason?.includes("slow down") === true);
    const second = await open(hal);
    await until(first, (task) => task?.reason?.includes("connection failed") === true);
    // Whoever comes now is not in the batch, which is repeated as it was.
    const [ivy] = (await people("ivy")) as [Person];
    const third = await open(ivy);
    for (const request of [first, second, third]) await until(request, isAccepted);
    const [, lost, repeated, next] = asked();
    expect(lost?.ids).toEqual(idsOf(all));
    expect(repeated?.body, "the very same call").toBe(lost?.body);
    expect(repeated?.status, "there is a job for these ids").toBe(409);
    expect(next).toMatchObject({ status: 201, ids: idsOf([ivy]) });
    for (const request of [first, second, third]) {
      const closed = await world.closed(SLUG, request);
      expect(taskOf(closed)).toMatchObject({ outcome: "erased" });
      expect(closed.complete).toBe(true);
    }
    expect(asked(), "no second job for anybody").toHaveLength(4);
    for (const { email } of [...all, ivy])
      expect((await world.held(email)).filter((path) => path.startsWith("/mixpanel"))).toEqual([]);
  });

  it("[I2] loses nobody when an answer comes in half", async () => {
    const [joy] = (await people("joy")) as [Person];
    await world.admin("/faults/mixpanel", { kind: "malformed", body: "cut", count: 1 }, "PUT");
    const request = await open(joy);
    await until(request, (task) => task?.state === "stuck");
    await world.api("POST", `/v1/requests/${request}/retry`, world.key(SLUG));
    expect((await world.closed(SLUG, request)).complete).toBe(true);
    expect(
      asked().map(({ status, ids }) => ({ status, ids })),
      "the job that it had made is followed",
    ).toEqual([200, 409].map((status) => ({ status, ids: idsOf([joy]) })));
  });

  it("[IS-2] leaves out whom a legal hold keeps, and takes them when it is lifted", async () => {
    const all = await people("kim", "leo");
    const [kim, leo] = all as [Person, Person];
    const first = await throttled(kim);
    const second = await open(leo);
    await until(second, (task) => task?.state === "queued");
    const { status, body } = await world.api("POST", "/v1/holds", world.key(SLUG), {
      identity: { type: "email", value: leo.email },
      subprocessors: ["mixpanel"],
      reason: "a claim is pending",
      review_at: new Date(world.gateway.now() + 30 * DAY).toISOString(),
    });
    expect(status).toBe(201);
    await until(first, isAccepted);
    await until(second, (task) => task?.state === "stuck" && task.reason?.includes("legal hold") === true);
    expect(asked().map(({ ids }) => ids)).toEqual([idsOf([kim]), idsOf([kim])]);
    expect((await world.closed(SLUG, first)).complete).toBe(true);
    expect((await world.held(leo.email)).filter((path) => path.startsWith("/mixpanel"))).not.toEqual([]);
    await world.api("DELETE", `/v1/holds/${(body as { id: string }).id}`, world.key(SLUG));
    await world.api("POST", `/v1/requests/${second}/retry`, world.key(SLUG));
    expect((await world.closed(SLUG, second)).complete).toBe(true);
    expect(asked().at(-1)?.ids).toEqual(idsOf([leo]));
  });

  it("[I6] mixes no other account of the tenant in, nor another tenant", async () => {
    const project = { projectToken: "0123456789abcdef0123456789abcdef", oauthToken: "dev_second", residency: "IN" };
    await world.admin("/seed", { vendor: "mixpanel", account: project.projectToken, residency: "IN", users: [] });
    const entered = await world.api("PUT", "/v1/subprocessors/mixpanel-apps", world.key(SLUG), {
      integration: "mixpanel",
      settings: project,
      registers_objects: true,
    });
    expect(entered.status).toBeLessThan(300);
    const [mia] = (await people("mia")) as [Person];
    await world.api("POST", `/v1/subjects/${mia.id}/objects`, world.key(SLUG), {
      objects: [{ subprocessor: "mixpanel-apps", type: "mixpanel.distinct_id", id: "app-mia" }],
    });
    const ned = await world.person("cloutmetrics", "ned");
    const [mias, neds] = await Promise.all([open(mia), open(ned, "cloutmetrics")]);
    await until(mias, isAccepted);
    // The tenant has more lanes now than may run at the same time: the last one waits for the sweep.
    await world.until(SLUG, mias, ({ tasks }) => isAccepted(tasks.find(({ id }) => id === "mixpanel-apps.erase")));
    await until(neds, isAccepted, "cloutmetrics");
    expect(asked("eu.mixpanel.com")).toMatchObject([
      { ids: idsOf([mia]), token: world.setting(SLUG, "mixpanel", "projectToken") },
    ]);
    expect(asked("in.mixpanel.com")).toMatchObject([{ ids: ["app-mia"], token: project.projectToken }]);
    expect(asked("mixpanel.com")).toMatchObject([
      { ids: idsOf([ned], "cloutmetrics"), token: world.setting("cloutmetrics", "mixpanel", "projectToken") },
    ]);
    expect((await world.closed(SLUG, mias)).complete).toBe(true);
    expect((await world.closed("cloutmetrics", neds)).complete).toBe(true);
  });

  it("[I4] shows a job that failed, claims nothing, and makes a new one when told to retry", async () => {
    const [oda] = (await people("oda")) as [Person];
    await world.admin("/mixpanel/settings", { ends: "FAILURE", created: "tracking_id" }, "PUT");
    const request = await open(oda);
    const stuck = await until(request, (task) => task?.state === "stuck");
    expect(taskOf(stuck)?.reason).toContain("failed");
    expect(taskOf(stuck)?.outcome).toBeUndefined();
    await world.admin("/mixpanel/settings", { ends: "SUCCESS" }, "PUT");
    await world.api("POST", `/v1/requests/${request}/retry`, world.key(SLUG));
    const closed = await world.closed(SLUG, request);
    expect(taskOf(closed)).toMatchObject({ outcome: "erased" });
    expect(asked()).toHaveLength(2);
    expect((await world.held(oda.email)).filter((path) => path.startsWith("/mixpanel"))).toEqual([]);
  });

  it("[I4] makes a job of its own for a request that came after another's had begun", async () => {
    const [pat] = (await people("pat")) as [Person];
    const first = await open(pat);
    await until(first, isAccepted);
    await world.advance(HOUR);
    // Tracked again under the same ids, by a device that has not heard of it, while the first job works.
    const second = await open(pat);
    await until(second, isAccepted);
    const firstClosed = await world.closed(SLUG, first);
    expect(taskOf(firstClosed)).toMatchObject({ outcome: "erased" });
    const secondClosed = await world.closed(SLUG, second);
    expect(taskOf(secondClosed)).toMatchObject({ outcome: "erased" });
    expect(asked().map(({ status }) => status)).toEqual([201, 409, 201]);
  });

  it("stops when the token is refused, says so, and goes on with a new one", async () => {
    const [quin] = (await people("quin")) as [Person];
    await world.admin("/faults/mixpanel", { kind: "unauthorized" }, "PUT");
    const request = await open(quin);
    const stuck = await until(request, (task) => task?.state === "stuck");
    expect(taskOf(stuck)?.reason).toContain("PUT /v1/subprocessors");
    await world.admin("/faults/mixpanel", undefined, "DELETE");
    await world.api("PUT", "/v1/subprocessors/mixpanel", world.key(SLUG), world.tenants[SLUG]?.subprocessors.mixpanel);
    expect((await world.closed(SLUG, request)).complete).toBe(true);
  });

  it("[I10] keeps to Mixpanel's one request a second", async () => {
    await world.admin("/quotas/mixpanel", { per_second: 1 }, "PUT");
    await world.gateway.waitAtMost(Number.POSITIVE_INFINITY);
    const [ria] = (await people("ria")) as [Person];
    const request = await open(ria);
    expect((await world.closed(SLUG, request)).complete).toBe(true);
    await world.admin("/quotas/mixpanel", undefined, "DELETE");
    expect(world.sandbox.recorded().filter(({ vendor, status }) => vendor === "mixpanel" && status === 429)).toEqual(
      [],
    );
  });
});
