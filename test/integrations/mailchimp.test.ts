import { describe, expect, it } from "vitest";
import { mailchimp } from "../../integrations/mailchimp.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { isPresence } from "../../src/intake/challenge.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { erase } = mailchimp.actions;
const { hooks } = mailchimp;
if (isAbsent(erase) || isBulk(erase) || isAbsent(hooks)) throw new Error("Mailchimp has an erasure and hooks");
const { audience, "audience-unsigned": unsigned } = hooks;
const settings = {
  apiKey: "0123456789abcdef0123456789abcdef-us21",
  dataCenter: "us21",
  clientId: "",
  clientSecret: "",
  signingSecret: "",
  addressSecret: "",
};
const run = (type: string, value: string, replies: readonly Played[], more: Partial<typeof settings> = {}) =>
  play(erase.run(orderFor({ ...settings, ...more }, { type, value })), replies);
const lists = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { lists: ids.map((id) => ({ id })), total_items: ids.length },
});

describe("what Mailchimp tells us", () => {
  const read = (fields: Readonly<Record<string, string>>) =>
    audience?.read(proven(new URLSearchParams(fields).toString(), {}, 5_000));
  const unsubscribed = {
    type: "unsubscribe",
    fired_at: "2026-11-21 09:00:00",
    "data[action]": "unsub",
    "data[id]": "8a25ff1d98",
    "data[list_id]": "list1",
    "data[email]": "ada@example.com",
  };

  it("takes the time for UTC, to the end of its second, and names the address by Mailchimp's id", () => {
    expect(read(unsubscribed)).toEqual({
      ok: true,
      value: [
        {
          id: "unsubscribe/unsub:list1:8a25ff1d98:2026-11-21 09:00:00",
          name: "unsubscribe/unsub",
          signals: [
            {
              type: "consent_withdrawn",
              identity: { type: "mailchimp.address_id", value: "8a25ff1d98" },
              at: Date.parse("2026-11-21T09:00:00.999Z"),
            },
          ],
        },
      ],
    });
  });

  it("only notes a deletion, which may have been an archiving, at either address", () => {
    expect(read({ ...unsubscribed, "data[action]": "delete" })).toMatchObject({
      value: [{ signals: [{ type: "account_deleted" }] }],
    });
    for (const hook of [audience, unsigned])
      expect(hook?.authority).toEqual({ consent_withdrawn: "record", account_deleted: "record" });
  });

  it("takes a delivery without time or id, and kinds that it does not know", () => {
    expect(read({ type: "unsubscribe", "data[id]": "x" })).toMatchObject({ value: [{ signals: [{ at: 5_000 }] }] });
    expect(read({ type: "unsubscribe" })).toMatchObject({ value: [{ signals: [] }] });
    expect(read({ type: "something_new", "data[id]": "x" })).toMatchObject({
      value: [{ name: "something_new", signals: [] }],
    });
    expect(read({ type: "unsubscribe", fired_at: "0000-99-99 00:00:00", "data[id]": "x" })).toMatchObject({
      value: [{ signals: [{ at: 5_000 }] }],
    });
  });

  it("[I5] refuses a form that says nothing of its kind", () => {
    expect(read({ fired_at: "2026-11-21 09:00:00" })).toEqual({
      ok: false,
      problem: { reason: "unreadable", at: "type" },
    });
  });

  it("[I5] takes any of several signatures, as there are while a secret is changed", async () => {
    // HMAC-SHA256 of "1767225600.type=profile" under "key", computed with openssl.
    const mac = "ca3de95b4069bf842d61b51a90d2f238e35530ec3c7e7ea1551a87a994b86abe";
    const verified = (header: string) =>
      audience &&
      checked(
        audience.verify,
        { body: "type=profile", headers: { "x-mailchimp-signature": header } },
        { signingSecret: "key" },
      );
    expect(await verified(`t=1767225600,v1=${"0".repeat(64)},v1=${mac}`)).toMatchObject({ ok: true });
    expect(await verified(`t=1767225600,v1=${"0".repeat(64)}`)).toMatchObject({ ok: false });
    expect(await verified(`t=1767225601,v1=${mac}`)).toMatchObject({ ok: false });
  });

  it("[I5] refuses at the address of unsigned webhooks whoever has another secret, or two", async () => {
    const secret = "zLr0Yt5kQ8mW2xVb7nC4jH9sD1fG6aPe";
    const url = "https://gateway.example.com/hooks/acme/mailchimp/audience-unsigned";
    const verified = (query: string) =>
      unsigned && checked(unsigned.verify, { body: "type=profile", url: url + query }, { addressSecret: secret });
    expect(await verified(`?secret=${secret}`)).toMatchObject({ ok: true });
    for (const query of ["", "?secret=", "?secret=x", `?secret=${secret}&secret=x`])
      expect(await verified(query)).toMatchObject({ ok: false });
  });

  it("answers a GET with 200, and causes nothing", async () => {
    expect(isPresence(audience?.challenges ?? [], "GET")).toBe(true);
    expect(isPresence(unsigned?.challenges ?? [], "GET")).toBe(true);
  });
});

