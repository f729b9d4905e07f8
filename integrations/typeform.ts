import { z } from "zod";
import { at, bearer, del, get, noCall, type Reply, read, unauthorized, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf } from "../src/contract/oauth.ts";
import { type Answer, accepted, erased, found, stoppedBecause, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { webhookUrl } from "./houses/own-webhooks.ts";

/**
 * Typeform keeps what people answer to the tenant's forms. Its webhooks bring new answers; they tell nothing of deletions or
 * of grants that ended, so there is none here. With a token it is searched, form by form, and deletes what was found.
 * Those who make forms grant the tenant's app access, which no call takes back.
 */
const WEBHOOKS = "https://www.typeform.com/developers/webhooks/";
const DELETION = "https://www.typeform.com/developers/responses/reference/delete-responses/";

const APPLICATIONS = "https://www.typeform.com/developers/get-started/applications/";
const ME = at`https://api.typeform.com/me`;

/** Unconfirmed: that there is a `user_id`; the reference has an e-mail address only. */
const Me = z.union([z.looseObject({ user_id: z.string().min(1) }), z.looseObject({ email: z.email() })]);

const RESPONSE = "typeform.response";

/** A search asks each form by itself, two a second: more would not fit into one attempt. */
const MOST_FORMS = 50;

/** "Deletion is not immediate." */
const ASK_AFTER_SECONDS = 600;

const Forms = z.object({ items: z.array(z.object({ id: z.string().min(1) })), page_count: z.int() });
const Responses = z.object({
  items: z.array(
    z.object({
      // Newer answers have both, and they are the same.
      response_id: z.string().min(1).optional(),
      token: z.string().min(1),
      answers: z.array(z.object({ email: z.string().optional(), text: z.string().optional() })).nullish(),
      hidden: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
  page_count: z.int(),
});
type Response = z.infer<typeof Responses>["items"][number];

const settings = {
  token: optional(secret("Personal access token with forms:read, responses:read and responses:write")),
  clientId: optional(text("Client id of the application")),
  clientSecret: optional(secret("Client secret of the application")),
  webhookUrl,
} satisfies Settings;

export const typeform = defineIntegration({
  id: "typeform",
  name: "Typeform",
  about: "Forms that people fill in.",
  origins: ["https://api.typeform.com"],
  settings,
  identities: {
    [RESPONSE]: "`<form id>/<response id>`, of one form that was filled in",
    "typeform.user": "Id of a user who granted access; the account's e-mail address where Typeform tells none",
  },

  hooks: absent("Typeform's webhooks bring new answers only, none that concerns a deletion or a grant", WEBHOOKS),

  oauth: {
    source: APPLICATIONS,
    server: {
      issuer: "https://api.typeform.com",
      authorize: "https://api.typeform.com/oauth/authorize",
      token: "https://api.typeform.com/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent("its pages name no parameters for it", APPLICATIONS),
    // Without `offline` there is no refresh token.
    scopes: { standard: ["accounts:read", "offline"] },
    *account({ accessToken }) {
      const me = read(yield get(ME, bearer(accessToken)), Me);
      return me.ok ? accountIn("typeform.user", me.value, "user_id" in me.value ? "user_id" : "email") : me;
    },
    refresh: { source: APPLICATIONS },
    *alive({ grant }) {
      const reply = yield get(ME, bearer(grant.accessToken), { expects: [401] });
      if (reply.status === 401) return "ended";
      return reply.status === 200 ? "alive" : unforeseen(reply);
    },
    kills: "grant",
    // A person's webhooks are found with a token that works.
    revokesWithAccess: true,
  },

  actions: {
    erase: {
      source: DELETION,
      by: ["email", RESPONSE],
      each: "identity",
      learns: [RESPONSE],
      needs: {
        settings: ["token"],
        otherwise: absent(
          "Typeform deletes responses by API, for which it wants a token",
          DELETION,
          "In Typeform, open each form's results, search them for the person's e-mail address and other details, and delete the responses found. Search again later: deletion takes a while.",
        ),
      },
      *run(order) {
        if (order.identity.type !== RESPONSE) return yield* search(order);
        const target = targetOf(order);
        if (target === undefined) return unknownForm;
        const { form, response } = target;
        const reply = yield del(
          at`https://api.typeform.com/forms/${{ form }}/responses?included_response_ids=${{ response }}`,
          bearer(order.settings.token),
        );
        // It says only that the deletion was taken, and passes over what is not there.
        return reply.status === 200 ? accepted("response", ASK_AFTER_SECONDS) : refused(reply);
      },
      *check(reference, order) {
        const target = targetOf(order);
        if (target === undefined) return unknownForm;
        const { form, response } = target;
        const reply = yield get(
          at`https://api.typeform.com/forms/${{ form }}/responses?included_response_ids=${{ response }}&response_type=started,partial,completed`,
          bearer(order.settings.token),
        );
        if (reply.status !== 200) return refused(reply);
        const left = read(reply, Responses);
        if (!left.ok) return left.problem;
        return left.value.items.length === 0 ? erased : accepted(reference, ASK_AFTER_SECONDS);
      },
    },
    revoke: {
      source: APPLICATIONS,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const webhooks = yield* endWebhooks(order);
        if (webhooks !== undefined && webhooks !== "too many forms") return webhooks;
        return stoppedBecause(
          `Typeform has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in their account${
            webhooks === undefined ? "" : `, and with over ${MOST_FORMS} forms the webhooks of these`
          }`,
        );
      },
    },
  },

  residuals: [],
  retainable: [],
  // https://www.typeform.com/developers/get-started/#rate-limits
  limits: { perSecond: 2, connections: 1, account: { settings: ["token"] } },
});

type TypeformOrder = Order<typeof settings>;

const unknownForm = unforeseen(noCall, "this response is not of the form <form id>/<response id>");

function targetOf({ identity }: TypeformOrder): { readonly form: string; readonly response: string } | undefined {
  const [, form, response] = /^([\w-]+)\/([\w-]+)$/.exec(identity.value) ?? [];
  return form === undefined || response === undefined ? undefined : { form, response };
}

const Webhooks = z.object({ items: z.array(z.object({ tag: z.string().min(1), url: z.string() })) });

/** What is needed to find a person's webhooks and end them. */
const WEBHOOK_SCOPES = ["forms:read", "webhooks:read", "webhooks:write"];

/**
 * Ends the webhooks that tell the product about this person's forms, form by form. Other apps have theirs there too, so only what goes to the
 * product's own address is taken; a grant without these scopes has made none that could be found.
 * https://www.typeform.com/developers/webhooks/reference/retrieve-webhooks/
 */
function* endWebhooks(order: TypeformOrder): Steps<Unforeseen | "too many forms" | undefined> {
  const { webhookUrl: own } = order.settings;
  const { accessToken, scopes } = grantOf(order);
  if (own === "" || !WEBHOOK_SCOPES.every((scope) => scopes.includes(scope))) return undefined;
  const headers = bearer(accessToken);
  const listed = yield get(at`https://api.typeform.com/forms?page=1&page_size=200`, headers, { expects: [401] });
  // The person has removed the app meanwhile.
  if (listed.status === 401) return undefined;
  const forms = read(listed, Forms);
  if (!forms.ok) return forms.problem;
  if (forms.value.items.length > MOST_FORMS || forms.value.page_count > 1) return "too many forms";
  for (const { id: form } of forms.value.items) {
    const webhooks = read(yield get(at`https://api.typeform.com/forms/${{ form }}/webhooks`, headers), Webhooks);
    if (!webhooks.ok) return webhooks.problem;
    for (const { tag } of webhooks.value.items.filter(({ url }) => url.startsWith(own))) {
      const gone = yield del(at`https://api.typeform.com/forms/${{ form }}/webhooks/${{ tag }}`, headers);
      // Unconfirmed: which of the two; the reference was not to be had, and the vendor's own client takes both.
      if (gone.status !== 204 && gone.status !== 200) return unforeseen(gone);
    }
  }
  return undefined;
}

/** Each form's responses that hold the address; the search is full text, so each hit is looked at. */
function* search(order: TypeformOrder): Steps<Answer> {
  const { token } = order.settings;
  const email = order.identity.value;
  const listed = yield get(at`https://api.typeform.com/forms?page=1&page_size=200`, bearer(token));
  if (listed.status !== 200) return refused(listed);
  const forms = read(listed, Forms);
  if (!forms.ok) return forms.problem;
  if (forms.value.items.length > MOST_FORMS || forms.value.page_count > 1)
    return unforeseen(listed, `the account has more than ${MOST_FORMS} forms: erase by response id`);
  const hits: string[] = [];
  for (const { id: form } of forms.value.items) {
    const reply = yield get(
      at`https://api.typeform.com/forms/${{ form }}/responses?query=${{ email }}&page_size=1000&response_type=started,partial,completed`,
      bearer(token),
    );
    if (reply.status !== 200) return refused(reply);
    const some = read(reply, Responses);
    if (!some.ok) return some.problem;
    if (some.value.page_count > 1) return unforeseen(reply, "a form has more than a thousand responses of this person");
    const own = some.value.items.filter((response) => holds(response, email.toLowerCase()));
    hits.push(...own.map(({ response_id, token }) => `${form}/${response_id ?? token}`));
  }
  return found(hits.map((value) => ({ type: RESPONSE, value })));
}

/** As Typeform itself matches an address: https://developers.typeform.com/responses/reference/rtbf-delete-responses/ */
function holds({ answers, hidden }: Response, email: string): boolean {
  const isIt = (value: unknown) => typeof value === "string" && value.toLowerCase() === email;
  return (
    Object.values(hidden ?? {}).some(isIt) ||
    (answers ?? []).some((answer) => isIt(answer.email) || answer.text?.toLowerCase().includes(email) === true)
  );
}

/** A token without the scope is of no use for anybody. */
const refused = (reply: Reply) =>
  reply.status === 403 ? unauthorized(reply, "Typeform says that this token may not do this") : unforeseen(reply);
