import { Hono } from "hono";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { read } from "./admin.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const TOLERANCE_SECONDS = 300;

const Identity = z.strictObject({ type: z.string(), value: z.string() });
const Ref = z.strictObject({ type: z.string(), id: z.string() });
const Mode = z.enum(["done", "accept", "gone", "refuse", "keep"]);

/** `{vendor: "first-party", host, secret?, mode?, people?}`; several secrets are one being rotated. */
const Seed = z.object({
  host: z.string().regex(/\.example$/),
  secret: z.union([z.string(), z.array(z.string())]).optional(),
  mode: Mode.optional(),
  people: z
    .array(
      z.strictObject({
        id: z.string(),
        identities: z.array(Identity).default([]),
        /** What an order may name instead of an identity; the person's own id counts too. */
        objects: z.array(Ref).default([]),
        data: z.record(z.string(), z.json()).default({}),
      }),
    )
    .default([]),
  /** Copies of posts, files and the like. */
  content: z.array(Ref).default([]),
});
type Person = z.infer<typeof Seed>["people"][number];

const Delivery = z.looseObject({
  type: z.string(),
  data: z
    .looseObject({
      challenge: z.string().optional(),
      request: z.string().optional(),
      task: z.string().optional(),
      keeps: z.array(z.string()).default([]),
      identities: z.array(z.looseObject(Identity.shape)).default([]),
      objects: z.array(z.looseObject(Ref.shape)).default([]),
      batch: z.string().optional(),
      /** What `content.deleted` names; a thousand at most. */
      items: z
        .array(z.strictObject({ ...Ref.shape, source: z.string(), deleted_at: z.iso.datetime() }))
        .max(1000)
        .optional(),
    })
    .prefault({}),
});
type Delivery = z.infer<typeof Delivery>;

/** What came, without the identities in it: those stand in the recorded requests. */
type Received = {
  webhook_id: string;
  type: string;
  request: string | null;
  task: string | null;
  at: string;
  status: number;
  /** Of `content.deleted`: its batch, and how many items it names. */
  batch?: string;
  items?: number;
};
type Host = {
  secrets: readonly string[];
  mode: z.infer<typeof Mode>;
  people: Map<string, Person>;
  /** Copies of content, as `type id`. */
  content: Set<string>;
  received: Received[];
  /** First answers, by webhook id. */
  answers: Map<string, { status: number; body: Json }>;
  /** Accepted and not yet done, by webhook id. */
  accepted: Map<string, Delivery>;
};