describe("erasing at Mailchimp", () => {
  it("deletes for good in each audience, and never archives", () => {
    const { calls } = run("mailchimp.member", "list1/abc", [{ status: 204 }]);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: {
        url: "https://us21.api.mailchimp.com/3.0/lists/list1/members/abc/actions/delete-permanent",
        template: "https://{dataCenter}.api.mailchimp.com/3.0/lists/{list}/members/{member}/actions/delete-permanent",
      },
    });
  });

  it("[I13] shows the key to no other data center, and calls no other host", () => {
    for (const dataCenter of ["us2", "evil.example/", "21"]) {
      const { calls, outcome } = run("mailchimp.member", "list1/abc", [], { dataCenter });
      expect(calls).toEqual([]);
      expect(outcome).toMatchObject({ outcome: "unauthorized" });
    }
    const [call] = run("email", "ada@example.com", [lists()]).calls;
    const allowed = (dataCenter: string) =>
      call !== undefined && isAllowed(call, { integration: mailchimp, settings: { ...settings, dataCenter } });
    expect(allowed("us21")).toBe(true);
    expect(allowed("us20")).toBe(false);
  });

  it("[I4] acts on no member with another address", () => {
    const other = { status: 200, body: { id: "abc", email_address: "adam@example.com" } };
    expect(run("email", "ada@example.com", [lists("list1"), other]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] says not found only when every audience was asked", () => {
    const some = { status: 200, body: { lists: [{ id: "list1" }], total_items: 2 } };
    expect(run("email", "ada@example.com", [some]).outcome).toMatchObject({ outcome: "unforeseen" });
    expect(run("email", "ada@example.com", [lists("list1"), { status: 403 }]).outcome).toMatchObject({
      outcome: "unforeseen",
      status: 403,
    });
  });

  it.each(["list1", "/abc", "list1/", "a/b/c"])("[I4] does nothing about %s, which names no member", (value) => {
    expect(run("mailchimp.member", value, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("tokens of connections", () => {
  const { oauth } = mailchimp;
  if (isAbsent(oauth) || oauth.adapt === undefined) throw new Error("Mailchimp has OAuth with deviations");
  const { adapt } = oauth;

  it("takes nothing of a lifetime of 0 and a scope that is null, and an error inside 200 for one", () => {
    const json = { access_token: "t0ken", expires_in: 0, scope: null };
    expect(adapt({ status: 200, json })).toEqual({
      status: 200,
      json: { access_token: "t0ken", token_type: "Bearer" },
    });
    expect(adapt({ status: 200, json: { error: "invalid_grant" } })?.status).toBe(400);
  });
});
