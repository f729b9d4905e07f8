import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { hubspot } from "../../integrations/hubspot.ts";
import { klaviyo } from "../../integrations/klaviyo.ts";
import { isAbsent, isBulk, type Steps } from "../../src/contract/integration.ts";
import { orderFor, replyOf } from "../support/play.ts";

let now: number;
let sandbox: Sandbox;
beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now, random: () => 0.5 });
});

async function seed(body: object) {
  const answer = await sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(body) }),
  );
  expect(answer.ok).toBe(true);
}

/** Plays an action against the stand-in, as the driver would. */
async function played<A>(steps: Steps<A>): Promise<A> {
  let step = steps.next();
  while (step.done !== true) {
    const { method, at, headers, body } = step.value;
    const answer = await sandbox.fetch(new Request(at.url, { method, headers, ...(body !== undefined && { body }) }));
    step = steps.next(replyOf({ status: answer.status, body: await answer.text() }));
  }
  return step.value;
}

describe("HubSpot", () => {
  const { erase } = hubspot.actions;
  if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("HubSpot has an erasure");
  const { look } = erase;
  const order = (type: string, value: string) =>
    orderFor({ accessToken: "pat-na1-1", portalId: "62515", clientId: "", clientSecret: "" }, { type, value });

  it("finds by any address, deletes for good even what could be restored, and leaves those who resemble", async () => {
    await seed({
      vendor: "hubspot",
      contacts: [
        { id: "1", email: "ada@example.com" },
        { id: "2", email: "old@example.com", additional: ["ada@example.com"] },
        { id: "3", email: "other@example.com", additional: ["ada@example.org"] },
        { id: "4", email: "ada@example.com", archived: true },
      ],
    });
    const found = await played(erase.run(order("email", "ada@example.com")));
    expect(found).toEqual({
      outcome: "found",
      identities: ["1", "2"].map((id) => ({ type: "hubspot.contact", value: `62515/${id}` })),
    });
    for (const id of ["1", "2", "4"])
      expect(await played(erase.run(order("hubspot.contact", `62515/${id}`)))).toEqual({ outcome: "erased" });
    expect(await played(erase.run(order("hubspot.contact", "62515/1")))).toEqual({ outcome: "not_found" });
    expect(await played(look.run(order("email", "ada@example.com")))).toBe("absent");
    expect(await played(look.run(order("hubspot.contact", "62515/3")))).toBe("present");
  });
});

describe("Klaviyo", () => {
  const { erase } = klaviyo.actions;
  if (isAbsent(erase) || isBulk(erase) || erase.check === undefined) throw new Error("Klaviyo has an erasure");
  const { check } = erase;
  const order = (type: string, value: string) => orderFor({ apiKey: "pk_1", secretKey: "" }, { type, value });

  it("finds by address or number, asks for the deletion, and has it done a while later", async () => {
    await seed({
      vendor: "klaviyo",
      profiles: [
        { id: "P1", email: "ada@example.com", phone_number: "+15550100" },
        { id: "P2", email: "b@example.com" },
      ],
    });
    for (const identity of [order("email", "ada@example.com"), order("phone", "+15550100")])
      expect(await played(erase.run(identity))).toMatchObject({ outcome: "found", identities: [{ value: "P1" }] });
    const profile = order("klaviyo.profile", "P1");
    const waits = { outcome: "accepted", reference: "P1" };
    expect(await played(erase.run(profile))).toMatchObject(waits);
    expect(await played(check("P1", profile))).toMatchObject(waits);
    now += 60_000;
    expect(await played(check("P1", profile))).toEqual({ outcome: "erased" });
    expect(await played(erase.run(profile))).toEqual({ outcome: "not_found" });
    expect(await played(erase.run(order("email", "ada@example.com")))).toEqual({ outcome: "not_found" });
  });
});
