import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Absent,
  type Action,
  absent,
  defineIntegration,
  type Integration,
} from "../../src/contract/integration.ts";
import { CONNECTION } from "../../src/contract/oauth.ts";
import { erased } from "../../src/contract/outcome.ts";
import type { Settings } from "../../src/contract/settings.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import type { Hold } from "../../src/request/hold.ts";
import { type Earlier, type KnownIdentity, type Planned, plan, residualsOf } from "../../src/request/plan.ts";
import { Policy } from "../../src/request/policy.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const NOW = Date.parse("2026-11-21T09:00:00Z");
const SOURCE = "https://acme.example/docs";
const email = { type: "email", value: "ada@example.com" };
const user = { type: "user_id", value: "u-1" };

type Part = Partial<Action<Settings>> & Pick<Action<Settings>, "by">;
const action = (part: Part): Action<Settings> => ({ ...single(part.by), ...part });
const single = (by: Part["by"]) => ({
  source: SOURCE,
  by,
  each: "identity" as const,
  // biome-ignore lint/correctness/useYield: planning runs nothing.
  *run() {
    return erased;
  },
});

const holder = (
  id: string,
  actions: { readonly erase?: Part | Absent; readonly revoke?: Part | Absent },
  more: Partial<Integration> = {},
): Integration =>
  defineIntegration<Settings>({
    id,
    name: id,
    about: "Holds data.",
    origins: [`https://api.${id}.example`],
    settings: {},
    identities: {},
    hooks: absent("none", SOURCE),
    oauth: absent("none", SOURCE),
    actions: { erase: part(actions.erase), revoke: part(actions.revoke) },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
    ...more,
  });
const part = (given: Part | Absent | undefined): Action<Settings> | Absent =>
  given === undefined ? absent("not offered", SOURCE) : "absent" in given ? given : action(given);

const entry = (id: string, integration: string, more: Partial<Subprocessor> = {}): Subprocessor => ({
  id,
  integration,
  settings: {},
  secrets: {},
  registersObjects: false,
  status: "active",
  validFrom: "2026-01-01T00:00:00.000Z",
  version: 1,
  facts: {},
  ...more,
});

const mail = holder("mail", { erase: { by: ["email"] } });
const login = holder("login", { erase: { by: ["login.user_id"] }, revoke: { by: ["login.user_id"] } });
const shop = holder(
  "shop",
  { erase: { by: ["email", "shop.customer"], learns: ["shop.customer"] } },
  { retainable: ["billing_records", "invoices"] },
);
const crm = holder("crm", { erase: { by: ["shop.customer"] } });
const own = holder("own", {
  erase: { by: "any", each: "person" },
  revoke: { by: "any", each: "person", followsOthers: true },
});
const paper = holder("paper", { erase: absent("no API", SOURCE, "Write to archive@paper.example") });
const silent = holder("silent", {});
const ALL = new Map([mail, login, shop, crm, own, paper, silent].map((each) => [each.id, each]));

type Request = Parameters<typeof plan>[0];
const request = (more: Partial<Request> = {}): Request => ({
  type: "erasure",
  authority: "everywhere",
  received_at: "2026-11-21T09:00:00.000Z",
  due_at: "2026-12-21T23:59:59.999Z",
  ...more,
});

type Given = {
  readonly request?: Partial<Request>;
  readonly entries?: readonly Subprocessor[];
  readonly policy?: object;
  readonly holds?: readonly Hold[];
  readonly known?: readonly KnownIdentity[];
  readonly integrations?: ReadonlyMap<string, Integration>;
  readonly earlier?: Earlier;
  readonly shared?: readonly KnownIdentity[];
};
const planned = (given: Given): readonly Planned[] =>
  plan(
    request(given.request),
    {
      subprocessors: Object.fromEntries((given.entries ?? []).map((each) => [each.id, each])),
      policy: Policy.parse(given.policy ?? {}),
      holds: given.holds ?? [],
    },
    given.integrations ?? ALL,
    given.known ?? [email],
    NOW,
    { earlier: given.earlier, shared: given.shared ?? [] },
  );
const summary = (tasks: readonly Planned[]) =>
  Object.fromEntries(
    tasks.map(({ what, task }) => [
      task.id,
      task.state === "ended" ? `${what} ${task.outcome} ${task.level}` : `${what} ${task.state}`,
    ]),
  );
