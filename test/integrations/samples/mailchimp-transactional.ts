import { person, type Sample, signal } from "./kit.ts";

const withdrawn = (at: number) => [signal("consent_withdrawn", person, at)];

export const sample: Sample = {
  settings: { webhookKey: "Fm4DNBcKZ0tLq8aXo2sWyg" },
  hooks: { events: { unsub: withdrawn, spam: withdrawn, hard_bounce: () => [], reject: () => [] } },
  ways: [],
};
