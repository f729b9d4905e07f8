import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const account = { type: "twilio.account", value: "AC00000000000000000000000000000001" };
const twilioWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "phone", value: "+15550100" },
  ...way,
});
const list = on(200, 401);
const removing = on(204, 401, 404);
const messages = (...sids: readonly string[]): Played => ({
  status: 200,
  body: { messages: sids.map((sid) => ({ sid })) },
});
const calls = (...sids: readonly string[]): Played => ({ status: 200, body: { calls: sids.map((sid) => ({ sid })) } });
const recordings = (...sids: readonly string[]): Played => ({
  status: 200,
  body: { recordings: sids.map((sid) => ({ sid })), next_page_uri: null },
});
const noMessages = Array.from({ length: 4 }, () => list(messages()));
const noCalls = [list(calls()), list(calls())];
const unfinished: Played = { status: 409, body: { code: 20009, status: 409, message: "not complete" } };

export const sample: Sample = {
  settings: { accountSid: account.value, authToken: "0123456789abcdef0123456789abcdef" },
  hooks: {
    "connect-deauthorize": {
      // Twilio signs no time: it happened when it arrived.
      deauthorize: (at) => [{ type: "deauthorized", identity: account, at }],
    },
  },
  ways: [
    twilioWay({
      name: "a message deleted",
      steps: [list(messages("SM1")), removing({ status: 204 }), ...noMessages, ...noCalls],
      outcome: erased,
    }),
    twilioWay({
      name: "a call deleted, with its recording",
      steps: [
        ...noMessages,
        list(calls("CA1")),
        list(recordings("RE1")),
        removing({ status: 204 }),
        removing({ status: 204 }),
        ...noCalls,
      ],
      outcome: erased,
    }),
    twilioWay({
      name: "a message that is not finished",
      steps: [
        list(messages("SM1")),
        on(204, 401, 404)(unfinished),
        list(messages("SM1")),
        ...noMessages.slice(1),
        ...noCalls,
      ],
      outcome: accepted("none", 3600),
    }),
    twilioWay({ name: "nothing of the number", steps: [...noMessages, ...noCalls], outcome: notFound }),
    twilioWay({ name: "nothing left", part: { check: "some" }, steps: [...noMessages, ...noCalls], outcome: erased }),
    twilioWay({ name: "nothing at a later look", part: "look", steps: [...noMessages, ...noCalls], outcome: "absent" }),
    twilioWay({
      name: "a message at a later look",
      part: "look",
      steps: [...noMessages.slice(1), list(messages("SM2"))],
      outcome: "present",
    }),
  ],
};
