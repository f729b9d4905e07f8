import { describe, expect, it } from "vitest";
import { mailchimpTransactional } from "../../integrations/mailchimp-transactional.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { isPresence } from "../../src/intake/challenge.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = mailchimpTransactional;
if (isAbsent(hooks)) throw new Error("Mailchimp Transactional has a hook");
const { events } = hooks;
const URL_REGISTERED = "https://gateway.example.com/hooks/acme/mailchimp-transactional?a=1";

describe("what Mailchimp Transactional tells us", () => {
  // HMAC-SHA1 under "key" of the address, then each field's name and value in the order of their names; by openssl.
  const EMPTY = "FVmgDB1rXopDvkMGIg36GF3AIuE=";
  const TWO_FIELDS = "41BSNt8WHCf4bNEkirjUOmr4GUw=";
  const verified = (body: string, signature: string, key = "key", url = URL_REGISTERED) =>
    events &&
    checked(events.verify, { body, url, headers: { "x-mandrill-signature": signature } }, { webhookKey: key });

  it("[I5] verifies the address as it was registered, with its query, and the decoded fields", async () => {
    expect(await verified("mandrill_events=%5B%5D", EMPTY)).toMatchObject({ ok: true });
    expect(await verified("mandrill_events=[]&a=1", TWO_FIELDS)).toMatchObject({ ok: true });
    expect(await verified("mandrill_events=%5B%5D", EMPTY, "key", `${URL_REGISTERED}&b=2`)).toMatchObject({
      ok: false,
    });
    expect(await verified("mandrill_events=%5B1%5D", EMPTY)).toMatchObject({ ok: false });
  });

  it("[I5] does not know the key that is printed in the documents", async () => {
    const key = await crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode("test-webhook"),
      { name: "HMAC", hash: "SHA-1" },
      false,
      ["sign"],
    );
    const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${URL_REGISTERED}mandrill_events[]`));
    const signature = btoa(String.fromCharCode(...new Uint8Array(mac)));
    expect(await verified("mandrill_events=%5B%5D", signature)).toMatchObject({ ok: false });
  });

  it("[I5] cannot be given that key", () => {
    const fits = (webhookKey: string) =>
      settingsSchema(mailchimpTransactional.settings).safeParse({ webhookKey }).success;
    expect(["test-webhook", "test-webhook-2", "hvhAkQ5mBlUDvXGqxMvYYw"].map(fits)).toEqual([false, true, true]);
  });

  const read = (batch: unknown) =>
    events?.read(proven(new URLSearchParams({ mandrill_events: JSON.stringify(batch) }).toString(), {}, 5_000));

  it("tells the events of one mail apart, which share its id", () => {
    const of = (event: string) => ({ event, _id: "m1", ts: 5, msg: { email: "ada@example.com" } });
    const reading = read([of("send"), of("open"), of("unsub")]);
    expect(reading).toMatchObject({
      value: [
        { id: "send:m1:5", signals: [] },
        { id: "open:m1:5", signals: [] },
        { id: "unsub:m1:5", signals: [{ type: "consent_withdrawn", at: 5_999 }] },
      ],
    });
  });

  it("takes a change of the denylist, an empty batch, and a mail without an address", () => {
    expect(read([{ type: "denylist", action: "add", ts: 5, reject: { email: "ada@example.com" } }])).toMatchObject({
      value: [{ name: "denylist/add", signals: [] }],
    });
    expect(read([])).toEqual({ ok: true, value: [] });
    expect(read([{ event: "unsub", _id: "m1" }])).toMatchObject({ value: [{ signals: [] }] });
  });

  it("[I5] refuses a form without the field, or with something else in it", () => {
    expect(events?.read(proven("other=1"))).toMatchObject({ ok: false, problem: { at: "mandrill_events" } });
    expect(events?.read(proven("mandrill_events=x"))).toMatchObject({ ok: false });
    expect(read({})).toMatchObject({ ok: false });
  });

  it("answers a HEAD with 200, so that no well-known key is ever needed", async () => {
    expect(isPresence(events?.challenges ?? [], "HEAD")).toBe(true);
  });
});

it("says what a person can do by hand, since no API erases a recipient", () => {
  const { erase } = mailchimpTransactional.actions;
  expect(isAbsent(erase) && erase.instructions).toContain("support");
});