const one = (tasks: readonly Planned[], id: string): Planned => {
  const found = tasks.find(({ task }) => task.id === id);
  if (found === undefined) throw new Error(`${id} is not planned`);
  return found;
};

describe("what was published for a person", () => {
  const revoke = action({ by: [CONNECTION] });
  const network = (unpublish: NonNullable<Integration["actions"]["unpublish"]>): Integration =>
    holder("network", {}, { actions: { erase: absent("theirs", SOURCE), unpublish, revoke } });
  const open = network(single(["network.post"]));
  const closed = network(absent("no API", SOURCE, "Ask them to delete it."));
  const post = { type: "network.post", value: "1", subprocessor: "network" };
  const connection = { type: CONNECTION, value: "con_1", subprocessor: "network" };
  const asked = (
    known: readonly KnownIdentity[],
    more: { readonly by?: Integration; readonly holds?: readonly Hold[]; readonly unpublish?: true } = {
      unpublish: true,
    },
  ) =>
    planned({
      entries: [entry("network", "network")],
      integrations: new Map([["network", more.by ?? open]]),
      known: [email, ...known],
      holds: more.holds ?? [],
      request: more.unpublish === true ? { unpublish: true } : {},
    });

  it("goes with the person's connections there, before these end", () => {
    const tasks = asked([post, connection]);
    expect(summary(tasks)).toEqual({ "network.unpublish": "order queued", "network.revoke": "wait waiting" });
    expect(one(tasks, "network.unpublish")).toMatchObject({
      identities: [{ type: "network.post", value: "1" }],
      connections: [{ type: CONNECTION, value: "con_1" }],
    });
    expect(one(tasks, "network.revoke")).toMatchObject({ after: ["network.unpublish"] });
  });

  it("stays where nobody has said that it is to go", () => {
    expect(summary(asked([post, connection], {}))).toEqual({ "network.revoke": "order queued" });
  });

  it("is nothing where there is neither a thing nor a grant", () => {
    expect(summary(asked([]))).toEqual({});
  });

  it("concerns what was registered, and claims nothing of anything else", () => {
    expect(summary(asked([connection]))).toEqual({ "network.revoke": "order queued" });
  });

  it("[I4] is open without a grant, and under a hold", () => {
    const holds = [hold()];
    expect(summary(asked([post]))).toEqual({ "network.unpublish": "open stuck" });
    const held = asked([post, connection], { holds, unpublish: true });
    expect(summary(held)).toEqual({ "network.unpublish": "open stuck", "network.revoke": "wait waiting" });
  });

  it("is a person's to do where no API does it, and only for those who have a connection", () => {
    expect(summary(asked([connection], { by: closed, unpublish: true }))).toMatchObject({
      "network.unpublish": "open manual",
    });
    expect(summary(asked([], { by: closed, unpublish: true }))).toEqual({});
  });
});

describe("an account that somebody else has connected too", () => {
  const theirs = { type: "login.user_id", value: "1", subprocessor: "login" };
  const given = {
    entries: [entry("login", "login"), entry("login-too", "login")],
    known: [{ type: "login.user_id", value: "1" }],
    shared: [theirs],
  };

  it("is not what a vendor is told to end everything by, there and only there", () => {
    expect(summary(planned(given))).toMatchObject({
      "login.revoke": "ended stopped attested",
      "login-too.revoke": "wait waiting",
    });
  });

  it("is what it ends by where the vendor itself says that it has ended", () => {
    const request = { type: "revocation", scope: "login", endedByHolder: true } as const;
    expect(summary(planned({ ...given, request }))).toMatchObject({ "login.revoke": "ended revoked revoked" });
  });
});

