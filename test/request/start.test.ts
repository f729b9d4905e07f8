import { describe, expect, it } from "vitest";
import type { KnownIdentity } from "../../src/request/plan.ts";
import { start } from "../../src/request/start.ts";
import { bench, email, NOW, planned, summary } from "./samples.ts";

type Bench = Awaited<ReturnType<typeof bench>>;

describe("[I2] a start that cannot be read", () => {
  const spoil = (at: Bench["requests"] | Bench["subjects"], name: string, more: Readonly<Record<string, string>>) =>
    at.set(name, { ...at.get(name), ...more });

  it.each<readonly [string, (at: Bench, id: string) => unknown]>([
    ["the request's document is damaged", (at, id) => spoil(at.requests, id, { d: "{" })],
    ["the request's key is damaged", (at, id) => spoil(at.requests, id, { k: "v1.AAAA.AAAA" })],
    ["the request's seal is damaged", (at, id) => spoil(at.requests, id, { s: "v1.AAAA.AAAA" })],
    ["an earlier task is damaged", (at, id) => spoil(at.requests, id, { "t:mail.erase": "{" })],
    [
      "the person's record is damaged",
      async (at) => {
        await at.link("bob", [email("bob")]);
        spoil(at.subjects, "bob", { "e:other": "v1.AAAA.AAAA" });
      },
    ],
    [
      "the person's key is damaged",
      async (at) => {
        await at.link("bob", [email("bob")]);
        spoil(at.subjects, "bob", { k: "v1.AAAA.AAAA" });
      },
    ],
    [
      "the receipt of the erasure before is damaged",
      async (at) => {
        const before = await at.request("before");
        spoil(at.requests, before, { st: "closed", c: "0.key.signature.\u0001\u0002" });
        await at.suppress(email("bob"), `erased ${before} -`);
      },
    ],
  ])("comes back later, and holds up nobody else, where %s", async (_, damage) => {
    const at = await bench();
    const ids = [await at.request("ada"), await at.request("bob"), await at.request("eve")] as const;
    await damage(at, ids[1]);
    const done = await at.run(start, "start", ids);
    expect(at.openings.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
    expect(summary(done.settlements)).toEqual([`start:${ids[1]} back later`]);
    expect(at.events).toContain(`step_failed start:${ids[1]}`);
  });
});

it("[I2] plans again, from what is in the store now, where its plan was stale, and only there", async () => {
  const at = await bench();
  await at.link("ada", [email("ada")]);
  const ids = [await at.request("ada"), await at.request("bob")] as const;
  at.answers.set(ids[0], "stale");
  const done = await at.run(start, "start", ids);
  expect(at.openings.map(({ subject, subjectVersion }) => [subject, subjectVersion])).toEqual([
    ["ada", "1"],
    [`none-${ids[1]}`, ""],
  ]);
  expect(done.settlements).toMatchObject([{ id: `start:${ids[0]}`, what: "back", due: NOW }]);
  expect(at.loads()).toBe(1);
});

describe("[I3] what may come back as an echo", () => {
  const customer = { type: "shop.customer", value: "cus_1" };
  const linked: readonly KnownIdentity[] = [email("ada"), { ...customer, subprocessor: "shop" }];
  const values = async (more: Parameters<Bench["request"]>[1]) => {
    const at = await bench();
    await at.link("ada", linked);
    const id = await at.request("ada", more);
    await at.run(start, "start", [id]);
    const names = new Map<string, string>();
    for (const identity of linked) names.set(await at.context.keys.pseudonym("suppression", identity), identity.type);
    return Object.fromEntries(
      (at.openings[0]?.suppressions ?? []).map(({ pseudonym, value }) => [
        names.get(pseudonym),
        value.replace(id, "ID"),
      ]),
    );
  };

  it("is a vendor's own id, by the subprocessor that acts on it; the person's address names nobody", async () => {
    expect(await values({})).toEqual({ email: "erased ID -", "shop.customer": "acted ID shop" });
  });

  it("is nothing but the vendor's own id, where one holder alone erases", async () => {
    const named = { authority: "here" as const, scope: "shop", identities: [{ ...customer, subprocessor: "shop" }] };
    expect(await values(named)).toEqual({ "shop.customer": "acted ID shop" });
  });

  it("is nothing at a vendor that nobody asks", async () => {
    expect(await values({ authority: "here", scope: "mail" })).toEqual({});
  });

  it("is said of the very id that a person was named by", async () => {
    expect(await values({ identities: [{ ...customer, subprocessor: "shop" }] })).toMatchObject({
      "shop.customer": "erased ID shop",
    });
  });
});

describe("[I4] a person who was erased before", () => {
  const kept = [{ category: "invoices", until: "2036-12-31T23:59:59.999Z", ground: "legal_obligation" }];
  const again = async (outcome: string, by: "suppression" | "subject" = "suppression") => {
    const at = await bench();
    const before = await at.request("before");
    const ended = { outcome, level: "retained" as const, ...(outcome === "retained" && { retained: kept }) };
    await at.closed(before, [
      { id: "mail.erase", outcome: "erased", level: "deleted_reported" },
      { id: "shop.erase", ...ended },
    ]);
    await at.suppress(email("ada"), `erased ${before} -`);
    at.subjects.set("ada", { gone: before });
    const id = await at.request("ada", by === "subject" ? { subject: "ada", identities: [] } : {});
    await at.run(start, "start", [id]);
    const [opening] = at.openings;
    if (opening === undefined) throw new Error("nothing was planned");
    return { opening, before };
  };

  it("has what is kept of them carried over, with its day and ground", async () => {
    const { opening, before } = await again("retained");
    expect(planned(opening)).toEqual({ "mail.erase": "queued", "shop.erase": "ended retained retained" });
    const shop = JSON.parse(opening.tasks.find(({ id }) => id === "shop.erase")?.document ?? "{}");
    expect(shop).toMatchObject({ retained: kept, reason: expect.stringContaining(before) });
    expect(shop).not.toHaveProperty("residue");
  });

  it("is attested to be gone where the first erasure said so", async () => {
    expect(planned((await again("erased")).opening)).toMatchObject({ "shop.erase": "ended not_found attested" });
    expect(planned((await again("erased", "subject")).opening)).toEqual({
      "mail.erase": "ended not_found attested",
      "shop.erase": "ended not_found attested",
    });
  });

  it.each(["unresolved", "refused", "informed", "manual_done"])(
    "is never said to be gone where the first came to %s",
    async (outcome) => {
      expect(planned((await again(outcome)).opening)).toMatchObject({ "shop.erase": "stuck" });
    },
  );
});
