import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Calendly keeps who booked appointments with the tenant. Its webhooks tell of bookings and cancellations; a cancelled
 * appointment is no deletion, so there is none here.
 */
const WEBHOOKS = "https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures";
const DELETION = "https://developer.calendly.com/api-docs/data-compliance/delete-invitee-data";

export const calendly = defineIntegration({
  id: "calendly",
  name: "Calendly",
  about: "Appointments that people book.",
  origins: [],
  settings: {},
  identities: {},

  hooks: absent(
    "Calendly's webhooks tell of bookings and cancellations, which are no deletions, and not of grants",
    WEBHOOKS,
  ),

  oauth: absent("not yet connected by Quittance", "https://developer.calendly.com/authentication"),

  actions: {
    erase: absent(
      "Calendly deletes invitees by API on its Enterprise plan, which is not yet connected by Quittance",
      DELETION,
      "In Calendly, cancel the person's future meetings, then delete the invitee's data by e-mail address under Admin > Data deletion (Enterprise), or ask Calendly's support. It can take seven days.",
    ),
    revoke: absent(
      "needs the token of the account, which connections will hold",
      "https://developer.calendly.com/authentication",
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
