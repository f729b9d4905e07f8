import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { amplitude } from "../../integrations/amplitude.ts";
import { posthog } from "../../integrations/posthog.ts";
import { type Action, isAbsent, isBulk, type Steps } from "../../src/contract/integration.ts";
import type { Answer } from "../../src/contract/outcome.ts";
import type { Settings, SettingValues } from "../../src/contract/settings.ts";
import { orderFor, replyOf } from "../support/play.ts";

const DAY_MS = 86_400_000;

let now: number;
let sandbox: Sandbox;
beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
});
const seed = async (body: object) => {
  const answer = await sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify(body) }),
  );
  expect(answer.status).toBe(200);
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();

async function sent<A>(steps: Steps<A>): Promise<A> {
  let step = steps.next();
  while (step.done !== true) {
    const { method, at, headers, body } = step.value;
    const answered = await sandbox.fetch(new Request(at.url, { method, headers, ...(body !== undefined && { body }) }));
    step = steps.next(replyOf({ status: answered.status, body: await answered.text() }));
  }
  return step.value;
}

/** What a bulk action comes to, asked about once. */
function bulkOf<S extends Settings>(action: Action<S> | object, settings: SettingValues<S>) {
  // The integration is typed as a whole; here its erasure is known to be one for many.
  const known = action as Action<S>;
  if (isAbsent(action) || !isBulk(known)) throw new Error("expected a bulk action");
  const order = (type: string, value: string) => orderFor(settings, { type, value });
  const { run, check } = known.bulk;
  return {
    begin: (...ids: readonly (readonly [string, string])[]): Promise<readonly Answer[]> =>
      sent(
        run(
          ids.map(([type, value]) => order(type, value)),
          "batch",
        ),
      ),
    look: (type: string, value: string) => known.look && sent(known.look.run(order(type, value))),
    ask: async (reference: string, type: string, value: string): Promise<Answer | undefined> =>
      check === undefined ? undefined : (await sent(check(reference, [order(type, value)])))[0],
  };
}

describe("the stand-in for Amplitude", () => {
  const { begin, ask, look } = bulkOf(amplitude.actions.erase, { apiKey: "key", secretKey: "secret", residency: "EU" });

  it("erases a user when the job has run, and not before", async () => {
    await seed({
      vendor: "amplitude",
      account: "key",
      secret_key: "secret",
      residency: "EU",
      users: [
        { user_id: "u-1", amplitude_id: 1, properties: { name: "Ada" }, events: ["Ada signed up"] },
        { user_id: "u-2", amplitude_id: 2, properties: { name: "Bob" } },
      ],
    });
    const [one, nobody] = await begin(["amplitude.user_id", "u-1"], ["amplitude.user_id", "u-9"]);
    expect([one?.outcome, nobody?.outcome]).toEqual(["accepted", "not_found"]);
    expect(await begin(["amplitude.user_id", "u-1"])).toEqual([one]);
    const stands = () => ask("2026-11-21", "amplitude.user_id", "u-1");
    now += 10 * DAY_MS;
    expect(await stands()).toMatchObject({ outcome: "accepted" });
    expect(await holds("Ada")).not.toEqual([]);
    expect(await look("amplitude.user_id", "u-1")).toBe("present");
    now += 4 * DAY_MS;
    expect(await stands()).toEqual({ outcome: "erased" });
    expect(await look("amplitude.user_id", "u-1")).toBe("absent");
    expect(await look("amplitude.amplitude_id", "2")).toBe("present");
    expect(await holds("Ada")).toEqual([]);
    expect(await holds("Bob")).not.toEqual([]);
  });

  it("refuses other keys, and another region", async () => {
    await seed({ vendor: "amplitude", account: "key", secret_key: "secret", residency: "EU" });
    for (const other of [{ secretKey: "x" }, { residency: "US" }, { apiKey: "other" }]) {
      const settings = { apiKey: "key", secretKey: "secret", residency: "EU", ...other };
      expect(await bulkOf(amplitude.actions.erase, settings).begin(["amplitude.user_id", "u-1"])).toMatchObject([
        { outcome: "unforeseen", status: 401 },
      ]);
    }
  });
});

describe("the stand-in for PostHog", () => {
  const settings = { projectId: "12345", apiKey: "phx_test", residency: "EU" };
  const { begin, ask, look } = bulkOf(posthog.actions.erase, settings);

  it("erases a person at once and the events on a Sunday", async () => {
    await seed({
      vendor: "posthog",
      account: "12345",
      residency: "EU",
      persons: [
        { distinct_ids: ["u-1", "device-1"], properties: { email: "ada@example.com" }, events: ["Ada signed up"] },
        { distinct_ids: ["u-2"], properties: { email: "bob@example.com" }, events: ["Bob signed up"] },
      ],
    });
    const [found] = await begin(["email", "ada@example.com"]);
    const uuid = found?.outcome === "found" ? (found.identities[0]?.value ?? "") : "";
    expect(await begin(["posthog.distinct_id", "device-1"])).toEqual([found]);
    expect(await look("posthog.person", uuid)).toBe("present");
    expect(await begin(["posthog.person", uuid])).toMatchObject([{ reference: `deleted:${uuid}` }]);
    expect(await look("posthog.person", uuid)).toBe("absent");
    expect(await begin(["posthog.person", uuid]), "asked again").toMatchObject([{ reference: `asked:${uuid}` }]);
    for (const reference of [`deleted:${uuid}`, `asked:${uuid}`])
      expect(await ask(reference, "posthog.person", uuid)).toMatchObject({ outcome: "accepted", reference });
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("Ada signed up")).not.toEqual([]);
    now += 7 * DAY_MS;
    expect(await ask(`asked:${uuid}`, "posthog.person", uuid)).toEqual({ outcome: "erased" });
    expect(await holds("Ada signed up")).toEqual([]);
    expect(await holds("Bob signed up")).not.toEqual([]);
  });

  it("knows nobody by a UUID that nobody has, and refuses another key", async () => {
    await seed({ vendor: "posthog", account: "12345", api_key: "phx_test", residency: "EU" });
    const uuid = "0192a3b4-c5d6-4e8f-8a0b-1c2d3e4f5a6b";
    expect(await begin(["posthog.person", uuid])).toMatchObject([{ outcome: "accepted" }]);
    expect(await ask(`asked:${uuid}`, "posthog.person", uuid)).toEqual({ outcome: "not_found" });
    const other = bulkOf(posthog.actions.erase, { ...settings, apiKey: "phx_other" });
    expect(await other.begin(["posthog.person", uuid])).toMatchObject([{ outcome: "unauthorized" }]);
  });
});
