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
import { readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Amplitude counts what people do in the tenant's product, under the product's user ids and its own. One call asks for the
 * deletion of many; Amplitude gathers what is asked for within days into one job.
 */
const PRIVACY = "https://amplitude.com/docs/apis/analytics/user-privacy";

/** A job begins 10 to 13 days after its first request, so a day more or less is nothing. */
const ASK_AFTER_SECONDS = 86_400;

/** The documents look 30 days ahead; a job that was put off stands later. The range may span six months. */
const AHEAD_DAYS = 60;

const Text = z.union([z.string(), z.number()]).transform(String);
const Job = z.object({
  day: z.string(),
  status: z.enum(["staging", "submitted", "done"]),
  amplitude_ids: z.array(
    z.object({
      amplitude_id: Text,
      /** An older copy of the documents does not have it. */
      user_id: Text.nullish(),
    }),
  ),
});
type Job = z.infer<typeof Job>;
/** https://amplitude.com/docs/apis/analytics/dashboard-rest#user-search */
const Search = z.object({ matches: z.array(z.object({ amplitude_id: Text, user_id: Text.nullish() })) });

/** One job, or a list of them where several projects are concerned. */
const Jobs = z.union([z.array(Job), Job.transform((job) => [job])]);

const settings = {
  apiKey: text("API key of the project", /^[0-9a-zA-Z]{16,64}$/),
  secretKey: secret("Secret key of the project"),
  residency: text("Data residency of the project: US or EU", /^(US|EU)$/),
} satisfies Settings;

export const amplitude = defineIntegration({
  id: "amplitude",
  name: "Amplitude",
  about: "Counts what people do in the tenant's product.",
  origins: ["https://amplitude.com", "https://analytics.eu.amplitude.com"],
  settings,
  identities: {
    "amplitude.user_id": "User id, as the product's tracking sends it",
    "amplitude.amplitude_id": "Amplitude's own id of a user, a number",
  },

  hooks: absent(
    "it has no webhooks for people: administrators get an e-mail for each deletion that is asked for",
    PRIVACY,
  ),
  oauth: absent("the keys of the project only", PRIVACY),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", PRIVACY),
    erase: {
      source: PRIVACY,
      by: ["amplitude.user_id", "amplitude.amplitude_id"],
      each: "identity",
      bulk: { most: 100, run: begin, check },
      look: {
        // Unconfirmed: how soon the search forgets whom a job has deleted; who is still found is asked for again.
        afterSeconds: ASK_AFTER_SECONDS,
        *run(order) {
          const reply = yield get(
            under([order], at`/api/2/usersearch?user=${{ user: order.identity.value }}`),
            auth([order]),
          );
          const found = read(reply, Search);
          if (!found.ok) return found.problem;
          // It also finds ids that only begin so.
          return found.value.matches.some(isOf(order)) ? "present" : "absent";
        },
      },
    },
  },

  // "From all of Amplitude's systems, including associated recovery and back-up systems."

  check: {
    source: PRIVACY,
    shows: "the keys are of a project and read its deletion jobs; those who may read them may ask for them",
    *run(settings, time) {
      const account = [{ settings }];
      const reply = yield get(scheduled(account, time.slice(0, 10)), auth(account));
      return readable(reply, Jobs, "these keys may not see deletions of users");
    },
  },

  residuals: [],
  retainable: [],
  limits: { perSecond: 1, connections: 1, account: { settings: ["apiKey"] } },
});

type AmplitudeOrder = Order<typeof settings>;
type Orders = readonly AmplitudeOrder[];
type Accounts = readonly Pick<AmplitudeOrder, "settings">[];

/** A project lives in one region. */
function under([order]: Accounts, { url, template }: Address): Address {
  const origin = order?.settings.residency === "EU" ? "https://analytics.eu.amplitude.com" : "https://amplitude.com";
  return { url: origin + url, template: origin + template };
}

const auth = ([order]: Accounts) => ({
  authorization: `Basic ${btoa(`${order?.settings.apiKey ?? ""}:${order?.settings.secretKey ?? ""}`)}`,
});

const isNumber = ({ identity: { type, value } }: AmplitudeOrder): boolean =>
  type !== "amplitude.amplitude_id" || (/^[1-9]\d*$/.test(value) && Number.isSafeInteger(Number(value)));

