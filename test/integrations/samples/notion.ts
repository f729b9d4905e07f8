import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

/** Notion gives milliseconds. */
const deleted = (at: number): Signal[] => [
  { type: "content_deleted", identity: { type: "notion.entity", value: "153104cd-477e-809d-8dc4-ff2d96ae3090" }, at },
];

export const sample: Sample = {
  settings: { verificationToken: "secret_0123456789abcdef", setupSecret: "q7Vn2Lx9Rk4Tz8Wb3Yc6Hd1Jf5Mg0PsA" },
  hooks: {
    events: {
      "page.deleted": deleted,
      "database.deleted": deleted,
      "data_source.deleted": deleted,
      "comment.deleted": deleted,
    },
  },
  ways: [],
};
