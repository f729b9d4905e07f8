import { describe, expect, it } from "vitest";
import { twilio } from "../../integrations/twilio.ts";
import { isAbsent } from "../../src/contract/integration.ts";
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
