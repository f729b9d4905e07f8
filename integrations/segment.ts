import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  cameToNothing,
  get,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Segment collects what people do and passes it on to other holders. One regulation deletes what it holds of many user ids, and
 * takes no more of them. It sends no signed word of an erasure.
 *
 * Unconfirmed: what its Webhooks destination sends where a deletion is forwarded to it. The signature of that destination is
 * optional and comes only with events, so nothing is read from it.
 */
const DELETION = "https://www.twilio.com/docs/segment/privacy/user-deletion-and-suppression";
const API = "https://docs.segmentapis.com/tag/Deletion-and-Suppression";

/** "Within 30 days"; a regulation is listed for 90. */
const ASK_AFTER_SECONDS = 86_400;

const Created = z.object({ data: z.object({ regulateId: z.string().min(1) }) });

const Status = z.enum(["INITIALIZED", "RUNNING", "FINISHED", "PARTIAL_SUCCESS", "NOT_SUPPORTED", "FAILED", "INVALID"]);
const Read = z.object({
  data: z.object({
    regulation: z.object({
      id: z.string(),
      overallStatus: Status,
      streamStatus: z
        .array(z.object({ destinationStatus: z.array(z.object({ name: z.string(), status: z.string() })).nullish() }))
        .nullish(),
    }),
  }),
});
type Regulation = z.infer<typeof Read>["data"]["regulation"];

const settings = {
  apiToken: secret("Public API token of the workspace"),
  residency: text("Region of the workspace: US or EU", /^(US|EU)$/),
  regulation: optional(
    text(
      "Kind of regulation (SUPPRESS_WITH_DELETE unless set)",
      /^(SUPPRESS_WITH_DELETE|SUPPRESS_WITH_DELETE_INTERNAL|DELETE_ONLY|DELETE_INTERNAL)$/,
    ),
  ),
} satisfies Settings;

export const segment = defineIntegration({
  id: "segment",
  name: "Segment",
  about: "Collects what people do and passes it on.",
  // Unconfirmed by its guide: the address of workspaces in the EU, which Segment's own clients name.
  origins: ["https://api.segmentapis.com", "https://eu1.api.segmentapis.com"],
  settings,
  identities: { "segment.user_id": "User id (`userId`), as the product's tracking sends it" },

  hooks: absent("Segment sends no signed word of an erasure", DELETION),

  oauth: absent("Segment has API tokens only", "https://docs.segmentapis.com/"),

  actions: {
    erase: {
      source: API,
      by: ["segment.user_id"],
      each: "identity",
      bulk: { most: 5000, run: begin, check },
    },
    revoke: absent("people grant Segment nothing", DELETION),
  },

  // How long its own backups live is not stated.
  residuals: [],
  retainable: [],
  // 600 requests a minute; 110,000 users in 30 days.
  limits: { perSecond: 10, connections: 1, account: { settings: ["apiToken"] } },
});

type SegmentOrder = Order<typeof settings>;
type Orders = readonly SegmentOrder[];

/** A workspace lives in one region. */
function under([order]: Orders, { url, template }: Address): Address {
  const origin = order?.settings.residency === "EU" ? "https://eu1.api.segmentapis.com" : "https://api.segmentapis.com";
  return { url: origin + url, template: origin + template };
}
const auth = ([order]: Orders) => bearer(order?.settings.apiToken ?? "");

/** One regulation for all. Segment does not say whom it knew: asked again, it makes another, which does no harm. */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const reply = yield postJson(under(orders, at`/regulations`), auth(orders), {
    regulationType: orders[0]?.settings.regulation || "SUPPRESS_WITH_DELETE",
    subjectType: "USER_ID",
    subjectIds: orders.map(({ identity }) => identity.value),
  });
  const begun = created(reply);
  return orders.map(() => begun);
}

function created(reply: Reply): Answer {
  if (reply.status === 403) return forbidden(reply);
  const regulation = read(reply, Created);
  return regulation.ok ? accepted(regulation.value.data.regulateId, ASK_AFTER_SECONDS) : regulation.problem;
}

function* check(id: string, orders: Orders): Steps<readonly Answer[]> {
  const reply = yield get(under(orders, at`/regulations/${{ regulation: id }}`), auth(orders));
  const stands = progress(reply, id);
  return orders.map(() => stands);
}

function progress(reply: Reply, id: string): Answer {
  if (reply.status === 403) return forbidden(reply);
  // It is the regulation that is not found, which says nothing of the person.
  if (reply.status === 404)
    return cameToNothing("Segment does not list this regulation any more, as after 90 days; retry makes a new one");
  const seen = read(reply, Read);
  if (!seen.ok) return seen.problem;
  const { regulation } = seen.value.data;
  switch (regulation.overallStatus) {
    case "INITIALIZED":
    case "RUNNING":
      return accepted(id, ASK_AFTER_SECONDS);
    case "FINISHED":
      return erased;
    case "FAILED":
    case "PARTIAL_SUCCESS":
    case "NOT_SUPPORTED":
      return parts(regulation);
    case "INVALID":
      return cameToNothing("Segment calls this regulation invalid; retry makes a new one");
  }
}

/**
 * The whole counts as failed where one destination does not support deletion, "even if the deletion from Segment internal
 * systems and supported destinations were completed successfully". So its parts decide: Segment's own has to be finished and no
 * supported one failed. Where a destination is not supported, its holder is to be asked by itself.
 *
 * Unconfirmed: that Segment's own part stands among them, and under its name. Where it does not, nobody can tell, and a person
 * has to look.
 */
function parts({ overallStatus, streamStatus }: Regulation): Answer {
  const all = (streamStatus ?? []).flatMap(({ destinationStatus }) => destinationStatus ?? []);
  const own = all.filter(({ name }) => /^segment\b/i.test(name));
  const others = all.filter(({ status }) => status !== "FINISHED" && status !== "NOT_SUPPORTED");
  if (own.length > 0 && own.every(({ status }) => status === "FINISHED") && others.length === 0) return erased;
  const known = Status.options.map((status) => [all.filter((each) => each.status === status).length, status] as const);
  const counted = known.flatMap(([count, status]) => (count === 0 ? [] : [`${count} ${status}`]));
  return unforeseen(
    { status: 200 },
    `Segment's regulation is ${overallStatus} (${counted.join(", ") || "no parts"}): see its deletion requests, then complete the task or retry`,
  );
}

/** 401 is the driver's business, 403 is not. */
const forbidden = (reply: Reply): Answer =>
  unauthorized(reply, "Segment answered 403, as for a token that may not make regulations");