describe("who is asked", () => {
  const entries = [entry("mail", "mail"), entry("login", "login"), entry("own", "own"), entry("silent", "silent")];
  const known = [email, { type: "login.user_id", value: "1" }];

  it("asks everybody to erase, and to revoke after that", () => {
    const tasks = planned({ entries, known });
    expect(summary(tasks)).toEqual({
      "mail.erase": "order queued",
      "login.erase": "order queued",
      "login.revoke": "wait waiting",
      "own.erase": "order queued",
    });
    expect(one(tasks, "login.revoke")).toMatchObject({ after: ["login.erase"] });
  });

  it("treats a closure as an erasure", () => {
    expect(summary(planned({ entries, known, request: { type: "closure" } }))).toEqual(
      summary(planned({ entries, known })),
    );
  });

  it("asks only the vendor whose scope is meant, when no more is authorised", () => {
    const tasks = planned({ entries, known, request: { authority: "here", scope: "login" } });
    expect(Object.keys(summary(tasks))).toEqual(["login.erase", "login.revoke"]);
  });

  it("revokes at the vendor whose grant ends, and tells own systems, which may hold what came under it", () => {
    const tasks = planned({ entries, known, request: { type: "revocation", scope: "login" } });
    expect(summary(tasks)).toEqual({ "login.revoke": "order queued", "own.revoke": "order queued" });
    for (const { task } of tasks) expect(task.scope).toBe("login");
  });

  it("asks nobody to revoke what the holder itself has ended, and says so", () => {
    const tasks = planned({
      entries,
      known,
      request: { type: "revocation", authority: "here", scope: "login", endedByHolder: true },
    });
    expect(summary(tasks)).toEqual({ "login.revoke": "ended revoked revoked", "own.revoke": "order queued" });
    expect(one(tasks, "login.revoke").task.reason).toContain("the holder itself");
  });

  it("takes a grant that the holder ended for ended there only, not at a second account", () => {
    const both = [entry("login", "login"), entry("login-two", "login")];
    const tasks = planned({ entries: both, known, request: { endedByHolder: true, scope: "login" } });
    expect(summary(tasks)).toMatchObject({
      "login.revoke": "ended revoked revoked",
      "login-two.revoke": "wait waiting",
    });
  });

  it("[I11] asks a retired subprocessor to erase, because it held data", () => {
    const retired = entry("mail", "mail", { status: "retired", validTo: "2026-06-01T00:00:00.000Z" });
    expect(summary(planned({ entries: [retired] }))).toEqual({ "mail.erase": "order queued" });
  });

  it("[I2] shows a subprocessor whose integration is not known, instead of leaving it out", () => {
    const tasks = planned({ entries: [entry("mail", "mail"), entry("gone", "gone")] });
    expect(summary(tasks)).toEqual({ "mail.erase": "order queued", "gone.erase": "open stuck" });
    expect(one(tasks, "gone.erase").task.reason).toContain("no integration gone");
  });

  it("does not show it where another's scope is meant", () => {
    const gone = [entry("login", "login"), entry("gone", "gone")];
    for (const request of [
      { type: "revocation", scope: "login" },
      { authority: "here", scope: "login" },
    ] as const)
      expect(Object.keys(summary(planned({ entries: gone, known, request })))).not.toContain("gone.erase");
  });

  it("leaves to a person what no API does, with the instructions", () => {
    const tasks = planned({ entries: [entry("paper", "paper")] });
    expect(summary(tasks)).toEqual({ "paper.erase": "open manual" });
    expect(one(tasks, "paper.erase").task).toMatchObject({
      action: "manual",
      instructions: "Write to archive@paper.example",
    });
  });

  describe("by the tenant's own instructions", () => {
    const byHand = holder("hand", {
      erase: absent("no API", SOURCE, { setting: "steps", contact: "contact", withinDays: "days" }),
    });
    const task = (settings: Readonly<Record<string, string>>, holds: readonly Hold[] = []) =>
      one(
        planned({ integrations: new Map([["hand", byHand]]), entries: [entry("hand", "hand", { settings })], holds }),
        "hand.erase",
      ).task;

    it("says what to do, whom to write to, and by when", () => {
      expect(task({ steps: "Open the portal", contact: "privacy desk", days: "7" })).toMatchObject({
        state: "manual",
        instructions: "Open the portal\nContact: privacy desk",
        due_at: "2026-11-28T09:00:00.000Z",
      });
    });

    it("never waits longer than the law gives, and needs neither contact nor days", () => {
      expect(task({ steps: "Open the portal", days: "90" })).toMatchObject({
        instructions: "Open the portal",
        due_at: "2026-12-21T23:59:59.999Z",
      });
      expect(task({ steps: "Open the portal" })).toMatchObject({ due_at: "2026-12-21T23:59:59.999Z" });
    });

    it("says under a legal hold that it has to wait", () => {
      expect(task({ steps: "Open the portal" }, [hold({ subprocessors: ["hand"] })])).toMatchObject({
        state: "manual",
        reason: "no API does this; not before the legal hold is lifted",
      });
    });
  });

  describe("an action with settings that may be left out", () => {
    const choosy = holder("choosy", {
      erase: {
        by: ["email"],
        needs: { settings: ["token", "region"], otherwise: absent("no token", SOURCE, "Do it by hand") },
      },
    });
    const tasks = (more: Partial<Subprocessor>) =>
      summary(planned({ integrations: new Map([["choosy", choosy]]), entries: [entry("choosy", "choosy", more)] }));

    it("is run where all are filled in, sealed or not", () => {
      expect(tasks({ settings: { region: "eu" }, secrets: { token: ["sealed"] } as never })).toEqual({
        "choosy.erase": "order queued",
      });
    });

    it("is left to a person where one is not", () => {
      expect(tasks({ settings: { region: "eu" } })).toEqual({ "choosy.erase": "open manual" });
      expect(tasks({})).toEqual({ "choosy.erase": "open manual" });
    });
  });

  it("makes no task of a person's hand at another vendor than the one whose grant ends", () => {
    const hand = holder("hand", { revoke: absent("no API", SOURCE, "Tell them to remove the app") });
    const integrations = new Map([...ALL, ["hand", hand]]);
    const tasks = planned({
      integrations,
      entries: [entry("login", "login"), entry("hand", "hand")],
      known,
      request: { type: "revocation", scope: "login" },
    });
    expect(Object.keys(summary(tasks))).toEqual(["login.revoke"]);
  });

  it("asks two accounts of one vendor as two subprocessors", () => {
    expect(summary(planned({ entries: [entry("mail-eu", "mail"), entry("mail-us", "mail")] }))).toEqual({
      "mail-eu.erase": "order queued",
      "mail-us.erase": "order queued",
    });
  });
});

