import type { Sample } from "./kit.ts";

export const sample: Sample = {
  settings: {
    instructions: "Ask the archive to destroy the person's file.",
    contact: "The archive's desk, extension 7",
    days: "14",
  },
  hooks: {},
  ways: [],
};
