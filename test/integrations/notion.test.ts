import { describe, expect, it } from "vitest";
import { notion } from "../../integrations/notion.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = notion;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("Notion has a hook");

const event = {
  id: "e1",
  type: "page.deleted",
  timestamp: "2026-01-01T00:00:00.123Z",
  entity: { id: "p1", type: "page" },
  attempt_number: 8,
};
const read = (change: object) => hook.read(proven(JSON.stringify({ ...event, ...change })));

describe("what Notion tells us", () => {
  it("notes what was deleted, under the event's own id and time, whichever attempt it is", () => {
    expect(read({})).toEqual({
      ok: true,
      value: [
        {
          id: "e1",
          name: "page.deleted",
          signals: [
            {
              type: "content_deleted",
              identity: { type: "notion.entity", value: "p1" },
              at: Date.parse("2026-01-01T00:00:00.123Z"),
            },
          ],
        },
      ],
    });
  });

  it("counts what is not deleted, with whatever it has", () => {
    for (const type of ["page.created", "page.undeleted", "comment.updated"])
      for (const more of [{}, { entity: null, timestamp: 5 }])
        expect(read({ type, ...more })).toMatchObject({ ok: true, value: [{ id: "e1", name: type, signals: [] }] });
  });

  it("refuses a deletion of nothing, or at no time, and the handshake, which is not for a stored token", () => {
    expect(read({ entity: {} }).ok).toBe(false);
    expect(read({ timestamp: "then" }).ok).toBe(false);
    expect(hook.read(proven('{"verification_token":"secret_1"}')).ok).toBe(false);
  });
});

describe("Notion's verification token", () => {
  const tells = (body: unknown) => hook.offer?.tells(proven(JSON.stringify(body)));

  it("is told by a delivery that has nothing else", () => {
    expect(tells({ verification_token: "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl" })).toBe(true);
    for (const body of [
      { verification_token: "secret_1" },
      { verification_token: "token_tMrlL1qK5vuQAh1b6cZG" },
      { verification_token: `secret_${"x".repeat(300)}` },
      { verification_token: "secret_tMrlL1qK5vuQAh1b6cZG", id: "e1", type: "page.deleted" },
      event,
    ])
      expect(tells(body)).toBe(false);
  });
});

describe("Notion's signature", () => {
  // RFC 4231, test case 2.
  const body = "what do ya want for nothing?";
  const mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

  it("agrees with a known answer, and needs its prefix", async () => {
    for (const [signature, ok] of [
      [`sha256=${mac}`, true],
      [mac, false],
    ] as const) {
      const headers = { "x-notion-signature": signature };
      expect((await checked(hook.verify, { body, headers }, { verificationToken: "Jefe" })).ok).toBe(ok);
    }
  });
});

describe("what Notion grants", () => {
  const adapt = isAbsent(notion.oauth) ? undefined : notion.oauth.adapt;
  const user = { object: "user", id: "u1" };

  it("is known by workspace and person, and has no refresh token where Notion says null", () => {
    const json = { access_token: "a", refresh_token: null, workspace_id: "w1", owner: { type: "user", user } };
    const { refresh_token: _, ...rest } = json;
    expect(adapt?.({ status: 200, json })?.json).toEqual({ ...rest, account: "w1/u1" });
  });

  it("is nobody's where a workspace is the owner", () => {
    const json = { access_token: "a", workspace_id: "w1", owner: { type: "workspace", workspace: true } };
    expect(adapt?.({ status: 200, json })?.json).toEqual(json);
  });
});