describe("with what they are asked", () => {
  it("hands each action the identities of its types only", () => {
    const tasks = planned({ entries: [entry("mail", "mail"), entry("own", "own")], known: [email, user] });
    expect(one(tasks, "mail.erase")).toMatchObject({ identities: [email] });
    expect(one(tasks, "own.erase")).toMatchObject({ identities: [email, user] });
  });

  it("[I6] hands an object only to the subprocessor for which it was registered, and never says for which", () => {
    const known = [
      { type: "shop.customer", value: "cus_1", subprocessor: "shop-eu" },
      { type: "shop.customer", value: "cus_2", subprocessor: "shop-us" },
    ];
    const tasks = planned({ entries: [entry("shop-eu", "shop"), entry("shop-us", "shop")], known });
    expect(one(tasks, "shop-eu.erase")).toMatchObject({ identities: [{ type: "shop.customer", value: "cus_1" }] });
    expect(one(tasks, "shop-us.erase")).toMatchObject({ identities: [{ type: "shop.customer", value: "cus_2" }] });
    expect(JSON.stringify(one(tasks, "shop-eu.erase"))).not.toContain("cus_2");
  });

  it("[I4] is stuck, and says what to do, when there is no identity to look with", () => {
    const tasks = planned({ entries: [entry("login", "login")] });
    expect(summary(tasks)).toEqual({ "login.erase": "open stuck" });
    expect(one(tasks, "login.erase").task.reason).toMatch(/login\.user_id.*PUT \/v1\/subjects/);
  });

  it("plans no revocation where nothing was granted", () => {
    const granted = holder("granted", { revoke: { by: ["login.user_id"] } });
    const integrations = new Map([...ALL, ["granted", granted]]);
    expect(planned({ integrations, entries: [entry("granted", "granted")] })).toEqual([]);
  });

  it("[I4] is stuck where the very grant that is to end is not known", () => {
    const tasks = planned({ entries: [entry("login", "login")], request: { type: "revocation", scope: "login" } });
    expect(summary(tasks)).toEqual({ "login.revoke": "open stuck" });
  });

  it("attests not found where the controller registers every object and none is registered", () => {
    const tasks = planned({ entries: [entry("login", "login", { registersObjects: true })] });
    expect(one(tasks, "login.erase")).toMatchObject({
      what: "ended",
      task: { outcome: "not_found", level: "attested" },
    });
  });

  it("waits for the task that may learn what it needs", () => {
    const tasks = planned({ entries: [entry("crm", "crm"), entry("shop", "shop")] });
    expect(one(tasks, "crm.erase")).toMatchObject({ what: "wait", after: ["shop.erase"], task: { state: "waiting" } });
  });

  it("does not wait for a task that has nothing to learn from", () => {
    const tasks = planned({ entries: [entry("crm", "crm"), entry("shop", "shop")], known: [user] });
    expect(summary(tasks)).toEqual({ "crm.erase": "open stuck", "shop.erase": "open stuck" });
  });

  it("does not wait when it knows enough", () => {
    const tasks = planned({
      entries: [entry("crm", "crm"), entry("shop", "shop")],
      known: [email, { type: "shop.customer", value: "cus_1" }],
    });
    expect(summary(tasks)).toEqual({ "crm.erase": "order queued", "shop.erase": "order queued" });
  });

  it("[I4] is stuck when the task that might teach it is held, instead of looking with nothing", () => {
    const tasks = planned({
      entries: [entry("crm", "crm"), entry("shop", "shop")],
      holds: [hold({ subprocessors: ["shop"] })],
    });
    expect(summary(tasks)).toEqual({ "crm.erase": "open stuck", "shop.erase": "ended retained retained" });
  });
});

