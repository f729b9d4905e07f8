import { describe, expect, it } from "vitest";
import { github } from "../../integrations/github.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = github;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("GitHub has a hook");

const NOW = Date.parse("2026-11-21T09:30:00Z");
const HOUR = 3_600_000;
const read = (body: unknown, receivedAt = NOW, headers: Readonly<Record<string, string>> = {}) => {
  const reading = hook.read(proven(JSON.stringify(body), headers, receivedAt));
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value;
};
const signalsOf = (body: unknown, headers?: Readonly<Record<string, string>>) =>
  read(body, NOW, headers).flatMap(({ signals }) => signals);
const idsOf = (body: unknown, receivedAt = NOW) => read(body, receivedAt).map(({ id }) => id);

const ada = { login: "ada-example", id: 1001, type: "User" };
const installation = { id: 4711, account: ada, app_id: 5, updated_at: "2026-11-20T10:00:00Z" };
const revoked = { action: "revoked", sender: ada };
const deleted = { action: "deleted", installation, repositories: [], sender: ada };

describe("the kind of an event, which nothing signs", () => {
  it("takes a bare revocation for one of the sender's authorisation", () => {
    expect(signalsOf(revoked)).toEqual([
      { type: "deauthorized", identity: { type: "github.user", value: "1001" }, at: NOW },
    ]);
  });

  it.each([
    { ...revoked, alert: { number: 1 }, repository: { id: 1 } },
    { ...revoked, organization: { id: 2 } },
    { ...revoked, personal_access_token_request: { id: 3 } },
  ])("[I5] takes no other revocation for one, whatever the header claims", (body) => {
    expect(signalsOf(body, { "x-github-event": "github_app_authorization" })).toEqual([]);
  });

  it.each([
    { ...deleted, label: { id: 1 }, repository: { id: 1 }, installation: { id: 4711, node_id: "MDIz" } },
    { ...deleted, comment: { id: 1 }, repository: { id: 1 } },
    { ...deleted, installation: { id: 4711 }, team: { id: 1 }, organization: { id: 1 } },
  ])("[I5] takes nothing that is deleted in an installation for the installation", (body) => {
    expect(signalsOf(body, { "x-github-event": "installation" })).toEqual([]);
  });

  it("means the installation, never whoever clicked", () => {
    expect(signalsOf({ ...deleted, sender: { id: 2002 } })).toEqual([
      { type: "deauthorized", identity: { type: "github.installation", value: "4711" }, at: NOW },
    ]);
  });

  it("only notes that an installation is suspended, and that it is no longer", () => {
    expect(signalsOf({ ...deleted, action: "suspend" })[0]?.type).toBe("account_disabled");
    expect(signalsOf({ ...deleted, action: "unsuspend" })[0]?.type).toBe("account_restored");
    expect(hook.authority.account_disabled).toBe("record");
  });

  it.each(["purchased", "changed", "pending_change", "pending_change_cancelled"])(
    "ends nothing on a plan %s",
    (action) => {
      const body = { action, effective_date: "2026-12-01T00:00:00+00:00", marketplace_purchase: { account: ada } };
      expect(signalsOf(body)).toEqual([]);
    },
  );

  it("counts what it does not know under its name, if that is one", () => {
    expect(read({ action: "opened" }, NOW, { "x-github-event": "issues" })[0]).toMatchObject({
      name: "issues",
      signals: [],
    });
    expect(read({ zen: "x" }, NOW, { "x-github-event": "ada@example.com" })[0]?.name).toBe("unknown");
    expect(read({}, NOW)[0]?.name).toBe("unknown");
  });

  it("takes no id that a number cannot hold, and no login", () => {
    for (const id of [0, -1, 1.5, 2 ** 60, "1001", null])
      expect(signalsOf({ action: "revoked", sender: { id } })).toEqual([]);
  });

  it("gives one event for each repository that was taken out", () => {
    const body = { action: "removed", installation, repositories_removed: [{ id: 1 }, { id: 2 }], sender: ada };
    expect(signalsOf(body).map(({ identity }) => identity.value)).toEqual(["1", "2"]);
    expect(new Set(idsOf(body)).size).toBe(2);
  });
});

describe("what GitHub delivers again", () => {
  it("knows a repeat by its content, not by the unsigned delivery id", () => {
    const one = read(revoked, NOW, { "x-github-delivery": "one" });
    expect(read(revoked, NOW + HOUR / 4, { "x-github-delivery": "two" }).map(({ id }) => id)).toEqual(
      one.map(({ id }) => id),
    );
  });

  it("obeys when the same person revokes another time", () => {
    expect(idsOf(revoked, NOW + HOUR)).not.toEqual(idsOf(revoked));
  });

  it("knows a deleted installation and a cancelled plan for good", () => {
    const cancelled = {
      action: "cancelled",
      effective_date: "2026-11-20T00:00:00+00:00",
      marketplace_purchase: { account: ada },
    };
    for (const body of [deleted, cancelled]) expect(idsOf(body, NOW + 72 * HOUR)).toEqual(idsOf(body));
    expect(idsOf({ ...cancelled, effective_date: "2027-11-20T00:00:00+00:00" })).not.toEqual(idsOf(cancelled));
  });
});

describe("GitHub's signature", () => {
  const headers = {
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  };
  const webhookSecret = "It's a Secret to Everybody";

  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
  it("agrees with the example of GitHub's documents", async () => {
    expect((await checked(hook.verify, { body: "Hello, World!", headers }, { webhookSecret })).ok).toBe(true);
    expect((await checked(hook.verify, { body: "Hello, World?", headers }, { webhookSecret })).ok).toBe(false);
  });

  it("[I5] refuses the older SHA-1 signature alone, and a delivery of a hook without a secret", async () => {
    const old = { "x-hub-signature": "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59" };
    for (const given of [old, {}])
      expect((await checked(hook.verify, { body: "Hello, World!", headers: given }, { webhookSecret })).ok).toBe(false);
  });
});
