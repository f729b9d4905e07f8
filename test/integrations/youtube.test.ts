import { describe, expect, it } from "vitest";
import { google } from "../../integrations/google.ts";
import { youtube } from "../../integrations/youtube.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { proven } from "../support/proven.ts";

const hookOf = ({ hooks }: typeof youtube | typeof google) => {
  const hook = isAbsent(hooks) ? undefined : hooks["security-events"];
  if (hook === undefined) throw new Error("Google has a hook");
  return hook;
};
const subject = { subject_type: "iss-sub", iss: "https://accounts.google.com/", sub: "100" };

describe("what Google tells us of a grant to YouTube", () => {
  it("is due within 30 days, however the grant ended", () => {
    const { deadlines } = hookOf(youtube);
    for (const type of ["deauthorized", "token_revoked", "account_deleted"] as const)
      expect(deadlines?.[type]).toMatchObject({ hours: 720, source: expect.stringContaining("developer-policies") });
  });

  it("is proven and refused like any other of Google's", () => {
    const { verify, refusal, authority, events } = hookOf(youtube);
    expect({ verify, refusal, authority, events }).toEqual({
      verify: hookOf(google).verify,
      refusal: hookOf(google).refusal,
      authority: hookOf(google).authority,
      events: hookOf(google).events,
    });
  });

  it("concerns an account under a name of its own, because the grant is another", () => {
    const name = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked";
    const token = { iss: subject.iss, aud: "c", iat: 1_700_000_000, jti: "j1", events: { [name]: { subject } } };
    expect(hookOf(youtube).read(proven(JSON.stringify(token)))).toMatchObject({
      ok: true,
      value: [{ signals: [{ type: "deauthorized", identity: { type: "youtube.google_account", value: "100" } }] }],
    });
  });

  it("does not speak of an e-mail address, which is not YouTube's", () => {
    const name = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    const claims = { subject_type: "id_token_claims", iss: subject.iss, email: "a@example.com" };
    const token = {
      iss: subject.iss,
      aud: "c",
      iat: 1_700_000_000,
      jti: "j1",
      events: { [name]: { subject: claims } },
    };
    expect(hookOf(youtube).read(proven(JSON.stringify(token))).ok).toBe(false);
  });
});
