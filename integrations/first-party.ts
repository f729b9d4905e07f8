import { z } from "zod";
import { endpointAt, noCall, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { fine, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import {
  type Answer,
  awaitsCompletion,
  erased,
  informed,
  notFound,
  retained,
  revoked,
} from "../src/contract/outcome.ts";
import { endpoint, type Settings, type SettingValues, secret } from "../src/contract/settings.ts";

/**
 * The tenant's own systems: its database, search index, analytics, backups, published pages.
 * They are told by a signed webhook, and answer done at once or accept and complete through the API later.
 */
const STANDARD = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md";

const Echo = z.object({ challenge: z.string() });
const Status = z.discriminatedUnion("status", [
  z.object({ status: z.literal("done") }),
  z.object({ status: z.literal("not_found") }),
  z.object({ status: z.literal("accepted") }),
  // The category comes into the receipt, so it is a plain word and no text in which a person could stand.
  z.object({ status: z.literal("retained"), category: z.string().regex(/^[a-z][a-z0-9_]{1,63}$/) }),
]);

const settings = {
  url: endpoint("Webhook address"),
  secret: secret("Signing secret", /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/),
} satisfies Settings;

export const firstParty = defineIntegration({
  id: "first-party",
  name: "Own system",
  about: "A system of the tenant itself, told by signed webhook.",
  origins: [],
  settings,
  identities: {},

  hooks: absent("it answers our webhook, or completes its task through the API", STANDARD),
  oauth: absent("it belongs to the tenant", STANDARD),

  actions: {
    erase: {
      source: STANDARD,
      by: "any",
      each: "person",
      *run(order) {
        return meaning(yield told("erasure.requested", order), erased, order);
      },
    },
    revoke: {
      source: STANDARD,
      by: "any",
      each: "person",
      followsOthers: true,
      *run(order) {
        return meaning(yield told("revocation.requested", order), revoked, order);
      },
    },
  },

  probe: challenged,

  check: {
    source: STANDARD,
    shows: "the endpoint checks our signature and answers; what it does with an erasure is its own word",
    posts: "a challenge is signed and repeated, and asks for nothing else",
    *run(settings, at) {
      const answer = yield* challenged(settings, `check_${at.replace(/\D/g, "")}`);
      if (answer.outcome === "informed") return fine;
      return "what" in answer ? unclear(unforeseen(answer, answer.what)) : unclear(unforeseen(noCall));
    },
  },

  *notify(settings, notice) {
    const reply = yield event(settings, notice.id, notice.type, notice.at, notice.data);
    return reply.status >= 200 && reply.status < 300 ? informed : unforeseen(reply);
  },

  *content(settings, batch) {
    const items = batch.items.map(({ type, id, source, deletedAt }) => ({ type, id, source, deleted_at: deletedAt }));
    const reply = yield event(settings, batch.id, "content.deleted", batch.at, { batch: batch.id, items });
    return reply.status >= 200 && reply.status < 300 ? informed : unforeseen(reply);
  },

  residuals: [],
  retainable: ["account_data", "billing_records", "support_tickets", "backups", "aggregated_analytics"],
  limits: { connections: 4 },
});

type Values = SettingValues<typeof settings>;

function* challenged(settings: Values, challenge: string): Steps<Answer> {
  const reply = yield event(settings, challenge, "endpoint.verification", new Date(0).toISOString(), { challenge });
  if (reply.status !== 200)
    return unforeseen(
      reply,
      'your endpoint must answer a signed endpoint.verification with 200 and {"challenge": …} as it came',
    );
  const echo = read(reply, Echo);
  if (!echo.ok) return echo.problem;
  return echo.value.challenge === challenge ? informed : unforeseen(reply, "the endpoint did not repeat the challenge");
}

/** The id is the same for each repetition, so that the receiver can tell one from a new event. */
const event = (settings: Values, id: string, type: string, timestamp: string, data: object) =>
  postJson(
    endpointAt(settings.url),
    {},
    { type, timestamp, data },
    {
      // The id must not contain a full stop, which separates the parts of the signed text.
      sign: { scheme: "standard-webhooks", secret: settings.secret, id: `msg_${id.replaceAll(".", "_")}` },
    },
  );

const told = (type: string, order: Order<typeof settings>) =>
  event(order.settings, `${order.requestId}_${order.taskId}`, type, order.requestedAt, {
    request: order.requestId,
    task: order.taskId,
    identities: order.identities,
    ...(order.scope !== undefined && { scope: order.scope }),
    keeps: [...order.keeps],
  });

/** Only these words count: a page that answers 200 to everything has erased nothing. */
function meaning(reply: Reply, done: Answer, { identities }: Order<typeof settings>): Answer {
  const answer = read(reply, Status, [200, 202]);
  if (!answer.ok) return answer.problem;
  if (answer.value.status === "accepted") return awaitsCompletion;
  if (answer.value.status === "not_found") return notFound;
  // The system knows the person as the tenant does, so on the day of what it keeps it is told of all of them again.
  return answer.value.status === "retained" ? retained(answer.value.category, identities) : done;
}