/**
 * A customer's own endpoints: every host that ends in `.example` takes signed webhooks and holds people.
 *
 * `endpoint.verification` is answered with its challenge. `erasure.requested` and `closure.requested` erase the people
 * that match by identity or object; in mode `accept` only once `POST /first-party/{host}/complete` is called, in mode
 * `gone` (410: take this endpoint out of use) and `refuse` (422) never. `content.deleted` erases the copies that it names in
 * the same way. Other types are taken note of. A webhook id
 * that was seen gets its first answer again, or `done` once what was accepted is done.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const firstParty: MakeVendor = (world) => {
  const hosts = new Map<string, Host>();
  const hostOf = (name: string): Host => {
    const host = hosts.get(name) ?? {
      secrets: [world.secrets.first_party?.[name] ?? []].flat(),
      mode: "done",
      people: new Map(),
      content: new Set(),
      received: [],
      answers: new Map(),
      accepted: new Map(),
    };
    hosts.set(name, host);
    return host;
  };

  /**
   * Whether one of the signatures is right and fresh. The library's `verify` reads the machine's clock, so its `sign`
   * is compared instead, and freshness taken from the clock that tests may move.
   */
  const verified = (host: Host, headers: Headers, body: string): boolean => {
    const [id, timestamp] = [headers.get("webhook-id") ?? "", headers.get("webhook-timestamp") ?? ""];
    if (id === "" || id.includes(".") || !/^\d{1,12}$/.test(timestamp)) return false;
    if (Math.abs(world.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
    const signatures = (headers.get("webhook-signature") ?? "").split(" ");
    const at = new Date(Number(timestamp) * 1000);
    return host.secrets.some((secret) => signatures.includes(new Webhook(secret).sign(id, at, body)));
  };

  const answerTo = (host: Host, id: string, delivery: Delivery): { status: number; body: Json } => {
    const { type, data } = delivery;
    if (type === "endpoint.verification")
      return data.challenge === undefined
        ? { status: 400, body: { error: "no challenge" } }
        : { status: 200, body: { challenge: data.challenge } };
    // What a revocation ends lies with the product; here it has nothing to do and says so.
    if (type === "revocation.requested") return { status: 200, body: { status: "done" } };
    if (type === "content.deleted" && (data.batch === undefined || data.items === undefined))
      return { status: 400, body: { error: "no batch, or no items" } };
    if (type !== "erasure.requested" && type !== "closure.requested" && type !== "content.deleted")
      return { status: 200, body: { status: "recorded" } };
    switch (host.mode) {
      case "gone":
        return { status: 410, body: { status: "gone" } };
      case "refuse":
        return { status: 422, body: { status: "refused", reason: "this account is under dispute" } };
      case "accept":
        host.accepted.set(id, delivery);
        return { status: 202, body: { status: "accepted" } };
      // A system that keeps what the policy lets it keep, and erases it when it is told again without.
      case "keep": {
        const [category] = data.keeps;
        if (category !== undefined) return { status: 200, body: { status: "retained", category } };
        erase(host, delivery);
        return { status: 200, body: { status: "done" } };
      }
      case "done":
        erase(host, delivery);
        return { status: 200, body: { status: "done" } };
    }
  };

  const call = async (request: Request): Promise<Response> => {
    const host = hostOf(new URL(request.url).hostname);
    if (request.method !== "POST")
      return Response.json({ error: "POST only" }, { status: 405, headers: { allow: "POST" } });
    const body = await request.text();
    if (!verified(host, request.headers, body)) return firstPartyRefusal({ reason: "unauthorized", status: 401 });
    const delivery = Delivery.safeParse(parsed(body));
    if (!delivery.success) return Response.json({ error: "unreadable" }, { status: 400 });
    const id = request.headers.get("webhook-id") ?? "";
    const { type, data } = delivery.data;
    const answer = host.answers.get(id) ?? answerTo(host, id, delivery.data);
    // A refusal may be overcome, so only what was taken on is kept.
    if (answer.status < 300) host.answers.set(id, answer);
    const at = new Date(world.now()).toISOString();
    host.received.push({
      webhook_id: id,
      type,
      request: data.request ?? null,
      task: data.task ?? null,
      at,
      status: answer.status,
      ...(data.batch !== undefined && { batch: data.batch }),
      ...(data.items !== undefined && { items: data.items.length }),
    });
    return Response.json(answer.body, { status: answer.status });
  };

  const admin = new Hono();
  admin.put("/first-party/:host", async (c) => {
    const host = hostOf(c.req.param("host"));
    host.mode = (await read(c, z.strictObject({ mode: Mode }))).mode;
    return c.json({ host: c.req.param("host"), mode: host.mode });
  });
  // Does what was accepted, and says for which requests and tasks, so that they can be reported as done.
  admin.post("/first-party/:host/complete", (c) => {
    const host = hostOf(c.req.param("host"));
    const completed = [...host.accepted].map(([id, delivery]) => {
      erase(host, delivery);
      host.answers.set(id, { status: 200, body: { status: "done" } });
      return { webhook_id: id, request: delivery.data.request ?? null, task: delivery.data.task ?? null };
    });
    host.accepted.clear();
    return c.json({ completed });
  });

  return {
    id: "first-party",
    about: "the customers' own endpoints, https://*.example",
    serves: (host) => host.endsWith(".example"),
    call,
    refuse: firstPartyRefusal,
    seed(body) {
      const seed = Seed.parse(body);
      const host = hostOf(seed.host);
      if (seed.secret !== undefined) host.secrets = [seed.secret].flat();
      if (seed.mode !== undefined) host.mode = seed.mode;
      for (const person of seed.people) host.people.set(person.id, person);
      for (const { type, id } of seed.content) host.content.add(`${type} ${id}`);
      return { people: seed.people.map(({ id }) => id) };
    },
    holdings: () =>
      Object.fromEntries(
        [...hosts].map(([name, { people, content, received, mode }]) => [
          name,
          { mode, people: Object.fromEntries(people), content: [...content], received },
        ]),
      ),
    reset: () => hosts.clear(),
    admin,
  };
};

function erase(host: Host, { type, data }: Delivery): void {
  if (type === "content.deleted") {
    for (const item of data.items ?? []) host.content.delete(`${item.type} ${item.id}`);
    return;
  }
  for (const [id, person] of host.people) {
    const byIdentity = data.identities.some(({ type, value }) =>
      person.identities.some((own) => own.type === type && own.value === value),
    );
    const byObject = data.objects.some(
      (named) => named.id === id || person.objects.some((own) => own.type === named.type && own.id === named.id),
    );
    if (byIdentity || byObject) host.people.delete(id);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function firstPartyRefusal({ reason, status }: Refusal): Response {
  return Response.json({ error: reason }, { status });
}
