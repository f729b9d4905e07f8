import { z } from "zod";
import {
  type Address,
  at,
  cameToNothing,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Datadog keeps the tenant's logs, and people are in them under the attributes that the tenant writes. One request deletes
 * whatever has a value of an attribute, for good ten days later. It tells us nothing.
 */
const DELETION = "https://docs.datadoghq.com/api/latest/data-deletion/";

const DAY_SECONDS = 86_400;
/**
 * "A deletion request can be canceled up to 10 days after submission"; "data deletion is permanent after 10 days".
 * https://docs.datadoghq.com/account_management/delete_data/
 */
const TERM_DAYS = 10;
/** Requests of other people stand in the same list. */
const MAX_PAGES = 10;

const Request = z.object({
  id: z.string().min(1),
  attributes: z.object({
    status: z.string(),
    is_created: z.boolean(),
    created_at: z.string(),
    total_unrestricted: z.int(),
  }),
});
type Request = z.infer<typeof Request>;
const Created = z.object({ data: z.object({ id: z.string().min(1) }) });
const Requests = z.object({
  data: z.array(Request),
  meta: z.object({ next_page: z.string().nullish() }).nullish(),
});
const Events = z.object({ data: z.array(z.unknown()).optional() });

/** An attribute as a query names it, so with an @ where it is not one of Datadog's own. */
const FACET = /^@?[A-Za-z][\w.-]*$/;

const settings = {
  site: text(
    "Site: datadoghq.com, datadoghq.eu, us3.datadoghq.com, us5., ap1., ap2., uk1.datadoghq.com",
    /^(datadoghq\.(com|eu)|(us3|us5|ap1|ap2|uk1)\.datadoghq\.com)$/,
  ),
  apiKey: secret("API key"),
  appKey: secret("Application key with logs_delete_data and logs_read_data"),
  userFacet: text("Attribute of logs that has the tenant's id of a person: @usr.id", FACET),
  emailFacet: text("Attribute of logs that has the e-mail address: @usr.email", FACET),
  days: text("Days that logs are kept, the longest of all indexes", /^[1-9]\d{0,3}$/),
} satisfies Settings;

export const datadog = defineIntegration({
  id: "datadog",
  name: "Datadog",
  about: "Keeps the tenant's logs.",
  origins: [
    "https://api.datadoghq.com",
    "https://api.datadoghq.eu",
    ...["us3", "us5", "ap1", "ap2", "uk1"].map((site) => `https://api.${site}.datadoghq.com`),
  ],
  settings,
  identities: { "datadog.user_id": "The tenant's id of a person, as it stands in logs" },

  hooks: absent("its webhooks are monitors' notices, written by each customer and not signed", DELETION),
  oauth: absent("API and application keys", "https://docs.datadoghq.com/account_management/api-app-keys/"),

  actions: {
    revoke: absent("people grant Datadog nothing", DELETION),
    erase: {
      source: DELETION,
      by: ["datadog.user_id", "email"],
      each: "identity",
      run: begin,
      check,
      look: { afterSeconds: 60, run: logsOf },
    },
  },

  // What was sent to archives is in the tenant's own bucket.
  residuals: [],
  retainable: [],
  // No rate is documented for deletions; of searches an organisation has a number each hour.
  limits: { perSecond: 1, connections: 1, account: { settings: ["site", "apiKey"] } },
});

type DatadogOrder = Order<typeof settings>;

const under = ({ settings: { site } }: DatadogOrder, { url, template }: Address): Address => ({
  url: `https://api.${site}${url}`,
  template: `https://api.${site}${template}`,
});
const auth = ({ settings: { apiKey, appKey } }: DatadogOrder) => ({
  "dd-api-key": apiKey,
  "dd-application-key": appKey,
});

const facetOf = ({ settings, identity }: DatadogOrder): string =>
  identity.type === "email" ? settings.emailFacet : settings.userFacet;

/** A value that means more than itself in a query would delete what is other people's. */
const isPlain = ({ identity: { value } }: DatadogOrder): boolean => /^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(value);
const notPlain: Answer & Sight = unforeseen(
  noCall,
  "a value with characters that mean something in Datadog's queries: delete these logs in Datadog, then complete the task",
);

const windowOf = ({ settings: { days }, attemptedAt }: DatadogOrder) => {
  const to = Date.parse(attemptedAt);
  return { from: to - Number(days) * DAY_SECONDS * 1000, to };
};

function* begin(order: DatadogOrder): Steps<Answer> {
  if (!isPlain(order)) return notPlain;
  const attributes = { ...windowOf(order), query: { [facetOf(order)]: order.identity.value } };
  const reply = yield postJson(under(order, at`/api/v2/deletion/data/logs`), auth(order), {
    data: { type: "create_deletion_req", attributes },
  });
  if (reply.status === 403) return forbidden(reply);
  if (reply.status === 412)
    return unforeseen(reply, "Datadog refuses the query, as where deletion of logs is not switched on");
  const created = read(reply, Created);
  return created.ok ? accepted(created.value.data.id, TERM_DAYS * DAY_SECONDS) : created.problem;
}

/** There is no reading of one request, so it is looked for in the list. */
function* check(id: string, order: DatadogOrder): Steps<Answer> {
  for (let page = 1, next = ""; page <= MAX_PAGES; page++) {
    const list =
      next === ""
        ? at`/api/v2/deletion/requests?product=logs&page_size=${{ size: "50" }}`
        : at`/api/v2/deletion/requests?next_page=${{ page: next }}`;
    const reply = yield get(under(order, list), auth(order));
    if (reply.status === 403) return forbidden(reply);
    const requests = read(reply, Requests);
    if (!requests.ok) return requests.problem;
    const mine = requests.value.data.find((each) => each.id === id);
    if (mine !== undefined) return progress(mine, order);
    next = requests.value.meta?.next_page ?? "";
    if (next === "") break;
  }
  return unforeseen(noCall, "Datadog does not list the deletion request; retry asks again");
}

/**
 * Unconfirmed: which states there are beside `pending` and `canceled`. What counts is documented: who has not cancelled it
 * within ten days cannot any more, and then a search has the last word. One that sounds like a failure is none of the two.
 */
function progress({ id, attributes }: Request, { attemptedAt }: DatadogOrder): Answer {
  const { status, is_created, created_at, total_unrestricted } = attributes;
  if (/^cancell?ed$/i.test(status)) return cameToNothing("the deletion was canceled at Datadog; retry makes a new one");
  if (/fail|error/i.test(status)) return cameToNothing("Datadog's deletion failed; retry makes a new one");
  const permanent = Date.parse(created_at) + TERM_DAYS * DAY_SECONDS * 1000;
  if (Number.isNaN(permanent))
    return unforeseen({ status: 200 }, "Datadog does not say when the deletion was asked for");
  if (!is_created || Date.parse(attemptedAt) < permanent) return accepted(id, DAY_SECONDS);
  return total_unrestricted === 0 ? notFound : erased;
}

/** Whether any log has the value, also one that was written since: it is deleted as well. */
function* logsOf(order: DatadogOrder): Steps<Sight> {
  if (!isPlain(order)) return notPlain;
  const { from, to } = windowOf(order);
  const reply = yield postJson(under(order, at`/api/v2/logs/events/search`), auth(order), {
    filter: { query: `${facetOf(order)}:${order.identity.value}`, from: String(from), to: String(to) },
    page: { limit: 1 },
  });
  if (reply.status === 403) return forbidden(reply);
  const events = read(reply, Events);
  if (!events.ok) return events.problem;
  return (events.value.data ?? []).length > 0 ? "present" : "absent";
}

/** 401 is the driver's business, 403 is not. */
const forbidden = (reply: Reply) =>
  unauthorized(reply, "Datadog answered 403, as for a key without logs_delete_data or logs_read_data");
