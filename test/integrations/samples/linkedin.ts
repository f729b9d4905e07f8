import type { Sample } from "./kit.ts";

const comment = {
  type: "linkedin.comment",
  value: "urn:li:comment:(urn:li:activity:7000000000000000001,7000000000000000002)",
};
const lead = { type: "linkedin.lead", value: "urn:li:leadGenFormResponse:meadow-1" };

export const sample: Sample = {
  settings: { clientSecret: "WPL_AP1.0123456789abcdef" },
  hooks: {
    webhooks: {
      COMMENT_DELETE: (at) => [{ type: "content_deleted", identity: comment, at }],
      "LEAD_ACTION.DELETED": (at) => [{ type: "content_deleted", identity: lead, at }],
    },
  },
  ways: [],
};
