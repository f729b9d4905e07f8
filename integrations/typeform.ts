import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Typeform keeps what people answer to the tenant's forms. Its webhooks bring new answers; they tell nothing of deletions or
 * of grants that ended, so there is none here.
 */
const WEBHOOKS = "https://www.typeform.com/developers/webhooks/";
const DELETION = "https://www.typeform.com/developers/responses/reference/delete-responses/";

export const typeform = defineIntegration({
  id: "typeform",
  name: "Typeform",
  about: "Forms that people fill in.",
  origins: [],
  settings: {},
  identities: {},

  hooks: absent("Typeform's webhooks bring new answers only, none that concerns a deletion or a grant", WEBHOOKS),

  oauth: absent("not yet connected by Quittance", "https://www.typeform.com/developers/get-started/applications/"),

  actions: {
    erase: absent(
      "Typeform deletes responses by API, which is not yet connected by Quittance",
      DELETION,
      "In Typeform, open each form's results, search them for the person's e-mail address and other details, and delete the responses found. Search again later: deletion takes a while.",
    ),
    revoke: absent("Typeform documents no API that revokes a token; people remove apps in their account", DELETION),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
