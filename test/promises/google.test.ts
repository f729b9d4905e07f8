import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Entry } from "../../dev/customers.ts";
import { DAY, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const STORAGE = "google-cloud-storage";
const BIGQUERY = "google-bigquery";

/** A tenant that enters Google's stores by itself, with the key of a service account. */
describe("a service account's key, through the deployed bundle", () => {
  let world: World;
  let entry: Entry | undefined;
  const put = async (id: string, body: object) => {
    const { status } = await world.api("PUT", `/v1/subprocessors/${id}`, world.key(SLUG), body);
    expect(status).toBeLessThan(300);
  };
  const erase = async (subject: string): Promise<string> => {
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject });
    return (body as RequestShape).id;
  };
  const taskOf = ({ tasks }: RequestShape, id: string) => tasks.find((task) => task.id === `${id}.erase`);
  beforeAll(async () => {
    world = await startWorld();
    entry = world.tenants["isocial-track"]?.subprocessors[STORAGE];
  });
  afterAll(() => world.stop());

  const stored = (name: string, bucket: object, file: string) =>
    world.admin("/seed", {
      vendor: STORAGE,
      buckets: [{ name, ...bucket, objects: [{ name: file, content: `of ${file}` }] }],
    });

  it("[I2 I4] sends nothing with a key that cannot sign, says what to do, and goes on when it has been mended", async () => {
    await stored("mended-uploads", { soft_delete_seconds: 0 }, "users/mia/a");
    const { serviceAccountKey = "", prefix = "" } = entry?.settings ?? {};
    const settings = { serviceAccountKey, prefix, bucket: "mended-uploads" };
    const damaged = serviceAccountKey.replace(/\\n[A-Za-z0-9+/]{8}/, "\\n");
    await put(STORAGE, { ...entry, settings: { ...settings, serviceAccountKey: damaged } });
    const mia = await world.person(SLUG, "mia");
    const before = world.sandbox.recorded().length;
    const id = await erase(mia.id);
    const stuck = await world.until(SLUG, id, (view) => taskOf(view, STORAGE)?.state === "stuck");
    expect(taskOf(stuck, STORAGE)?.reason).toMatch(/cannot sign.*mend it with PUT \/v1\/subprocessors/);
    const asked = world.sandbox.recorded().slice(before);
    expect(asked.filter(({ url }) => url.includes("googleapis.com/token"))).toEqual([]);
    await put(STORAGE, { ...entry, settings });
    const closed = await world.closed(SLUG, id);
    expect(taskOf(closed, STORAGE)).toMatchObject({ outcome: "erased", level: "verified_absent" });
    expect(await world.held("of users/mia/a")).toEqual([]);
  });

  it("[I9] erases what a retention policy keeps on its day, in a request that continues the first", async () => {
    await stored("retained-uploads", { soft_delete_seconds: 0, retention_seconds: 30 * 86_400 }, "users/noa/a");
    await put("google-archive", { ...entry, settings: { ...entry?.settings, bucket: "retained-uploads" } });
    const noa = await world.person(SLUG, "noa");
    const id = await erase(noa.id);
    const closed = await world.closed(SLUG, id);
    expect(taskOf(closed, "google-archive")).toMatchObject({
      outcome: "retained",
      retained: [{ category: "objects_under_retention" }],
    });
    expect(await world.held("of users/noa/a")).not.toEqual([]);
    await world.advance(31 * DAY);
    await world.gateway.sweep();
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    const next = (body as { requests: readonly RequestShape[] }).requests.find(({ continues }) => continues === id);
    const done = await world.closed(SLUG, next?.id ?? "");
    expect(taskOf(done, "google-archive")).toMatchObject({ outcome: "erased", level: "verified_absent" });
    expect(await world.held("of users/noa/a")).toEqual([]);
  });

  it("deletes the rows of people who ask close together in one job, those that were just streamed in a later one", async () => {
    const rows = (id: string) => [{ user_id: id, note: `row of ${id}` }];
    await world.admin("/seed", {
      vendor: BIGQUERY,
      tables: [{ name: "example-project.product.events", rows: rows("ben"), streamed: rows("eve") }],
    });
    await put(BIGQUERY, {
      integration: BIGQUERY,
      settings: {
        serviceAccountKey: entry?.settings.serviceAccountKey,
        project: "example-project",
        location: "EU",
        tables: "product.events:user_id",
      },
      facts: entry?.facts,
    });
    const people = [await world.person(SLUG, "ben"), await world.person(SLUG, "eve")];
    const requests = await Promise.all(people.map(({ id }) => erase(id)));
    for (const id of requests) {
      const closed = await world.closed(SLUG, id);
      expect(taskOf(closed, BIGQUERY)).toMatchObject({
        outcome: "erased",
        retained: [{ category: "time_travel_and_fail_safe" }, { category: "job_history" }],
      });
    }
    expect((await world.held("row of")).filter((path) => path.includes("/tables/"))).toEqual([]);
  });
});
