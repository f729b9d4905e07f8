import { describe, expect, it } from "vitest";
import { zendesk } from "../../integrations/zendesk.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound, retained } from "../../src/contract/outcome.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { erase } = zendesk.actions;
const { hooks } = zendesk;
if (isAbsent(erase) || isBulk(erase) || isAbsent(hooks)) throw new Error("Zendesk has an erasure and hooks");
const { events } = hooks;
const settings = {
  subdomain: "acme",
  agentEmail: "agent@acme.example",
  apiToken: "t0ken",
  webhookSecret: "",
  clientId: "",
  clientSecret: "",
};
const user = { type: "zendesk.user", value: "11" };
const users = (...hits: readonly object[]): Played => ({ status: 200, body: { users: hits, next_page: null } });
const check = (reference: string, reply: Played, identity = user) => {
  if (erase.check === undefined) throw new Error("Zendesk can be asked");
  return play(erase.check(reference, orderFor(settings, identity)), [reply]).outcome;
};
const look = (replies: readonly Played[]) => {
  if (erase.look === undefined) throw new Error("Zendesk can be looked at");
  return play(erase.look.run(orderFor(settings, user)), replies).outcome;
};

describe("what Zendesk tells us", () => {
  const TIME = "2021-07-25T10:00:00Z";
  const BODY = '{"say": "hello"}';
  const SECRET = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=";
  const delivery = (signature: string) => ({
    body: BODY,
    headers: { "x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": TIME },
  });
  const verified = (signature: string) =>
    events === undefined ? undefined : checked(events.verify, delivery(signature), { webhookSecret: SECRET });

  it("[I5] takes a signature over timestamp and body, with the secret as its text", async () => {
    expect(await verified("Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk=")).toMatchObject({ ok: true });
  });

  it("[I5] refuses the other order, of which an older copy of the page has the example", async () => {
    expect(await verified("tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=")).toMatchObject({
      ok: false,
      problem: { reason: "bad_signature" },
    });
  });

  const read = (body: unknown) => events?.read(proven(JSON.stringify(body), {}, 5_000));
  const deletion = {
    id: "e1",
    type: "zen:event-type:user.deleted",
    time: "2026-11-21T09:00:00Z",
    detail: { id: "11" },
  };

  it("takes a slash in the type, an id that is a number, and a body without a time", () => {
    expect(read({ id: "e1", type: "zen:event-type/user.deleted", detail: { id: 11 } })).toMatchObject({
      value: [{ id: "e1", signals: [{ type: "account_deleted", identity: user, at: 5_000 }] }],
    });
  });

  it("takes a time with fractions of a second as it is, and one without to the end of its second", () => {
    const at = (time: string) => read({ ...deletion, time });
    expect(at("2025-01-15T02:50:15.906323869Z")).toMatchObject({
      value: [{ signals: [{ at: Date.parse("2025-01-15T02:50:15.906Z") }] }],
    });
    expect(at("2025-01-15T02:50:15Z")).toMatchObject({
      value: [{ signals: [{ at: Date.parse("2025-01-15T02:50:15.999Z") }] }],
    });
  });

  it("only notes that a user is active or not, and knows a merge of which it says nothing", () => {
    const signals = (type: string, event?: object) => {
      const reading = read({ ...deletion, type: `zen:event-type:${type}`, event });
      return reading?.ok === true ? reading.value.flatMap((each) => each.signals.map((signal) => signal.type)) : [];
    };
    expect(signals("user.active_changed", { current: false, previous: true })).toEqual(["account_disabled"]);
    expect(signals("user.active_changed", { current: true, previous: false })).toEqual(["account_restored"]);
    expect(signals("user.active_changed", { current: "no" })).toEqual([]);
    expect(signals("user.merged", { user: { id: "12" } })).toEqual([]);
    expect(signals("user.something_new")).toEqual([]);
    expect(events?.authority).toMatchObject({ account_deleted: "here", account_disabled: "record" });
  });

  it("reads nothing without an id", () => {
    expect(read({ type: "zen:event-type:user.deleted" })).toMatchObject({ ok: false, problem: { at: "id" } });
  });
});

describe("where Zendesk is called", () => {
  it("[I13] is the host of the subdomain, and no other whatever the setting says", () => {
    const callAt = (subdomain: string) => {
      const { calls } = play(erase.run(orderFor({ ...settings, subdomain }, { type: "user_id", value: "u-1" })), [
        users(),
      ]);
      const [call] = calls;
      return call === undefined
        ? undefined
        : {
            url: call.at.url,
            isAllowed: isAllowed(call, { integration: zendesk, settings: { ...settings, subdomain } }),
          };
    };
    expect(callAt("acme")).toEqual({
      url: "https://acme.zendesk.com/api/v2/users/search?external_id=u-1",
      isAllowed: true,
    });
    for (const subdomain of ["evil.example/", "evil.example#", "a.b", "evil@", "ACME", "-a"])
      expect(callAt(subdomain)).toMatchObject({ isAllowed: false });
  });

  it("[I7] shows in evidence neither subdomain nor person", () => {
    const { calls } = play(erase.run(orderFor(settings, { type: "email", value: "ada@example.com" })), [users()]);
    expect(calls[0]?.at.template).toBe("https://{subdomain}.zendesk.com/api/v2/users/search?query={query}");
  });
});