const hold = (more: Partial<Hold> = {}): Hold => ({
  id: "hold_1",
  reason: "litigation",
  reviewAt: "2027-06-01T00:00:00Z",
  placedAt: "2026-01-01T00:00:00Z",
  placedBy: "key_1",
  ...more,
});

describe("[I9] a legal hold", () => {
  const entries = [entry("mail", "mail"), entry("login", "login")];
  const known = [email, { type: "login.user_id", value: "1" }];

  it("ends an erasure as retained until its review, and owes it", () => {
    const tasks = planned({ entries, known, holds: [hold({ subprocessors: ["mail"] })] });
    expect(one(tasks, "mail.erase")).toEqual({
      what: "ended",
      task: expect.objectContaining({
        outcome: "retained",
        level: "retained",
        ended_at: "2026-11-21T09:00:00.000Z",
        retained: [{ category: "all", until: "2027-06-01T00:00:00Z", ground: "legal_hold" }],
      }),
      owes: [email],
    });
    expect(one(tasks, "login.erase").what).toBe("order");
  });

  it("does not stop a revocation, which then waits for nothing", () => {
    const tasks = planned({ entries, known, holds: [hold()] });
    expect(summary(tasks)).toEqual({
      "mail.erase": "ended retained retained",
      "login.erase": "ended retained retained",
      "login.revoke": "order queued",
    });
  });

  it("is nothing to keep where there is no identity to look with", () => {
    const tasks = planned({ entries: [entry("login", "login")], holds: [hold()] });
    expect(summary(tasks)).toEqual({ "login.erase": "open stuck" });
  });

  it("on one person holds nobody else's data", () => {
    const holds = [hold({ subject: "subject-1" })];
    expect(one(planned({ entries, known, holds, request: { subject: "subject-1" } }), "mail.erase").what).toBe("ended");
    expect(one(planned({ entries, known, holds, request: { subject: "subject-2" } }), "mail.erase").what).toBe("order");
    expect(one(planned({ entries, known, holds }), "mail.erase").what).toBe("order");
  });
});

