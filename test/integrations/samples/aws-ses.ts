import { erased, notFound, retained } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Step, type Way } from "./kit.ts";

const known = on(200, 404);
const ok: Played = { status: 200, body: {} };
const gone: Played = { status: 404, body: { message: "not found" } };
const way = (name: string, steps: readonly Step[], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  action: "erase",
  part: "run",
  identity: person,
  name,
  steps,
  outcome,
  ...more,
});

export const sample: Sample = {
  settings: {
    region: "eu-central-1",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    contactList: "newsletter",
  },
  hooks: {},
  ways: [
    way("a contact who is suppressed", [known(ok), known(ok)], erased),
    way("a contact", [known(ok), known(gone)], erased),
    way("nobody", [known(gone), on(200, 404)(ok), known(gone)], notFound),
    way("a suppressed address that is kept", [known(ok), known(ok)], retained("suppression_list", [person]), {
      keeps: ["suppression_list"],
    }),
    way("look at an address that is gone", [known(gone), known(gone)], "absent", { part: "look" }),
    way("look at a contact who is there", [known(ok)], "present", { part: "look" }),
  ],
};
