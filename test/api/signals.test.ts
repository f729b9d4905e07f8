import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { newApiKey } from "../../src/api/auth.ts";
import { signals } from "../../src/api/signals.ts";
import type { Authority, Hook, Integration, List } from "../../src/contract/integration.ts";
import { jsonLine, type SignalType } from "../../src/contract/signal.ts";
import type { NewRequest, Recorded } from "../../src/platform/store/requests.ts";
import type { App, Ports } from "../../src/ports.ts";
import type { Tenant } from "../../src/registry/tenant.ts";
import { Policy } from "../../src/request/policy.ts";
import { ok } from "../../src/result.ts";
import { bench, NOW } from "../request/samples.ts";

const SOURCE = "https://acme.example/docs";

const hook = (authority: Partial<Record<SignalType, Authority>>, hours?: number): Hook => ({
  source: SOURCE,
  verify: { scheme: "stripe", key: "secret", withinSeconds: 300 },
  contentTypes: ["application/json"],
  read: () => ok([]),
  authority,
  ...(hours !== undefined && { deadlines: { account_deleted: { hours, source: SOURCE } } }),
  retriesForHours: 1,
  events: [],
});

/** The gateway's route alone, before a store that remembers what it was asked to make durable. */
async function gateway({
  policy = {},
  hooks,
  lists,
}: {
  policy?: object;
  hooks?: Record<string, Hook>;
  lists?: Record<string, List>;
} = {}) {
  const at = await bench();
  const { key, entry } = await newApiKey(at.context.tenant.n, "request", at.ports.random, "", true);
  const reader = await newApiKey(at.context.tenant.n, "read", at.ports.random, "", true);
  const tenant: Tenant = {
    ...at.context.tenant,
    apiKeys: [entry, reader.entry],
    policy: Policy.parse(policy),
    subprocessors: Object.assign(Object.create(null), at.context.tenant.subprocessors),
  };
  const context = { ...at.context, tenant };
  const shop = at.ports.integrations.get("shop");
  if (shop === undefined) throw new Error("there is a shop");
  const told: Integration = {
    ...shop,
    hooks: hooks ?? { events: hook({ account_deleted: "everywhere" }) },
    ...(lists !== undefined && { lists }),
  };
  const seen = new Set<string>();
  const ignored: { readonly event: string; readonly count: number }[] = [];
  const taken = (all: readonly NewRequest[]): readonly Recorded[] => {
    at.recorded.push(...all);
    return all.map(({ id, noteOnly }) => {
      if (seen.has(id)) return { result: "duplicate", wake: false };
      seen.add(id);
      return noteOnly ? { result: "noted", why: "recorded" } : { result: "recorded", wake: true };
    });
  };
  const ports: Ports = {
    ...at.ports,
    integrations: new Map([...at.ports.integrations, ["shop", told]]),
    tenants: { bySlug: async () => context, byNumber: async () => context },
    store: {
      ...at.ports.store,
      countIgnored: async (_, counts) => void ignored.push(...counts),
      record: async (all) => taken(all),
      recordDelivery: async (all) => ({ recorded: taken(all), content: { result: "kept", woken: [] } }),
    },
  };
  const app = new Hono<App>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/", signals());
  const post = async (body: unknown, { by = key, to = "shop" } = {}) => {
    const reply = await app.request(`/v1/subprocessors/${to}/signals`, {
      method: "POST",
      headers: { authorization: `Bearer ${by}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    // Each test looks at what it expects of it.
    return { status: reply.status, body: (await reply.json()) as Answer };
  };
  const lines = async (
    text: string | Uint8Array<ArrayBuffer>,
    { by = key, name = "people", type = "application/x-ndjson" } = {},
  ) => {
    const reply = await app.request(`/v1/subprocessors/shop/signals/${name}`, {
      method: "POST",
      headers: { authorization: `Bearer ${by}`, "content-type": type },
      body: text,
    });
    return { status: reply.status, body: (await reply.json()) as Answer };
  };
  const documents = () => at.recorded.map(({ fields }) => JSON.parse(fields.d ?? "{}"));
  return { at, post, lines, documents, ignored, readerKey: reader.key };
}

type Answer = {
  readonly counts?: Readonly<Record<string, number>>;
  readonly results?: readonly {
    readonly event?: string;
    readonly request?: string;
    readonly result: string;
    readonly noted?: string;
  }[];
  readonly errors?: readonly { readonly field: string; readonly expected: string }[];
};

const cus = (value: string, more: object = {}) => ({ type: "shop.customer", value, ...more });
const list = (ids: readonly object[], more: object = {}) => ({
  type: "account_deleted",
  reference: "list-1",
  ids,
  ...more,
});

describe("a vendor's list", () => {
  it("becomes a request for each id, with what its hook may cause, in one go", async () => {
    const { at, post, documents } = await gateway();
    const { status, body } = await post(list([cus("cus_1"), cus("cus_2")]));
    expect(status).toBe(202);
    expect(body.counts).toEqual({ opened: 2, held: 0, duplicate: 0, noted: 0, told: 0, ignored: 0 });
    expect(body.results?.map(({ result }) => result)).toEqual(["opened", "opened"]);
    expect(body.results?.map(({ request }) => request)).toEqual(at.recorded.map(({ id }) => id));
    expect(documents()).toMatchObject([
      { type: "erasure", source: "shop/import", authority: "everywhere", signal: "account_deleted" },
      { type: "erasure", source: "shop/import", authority: "everywhere" },
    ]);
    expect(at.recorded).toMatchObject([
      { signalAt: NOW, echoOf: "shop", heeds: "shop", ceiling: { source: "shop_import" } },
      { signalAt: NOW },
    ]);
    expect(JSON.stringify(body)).not.toContain("cus_1");
  });

  it("knows an id again by reference and id, however it is spelled and cut, and no other", async () => {
    const { post } = await gateway();
    const results = async (body: object) => (await post(body)).body.results?.map(({ result }) => result);
    expect(await results(list([cus("cus_1"), cus(" cus_1 "), cus("cus_2")]))).toEqual([
      "opened",
      "duplicate",
      "opened",
    ]);
    expect(await results(list([cus("cus_3"), cus("cus_2", { at: "2026-11-20T00:00:00Z" })]))).toEqual([
      "opened",
      "duplicate",
    ]);
    expect(await results(list([cus("cus_1")], { reference: "list-2" }))).toEqual(["opened"]);
    expect(await results(list([cus("cus_1")], { type: "account_restored" }))).toEqual(["noted"]);
  });

  it("is of the time that it states, a whole second read to its end, or else of now", async () => {
    const { at, post } = await gateway();
    const times = ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00.250Z", "2026-11-20T12:00:00+02:00", undefined];
    await post(list(times.map((time, index) => cus(`cus_${index}`, time === undefined ? {} : { at: time }))));
    const ten = Date.parse("2026-11-20T10:00:00Z");
    expect(at.recorded.map(({ signalAt }) => signalAt)).toEqual([ten + 999, ten + 250, ten + 999, NOW]);
  });

  it("says that an account was restored, whatever a hook may do, and causes nothing else", async () => {
    const { at, post } = await gateway();
    const { body } = await post(list([cus("cus_1")], { type: "account_restored" }));
    expect(body).toMatchObject({ counts: { noted: 1 }, results: [{ result: "noted", noted: "recorded" }] });
    expect(at.recorded).toMatchObject([{ noteOnly: true, restores: "shop", restoredAt: NOW }]);
  });

  it.each<[string, Parameters<typeof gateway>[0], object]>([
    [
      "the strictest of the hooks' authorities",
      { hooks: { one: hook({ account_deleted: "everywhere" }), two: hook({ account_deleted: "here" }) } },
      { noteOnly: false, here: true },
    ],
    ["none where no hook knows the signal", { hooks: { one: hook({ deauthorized: "here" }) } }, { noteOnly: true }],
    [
      "what the policy says of the import",
      {
        hooks: { one: hook({}) },
        policy: { authority: { "shop/import": { account_deleted: "everywhere" } } },
      },
      { noteOnly: false, here: false },
    ],
    [
      "not what the policy says of a hook",
      {
        hooks: { events: hook({ account_deleted: "record" }) },
        policy: { authority: { "shop/events": { account_deleted: "everywhere" } } },
      },
      { noteOnly: true },
    ],
  ])("may do %s", async (_, options, expected) => {
    const { at, post } = await gateway(options);
    await post(list([cus("cus_1")]));
    expect(at.recorded).toMatchObject([expected]);
  });

  it("is of no concern where nobody knows whom it names, if the policy says so", async () => {
    const { at, post } = await gateway({ policy: { unknown: { "shop/import": "record" } } });
    await post(list([cus("cus_1")]));
    expect(at.recorded).toMatchObject([{ onlyKnown: true, noteOnly: false }]);
    const other = await gateway({ policy: { unknown: { "shop/events": "record" } } });
    await other.post(list([cus("cus_1")]));
    expect(other.at.recorded[0]).not.toHaveProperty("onlyKnown");
  });

  it("is due as the soonest of the hooks' own deadlines", async () => {
    const hooks = {
      one: hook({ account_deleted: "here" }, 240),
      two: hook({ account_deleted: "here" }, 24),
      three: hook({ account_deleted: "here" }),
    };
    const { documents, post } = await gateway({ hooks });
    await post(list([cus("cus_1")]));
    expect(documents()).toMatchObject([{ due_at: new Date(NOW + 24 * 3_600_000).toISOString() }]);
  });

  it("may name other identities where the policy widens the import", async () => {
    const ids = [{ type: "email", value: "ada@example.com" }];
    expect((await (await gateway()).post(list(ids))).body.errors).toEqual([
      { field: "ids.0.type", expected: "one of shop.customer" },
    ]);
    const wide = await gateway({ policy: { widen: { "shop/import": ["email"] } } });
    expect((await wide.post(list(ids))).body.counts).toMatchObject({ opened: 1 });
    expect((await wide.post(list([{ type: "email", value: "ada" }]))).body.errors).toEqual([
      { field: "ids.0.value", expected: "an e-mail address" },
    ]);
  });

  it.each<[string, object, string]>([
    ["no kind of signal", list([cus("cus_1")], { type: "gone" }), "type"],
    ["no reference", list([cus("cus_1")], { reference: "" }), "reference"],
    ["no ids", list([]), "ids"],
    ["more than a thousand ids", list(Array.from({ length: 1001 }, (_, at) => cus(`cus_${at}`))), "ids"],
    ["an empty id", list([cus("cus_1"), cus("")]), "ids.1.value"],
    ["a time that is none", list([cus("cus_1", { at: "yesterday" })]), "ids.0.at"],
    ["a time to come", list([cus("cus_1"), cus("cus_2", { at: "2027-01-01T00:00:00Z" })]), "ids.1.at"],
    ["an identity that is another's", list([cus("cus_1"), { type: "mail.contact", value: "c_1" }]), "ids.1.type"],
    ["a member that nobody knows", list([cus("cus_1", { when: 1 })]), "ids.0"],
  ])("is refused as a whole, by the field that does not fit: %s", async (_, body, field) => {
    const { at, post } = await gateway();
    const reply = await post(body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors?.[0]?.field).toBe(field);
    expect(at.recorded).toEqual([]);
  });

  it("takes a thousand ids, and needs a subprocessor and a key that may", async () => {
    const { at, post, readerKey } = await gateway();
    const many = list(Array.from({ length: 1000 }, (_, index) => cus(`cus_${index}`)));
    expect((await post(many)).body.counts).toMatchObject({ opened: 1000 });
    const before = at.recorded.length;
    expect((await post(many, { by: readerKey })).status).toBe(403);
    expect((await post(many, { by: "dev_qk_1_x" })).status).toBe(401);
    expect((await post(many, { to: "nobody" })).status).toBe(404);
    expect((await post(many, { to: "constructor" })).status).toBe(404);
    expect((await post(list([cus("c".repeat(512))], { reference: "x".repeat(1_100_000) }))).status).toBe(413);
    expect(at.recorded).toHaveLength(before);
  });
});

describe("a vendor's own file, whose lines say what they mean", () => {
  const people: List = {
    source: SOURCE,
    read: jsonLine(
      z.object({ id: z.string().min(1), what: z.enum(["gone", "back", "off", "moved"]), at: z.number() }),
      ({ id, what, at }) => {
        const types = { gone: "account_deleted", back: "account_restored", off: "content_deleted" } as const;
        const identity = { type: "shop.customer", value: id };
        const signals = what === "moved" ? [] : [{ type: types[what], identity, at }];
        return [{ id: `${what}:${id}:${at}`, name: what, signals }];
      },
    ),
    authority: { account_deleted: "everywhere", account_restored: "record", content_deleted: "record" },
    deadlines: { account_deleted: { hours: 24, source: SOURCE } },
    events: ["gone", "back", "off", "moved"],
  };
  const lists = { people };
  const line = (id: string, what: string, at = NOW - 1000) => JSON.stringify({ id, what, at });

  it("becomes what each line causes, in one go, with the vendor's deadline, and counts the others", async () => {
    const { at, lines, documents, ignored } = await gateway({ lists });
    const text = [
      line("customer-1", "gone"),
      "",
      line("customer-2", "moved"),
      line("customer-3", "back"),
      line("customer-4", "off"),
      line("customer-5", "gone"),
    ];
    const { status, body } = await lines(text.join("\r\n"));
    expect(status).toBe(202);
    expect(body.counts).toEqual({ opened: 2, held: 0, duplicate: 0, noted: 1, told: 1, ignored: 1 });
    expect(body.results?.map(({ event, result }) => [event, result])).toEqual([
      ["gone", "opened"],
      ["moved", "ignored"],
      ["back", "noted"],
      ["off", "told"],
      ["gone", "opened"],
    ]);
    const requests = body.results?.flatMap(({ request = [] }) => request);
    expect(requests).toEqual(at.recorded.map(({ id }) => id));
    expect(documents()).toMatchObject([
      {
        source: "shop/people",
        authority: "everywhere",
        due_at: new Date(NOW + 24 * 3_600_000).toISOString(),
        signal_at: new Date(NOW - 1000).toISOString(),
      },
      { signal: "account_restored" },
      { source: "shop/people" },
    ]);
    expect(ignored).toEqual([{ event: "shop/people moved", count: 1 }]);
    expect(JSON.stringify(body)).not.toMatch(/customer-\d/);
  });

  it("knows a line again, however the file is cut", async () => {
    const { lines } = await gateway({ lists });
    await lines(line("customer-1", "gone"));
    const again = await lines(
      [line("customer-2", "gone"), line("customer-1", "gone"), line("customer-1", "gone", NOW)].join("\n"),
    );
    expect(again.body.results?.map(({ result }) => result)).toEqual(["opened", "duplicate", "opened"]);
  });

  it("may do what the policy says of it by name", async () => {
    const policy = { authority: { "shop/people": { account_deleted: "record" } } };
    const { lines } = await gateway({ lists, policy });
    expect((await lines(line("customer-1", "gone"))).body.counts).toMatchObject({ noted: 1, opened: 0 });
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>, string]>([
    ["nothing", "\n\n", "(body)"],
    ["no UTF-8", new Uint8Array([0x7b, 0xff]), "(body)"],
    ["more than a thousand lines", `${line("customer-1", "gone")}\n`.repeat(1001), "(body)"],
    [
      "a line that is not what the vendor documents",
      `${line("customer-1", "gone")}\n${line("", "gone")}`,
      "lines.1.id",
    ],
    ["a line that is no JSON", "gone", "lines.0."],
    ["a time to come", line("customer-1", "gone", NOW + 3_600_000), "lines.0.time"],
  ])("is refused as a whole: %s", async (_, text, field) => {
    const { at, lines } = await gateway({ lists });
    const { status, body } = await lines(text);
    expect(status).toBe(422);
    expect(body.errors?.[0]?.field).toContain(field);
    expect(at.recorded).toEqual([]);
  });

  it("needs a list of that name, its content type, and a key that may", async () => {
    const { at, lines, readerKey } = await gateway({ lists });
    const text = line("customer-1", "gone");
    expect((await lines(text, { name: "nothing" })).status).toBe(404);
    expect((await lines(text, { name: "constructor" })).status).toBe(404);
    expect((await lines(text, { type: "application/json" })).status).toBe(415);
    expect((await lines(text, { by: readerKey })).status).toBe(403);
    expect((await lines("x".repeat(1_100_000))).status).toBe(413);
    expect((await (await gateway()).lines(text)).status).toBe(404);
    expect(at.recorded).toEqual([]);
  });
});