describe("finding users at Zendesk", () => {
  const byEmail = (replies: readonly Played[]) =>
    play(erase.run(orderFor(settings, { type: "email", value: "ada@example.com" })), replies).outcome;

  it("[I4] acts on nobody whom the search found by another address", () => {
    const identities = { status: 200, body: { identities: [{ type: "email", value: "adam@example.com" }] } };
    expect(byEmail([users({ id: 12, email: "adam@example.com" }), identities])).toEqual(notFound);
  });

  it("[I4] does not go on when there are more than one page", () => {
    expect(byEmail([{ status: 200, body: { users: [], next_page: "https://acme.zendesk.com/x" } }])).toMatchObject({
      outcome: "unforeseen",
    });
  });

  it("[I4] leaves an external id that is spelled otherwise to a person", () => {
    const { outcome } = play(erase.run(orderFor(settings, { type: "user_id", value: "u-1" })), [
      users({ id: 11, external_id: "U-1" }),
    ]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });
});

describe("following an erasure at Zendesk", () => {
  const statuses = (...actions: readonly [string, string][]): Played => ({
    status: 200,
    body: { compliance_deletion_statuses: actions.map(([action, application]) => ({ action, application })) },
  });

  it("[I4] takes a request, or a product that has begun, for no erasure", () => {
    expect(check("user:", statuses(["request_deletion", "all"]))).toMatchObject({ outcome: "accepted" });
    expect(check("user:", statuses())).toMatchObject({ outcome: "accepted" });
    expect(check("user:", statuses(["complete", "chat"], ["started", "support"]))).toMatchObject({
      outcome: "accepted",
    });
  });

  it("takes a user who is no longer in the account for erased, once the second deletion was confirmed", () => {
    expect(check("user:", { status: 404 })).toEqual(erased);
  });

  it("names kept tickets in pieces that fit into an identity", () => {
    const ids = Array.from({ length: 60 }, (_, nth) => 10 ** 15 + nth);
    const outcome = check(`user:${ids.join(",")}`, { status: 404 });
    expect(outcome).toEqual(
      retained("support_tickets", [
        { type: "zendesk.tickets", value: ids.slice(0, 25).join(",") },
        { type: "zendesk.tickets", value: ids.slice(25, 50).join(",") },
        { type: "zendesk.tickets", value: ids.slice(50).join(",") },
      ]),
    );
  });

  it("[I4] claims nothing of a job that failed, or that left a ticket", () => {
    const job = (status: string, results: unknown = null): Played => ({
      status: 200,
      body: { job_status: { id: "job-1", status, results } },
    });
    const tickets = { type: "zendesk.tickets", value: "1,2" };
    for (const status of ["failed", "killed", "surprising"])
      expect(check("job:job-1", job(status), tickets)).toMatchObject({ outcome: "unforeseen" });
    const left = [
      { id: 1, success: true },
      { id: 2, index: 1, error: "PermissionDenied" },
    ];
    expect(check("job:job-1", job("completed", left), tickets)).toMatchObject({ outcome: "unforeseen" });
    expect(check("job:job-1", job("completed", [{ id: 2, error: "TicketNotFound" }]), tickets)).toEqual(erased);
    expect(check("job:job-1", job("working"), tickets)).toMatchObject({ outcome: "accepted" });
  });

  it("passes over tickets that the index still lists, page by page, before it deletes the user", () => {
    const page = (id: number, after?: string): Played => ({
      status: 200,
      body: { results: [{ id, requester_id: 11 }], meta: { has_more: after !== undefined, after_cursor: after } },
    });
    const none = { status: 200, body: { tickets: [] } };
    const { calls } = play(erase.run(orderFor(settings, user)), [
      page(1, "x"),
      none,
      page(2),
      none,
      { status: 200, body: { user: { id: 11 } } },
      { status: 200, body: { deleted_user: { id: 11 } } },
    ]);
    expect(calls.map(({ method }) => method)).toEqual(["GET", "GET", "GET", "GET", "DELETE", "DELETE"]);
    expect(new URL(calls[2]?.at.url ?? "").searchParams.get("page[after]")).toBe("x");
  });

  it("erases no ticket that the search gave for another requester", () => {
    const other = { results: [{ id: 7, requester_id: 12 }], meta: { has_more: false } };
    const { calls } = play(erase.run(orderFor(settings, user)), [
      { status: 200, body: other },
      { status: 200, body: { user: { id: 11 } } },
      { status: 200, body: { deleted_user: { id: 11 } } },
    ]);
    expect(calls).toHaveLength(3);
  });

  it("sees a user who is only hidden as present, and one without an address as gone", () => {
    const hidden = { status: 200, body: { user: { id: 11, active: false } } };
    const shown = (email: string | null, name: string) => ({
      status: 200,
      body: { deleted_user: { id: 11, email, name } },
    });
    expect(look([hidden, shown("ada@example.com", "Ada")])).toBe("present");
    expect(look([hidden, shown(null, "Ada")])).toBe("present");
    expect(look([hidden, shown(null, "Permanently Deleted User")])).toBe("absent");
    expect(look([hidden, { status: 404 }])).toBe("absent");
  });
});