describe("[I4] after an erasure of the same person", () => {
  const entries = [entry("mail", "mail")];
  const kept = [{ category: "invoices", until: "2036-12-31T23:59:59.999Z", ground: "HGB 257" }];
  const after = (ended: Readonly<Record<string, object>>, more: Given = {}) =>
    planned({
      entries,
      known: [],
      earlier: { request: "req_0", ended: new Map(Object.entries(ended)) as Earlier["ended"] },
      ...more,
    });

  it.each(["erased", "revoked", "stopped", "not_found"])("that came to %s, says so and by which", (outcome) => {
    const tasks = after({ "mail.erase": { outcome } });
    expect(summary(tasks)).toEqual({ "mail.erase": "ended not_found attested" });
    expect(one(tasks, "mail.erase").task.reason).toBe("erased before, by req_0");
  });

  it("carries over what is kept, with its day and ground, and owes it no second time", () => {
    expect(one(after({ "mail.erase": { outcome: "retained", retained: kept } }), "mail.erase")).toMatchObject({
      what: "ended",
      task: { outcome: "retained", level: "retained", retained: kept, reason: "see req_0" },
      owes: [],
    });
  });

  it.each(["unresolved", "refused", "informed", "manual_done"])("that came to %s, claims nothing", (outcome) => {
    const registers = { entries: [entry("mail", "mail", { registersObjects: true })] };
    expect(summary(after({ "mail.erase": { outcome } }))).toEqual({ "mail.erase": "open stuck" });
    expect(summary(after({ "mail.erase": { outcome } }, registers))).toEqual({ "mail.erase": "open stuck" });
  });

  it("claims nothing for a subprocessor that it did not ask", () => {
    expect(summary(after({ "shop.erase": { outcome: "erased" } }))).toEqual({ "mail.erase": "open stuck" });
  });

  it("claims nothing where what had joined it later came to nothing", () => {
    const ended = { "mail.erase": { outcome: "erased" }, "mail.erase.2": { outcome: "unresolved" } };
    expect(summary(after(ended))).toEqual({ "mail.erase": "open stuck" });
  });

  it("carries over what is kept of what had joined it later", () => {
    const ended = { "mail.erase": { outcome: "erased" }, "mail.erase.2": { outcome: "retained", retained: kept } };
    expect(one(after(ended), "mail.erase").task).toMatchObject({ outcome: "retained", retained: kept });
  });

  it("looks again with what is known of them", () => {
    const tasks = after({ "mail.erase": { outcome: "erased" } }, { known: [email] });
    expect(summary(tasks)).toEqual({ "mail.erase": "order queued" });
  });
});

describe("[I9] what is kept", () => {
  const rule = {
    category: "billing_records",
    keep: { years: 10 },
    from: "year_end",
    ground: "legal_obligation",
    law: "HGB 257",
  };
  const entries = [entry("shop", "shop"), entry("shop-us", "shop"), entry("mail", "mail")];
  const keepsOf = (given: Given, id: string) => {
    const found = one(planned({ entries, ...given }), id);
    return "keeps" in found ? found.keeps : undefined;
  };

  it("is named by category, with its last day, ground and law", () => {
    expect(keepsOf({ policy: { retention: [rule] } }, "shop.erase")).toEqual({
      billing_records: { until: "2036-12-31T23:59:59.999Z", ground: "legal_obligation: HGB 257" },
    });
  });

  it("counts from the day of receipt in the tenant's zone", () => {
    const policy = { zone: "Europe/Berlin", retention: [rule] };
    const received = { received_at: "2026-12-31T23:30:00.000Z" };
    expect(keepsOf({ policy, request: received }, "shop.erase")).toMatchObject({
      billing_records: { until: "2037-12-31T22:59:59.999Z" },
    });
  });

  it("is kept only where such records are held", () => {
    expect(keepsOf({ policy: { retention: [rule] } }, "mail.erase")).toEqual({});
  });

  it("is kept only at the subprocessors that the rule names", () => {
    const policy = { retention: [{ ...rule, subprocessors: ["shop-us"] }] };
    expect(keepsOf({ policy }, "shop.erase")).toEqual({});
    expect(keepsOf({ policy }, "shop-us.erase")).toHaveProperty("billing_records");
  });

  it("is several categories where there are several rules", () => {
    const policy = { retention: [rule, { ...rule, category: "invoices", keep: { days: 30 }, from: "request" }] };
    expect(Object.keys(keepsOf({ policy }, "shop.erase") ?? {})).toEqual(["billing_records", "invoices"]);
  });

  it("is nothing on the last day, when the request continues another", () => {
    expect(keepsOf({ policy: { retention: [rule] }, request: { continues: "req_0" } }, "shop.erase")).toEqual({});
  });

  it("is what the holder itself keeps, counted from the end of the task", () => {
    const logs = holder("logs", {}, { residuals: [{ category: "logs", days: 30, ground: "abuse", source: SOURCE }] });
    expect(residualsOf(logs, NOW)).toEqual([{ category: "logs", until: "2026-12-21T09:00:00.000Z", ground: "abuse" }]);
  });
});

