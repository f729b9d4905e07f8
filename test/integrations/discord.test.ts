import { describe, expect, it } from "vitest";
import { discord } from "../../integrations/discord.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { answerProven } from "../../src/intake/challenge.ts";
import { orderFor, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";
import { sample } from "./samples/discord.ts";

const { hooks } = discord;
const hook = isAbsent(hooks) ? undefined : hooks.events;
if (hook === undefined) throw new Error("Discord has a hook");

const read = (body: unknown) => hook.read(proven(JSON.stringify(body), {}, 7));
const removal = {
  version: 1,
  application_id: "1234560123453231555",
  type: 1,
  event: {
    type: "APPLICATION_DEAUTHORIZED",
    timestamp: "2024-10-18T14:42:53.064834",
    data: { user: { id: "936929561302675456", username: "ada" } },
  },
};
const withEvent = (change: object) => ({ ...removal, event: { ...removal.event, ...change } });

describe("what Discord tells us", () => {
  it("reads a time without a zone as UTC, and one with a zone as it says", () => {
    const at = Date.parse("2024-10-18T14:42:53.064Z");
    expect(read(removal)).toEqual({
      ok: true,
      value: [
        {
          id: `1234560123453231555:APPLICATION_DEAUTHORIZED:${at}:936929561302675456`,
          name: "APPLICATION_DEAUTHORIZED",
          signals: [{ type: "deauthorized", identity: { type: "discord.user", value: "936929561302675456" }, at }],
        },
      ],
    });
    expect(read(withEvent({ timestamp: "2024-10-18T16:42:53.064834+02:00" }))).toMatchObject({
      value: [{ signals: [{ at }] }],
    });
  });

  it("tells two removals of one person apart by their times", () => {
    const ids = [removal, withEvent({ timestamp: "2024-10-19T14:42:53.064834" })].map((body) => {
      const reading = read(body);
      return reading.ok ? reading.value[0]?.id : undefined;
    });
    expect(new Set(ids).size).toBe(2);
  });

  it("causes nothing by a new authorisation, nor by what it does not know", () => {
    for (const event of [
      { type: "APPLICATION_AUTHORIZED", timestamp: "2024-10-18T14:42:53", data: { user: { id: "1" }, scopes: [] } },
      { type: "ENTITLEMENT_CREATE", data: null },
      { type: "SOMETHING_NEW" },
    ])
      expect(read({ ...removal, event })).toMatchObject({ ok: true, value: [{ name: event.type, signals: [] }] });
  });

  it.each([
    { change: { data: {} } },
    { change: { data: { user: { id: 936_929_561 } } } },
    { change: { data: { user: { id: "ada" } } } },
    { change: { timestamp: "yesterday" } },
    { change: { timestamp: undefined } },
  ])("refuses a removal without a person or a time", ({ change }) => {
    expect(read(withEvent(change)).ok).toBe(false);
  });
});

describe("Discord's PING", () => {
  const asked = {
    method: "POST",
    url: "https://gateway.example.com/hooks/acme/discord/events",
    values: async () => [],
  };
  const answer = (body: unknown) => answerProven(hook.challenges ?? [], proven(JSON.stringify(body)), asked);

  it("is answered with 204, nothing, and a content type all the same", async () => {
    const response = await answer({ version: 1, application_id: "1", type: 0 });
    expect(response?.status).toBe(204);
    expect(response?.headers.get("content-type")).toBeTruthy();
    expect(await response?.text()).toBe("");
  });

  it("is not what has an event, or the ping of interactions", async () => {
    for (const body of [removal, { ...removal, type: 0 }, { type: 1 }, { type: "0" }])
      expect(await answer(body)).toBeUndefined();
  });

  it("leaves events to be answered with 204, and wrong signatures with 401", () => {
    expect(hook.answer).toBe(204);
    expect(hook.refusal?.status).toBe(401);
  });
});

describe("Discord's signature", () => {
  // RFC 8032 section 7.1, test 2: the message is 72, which is "r".
  const publicKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  const signature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
  const headers = (time: string, given = signature) => ({
    "x-signature-timestamp": time,
    "x-signature-ed25519": given,
  });

  it("agrees with the standard's vector, over time and body with nothing between", async () => {
    expect((await checked(hook.verify, { body: "", headers: headers("r") }, { publicKey })).ok).toBe(true);
    const upper = publicKey.toUpperCase();
    expect((await checked(hook.verify, { body: "", headers: headers("r") }, { publicKey: upper })).ok).toBe(true);
  });

  it("[I5] refuses the wrong signatures that Discord sends on purpose", async () => {
    for (const given of ["", "00".repeat(64), signature.replace("92", "93"), `${signature}00`])
      expect((await checked(hook.verify, { body: "", headers: headers("r", given) }, { publicKey })).ok).toBe(false);
    expect((await checked(hook.verify, { body: "r" }, { publicKey })).ok).toBe(false);
  });
});

describe("revoking at Discord", () => {
  it("shows one token, the refresh token where there is one, since any of them ends all", () => {
    const { revoke } = discord.actions;
    if (isAbsent(revoke) || isBulk(revoke)) throw new Error("Discord revokes");
    const grant = sample.oauth?.grant;
    if (grant === undefined) throw new Error("there is a grant");
    const settings = { publicKey: "", applicationId: "1", clientSecret: "s" };
    const shown = (refreshToken: string) => {
      const order = orderFor(settings, { type: "connection", value: "con" }, { grant: { ...grant, refreshToken } });
      return play(revoke.run(order), [{ status: 200 }]).calls.map(({ body }) => body);
    };
    expect(shown("refresh-1")).toEqual(["token=refresh-1&token_type_hint=refresh_token"]);
    expect(shown("")).toEqual(["token=access-1&token_type_hint=access_token"]);
  });
});
