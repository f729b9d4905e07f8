import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { adyen } from "../../integrations/adyen.ts";
import { braze } from "../../integrations/braze.ts";
import { customerIo } from "../../integrations/customer-io.ts";
import { datadog } from "../../integrations/datadog.ts";
import { onesignal } from "../../integrations/onesignal.ts";
import { salesforce } from "../../integrations/salesforce.ts";
import { segment } from "../../integrations/segment.ts";
import { twilio } from "../../integrations/twilio.ts";
import {
  type Absent,
  type Action,
  isAbsent,
  isBulk,
  type SingleAction,
  type Steps,
} from "../../src/contract/integration.ts";
import type { Answer } from "../../src/contract/outcome.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { carryOut } from "../support/carry-out.ts";

let now: number;
let sandbox: Sandbox;
beforeEach(() => {
  now = Date.parse("2026-11-21T12:00:00Z");
  sandbox = createSandbox({ now: () => now });
});
const wait = (seconds: number) => {
  now += seconds * 1000;
};
const send = async (method: string, path: string, body?: object) => {
  const request = new Request(`http://sandbox${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const answer = await sandbox.admin(request);
  expect(answer.status).toBe(200);
  return answer.json();
};
const seed = (body: object) => send("POST", "/seed", body);
const holds = (text: string) => send("GET", `/holdings?text=${encodeURIComponent(text)}`);

/** A bulk action as one for a single order, so that it can be carried out. */
function single<S extends Settings>(action: Action<S> | Absent): SingleAction<S> {
  if (isAbsent(action)) throw new Error("expected an action");
  if (!isBulk(action)) return action;
  const { bulk, ...facts } = action;
  const one: SingleAction<S> = { ...facts, run: (order) => only(bulk.run([order], "batch")) };
  const { check } = bulk;
  return check === undefined ? one : { ...one, check: (reference, order) => only(check(reference, [order])) };
}
function* only(steps: Steps<readonly Answer[]>): Steps<Answer> {
  const [answer] = yield* steps;
  if (answer === undefined) throw new Error("a bulk call answers for each");
  return answer;
}

describe("Segment", () => {
  const erase = single(segment.actions.erase);
  const settings = { apiToken: "sgp_1", residency: "EU", regulation: "" };
  const ada = { type: "segment.user_id", value: "ada-1" };
  beforeEach(() =>
    seed({
      vendor: "segment",
      residency: "EU",
      users: [
        { user_id: "ada-1", events: ["Signed Up"] },
        { user_id: "bob-1", events: ["Signed Up"] },
      ],
    }),
  );

  it("deletes the user within days, and nobody else", async () => {
    expect(await carryOut(sandbox, erase, settings, ada, { wait })).toMatchObject([{ answer: { outcome: "erased" } }]);
    expect(await holds("ada-1")).toEqual([]);
    expect(await holds("bob-1")).not.toEqual([]);
  });

  it("leaves it to a person where its own part failed, and is done where only a destination is not supported", async () => {
    const ends = (own: string) =>
      send("PUT", "/segment/settings", {
        ends: "FAILED",
        destinations: [
          { name: "Segment", status: own },
          { name: "Acme", status: "NOT_SUPPORTED" },
        ],
      });
    await ends("FAILED");
    expect(await carryOut(sandbox, erase, settings, ada, { wait })).toMatchObject([
      { answer: { outcome: "unforeseen" } },
    ]);
    expect(await holds("ada-1")).not.toEqual([]);
    await ends("FINISHED");
    expect(await carryOut(sandbox, erase, settings, ada, { wait })).toMatchObject([{ answer: { outcome: "erased" } }]);
    expect(await holds("ada-1")).toEqual([]);
  });
});

describe("Braze", () => {
  it("finds by any id, deletes every profile of an address a while later, and nobody else's", async () => {
    const erase = single(braze.actions.erase);
    const settings = { apiKey: "key-1", instance: "fra-02" };
    await seed({
      vendor: "braze",
      users: [
        { braze_id: "b-1", external_id: "ada-1", email: "ada@example.com" },
        { braze_id: "b-2", email: "ada@example.com", phone: "+15550100" },
        { braze_id: "b-3", external_id: "bob-1", email: "bob@example.com" },
      ],
    });
    const email = { type: "email", value: "ada@example.com" };
    const ends = await carryOut(sandbox, erase, settings, email, { wait });
    expect(ends.map(({ answer }) => answer.outcome)).toEqual(["erased", "erased"]);
    expect(await holds("ada")).toEqual([]);
    expect(await holds("bob-1")).not.toEqual([]);
    for (const identity of [
      email,
      { type: "braze.external_id", value: "ada-1" },
      { type: "braze.braze_id", value: "b-1" },
    ])
      expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });
});

describe("Customer.io", () => {
  const settings = {
    siteId: "site-1",
    trackApiKey: "track-1",
    appApiKey: "app-1",
    residency: "EU",
    ending: "",
    signingKey: "",
  };
  it.each(["suppress", "delete"])(
    "finds everybody with an address, ends each by %s, and looks again",
    async (ending) => {
      await seed({
        vendor: "customer-io",
        people: [
          { cio_id: "c1", id: "ada-1", email: "ada@example.com" },
          { cio_id: "c2", email: "ada@example.com" },
          { cio_id: "c3", id: "bob-1", email: "bob@example.com" },
        ],
      });
      const email = { type: "email", value: "ada@example.com" };
      const ends = await carryOut(sandbox, customerIo.actions.erase, { ...settings, ending }, email, { wait });
      expect(ends.map(({ answer, sight }) => [answer.outcome, sight])).toEqual([
        ["erased", "absent"],
        ["erased", "absent"],
      ]);
      expect(await holds("ada")).toEqual([]);
      expect(await holds("bob-1")).not.toEqual([]);
      for (const identity of [email, { type: "customer-io.id", value: "ada-1" }])
        expect(await carryOut(sandbox, customerIo.actions.erase, settings, identity)).toMatchObject([
          { answer: { outcome: "not_found" } },
        ]);
    },
  );
});

describe("Twilio", () => {
  it("deletes all of a number, in pieces, what is unfinished later, and nobody else's", async () => {
    const account = "AC00000000000000000000000000000001";
    const settings = { accountSid: account, authToken: "0123456789abcdef0123456789abcdef" };
    const [ours, ada, bob] = ["+15550199", "+15550100", "+15550101"];
    await seed({
      vendor: "twilio",
      account,
      messages: [
        ...Array.from({ length: 120 }, () => ({ from: ours, to: ada })),
        { from: ada, to: ours, finished_after_seconds: 5400 },
        { from: `whatsapp:${ada}`, to: `whatsapp:${ours}` },
        { from: ours, to: bob },
      ],
      calls: [
        { from: ada, to: ours, recordings: 2 },
        { from: bob, to: ours, recordings: 1 },
      ],
    });
    const phone = { type: "phone", value: ada };
    const { erase } = twilio.actions;
    expect(await carryOut(sandbox, erase, settings, phone, { wait })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(now - Date.parse("2026-11-21T12:00:00Z")).toBe((2 * 3600 + 300) * 1000);
    expect(await holds(ada)).toEqual([]);
    const [held] = Object.values((await send("GET", "/holdings")).twilio) as { recordings: unknown[] }[];
    expect(held?.recordings).toHaveLength(1);
    expect(await holds(bob)).toHaveLength(2);
    expect(await carryOut(sandbox, erase, settings, phone)).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });
});

describe("OneSignal", () => {
  it("deletes a user with its subscriptions, however it is known, and looks again", async () => {
    const appId = "01234567-89ab-4cde-8f01-23456789abcd";
    const settings = { appId, apiKey: "key-1" };
    const { erase } = onesignal.actions;
    const user = (onesignal_id: string, name: string) => ({
      onesignal_id,
      external_id: `${name}-1`,
      subscriptions: [{ id: `sub-${name}`, type: "Email", token: `${name}@example.com` }],
    });
    for (const identity of [
      { type: "onesignal.external_id", value: "ada-1" },
      { type: "onesignal.subscription", value: "sub-ada" },
      { type: "onesignal.onesignal_id", value: "os-1" },
    ]) {
      await seed({ vendor: "onesignal", account: appId, users: [user("os-1", "ada"), user("os-2", "bob")] });
      expect(await carryOut(sandbox, erase, settings, identity, { wait })).toMatchObject([
        { answer: { outcome: "erased" }, sight: "absent" },
      ]);
      expect(await holds("ada")).toEqual([]);
      expect(await holds("bob")).not.toEqual([]);
      expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
    }
  });
});

describe("Adyen", () => {
  it("erases each payment's shopper and each saved payment method, and nobody else's", async () => {
    const settings = { environment: "test", merchantAccount: "Acme", apiKey: "key-1", checkout: "checkout-test" };
    const { erase } = adyen.actions;
    await seed({
      vendor: "adyen",
      account: "Acme",
      payments: [
        { psp_reference: "881A", shopper: "ada-1", email: "ada@example.com" },
        { psp_reference: "881B", shopper: "bob-1", email: "bob@example.com" },
      ],
      stored: [{ shopper: "ada-1" }, { shopper: "ada-1" }, { shopper: "bob-1" }],
    });
    const payment = { type: "adyen.psp_reference", value: "881A" };
    // A saved payment method does not stand in the way.
    expect(await carryOut(sandbox, erase, settings, payment, { wait })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "no_view" },
    ]);
    expect(await carryOut(sandbox, erase, settings, payment)).toMatchObject([{ answer: { outcome: "erased" } }]);
    const shopper = { type: "adyen.shopper_reference", value: "ada-1" };
    const ends = await carryOut(sandbox, erase, settings, shopper, { wait });
    expect(ends.map(({ answer, sight }) => [answer.outcome, sight])).toEqual([
      ["erased", "absent"],
      ["erased", "absent"],
    ]);
    expect(await holds("ada")).toEqual([]);
    expect(await holds("bob-1")).toHaveLength(2);
    for (const identity of [shopper, { type: "adyen.psp_reference", value: "882X" }])
      expect(await carryOut(sandbox, erase, settings, identity)).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });
});

describe("Salesforce", () => {
  const erase = single(salesforce.actions.erase);
  const settings = { myDomain: "acme--uat", clientId: "id-1", clientSecret: "s-1", personAccounts: "yes" };
  const email = { type: "email", value: "o'ada@example.com" };
  const record = (object: string, id: string, fields: object, more: object = {}) => ({ object, id, fields, ...more });

  it("deletes all records of an address for good, and nobody else's", async () => {
    await seed({
      vendor: "salesforce",
      records: [
        record("Contact", "003000000000001AAA", { Email: "O'Ada@example.com" }),
        record("Lead", "00Q000000000001AAA", { Email: email.value }),
        record("Case", "500000000000001AAA", { "Contact.Email": email.value }),
        record("Account", "001000000000001AAA", { PersonEmail: email.value }),
        record("Contact", "003000000000002AAA", { Email: "bob@example.com" }),
      ],
    });
    const ends = await carryOut(sandbox, erase, settings, email, { wait });
    expect(ends.map(({ answer }) => answer.outcome)).toEqual(["erased", "erased", "erased", "erased"]);
    expect(await holds("ada")).toEqual([]);
    expect(await holds("bob@")).toHaveLength(1);
    expect(await carryOut(sandbox, erase, settings, email)).toMatchObject([{ answer: { outcome: "not_found" } }]);
  });

  it("leaves a record to a person that Salesforce does not delete", async () => {
    const refuses = "DELETE_FAILED:the account has a won opportunity:--";
    await seed({
      vendor: "salesforce",
      records: [record("Account", "001000000000001AAA", { PersonEmail: email.value }, { refuses })],
    });
    expect(await carryOut(sandbox, erase, settings, email, { wait })).toMatchObject([
      { answer: { outcome: "unforeseen", what: expect.stringContaining("DELETE_FAILED") } },
    ]);
    expect(await holds("ada")).not.toEqual([]);
  });
});

describe("Datadog", () => {
  const { erase } = datadog.actions;
  const settings = {
    site: "datadoghq.eu",
    apiKey: "key-1",
    appKey: "app-1",
    userFacet: "@usr.id",
    emailFacet: "@usr.email",
    days: "30",
  };
  const ada = { type: "datadog.user_id", value: "ada-1" };
  const log = (id: string) => ({ attributes: { "@usr.id": id, "@usr.email": `${id}@example.com` } });

  it("deletes the person's logs for good after ten days, and nobody else's", async () => {
    await seed({ vendor: "datadog", logs: [log("ada-1"), log("ada-1"), log("ada-10"), log("bob-1")] });
    const began = now;
    expect(await carryOut(sandbox, erase, settings, ada, { wait, now: () => now })).toMatchObject([
      { answer: { outcome: "erased" }, sight: "absent" },
    ]);
    expect(now - began).toBeGreaterThanOrEqual(10 * 86_400_000);
    expect(await holds("ada-1@")).toEqual([]);
    expect(await holds("ada-10@")).toHaveLength(1);
    expect(await holds("bob-1@")).toHaveLength(1);
  });

  it("is not found where no log had the value, and begins anew when somebody cancels", async () => {
    await seed({ vendor: "datadog", logs: [log("bob-1")] });
    expect(await carryOut(sandbox, erase, settings, ada, { wait, now: () => now })).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
    // Somebody cancels it after a day.
    const cancel = async () => {
      now += 86_400_000;
      const headers = { "dd-api-key": "key-1", "dd-application-key": "app-1" };
      const address = "https://api.datadoghq.eu/api/v2/deletion/requests/2/cancel";
      await sandbox.fetch(new Request(address, { method: "PUT", headers }));
    };
    const bob = { type: "email", value: "bob-1@example.com" };
    const canceled: Promise<void>[] = [];
    const ends = await carryOut(sandbox, erase, settings, bob, {
      wait: () => void canceled.push(cancel()),
      now: () => now,
    });
    expect(ends).toMatchObject([{ answer: { outcome: "unforeseen", anew: true } }]);
    await Promise.all(canceled);
    expect(await holds("bob-1@")).not.toEqual([]);
  });
});
