import { describe, expect, it } from "vitest";
import { sendgrid } from "../../integrations/sendgrid.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { erase } = sendgrid.actions;
const { hooks } = sendgrid;
if (isAbsent(erase) || isBulk(erase) || isAbsent(hooks)) throw new Error("SendGrid has an erasure and a hook");
const { events } = hooks;
const settings = { region: "us", apiKey: "SG.t", subuser: "", verificationKey: "" };
const run = (type: string, value: string, replies: readonly Played[], more: Partial<typeof settings> = {}) =>
  play(erase.run(orderFor({ ...settings, ...more }, { type, value })), replies);

describe("what SendGrid tells us", () => {
  // https://github.com/sendgrid/sendgrid-nodejs packages/eventwebhook/src/eventwebhook.spec.js
  const KEY =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";
  const SIGNATURE = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=";
  const BODY = '{"category":"example_payload","event":"test_event","message_id":"message_id"}';
  const verified = (body: string) =>
    events &&
    checked(
      events.verify,
      {
        body,
        headers: {
          "x-twilio-email-event-webhook-signature": SIGNATURE,
          "x-twilio-email-event-webhook-timestamp": "1588788367",
        },
      },
      { verificationKey: KEY },
    );

  it("[I5] verifies what the vendor's own SDK verifies", async () => {
    expect(await verified(BODY)).toMatchObject({ ok: true });
    expect(await verified(`${BODY}\r\n`)).toMatchObject({ ok: false });
  });

  const read = (body: string) => events?.read(proven(body, {}, 5_000));

  it("knows each event of a batch by its own id, however batches are cut", () => {
    const body = (...parts: readonly object[]) => `[${parts.map((part) => JSON.stringify(part)).join(",\r\n")}]\r\n`;
    const one = { event: "unsubscribe", email: "ada@example.com", sg_event_id: "e1", timestamp: 5 };
    const two = { event: "delivered", email: "ada@example.com", sg_event_id: "e2", timestamp: 5 };
    const three = { event: "spamreport", email: "ada@example.com", sg_event_id: "e3", timestamp: 5 };
    const ids = (text: string) => {
      const reading = read(text);
      return reading?.ok === true ? reading.value.map(({ id, signals }) => [id, signals.length]) : undefined;
    };
    expect(ids(body(one, two, three))).toEqual([
      ["e1", 1],
      ["e2", 0],
      ["e3", 1],
    ]);
    expect(ids(body(three))).toEqual([["e3", 1]]);
  });

  it("only ever notes withdrawn consent, of the address, whatever kind of event", () => {
    expect(events?.authority).toEqual({ consent_withdrawn: "record" });
    const reading = read('[{"event":"group_unsubscribe","email":"Ada@example.com","sg_event_id":"e1"}]');
    expect(reading).toMatchObject({
      value: [
        {
          signals: [{ type: "consent_withdrawn", identity: { type: "email", value: "Ada@example.com" }, at: 5_000 }],
        },
      ],
    });
    for (const event of ["bounce", "dropped", "group_resubscribe", "open", "something_new"])
      expect(read(`[{"event":"${event}","email":"ada@example.com","sg_event_id":"e1"}]`)).toMatchObject({
        value: [{ name: event, signals: [] }],
      });
  });

  it("takes an empty batch", () => {
    expect(read("[]\r\n")).toEqual({ ok: true, value: [] });
  });
});

describe("erasing at SendGrid", () => {
  it.each([
    ["us", "https://api.sendgrid.com"],
    ["eu", "https://api.eu.sendgrid.com"],
  ])("goes to the region %s, and names the subuser where there is one", (region, origin) => {
    const { calls } = run("sendgrid.recipient", "ada@example.com", [{ status: 202, body: { job_id: "j" } }], {
      region,
      subuser: "shop",
    });
    expect(calls[0]).toMatchObject({
      at: { url: `${origin}/v3/recipients/erasejob` },
      headers: { "on-behalf-of": "shop", authorization: "Bearer SG.t" },
    });
    expect(run("sendgrid.recipient", "a@example.com", [{ status: 403 }]).calls[0]?.headers).not.toHaveProperty(
      "on-behalf-of",
    );
  });

  it("[I4] claims no more of mail data than that SendGrid was told, and says how to be let", () => {
    const { outcome } = run("sendgrid.recipient", "ada@example.com", [{ status: 202, body: { job_id: "j" } }]);
    expect(outcome).toEqual({ outcome: "informed" });
    for (const status of [200, 400, 403])
      expect(run("sendgrid.recipient", "ada@example.com", [{ status, body: { job_id: "j" } }]).outcome).toMatchObject({
        outcome: "unforeseen",
        status,
      });
  });

  it("[I4] never deletes without an id, which would be close to all", () => {
    expect(() => run("sendgrid.contact", "", [])).toThrow(RangeError);
    const { calls } = run("sendgrid.contact", "c1&delete_all_contacts=true", [
      { status: 200, body: {} },
      { status: 202, body: { job_id: "j" } },
    ]);
    expect([...new URL(calls[1]?.at.url ?? "").searchParams]).toEqual([["ids", "c1&delete_all_contacts=true"]]);
  });

  it("[I4] acts on no contact that has another address, and on one that has it besides", () => {
    const result = {
      "ada@example.com": { contact: { id: "c1", email: "ada@work.example", alternate_emails: ["Ada@example.com"] } },
      "adam@example.com": { contact: { id: "c2", email: "adam@example.com" } },
    };
    const { outcome } = run("email", "ada@example.com", [{ status: 200, body: { result } }]);
    expect(outcome).toMatchObject({
      identities: [{ type: "sendgrid.recipient" }, { type: "sendgrid.suppressions" }, { value: "c1" }],
    });
  });

  it.each(["errored", "failed"])("[I4] claims nothing of a job that %s", (status) => {
    if (erase.check === undefined) throw new Error("SendGrid can be asked");
    const order = orderFor(settings, { type: "sendgrid.contact", value: "c1" });
    expect(play(erase.check("j", order), [{ status: 200, body: { status } }]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });
});
