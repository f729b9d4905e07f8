import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  byStatus,
  del,
  get,
  postJson,
  type Reply,
  read,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Customer.io sends messages to the tenant's people. It tells us when a person unsubscribed; not when a profile was deleted.
 * People are found and looked at through one of its APIs, and erased through another.
 */
const WEBHOOKS = "https://docs.customer.io/journeys/webhooks/";
const SUPPRESS = "https://docs.customer.io/api/track/#operation/suppress";

const PERSON = "customer-io.cio_id";

const Text = z.string().min(1).nullish().catch(undefined);
const Event = z.object({
  event_id: z.string().min(1),
  object_type: z.string().min(1),
  metric: z.string().min(1),
  timestamp: UnixSeconds,
  data: z
    .object({
      customer_id: Text,
      identifiers: z.object({ id: Text, email: Text, cio_id: Text }).nullish().catch(undefined),
    })
    .nullish(),
});
type Data = z.infer<typeof Event>["data"];

/** By the id that the tenant gave, else by Customer.io's own, else by e-mail. */
function whom(data: Data) {
  const { id, cio_id, email } = data?.identifiers ?? {};
  const own = id ?? data?.customer_id;
  if (own != null) return { type: "customer-io.id", value: own };
  if (cio_id != null) return { type: "customer-io.cio_id", value: cio_id };
  return email == null ? undefined : { type: "email", value: email };
}

const People = z.object({ results: z.array(z.object({ cio_id: z.string().min(1) })) });

const Ids = z.object({ id: Text, cio_id: Text }).nullish();
const Person = z.object({ customer: z.object({ identifiers: Ids, attributes: Ids }) });

const settings = {
  siteId: text("Site id of the workspace's Track API"),
  trackApiKey: secret("API key of the Track API"),
  appApiKey: secret("App API key"),
  residency: text("Region of the account: US or EU", /^(US|EU)$/),
  ending: optional(text("suppress (erase, and take no more; the rule) or delete (erase)", /^(suppress|delete)$/)),
  signingKey: optional(secret("Signing key of the reporting webhook")),
} satisfies Settings;

export const customerIo = defineIntegration({
  id: "customer-io",
  name: "Customer.io",
  about: "Sends messages to people, by what they did.",
  origins: [
    "https://track.customer.io",
    "https://track-eu.customer.io",
    "https://api.customer.io",
    "https://api-eu.customer.io",
  ],
  settings,
  identities: {
    "customer-io.id": "The id under which the tenant keeps a person there",
    [PERSON]: "Customer.io's own id of a person",
  },

  hooks: {
    reporting: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "signingKey",
        signature: { header: "x-cio-signature", encoding: "hex" },
        over: [{ text: "v0:" }, { header: "x-cio-timestamp" }, { text: ":" }, "body"],
        // No age: Customer.io states none, repeats for seven days, and whether a repeat has a new time is unconfirmed.
      },
      contentTypes: ["application/json"],
      read: json(Event, ({ event_id: id, object_type, metric, timestamp, data }) => {
        const name = `${object_type}.${metric}`;
        const identity = name === "customer.unsubscribed" ? whom(data) : undefined;
        // A refusal would hold up all later events, so one who cannot be told is counted like what is not known.
        if (identity === undefined) return [{ id, name, signals: [] }];
        return [{ id, name, signals: [{ type: "consent_withdrawn", identity, at: withinSecond(timestamp) }] }];
      }),
      authority: { consent_withdrawn: "record" },
      answer: 200,
      retriesForHours: 168,
      events: ["customer.unsubscribed"],
    },
  },

  oauth: absent("Customer.io has API keys only", "https://docs.customer.io/api/track/"),

  actions: {
    erase: {
      source: SUPPRESS,
      by: ["customer-io.id", "email", PERSON],
      each: "identity",
      learns: [PERSON],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* peopleWith(value, order);
        const person = yield* personBy(type === PERSON ? "cio_id" : "id", order);
        if ("outcome" in person) return person;
        if (type !== PERSON) return found([{ type: PERSON, value: person.cioId }]);
        // "The wrong identifier" is answered with 200 too, so the person is read before, and looked for after.
        return byStatus(yield ending(person, order), { 200: erased });
      },
      look: {
        // "Processed in the background": how long that takes is not said.
        afterSeconds: 300,
        *run(order) {
          const { type, value } = order.identity;
          const left =
            type === "email"
              ? yield* peopleWith(value, order)
              : yield* personBy(type === PERSON ? "cio_id" : "id", order);
          if (!("outcome" in left)) return "present";
          if (left.outcome === "unforeseen") return left;
          return left.outcome === "not_found" ? "absent" : "present";
        },
      },
    },
    revoke: absent("people grant Customer.io nothing", WEBHOOKS),
  },

  // How long it keeps the history of what was sent is not stated. What is suppressed it keeps, to refuse it.
  residuals: [],
  retainable: [],
  // The App API takes ten a second.
  limits: { perSecond: 10, connections: 1, account: { settings: ["siteId"] } },
});

type CustomerIoOrder = Order<typeof settings>;

/** An account lives in one region; what is sent to the other passes through it. */
function under(api: "track" | "api", { settings }: CustomerIoOrder, { url, template }: Address): Address {
  const origin = `https://${api}${settings.residency === "EU" ? "-eu" : ""}.customer.io`;
  return { url: origin + url, template: origin + template };
}
const appAuth = ({ settings }: CustomerIoOrder) => bearer(settings.appApiKey);
const trackAuth = ({ settings }: CustomerIoOrder) => ({
  authorization: `Basic ${btoa(`${settings.siteId}:${settings.trackApiKey}`)}`,
});

function* peopleWith(email: string, order: CustomerIoOrder): Steps<Answer> {
  const reply = yield get(under("api", order, at`/v1/customers?email=${{ email }}`), appAuth(order));
  const people = read(reply, People);
  if (!people.ok) return people.problem;
  return found(people.value.results.map(({ cio_id }) => ({ type: PERSON, value: cio_id })));
}

/** The ids of a person who is there. */
type Known = { readonly id: string | undefined; readonly cioId: string };

function* personBy(idType: "id" | "cio_id", order: CustomerIoOrder): Steps<Known | Answer> {
  const path = at`/v1/customers/${{ person: order.identity.value }}/attributes?id_type=${{ id_type: idType }}`;
  const reply = yield get(under("api", order, path), appAuth(order));
  return reply.status === 404 ? notFound : known(reply);
}

function known(reply: Reply): Known | Answer {
  const person = read(reply, Person);
  if (!person.ok) return person.problem;
  // The guide's sample has ids among the attributes; clients have seen them beside these too.
  const { identifiers, attributes } = person.value.customer;
  const cioId = identifiers?.cio_id ?? attributes?.cio_id;
  if (cioId == null) return unforeseen(reply, "Customer.io's answer has no cio_id of this person");
  return { id: identifiers?.id ?? attributes?.id ?? undefined, cioId };
}

/**
 * By the tenant's own id where there is one, because what is suppressed is the id that is named (and the address with it, where
 * both identify people). An id that would be read as one of Customer.io's own is not named.
 */
function ending({ id, cioId }: Known, order: CustomerIoOrder) {
  const person = id === undefined || id.startsWith("cio_") ? `cio_${cioId}` : id;
  const path = at`/api/v1/customers/${{ person }}`;
  if (order.settings.ending === "delete") return del(under("track", order, path), trackAuth(order));
  return postJson(under("track", order, at`/api/v1/customers/${{ person }}/suppress`), trackAuth(order), {});
}
