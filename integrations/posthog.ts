import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  cameToNothing,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { NOBODY, readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, found, notFound } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * PostHog counts what people do in the tenant's product, and records it, under distinct ids that belong to persons. Persons are
 * found by distinct id or e-mail, then deleted many at a time, with their events and recordings, which takes until a weekend.
 */
const STORAGE = "https://posthog.com/docs/privacy/data-storage";
const PERSONS = "https://posthog.com/docs/api/persons";
const KEYS = "https://posthog.com/docs/api";

const PERSON = "posthog.person";

/** Events are deleted "asynchronously", at times of little load: on Cloud, weekends. */
const ASK_AFTER_SECONDS = 86_400;

/** A row's recorded time may differ from ours by so much and still be of the same moment. */
const CLOCKS_MS = 5 * 60_000;

const Persons = z.object({ results: z.array(z.object({ uuid: z.uuid() })), next: z.string().nullish() });
const Person = z.object({ uuid: z.string() });

/** A success holds failures; newer answers queue persons instead of deleting them. Counts and flags have been seen for either. */
const Queued = z.object({
  persons_found: z.int(),
  events_queued_for_deletion: z.union([z.boolean(), z.int()]),
  deletion_errors: z.array(z.unknown()).optional(),
});

const Statuses = z.object({
  results: z.array(
    z.object({
      person_uuid: z.string(),
      created_at: z.string(),
      status: z.enum(["pending", "completed"]),
      delete_verified_at: z.string().nullish(),
    }),
  ),
});

const settings = {
  projectId: text("Project id, a number", /^\d{1,12}$/),
  apiKey: secret("Personal API key with person:read and person:write, for this project", /^phx_/),
  residency: text("Region of the project: US or EU", /^(US|EU)$/),
} satisfies Settings;

export const posthog = defineIntegration({
  id: "posthog",
  name: "PostHog",
  about: "Counts and records what people do in the tenant's product.",
  origins: ["https://us.posthog.com", "https://eu.posthog.com"],
  settings,
  identities: {
    "posthog.distinct_id": "Distinct id, as the product's tracking sends it",
    [PERSON]: "Person's UUID",
  },

  hooks: absent("it tells of no erasure; its webhooks carry the product's own events", STORAGE),
  oauth: absent("a personal API key that is limited to the project", KEYS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", STORAGE),
    erase: {
      source: PERSONS,
      by: ["posthog.distinct_id", "email", PERSON],
      each: "identity",
      learns: [PERSON],
      // One call takes a thousand persons, but each has to be looked for on its own, of which a minute allows 240.
      bulk: { most: 50, run: begin, check },
      look: {
        afterSeconds: 3600,
        *run(order) {
          const { type, value } = order.identity;
          if (type !== PERSON) return "no_view";
          const path = at`/api/projects/${{ project: project([order]) }}/persons/${{ person: value }}/`;
          const reply = yield get(under([order], path), auth([order]));
          if (reply.status === 404) return "absent";
          if (reply.status === 403) return lacking(reply);
          const person = read(reply, Person);
          return person.ok ? "present" : person.problem;
        },
      },
    },
  },

  // How long backups live is not stated.

  check: {
    source: PERSONS,
    shows: "the key reads this project's persons; person:write is not shown before it is used",
    *run(settings) {
      const account = [{ settings }];
      const list = at`/api/projects/${{ project: project(account) }}/persons/?email=${{ email: NOBODY }}`;
      const reply = yield get(under(account, list), auth(account));
      return readable(reply, Persons, "the key lacks person:read, or is not for this project");
    },
  },

  residuals: [],
  retainable: [],
  limits: { perSecond: 4, connections: 1, account: { settings: ["projectId"] } },
});

type PosthogOrder = Order<typeof settings>;
type Orders = readonly PosthogOrder[];
type Accounts = readonly Pick<PosthogOrder, "settings">[];

/** A project lives in one region, behind its private API; where events are sent does not serve it. */
function under([order]: Accounts, { url, template }: Address): Address {
  const origin = order?.settings.residency === "EU" ? "https://eu.posthog.com" : "https://us.posthog.com";
  return { url: origin + url, template: origin + template };
}
const project = ([order]: Accounts): string => order?.settings.projectId ?? "";
const auth = ([order]: Accounts) => bearer(order?.settings.apiKey ?? "");

const isPerson = ({ identity }: PosthogOrder): boolean => identity.type === PERSON;
const isUuid = ({ identity }: PosthogOrder): boolean => z.uuid().safeParse(identity.value).success;
const noUuid: Answer = unforeseen(noCall, "a person's UUID reads otherwise; correct it where it was registered");

