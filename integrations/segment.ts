import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Segment collects what people do and passes it on to other holders. It sends no signed word of an erasure.
 *
 * Unconfirmed: what its Webhooks destination sends where a deletion is forwarded to it. The signature of that destination is
 * optional and comes only with events, so nothing is read from it.
 */
const DELETION = "https://www.twilio.com/docs/segment/privacy/user-deletion-and-suppression";

export const segment = defineIntegration({
  id: "segment",
  name: "Segment",
  about: "Collects what people do and passes it on.",
  origins: [],
  settings: {},
  identities: {},

  hooks: absent("Segment sends no signed word of an erasure", DELETION),

  oauth: absent("Segment has API tokens only", "https://docs.segmentapis.com/"),

  actions: {
    erase: absent(
      "Segment deletes and suppresses people by regulations of its API, which is not yet connected by Quittance",
      DELETION,
      "In Segment, under Privacy > Deletion and Suppression, ask for the deletion of the person's user id, and see that each destination that keeps data is a holder of its own here: Segment passes deletions on to some only, without promise. It takes up to 30 days.",
    ),
    revoke: absent("people grant Segment nothing", DELETION),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