describe("whatever the registry", () => {
  const types = ["email", "a.id", "b.id", "c.id"] as const;
  const anAction = fc.record({
    by: fc.oneof(fc.constant("any" as const), fc.subarray([...types], { minLength: 1 })),
    learns: fc.subarray([...types]),
    followsOthers: fc.boolean(),
  });
  const anActionOrNone = fc.oneof(
    { weight: 4, arbitrary: anAction },
    { weight: 1, arbitrary: fc.constant(absent("none", SOURCE)) },
    { weight: 1, arbitrary: fc.constant(absent("none", SOURCE, "Write to them")) },
  );
  const holders = fc
    .array(fc.record({ erase: anActionOrNone, revoke: anActionOrNone }), { maxLength: 6 })
    .map((all) => all.map((actions, index) => holder(`h${index}`, actions)));
  const given = fc.record({
    holders,
    registers: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    held: fc.subarray(["h0", "h1", "h2"]),
    known: fc.array(
      fc.record(
        { type: fc.constantFrom(...types), value: fc.constantFrom("1", "2") },
        { requiredKeys: ["type", "value"] },
      ),
      { maxLength: 4 },
    ),
    type: fc.constantFrom("erasure", "closure", "revocation"),
    authority: fc.constantFrom("here", "everywhere"),
    scope: fc.constantFrom("h0", "h1", undefined),
    ended: fc.boolean(),
  });
  type Whole = typeof given extends fc.Arbitrary<infer T> ? T : never;

  const tasksOf = (whole: Whole): readonly Planned[] =>
    planned({
      integrations: new Map(whole.holders.map((each) => [each.id, each])),
      entries: whole.holders.map(({ id }) =>
        entry(id, id, { registersObjects: whole.registers[Number(id.slice(1))] ?? false }),
      ),
      holds: whole.held.length > 0 ? [hold({ subprocessors: whole.held })] : [],
      known: whole.known,
      request: {
        type: whole.type,
        authority: whole.authority,
        ...(whole.scope !== undefined && { scope: whole.scope }),
        ...(whole.ended && { endedByHolder: true as const }),
      },
    });

  it("gives every task an id of its own", () => {
    fc.assert(
      fc.property(given, (whole) => {
        const ids = tasksOf(whole).map(({ task }) => task.id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it("lets a task wait only for open tasks of the same request, and be waiting when it does", () => {
    fc.assert(
      fc.property(given, (whole) => {
        const tasks = tasksOf(whole);
        const open = new Set(tasks.flatMap(({ what, task }) => (what === "ended" ? [] : [task.id])));
        for (const each of tasks) {
          if (each.what !== "order" && each.what !== "wait") continue;
          expect(each.task.state).toBe(each.what === "wait" ? "waiting" : "queued");
          expect(each.after.length > 0).toBe(each.what === "wait");
          for (const id of each.after) expect(open).toContain(id);
          expect(each.after).not.toContain(each.task.id);
        }
      }),
    );
  });

  it("[I2] lets nobody wait in a circle", () => {
    fc.assert(
      fc.property(given, (whole) => {
        const after = new Map(tasksOf(whole).map((each) => [each.task.id, "after" in each ? each.after : []]));
        const free = new Set<string>();
        for (let round = 0; round <= after.size; round++)
          for (const [id, waits] of after) if (waits.every((other) => free.has(other))) free.add(id);
        expect([...after.keys()].filter((id) => !free.has(id))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("[I4] lets no order that waits for nobody go without an identity", () => {
    fc.assert(
      fc.property(given, (whole) => {
        for (const each of tasksOf(whole)) if (each.what === "order") expect(each.identities).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("[I4] ends nothing as erased before anybody was asked, and gives a reason for each end", () => {
    fc.assert(
      fc.property(given, (whole) => {
        for (const { what, task } of tasksOf(whole)) {
          if (what !== "ended") continue;
          expect(["revoked", "not_found", "retained"]).toContain(task.outcome);
          expect(task.reason).toMatch(/\w/);
        }
      }),
    );
  });

  it("[I11] leaves out nobody who can erase, when all are to be asked", () => {
    fc.assert(
      fc.property(given, (whole) => {
        fc.pre(whole.type !== "revocation" && whole.authority === "everywhere");
        const asked = new Set(tasksOf(whole).map(({ task }) => task.id));
        for (const { id, actions } of whole.holders)
          if ("run" in actions.erase && actions.erase.followsOthers !== true) expect(asked).toContain(`${id}.erase`);
      }),
    );
  });

  it("plans the very same, in whatever order the registry stands", () => {
    fc.assert(
      fc.property(given, (whole) => {
        expect(summary(tasksOf({ ...whole, holders: whole.holders.toReversed() }))).toEqual(summary(tasksOf(whole)));
      }),
    );
  });
});