/**
 * Finds the persons of those who are known by something else, and deletes those who are known. Not in one go: how an event's
 * deletion stands is asked by the person's UUID, which nobody can find any more once the person is deleted.
 */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const answers = new Map<PosthogOrder, Answer>();
  for (const order of orders) if (!isPerson(order)) answers.set(order, yield* search(order));
  const persons = orders.filter((order) => isPerson(order) && isUuid(order));
  if (persons.length > 0) {
    const path = at`/api/projects/${{ project: project(orders) }}/persons/bulk_delete/`;
    const reply = yield postJson(under(orders, path), auth(orders), {
      ids: persons.map(({ identity }) => identity.value),
      delete_events: true,
      delete_recordings: true,
      keep_person: false,
    });
    const begun = queued(reply, persons.length);
    for (const order of persons)
      answers.set(
        order,
        typeof begun === "string" ? accepted(`${begun}:${order.identity.value}`, ASK_AFTER_SECONDS) : begun,
      );
  }
  return orders.map((order) => answers.get(order) ?? noUuid);
}

function* search(order: PosthogOrder): Steps<Answer> {
  const { type, value } = order.identity;
  const id = project([order]);
  const list =
    type === "email"
      ? at`/api/projects/${{ project: id }}/persons/?email=${{ email: value }}`
      : at`/api/projects/${{ project: id }}/persons/?distinct_id=${{ distinct_id: value }}`;
  const reply = yield get(under([order], list), auth([order]));
  if (reply.status === 403) return forbidden(reply);
  const persons = read(reply, Persons);
  if (!persons.ok) return persons.problem;
  if (persons.value.next != null) return unforeseen(reply, "more persons than one page have this identity");
  return found(persons.value.results.map(({ uuid }) => ({ type: PERSON, value: uuid })));
}

/**
 * `deleted` when everybody was there, and `asked` when somebody was not: whoever was not found may have been deleted by a call
 * whose answer was lost. Otherwise what stands in the way.
 */
function queued(reply: Reply, count: number): "deleted" | "asked" | Answer {
  if (reply.status === 403) return forbidden(reply);
  const body = read(reply, Queued, [202]);
  if (!body.ok) return body.problem;
  const { persons_found, events_queued_for_deletion, deletion_errors = [] } = body.value;
  if (deletion_errors.length > 0) return unforeseen(reply, "PostHog accepted the deletion, and reports errors of it");
  if (persons_found > 0 && !events_queued_for_deletion)
    return unforeseen(reply, "PostHog deleted persons, and not their events");
  return persons_found >= count ? "deleted" : "asked";
}

/** How the deletion of a person's events stands. Asked once for all requests that wait for the same person. */
function* check(reference: string, orders: Orders): Steps<readonly Answer[]> {
  const [begun = "", uuid = ""] = reference.split(":");
  const id = project(orders);
  const status = at`/api/projects/${{ project: id }}/persons/deletion_status/?status=all&person_uuid=${{ person: uuid }}`;
  const reply = yield get(under(orders, status), auth(orders));
  if (reply.status === 403) return orders.map(() => forbidden(reply));
  const rows = read(reply, Statuses);
  if (!rows.ok) return orders.map(() => rows.problem);
  const mine = rows.value.results.filter(({ person_uuid }) => person_uuid.toLowerCase() === uuid.toLowerCase());
  const recent = (order: PosthogOrder) => mine.filter((row) => isRecent(row.created_at, order));
  const isTracked = (order: PosthogOrder) => recent(order).length > 0;
  if (orders.every(isTracked)) return orders.map((order) => progress(recent(order), reference));
  const path = at`/api/projects/${{ project: id }}/persons/${{ person: uuid }}/`;
  const person = yield get(under(orders, path), auth(orders));
  return orders.map((order) =>
    isTracked(order) ? progress(recent(order), reference) : untracked(person, begun === "deleted"),
  );
}

type Row = z.infer<typeof Statuses>["results"][number];

/** "Completed" is verified; all that was asked for since the request has to be. */
const progress = (rows: readonly Row[], reference: string): Answer =>
  rows.every(({ status, delete_verified_at }) => status === "completed" && delete_verified_at != null)
    ? erased
    : accepted(reference, ASK_AFTER_SECONDS);

/** A time that cannot be read is not recent: then nothing is claimed. */
const isRecent = (created: string, { requestedAt }: PosthogOrder): boolean =>
  Date.parse(created) + CLOCKS_MS >= Date.parse(requestedAt);

/**
 * No deletion since the request is recorded: there was nobody to delete, or it was not taken up. Of whom we deleted there
 * would have to be a record, and a missing one is no end.
 */
function untracked(reply: Reply, wasThere: boolean): Answer {
  if (reply.status === 404)
    return wasThere
      ? unforeseen(reply, "PostHog lists no deletion of this person's events; retry asks again")
      : notFound;
  if (reply.status === 403) return forbidden(reply);
  const person = read(reply, Person);
  return person.ok
    ? cameToNothing("PostHog has no record of the deletion, and the person is still there; retry begins anew")
    : person.problem;
}

/** 401 is the driver's business, 403 is not. */
const forbidden = (reply: Reply): Answer => lacking(reply);

const lacking = (reply: Reply) =>
  unauthorized(reply, "PostHog answered 403, as for a key without person:write or of another project");
