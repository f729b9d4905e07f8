import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/commands.ts";
import { dump } from "../support/dump.ts";
import {
  customerDeleted,
  HOUR,
  metaCallback,
  type Person,
  type RequestShape,
  signedRequest,
  startWorld,
  stripeDelivery,
  type World,
} from "../support/world.ts";

const SLUG = "cloutmetrics";

type Imported = {
  readonly counts: Readonly<Record<"opened" | "held" | "duplicate" | "noted", number>>;
  readonly results: readonly { readonly request: string; readonly result: string; readonly noted?: string }[];
};
type Superseded = RequestShape & { readonly superseded_by?: string; readonly noted?: string };

/** Accounts that were deleted and came back, told in any order, and the lists in which vendors tell of them. */
describe("who came back, through the deployed bundle", () => {
  let world: World;
  const folder = mkdtempSync(join(tmpdir(), "quittance-import-"));
  let references = 0;
  beforeAll(async () => {
    world = await startWorld();
    await policy({});
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await world.stop();
  });

  /** What Facebook's lists say is taken for a person leaving; `more` for one test. */
  async function policy(more: object) {
    const { body } = await world.api("GET", "/v1/policy", world.key(SLUG));
    const { version: _, ...before } = body as Record<string, unknown>;
    const authority = {
      "stripe/events": { account_deleted: "everywhere" },
      "facebook/import": { account_deleted: "everywhere" },
    };
    await world.api("PUT", "/v1/policy", world.key(SLUG), { ...before, authority, ceiling_per_hour: 200, ...more });
  }

  const iso = (ms: number) => new Date(ms).toISOString();
  const listing = (type: string, users: readonly string[], at: number | undefined, reference?: string) => ({
    type,
    reference: reference ?? `list ${++references}`,
    ids: users.map((value) => ({ type: "facebook.user_id", value, ...(at !== undefined && { at: iso(at) }) })),
  });
  const post = (body: object, to = "facebook") =>
    world.api("POST", `/v1/subprocessors/${to}/signals`, world.key(SLUG), body);
  const told = async (type: string, person: Pick<Person, "facebookId">, at: number) => {
    const { status, body } = await post(listing(type, [person.facebookId], at));
    expect(status, JSON.stringify(body)).toBe(202);
    const [result] = (body as Imported).results;
    if (result === undefined) throw new Error("no result");
    return result;
  };
  const view = async (id: string) => (await world.api("GET", `/v1/requests/${id}`, world.key(SLUG))).body as Superseded;
  const page = async (id: string) => (await fetch((await view(id)).status_url)).text();
  const release = (id: string) => world.api("POST", `/v1/requests/${id}/release`, world.key(SLUG));
  const gate = async ({ id }: Person) =>
    (await world.api("GET", `/v1/subjects/${id}/gate`, world.key(SLUG))).body as object;

  /** What `quittance import` says and reports. */
  async function imported(args: readonly string[]) {
    const lines: string[] = [];
    const terminal = {
      env: { QUITTANCE_URL: world.url, QUITTANCE_API_KEY: world.key(SLUG) },
      stdin: { async *[Symbol.asyncIterator]() {} },
      fetch,
      print: (line: string) => lines.push(line),
      complain: () => undefined,
      colours: false,
    };
    const code = await run(terminal, ["import", "--json", ...args]);
    return { code, report: JSON.parse(lines.join("")) };
  }

  /** Runs it while each source's first erasure of the hour is the only one that is not held. */
  async function held<T>(act: () => Promise<T>): Promise<T> {
    await world.advance(HOUR);
    await policy({ ceiling_per_hour: 1 });
    // Somebody new each time: the second report of whom was erased is an echo, and not counted.
    await post(listing("account_deleted", [`99900000${++references}`], undefined));
    const done = await act();
    await policy({});
    return done;
  }

  it("[I3] does not carry out a deletion that waited while the account was restored, and says why", async () => {
    const ada = await world.person(SLUG, "ada-back");
    const now = world.gateway.now();
    const { request, result } = await held(() => told("account_deleted", ada, now - 2 * HOUR));
    expect(result).toBe("held");
    expect(await told("account_restored", ada, now - HOUR)).toMatchObject({ result: "noted", noted: "recorded" });
    expect((await view(request)).status).toBe("scheduled");
    await release(request);
    const ended = (await world.until(SLUG, request, ({ status }) => status === "cancelled")) as Superseded;
    expect(ended).toMatchObject({ superseded_by: "restored", complete: false, tasks: [] });
    expect(await page(request)).toContain("Facebook says that the account was restored after that");
    expect(await gate(ada)).toEqual({ allowed: true });
    expect(await world.held(ada.email)).not.toEqual([]);
    const all = await dump(world);
    expect(JSON.parse(all.get(`r:1:${request}`) ?? "[]").map(([name]: [string]) => name)).toEqual(["by", "d", "st"]);
    const elsewhere = [...all].filter(([name, text]) => name !== `r:1:${request}` && text.includes(request));
    expect(elsewhere.map(([name]) => name).filter((name) => name !== "z:1" && !name.startsWith("o:"))).toEqual([]);
  });

  it("[I3] obeys nothing that was deleted before the restore, however late it comes, and what was deleted after it", async () => {
    const bea = await world.person(SLUG, "bea-back");
    const now = world.gateway.now();
    await told("account_restored", bea, now - HOUR);
    const late = await told("account_deleted", bea, now - 2 * HOUR);
    expect(late).toMatchObject({ result: "noted", noted: "superseded" });
    expect(await view(late.request)).toMatchObject({ noted: "superseded", superseded_by: "restored" });
    expect(await world.held(bea.email)).not.toEqual([]);
    const after = await told("account_deleted", bea, now - HOUR / 2);
    expect(after.result).toBe("opened");
    expect((await world.closed(SLUG, after.request)).complete).toBe(true);
  });

  it("never takes a disabled account for a deletion, before one or after one", async () => {
    const cat = await world.person(SLUG, "cat-back");
    const now = world.gateway.now();
    expect(await told("account_disabled", cat, now - HOUR)).toMatchObject({ result: "noted", noted: "recorded" });
    expect(await gate(cat)).toEqual({ allowed: true });
    const { request } = await told("account_deleted", cat, now - HOUR / 2);
    expect(await told("account_disabled", cat, now)).toMatchObject({ result: "noted" });
    expect((await world.closed(SLUG, request)).complete).toBe(true);
  });

  it("[I3] carries out what a person asked for, although their account was restored", async () => {
    const dee = await world.person(SLUG, "dee-back");
    const secret = world.setting(SLUG, "facebook", "appSecret");
    const asked = await held(async () => {
      const now = world.gateway.now();
      await metaCallback(world, SLUG, "data-deletion", signedRequest(secret, "999000222", now));
      await metaCallback(world, SLUG, "data-deletion", signedRequest(secret, dee.facebookId, now));
      const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
      return (body as { requests: RequestShape[] }).requests.find((each) => each.held === "ceiling");
    });
    await told("account_restored", dee, world.gateway.now() + 1000);
    await release(asked?.id ?? "");
    expect((await world.closed(SLUG, asked?.id ?? "")).complete).toBe(true);
    expect(await gate(dee)).toEqual({ allowed: false, reason: "unknown_subject" });
  });

  it("[I3] lifts nothing that another vendor has told", async () => {
    const eve = await world.person(SLUG, "eve-back");
    const customer = "cus_cloutmetricseveback";
    await world.api("POST", `/v1/subjects/${eve.id}/objects`, world.key(SLUG), {
      objects: [{ subprocessor: "stripe", type: "stripe.customer", id: customer }],
    });
    const deletion = await held(async () => {
      const now = world.gateway.now();
      await stripeDelivery(world, SLUG, customerDeleted("evt_filler", "cus_filler", now));
      await stripeDelivery(world, SLUG, customerDeleted("evt_eve", customer, now));
      const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
      return (body as { requests: RequestShape[] }).requests.find(
        (each) => each.held === "ceiling" && each.source === "stripe/events",
      );
    });
    await told("account_restored", eve, world.gateway.now() + 1000);
    await release(deletion?.id ?? "");
    expect((await world.closed(SLUG, deletion?.id ?? "")).complete).toBe(true);
    expect(await gate(eve)).toEqual({ allowed: false, reason: "unknown_subject" });
  });

  it("[I3] does not carry out a deletion that waited while the person connected anew", async () => {
    const fay = await world.person(SLUG, "fay-back");
    const now = world.gateway.now();
    const { request, result } = await held(() => told("account_deleted", fay, now - HOUR));
    expect(result).toBe("held");
    const linked = await world.api("PUT", `/v1/subjects/${fay.id}`, world.key(SLUG), {
      identities: [{ type: "facebook.user_id", value: fay.facebookId, since: iso(now) }],
    });
    expect(linked).toMatchObject({ status: 200 });
    await release(request);
    const ended = (await world.until(SLUG, request, ({ status }) => status === "cancelled")) as Superseded;
    expect(ended.superseded_by).toBe("connection");
    expect(await page(request)).toContain("You have connected again since then");
    expect(await world.held(fay.email)).not.toEqual([]);
  });

  it("records an id that nobody knows like any callback's, and shows what is open", async () => {
    const { request, result } = await told("account_deleted", { facebookId: "999000333" }, world.gateway.now());
    expect(result).toBe("opened");
    // Until nothing of it is worked on any more, so that nobody after this sees it change.
    const seen = await world.until(
      SLUG,
      request,
      ({ tasks }) => tasks.length > 0 && tasks.every(({ state }) => state === "ended" || state === "stuck"),
    );
    expect(seen).toMatchObject({ source: "facebook/import", status: "open", complete: false });
    expect(seen.tasks.find(({ id }) => id === "stripe.erase")).toMatchObject({ state: "stuck" });
  });

  it("[I3 I5] takes a list once, and changes nothing for one that does not fit", async () => {
    const body = listing("account_disabled", ["1", "2", "3"], world.gateway.now() - HOUR, "the very list");
    expect(((await post(body)).body as Imported).counts).toEqual({
      opened: 0,
      held: 0,
      duplicate: 0,
      noted: 3,
      told: 0,
      ignored: 0,
    });
    const before = await dump(world);
    expect(((await post(body)).body as Imported).counts).toEqual({
      opened: 0,
      held: 0,
      duplicate: 3,
      noted: 0,
      told: 0,
      ignored: 0,
    });
    const odd = await post({ ...body, ids: [...body.ids, { type: "stripe.customer", value: "cus_1" }] });
    expect(odd.status).toBe(422);
    expect(odd.body).toMatchObject({
      errors: [{ field: "ids.3.type", expected: "one of facebook.user_id, facebook.post" }],
    });
    expect((await post(body, "nobody")).status).toBe(404);
    const changed = [...(await dump(world))].filter(([name, text]) => before.get(name) !== text);
    expect(changed.filter(([name]) => name.startsWith("r:") || name.startsWith("i:"))).toEqual([]);
  });

  it("takes a list from the command line, and the same list again without harm", async () => {
    const gil = await world.person(SLUG, "gil-back");
    const file = join(folder, "deleted.jsonl");
    const rows = [
      { id: gil.facebookId, action: "delete", redacted_at: iso(world.gateway.now() - HOUR), reason: "deleted" },
      { id: "999000444", action: "delete", redacted_at: iso(world.gateway.now() - HOUR), reason: "suspended" },
    ];
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const told = () => imported(["--subprocessor", "facebook", "--type", "account_deleted", file]);
    const first = await told();
    expect(first).toMatchObject({ code: 0, report: { opened: 1, sent: 1, passed_over: { "reason suspended": 1 } } });
    expect(await told()).toMatchObject({ code: 0, report: { opened: 0, duplicate: 1 } });
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    const [newest] = (body as { requests: RequestShape[] }).requests;
    expect((await world.closed(SLUG, newest?.id ?? "")).complete).toBe(true);
    expect(await gate(gil)).toEqual({ allowed: false, reason: "unknown_subject" });
  });

  it("[I4] takes what X's batch job says of stored ids, each by its reason, within X's day", async () => {
    const hal = await world.person(SLUG, "hal-gone");
    const ids = { hal: "1600000000000000777", ida: "1600000000000000778", jan: "1600000000000000779" };
    await world.api("PUT", `/v1/subjects/${hal.id}`, world.key(SLUG), {
      identities: [{ type: "x.user_id", value: ids.hal }],
    });
    const row = (id: string, reason: string) => ({
      id,
      action: "delete",
      created_at: "2018-07-22T19:53:41.000Z",
      redacted_at: iso(world.gateway.now() - HOUR),
      reason,
    });
    const rows = [row(ids.hal, "deleted"), row(ids.ida, "deactivated"), row(ids.jan, "protected")];
    const file = join(folder, "x-users.jsonl");
    writeFileSync(file, rows.map((each) => `${JSON.stringify(each)}\n`).join(""));
    const handOver = () => imported(["--subprocessor", "x", "--list", "users", file]);
    expect(await handOver()).toMatchObject({
      code: 0,
      report: { opened: 1, noted: 1, sent: 3, passed_over: { "user protected": 1 } },
    });
    expect(await handOver()).toMatchObject({ report: { opened: 0, noted: 0, duplicate: 2 } });
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    const [newest] = (body as { requests: RequestShape[] }).requests;
    expect(newest).toMatchObject({ source: "x/users" });
    const closed = await world.closed(SLUG, newest?.id ?? "");
    expect(closed.complete).toBe(true);
    expect(Date.parse(closed.due_at) - Date.parse(closed.received_at)).toBe(24 * HOUR);
    expect(await gate(hal)).toEqual({ allowed: false, reason: "unknown_subject" });
    // What tax law keeps at Stripe stays there.
    expect((await world.held(hal.email)).filter((place) => !place.startsWith("/stripe/"))).toEqual([]);
  });
});