const noNumber: Answer = unforeseen(noCall, "an Amplitude id is a number; correct it where it was registered");

/**
 * Asks once for all. Who is not in the answer may be in a job that was asked for before; who is in none does not exist in
 * this project, because `ignore_invalid_id` leaves only those out.
 */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const asked = orders.filter(isNumber);
  if (asked.length === 0) return orders.map(() => noNumber);
  const of = (type: string) => asked.map(({ identity }) => identity).filter((identity) => identity.type === type);
  const reply = yield postJson(under(orders, at`/api/2/deletions/users`), auth(orders), {
    user_ids: of("amplitude.user_id").map(({ value }) => value),
    amplitude_ids: of("amplitude.amplitude_id").map(({ value }) => Number(value)),
    requester: "quittance",
    // Flags are text in the documents' samples, and the name has no s there.
    ignore_invalid_id: "true",
    include_mapped_user_ids: "true",
    delete_from_org: "false",
  });
  const jobs = jobsIn(reply);
  if ("outcome" in jobs) return orders.map((order) => (isNumber(order) ? jobs : noNumber));
  const left = asked.filter((order) => !isNamed(order, jobs));
  const known = left.length === 0 ? jobs : jobsIn(yield get(scheduled(orders, dayOf(orders)), auth(orders)));
  return orders.map((order): Answer => {
    if (!isNumber(order)) return noNumber;
    if (isNamed(order, jobs)) return accepted(dayOf(orders), ASK_AFTER_SECONDS);
    if ("outcome" in known) return known;
    if (isNamed(order, known)) return accepted(dayOf(orders), ASK_AFTER_SECONDS);
    return isSilent(order, [...jobs, ...known])
      ? unforeseen(reply, "Amplitude's answer does not say whose Amplitude ids it has scheduled")
      : notFound;
  });
}

function* check(day: string, orders: Orders): Steps<readonly Answer[]> {
  const jobs = jobsIn(yield get(scheduled(orders, day), auth(orders)));
  return orders.map((order) => ("outcome" in jobs ? jobs : progress(order, jobs, day)));
}

const dayOf = ([order]: Orders): string => (order?.attemptedAt ?? "").slice(0, 10);

/** Jobs that begin between the day of the request and well after it. */
function scheduled(orders: Accounts, start: string): Address {
  const end = new Date(Date.parse(`${start}T00:00:00Z`) + AHEAD_DAYS * 86_400_000).toISOString().slice(0, 10);
  return under(orders, at`/api/2/deletions/users?start_day=${{ start }}&end_day=${{ end }}`);
}

function jobsIn(reply: Reply): readonly Job[] | Answer {
  if (reply.status === 403) return unauthorized(reply, "Amplitude answered 403, as for keys that may not delete users");
  const jobs = read(reply, Jobs);
  return jobs.ok ? jobs.value : jobs.problem;
}

/**
 * Whether a job deletes this person's data: all that was added "up until the time that job runs". So one that ran before the
 * request says nothing of what came since, and one that was asked for before it and has yet to run is as good as a new one.
 */
const isNamed = (order: AmplitudeOrder, jobs: readonly Job[]): boolean =>
  jobs.some(
    ({ day, status, amplitude_ids }) =>
      (status !== "done" || day > order.requestedAt.slice(0, 10)) && amplitude_ids.some(isOf(order)),
  );

const isOf =
  ({ identity: { type, value } }: AmplitudeOrder) =>
  ({ amplitude_id, user_id }: Job["amplitude_ids"][number]): boolean =>
    (type === "amplitude.user_id" ? user_id : amplitude_id) === value;

/** Whether an entry without a user id could be this person's. */
const isSilent = ({ identity: { type } }: AmplitudeOrder, jobs: readonly Job[]): boolean =>
  type === "amplitude.user_id" && jobs.some((job) => job.amplitude_ids.some(({ user_id }) => user_id == null));

/** Several Amplitude ids may be one user's, and stand in several jobs: all have to be done. */
function progress(order: AmplitudeOrder, jobs: readonly Job[], day: string): Answer {
  const mine = jobs.filter((job) => isNamed(order, [job]));
  if (mine.length === 0)
    return cameToNothing("Amplitude's jobs do not name this user any more, as when it was taken out; retry asks again");
  return mine.every(({ status }) => status === "done") ? erased : accepted(day, ASK_AFTER_SECONDS);
}
