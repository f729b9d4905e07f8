import { describe, expect, it } from "vitest";
import { sentry } from "../../integrations/sentry.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = sentry;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("Sentry has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const removal = {
  action: "deleted",
  actor: { type: "user", id: 1 },
  installation: { uuid: "u1" },
  data: { installation: { uuid: "u1", organization: { slug: "acme" } } },
};
const read = (body: unknown, headers: Readonly<Record<string, string>> = {}, at = NOW) =>
  hook.read(proven(JSON.stringify(body), headers, at));

describe("what Sentry tells us", () => {
  it("ends the grant of an installation that was deleted, once", () => {
    const first = read(removal);
    expect(first).toEqual({
      ok: true,
      value: [
        {
          id: "installation.deleted:u1",
          name: "installation.deleted",
          signals: [{ type: "deauthorized", identity: { type: "sentry.installation", value: "u1" }, at: NOW }],
        },
      ],
    });
    expect(read(removal, { "request-id": "2" }, NOW + 86_400_000)).toMatchObject({
      value: [{ id: "installation.deleted:u1" }],
    });
  });

  it.each([
    { ...removal, data: { comment: "gone", comment_id: 1 } },
    { ...removal, data: { ...removal.data, issue: { id: "1" } } },
    { ...removal, action: "created" },
    { ...removal, data: {} },
  ])("[I5] takes nothing else that is deleted for an installation, whatever the header claims", (body) => {
    expect(read(body, { "sentry-hook-resource": "installation" })).toMatchObject({
      ok: true,
      value: [{ signals: [] }],
    });
  });

  it("counts what it does not know under its name, if that is one", () => {
    expect(read({ action: "resolved", data: {} }, { "sentry-hook-resource": "issue" })).toMatchObject({
      value: [{ name: "issue" }],
    });
    expect(read({ action: "resolved", data: {} }, { "sentry-hook-resource": "Ada <ada>" })).toMatchObject({
      value: [{ name: "unknown" }],
    });
  });
});

describe("Sentry's signature", () => {
  // RFC 4231, test case 2.
  const body = "what do ya want for nothing?";
  const mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

  it("agrees with a known answer, as bare hex", async () => {
    for (const [signature, ok] of [
      [mac, true],
      [`sha256=${mac}`, false],
      [mac.toUpperCase(), false],
    ] as const) {
      const headers = { "sentry-hook-signature": signature };
      expect((await checked(hook.verify, { body, headers }, { clientSecret: "Jefe" })).ok).toBe(ok);
    }
  });
});
