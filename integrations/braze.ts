import { z } from "zod";
import { type Address, at, bearer, noCall, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, found, notFound } from "../src/contract/outcome.ts";
import { dnsLabel, type Settings, secret } from "../src/contract/settings.ts";

/**
 * Braze sends messages to the tenant's people. Profiles are found by the tenant's id, by e-mail or by number, then deleted by
 * Braze's own id, many at a time, which it does in its own time. It tells us nothing.
 */
const DELETION = "https://www.braze.com/docs/api/endpoints/user_data/post_user_delete/";
const KEYS = "https://www.braze.com/docs/api/basics/";

const PROFILE = "braze.braze_id";

/** How long a deletion takes is not said. */
const ASK_AGAIN_SECONDS = 900;

const Exported = z.object({
  message: z.literal("success"),
  users: z.array(z.object({ braze_id: z.string().min(1), external_id: z.string().nullish() })),
});
type Users = z.infer<typeof Exported>["users"];

/** "Deleted" counts those that are queued. */
const Deleted = z.object({ message: z.literal("success"), deleted: z.int() });

const settings = {
  apiKey: secret("REST API key with users.delete and users.export.ids"),
  instance: dnsLabel("Instance, as in its REST endpoint rest.….braze.com: iad-01, us-10, fra-02 ..."),
} satisfies Settings;

export const braze = defineIntegration({
  id: "braze",
  name: "Braze",
  about: "Messages to people, by what they did.",
  origins: ["https://rest.{instance}.braze.com", "https://rest.{instance}.braze.eu"],
  settings,
  identities: {
    "braze.external_id": "The id under which the tenant keeps a person there",
    [PROFILE]: "Braze's own id of a profile",
  },

  hooks: absent("it signs nothing; campaigns with webhooks, and Currents, are made by each customer", KEYS),
  oauth: absent("REST API keys only", KEYS),

  actions: {
    revoke: absent("people grant Braze nothing", KEYS),
    erase: {
      source: DELETION,
      by: ["braze.external_id", "email", "phone", PROFILE],
      each: "identity",
      learns: [PROFILE],
      bulk: {
        most: 50,
        run: begin,
        *check(profile, orders) {
          const users = yield* exported(orders, { braze_id: profile });
          const stands = "outcome" in users ? users : isThere(profile, users) ? waits(profile) : erased;
          return orders.map(() => stands);
        },
      },
    },
  },

  // Counts and totals stay, without a person. What it keeps of the person, and for how long, is not stated.
  residuals: [],
  retainable: [],
  // 250 look-ups a minute for newer customers; deletions may be 20,000.
  limits: { perSecond: 4, connections: 1, account: { settings: ["instance", "apiKey"] } },
});

type BrazeOrder = Order<typeof settings>;
type Orders = readonly BrazeOrder[];

/** Instances in the EU are at another domain. A key for one instance is refused (401) by all others. */
function under([order]: Orders, { url, template }: Address): Address {
  const instance = order?.settings.instance ?? "";
  const origin = instance.startsWith("fra-")
    ? at`https://rest.${{ instance }}.braze.eu`
    : at`https://rest.${{ instance }}.braze.com`;
  return { url: origin.url + url, template: origin.template + template };
}
const auth = ([order]: Orders) => bearer(order?.settings.apiKey ?? "");

const waits = (profile: string): Answer => accepted(profile, ASK_AGAIN_SECONDS);
const isThere = (profile: string, users: Users): boolean => users.some(({ braze_id }) => braze_id === profile);

/**
 * Finds the profiles of those who are known by something else, and deletes those who are known. A deletion by e-mail or number
 * takes one profile of those that share it, and leaves the others; so all are found first. Nor does a deletion say whom it did
 * not know: each profile is read before it.
 */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const answers = new Map<BrazeOrder, Answer>();
  const ofType = (type: string) => orders.filter(({ identity }) => identity.type === type);
  const named = ofType("braze.external_id");
  if (named.length > 0) {
    const users = yield* exported(named, { external_ids: named.map(({ identity }) => identity.value) });
    for (const order of named) answers.set(order, ownOf(order, users));
  }
  for (const [type, field] of [
    ["email", "email_address"],
    ["phone", "phone"],
  ] as const)
    for (const order of ofType(type)) {
      const users = yield* exported([order], { [field]: order.identity.value });
      answers.set(order, "outcome" in users ? users : profiles(users));
    }

  const there: BrazeOrder[] = [];
  for (const order of ofType(PROFILE)) {
    const users = yield* exported([order], { braze_id: order.identity.value });
    if ("outcome" in users) answers.set(order, users);
    else if (isThere(order.identity.value, users)) there.push(order);
    else answers.set(order, notFound);
  }
  if (there.length > 0) {
    const path = under(there, at`/users/delete`);
    const reply = yield postJson(path, auth(there), { braze_ids: there.map(({ identity }) => identity.value) });
    const refusal = queued(reply);
    for (const order of there) answers.set(order, refusal ?? waits(order.identity.value));
  }
  return orders.map((order) => answers.get(order) ?? NO_ANSWER);
}

const NO_ANSWER: Answer = unforeseen(noCall, "Braze knows no such kind of id");

const profiles = (users: Users): Answer => found(users.map(({ braze_id }) => ({ type: PROFILE, value: braze_id })));

const ownOf = ({ identity }: BrazeOrder, users: Users | Answer): Answer =>
  "outcome" in users ? users : profiles(users.filter(({ external_id }) => external_id === identity.value));

/** Whom Braze has by one kind of id. Whoever it does not have is left out of the answer. */
function* exported(orders: Orders, by: Readonly<Record<string, unknown>>): Steps<Users | Answer> {
  const reply = yield postJson(under(orders, at`/users/export/ids`), auth(orders), {
    ...by,
    fields_to_export: ["braze_id", "external_id"],
  });
  // Unconfirmed: which of the two; samples of these addresses show either.
  const seen = read(reply, Exported, [200, 201]);
  return seen.ok ? seen.value.users : seen.problem;
}

/** What stands in the way, if anything does. How many were queued decides nothing: whether each is gone is asked later. */
function queued(reply: Reply): Answer | undefined {
  const body = read(reply, Deleted, [200, 201]);
  return body.ok ? undefined : body.problem;
}
