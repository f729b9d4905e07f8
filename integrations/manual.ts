import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, type Settings, text } from "../src/contract/settings.ts";

/**
 * A holder without an API: an archive on paper, an agency, a portal, an address that is written to. It is told by a person, as
 * the tenant's settings say; that person then says how it ended, with what shows it.
 */
const GDPR = "https://eur-lex.europa.eu/eli/reg/2016/679/oj";

const settings = {
  instructions: text("What to do, step by step"),
  contact: optional(text("Whom to write to, or the portal's address")),
  days: optional(text("Days within which it is to be done, fewer than the law gives", /^[1-9]\d?$/)),
} satisfies Settings;

export const manual = defineIntegration({
  id: "manual",
  name: "By hand",
  about: "A holder without an API, told by a person with the tenant's own instructions.",
  origins: [],
  settings,
  identities: {},

  hooks: absent("it has no API", GDPR),
  oauth: absent("it has no API", GDPR),

  actions: {
    erase: absent("a person tells this holder", GDPR, {
      setting: "instructions",
      contact: "contact",
      withinDays: "days",
    }),
    revoke: absent("people grant it nothing that an API could end", GDPR),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
