import { accepted, erased } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const HALF_A_DAY = 12 * 3600;
const listing = on(200, 403);
const events = (...uris: readonly string[]): Played => ({
  status: 200,
  body: { collection: uris.map((uri) => ({ uri, name: "Call" })), pagination: { count: uris.length, next_page: null } },
});
const way = (name: string, part: Way["part"], steps: Way["steps"], outcome: Way["outcome"]): Way => ({
  name,
  action: "erase",
  part,
  identity: person,
  steps,
  outcome,
});

export const sample: Sample = {
  settings: {
    token: "eyJraWQiOiIxY2UxZTEzNjE3ZGNmNzY2YjNjZWJjY2Y4ZGM1YmFmYThh",
    organization: "https://api.calendly.com/organizations/AAAAAAAAAAAAAAAA",
  },
  hooks: {},
  ways: [
    way("taken", "run", [on(202, 403)({ status: 202, body: {} })], accepted("invitee", HALF_A_DAY)),
    way("not yet", { check: "invitee" }, [listing(events("https://api.calendly.com/scheduled_events/E1"))], {
      ...accepted("invitee", HALF_A_DAY),
    }),
    way("no event is left", { check: "invitee" }, [listing(events())], erased),
  ],
};
