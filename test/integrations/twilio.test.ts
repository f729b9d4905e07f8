import { describe, expect, it } from "vitest";
import { twilio } from "../../integrations/twilio.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = twilio;
const hook = isAbsent(hooks) ? undefined : hooks["connect-deauthorize"];
if (hook === undefined) throw new Error("Twilio has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const AccountSid = "AC00000000000000000000000000000001";
const read = (fields: Readonly<Record<string, string>>, receivedAt = NOW) =>
  hook.read(proven(new URLSearchParams(fields).toString(), {}, receivedAt));

describe("what Twilio tells us", () => {
  it("ends the grant of the account that removed the app, with or without the app's own id", () => {
    for (const more of [{}, { ConnectAppSid: "CN00000000000000000000000000000002" }, { Something: "new" }])
      expect(read({ AccountSid, ...more })).toEqual({
        ok: true,
        value: [
          {
            id: `deauthorize:${AccountSid}:2026-11-21`,
            name: "deauthorize",
            signals: [{ type: "deauthorized", identity: { type: "twilio.account", value: AccountSid }, at: NOW }],
          },
        ],
      });
  });

  it("[I5] refuses the callbacks of messages and calls, which the same token signs", () => {
    for (const of of ["MessageSid", "SmsSid", "CallSid"])
      expect(read({ AccountSid, [of]: "SM00000000000000000000000000000003" })).toEqual({
        ok: false,
        problem: { reason: "unreadable", at: of },
      });
  });

  it.each(["", "AC1", "CN00000000000000000000000000000002"])("refuses %s for an account", (other) => {
    expect(read({ AccountSid: other }).ok).toBe(false);
  });
});

describe("Twilio's signature", () => {
  // twilio/twilio-node, spec/validation.spec.js
  const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  const authToken = "12345";
  const fields = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";

  it("agrees with the SDK's example, whatever the order of the fields", async () => {
    const headers = { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" };
    for (const body of [fields, fields.split("&").reverse().join("&")])
      expect((await checked(hook.verify, { url, body, headers }, { authToken })).ok).toBe(true);
    expect((await checked(hook.verify, { url, body: `${fields}&X=`, headers }, { authToken })).ok).toBe(false);
  });

  it("[I5] is good at no other address", async () => {
    const headers = { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" };
    for (const other of ["https://mycompany.com/myapp.php", `${url}&x=1`, url.replace("mycompany", "other")])
      expect((await checked(hook.verify, { url: other, body: fields, headers }, { authToken })).ok).toBe(false);
  });
});

describe("what we tell Twilio", () => {
  const { erase } = twilio.actions;
  if (isAbsent(erase) || isBulk(erase) || erase.look === undefined || erase.check === undefined)
    throw new Error("Twilio has an erasure");
  const { check, look } = erase;
  const settings = { accountSid: "AC00000000000000000000000000000001", authToken: "0123456789abcdef0123456789abcdef" };
  const order = (value = "+15550100") => orderFor(settings, { type: "phone", value });
  const unfinished: Played = { status: 409, body: { code: 20009, message: "before it is complete" } };

  /** An account that answers as Twilio does: lists show what is left. */
  const account = (held: Readonly<Record<string, readonly string[]>>, refusing: ReadonlySet<string> = new Set()) => {
    const left = new Map(Object.entries(held).map(([query, sids]) => [query, new Set(sids)]));
    const recordings = new Map([["CA1", new Set(["RE1", "RE2"])]]);
    const asked: string[] = [];
    const answer = ({ method, at }: Call): Played => {
      const { pathname, searchParams } = new URL(at.url);
      const path = pathname.split("/").slice(4);
      asked.push(`${method} ${path.join("/")}`);
      const [kind = "", sid = ""] = path.map((part) => part.replace(".json", ""));
      if (method === "DELETE") {
        if (refusing.has(sid)) return unfinished;
        const sets = kind === "Recordings" ? [...recordings.values()] : [...left.values()];
        return sets.map((set) => set.delete(sid)).some((was) => was) ? { status: 204 } : { status: 404 };
      }
      if (path[2] !== undefined)
        return { status: 200, body: { recordings: [...(recordings.get(sid) ?? [])].map((each) => ({ sid: each })) } };
      const direction = searchParams.has("To") ? "To" : "From";
      const sids = [...(left.get(`${kind} ${direction} ${searchParams.get(direction)}`) ?? [])].slice(0, 100);
      return { status: 200, body: { [kind.toLowerCase()]: sids.map((each) => ({ sid: each })) } };
    };
    return { answer, asked, left };
  };

  it("deletes what was sent and received, WhatsApp too, and recordings before their call", () => {
    const { answer, asked, left } = account({
      "Messages To +15550100": ["SM1"],
      "Messages From whatsapp:+15550100": ["SM2"],
      "Calls From +15550100": ["CA1"],
    });
    const { calls, outcome } = play(erase.run(order()), answer);
    expect(outcome).toEqual(erased);
    expect([...left.values()].every((set) => set.size === 0)).toBe(true);
    expect(asked.filter((each) => each.startsWith("DELETE"))).toEqual([
      "DELETE Messages/SM1.json",
      "DELETE Messages/SM2.json",
      "DELETE Recordings/RE1.json",
      "DELETE Recordings/RE2.json",
      "DELETE Calls/CA1.json",
    ]);
    expect(calls[0]).toMatchObject({
      at: {
        url: `https://api.twilio.com/2010-04-01/Accounts/${settings.accountSid}/Messages.json?To=%2B15550100&PageSize=100`,
        template:
          "https://api.twilio.com/2010-04-01/Accounts/{account}/{kind}.json?{direction}={number}&PageSize={size}",
      },
      headers: { authorization: `Basic ${btoa(`${settings.accountSid}:${settings.authToken}`)}` },
    });
    expect(play(look.run(order()), answer).outcome).toBe("absent");
  });

  it("is not found where the lists are empty", () => {
    expect(play(erase.run(order()), account({}).answer).outcome).toEqual(notFound);
  });

  it("deletes fifty in one attempt, and leaves at least one for the next", () => {
    const sids = Array.from({ length: 51 }, (_, at) => `SM${at}`);
    const { answer, left } = account({ "Messages To +15550100": sids });
    expect(play(erase.run(order()), answer).outcome).toEqual({ outcome: "more" });
    expect(left.get("Messages To +15550100")?.size).toBe(1);
    expect(play(erase.run(order()), answer).outcome).toEqual(erased);
  });

  it("[I4] comes back for what is not finished, and deletes the rest meanwhile", () => {
    const refusing = new Set(["SM1"]);
    const { answer, left } = account({ "Messages To +15550100": ["SM1", "SM2"] }, refusing);
    expect(play(erase.run(order()), answer).outcome).toEqual(accepted("some", 3600));
    expect([...(left.get("Messages To +15550100") ?? [])]).toEqual(["SM1"]);
    expect(play(check("some", order()), answer).outcome).toEqual(accepted("some", 3600));
    expect(play(look.run(order()), answer).outcome).toBe("present");
    refusing.clear();
    expect(play(check("some", order()), answer).outcome).toEqual(erased);
    // Nothing is left, and something was deleted before.
    expect(play(check("some", order()), answer).outcome).toEqual(erased);
    expect(play(check("none", order()), answer).outcome).toEqual(notFound);
  });

  it("goes round no circle where a deleted message is still listed", () => {
    const listed: Played = { status: 200, body: { messages: [{ sid: "SM1" }], calls: [] } };
    const { outcome } = play(erase.run(order()), ({ method }) => (method === "GET" ? listed : { status: 404 }));
    expect(outcome).toEqual(erased);
  });

  it("[I4] makes no call for a number that Twilio would not find", () => {
    for (const wrong of ["5550100", "015550100", "ada"])
      expect(play(erase.run(order(wrong)), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it.each([
    ["another refusal", { status: 409, body: { code: 20001 } }],
    ["400", { status: 400 }],
    ["200 for a deletion", { status: 200 }],
  ])("[I4] takes %s for no deletion", (_, reply) => {
    const replies = [{ status: 200, body: { messages: [{ sid: "SM1" }] } }, reply];
    expect(play(erase.run(order()), replies).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
