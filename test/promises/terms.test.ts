import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connecting, GOOGLE } from "../support/connecting.ts";
import { DAY, HOUR, type RequestShape, startWorld, type World } from "../support/world.ts";

const SLUG = "imai";

/** X: 24 hours after a person's request. YouTube: 7 days. The law's month is for whoever is known at neither. */
describe("what platforms' terms give a tenant for a person's own request", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("posts-x", "x", {
      consumerSecret: "a".repeat(40),
      clientId: "a-client-id",
      clientSecret: "a-client-secret",
    });
    await product.enter("videos", "youtube", GOOGLE);
  });
  afterAll(() => world.stop());

  type Dated = RequestShape & { readonly tasks: readonly { readonly due_at: string }[] };
  const ask = async (body: object) => {
    const { status, body: shown } = await product.call("POST", "/v1/requests", { type: "erasure", ...body });
    expect(status, JSON.stringify(shown)).toBeLessThan(300);
    const { id } = shown as { readonly id: string };
    return (await world.until(SLUG, id, ({ tasks }) => tasks.length > 0)) as Dated;
  };
  const hoursOf = ({ received_at, due_at }: Pick<RequestShape, "received_at" | "due_at">) =>
    (Date.parse(due_at) - Date.parse(received_at)) / HOUR;

  it("[I8] makes an erasure due by the strictest platform at which the person is known, for all who hold their data", async () => {
    const person = await world.person(SLUG, "known-at-both");
    await product.connect("videos", { subject: person.id, account: "100000000000000000551" });
    const dry = { type: "erasure", subject: person.id, dry_run: true };
    const { body } = await product.call("POST", "/v1/requests", dry);
    const due = Date.parse((body as { readonly due_at: string }).due_at) - world.gateway.now();
    expect(Math.round(due / HOUR)).toBe(7 * 24);
    await product.connect("posts-x", { subject: person.id, account: "16001" });
    const seen = await ask({ subject: person.id });
    expect(hoursOf(seen)).toBe(24);
    for (const task of seen.tasks) expect(task.due_at).toBe(seen.due_at);
  });

  it("[I8] warns before that, and says on it that it is not done", async () => {
    const person = await world.person(SLUG, "known-at-x");
    await product.connect("posts-x", { subject: person.id, account: "16002" });
    await world.admin("/first-party/customers.imai.example", { mode: "accept" }, "PUT");
    const { id } = await ask({ subject: person.id });
    await world.until(SLUG, id, ({ tasks }) => tasks.some(({ state }) => state === "accepted"));
    await world.advance(17 * HOUR);
    await world.gateway.sweep();
    const warned = await world.until(SLUG, id, ({ alarms }) => alarms !== undefined);
    expect(warned.alarms?.[0]).toContain("at_risk");
    await world.advance(8 * HOUR);
    await world.gateway.sweep();
    const overdue = await world.until(SLUG, id, ({ receipt }) => receipt !== undefined);
    expect(overdue).toMatchObject({ status: "open", complete: false });
    const { body } = await product.call("GET", "/v1/requests?status=open");
    expect((body as { readonly requests: readonly RequestShape[] }).requests.map((each) => each.id)).toContain(id);
    await world.admin("/first-party/customers.imai.example", { mode: "done" }, "PUT");
  });

  it("leaves the law's time to whoever is known at neither", async () => {
    const person = await world.person("smart-blog-system", "known-at-none");
    const asked = { type: "erasure", subject: person.id };
    const { body } = await world.api("POST", "/v1/requests", world.key("smart-blog-system"), asked);
    const { id } = body as RequestShape;
    const seen = await world.until("smart-blog-system", id, ({ tasks }) => tasks.length > 0);
    expect(hoursOf(seen)).toBeGreaterThan(28 * 24);
  });

  it("makes a disconnect due by the platform's own time", async () => {
    const { id } = await product.connect("posts-x", { account: "16003" });
    const { body } = await product.call("DELETE", `/v1/connections/${id}`);
    expect(hoursOf(body as RequestShape)).toBe(24);
    const other = await product.connect("videos", { account: "100000000000000000552" });
    const { body: second } = await product.call("DELETE", `/v1/connections/${other.id}`);
    expect(hoursOf(second as RequestShape) * HOUR).toBe(7 * DAY);
  });
});
