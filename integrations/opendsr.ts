import { z } from "zod";
import { at, below, cameToNothing, get, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import type { Identity } from "../src/contract/identity.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, type Unforeseen } from "../src/contract/outcome.ts";
import { type Settings, secret, text, tree } from "../src/contract/settings.ts";

/**
 * A processor that speaks OpenDSR (once OpenGDPR): it takes an erasure as a request, and says later that it is completed.
 * Whatever it answers is signed with the key of its certificate, and counts only then. It is asked for the status; its callbacks
 * would tell the same.
 */
const SPECIFICATION = "https://github.com/opengdpr/OpenDSR/blob/master/specification.md";

/** What the specification calls identities, besides those that everybody knows. */
const DEVICES = {
  "opendsr.android_advertising_id": "Android advertising id",
  "opendsr.android_id": "Android id",
  "opendsr.fire_advertising_id": "Fire advertising id",
  "opendsr.ios_advertising_id": "iOS advertising id",
  "opendsr.ios_vendor_id": "iOS vendor id",
  "opendsr.microsoft_advertising_id": "Microsoft advertising id",
  "opendsr.microsoft_publisher_id": "Microsoft publisher id",
  "opendsr.roku_advertising_id": "Roku advertising id",
  "opendsr.roku_publisher_id": "Roku publisher id",
};
const NAMES: ReadonlyMap<string, string> = new Map([
  ["email", "email"],
  ["user_id", "controller_customer_id"],
  ...Object.keys(DEVICES).map((type) => [type, type.slice("opendsr.".length)] as const),
]);

/** The specification has had three names, and wants each honoured. */
const FAMILIES = ["x-opendsr", "x-opencompliance", "x-opengdpr"];

const Id = z.object({ subject_request_id: z.string() });
const Status = Id.extend({ request_status: z.enum(["pending", "in_progress", "completed", "cancelled"]) });

/** Processors give a date weeks ahead, and may well be done sooner. */
const ASK_AFTER_SECONDS = 6 * 3600;

const settings = {
  url: tree("Address of the processor's API, with its version: https://dsr.processor.example/v2"),
  authorization: secret("Authorization header, as the processor gives it", /^(Basic|Bearer) \S+$/),
  regulation: text("Regulation: gdpr or ccpa", /^(gdpr|ccpa)$/),
  domain: text("Domain that the processor's certificate is for", /^[a-z0-9-]+(\.[a-z0-9-]+)+$/),
  certificate: text(
    "Certificate of the processor, PEM: what `processor_certificate` of its /discovery leads to",
    /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/,
  ),
} satisfies Settings;

export const opendsr = defineIntegration({
  id: "opendsr",
  name: "OpenDSR",
  about: "Any processor that takes erasures by the OpenDSR protocol.",
  origins: [],
  settings,
  identities: DEVICES,

  hooks: absent("its callbacks tell what its status tells, which is asked for", `${SPECIFICATION}#8-opendsr-status`),
  oauth: absent("the protocol leaves authentication to the processor", SPECIFICATION),

  actions: {
    revoke: absent("the protocol has access, portability and erasure, and no end of a grant", SPECIFICATION),
    erase: {
      source: SPECIFICATION,
      by: [...NAMES.keys()],
      each: "person",
      *run(order) {
        const id = uuidOf(order.idempotencyKey("request"));
        const reply = yield postJson(
          below(order.settings.url, at`/requests`),
          authorization(order),
          {
            regulation: order.settings.regulation,
            subject_request_id: id,
            subject_request_type: "erasure",
            submitted_time: order.requestedAt,
            subject_identities: order.identities.flatMap(wire),
            api_version: "2.0",
          },
          { proof: proof(order) },
        );
        if (reply.status === 201) return wrong(reply, order, id) ?? accepted(id, ASK_AFTER_SECONDS);
        // The protocol does not say what a repeated request is answered with: where it was taken before, it has a status.
        const earlier = reply.status === 400 ? statusOf(yield status(order, id), order, id) : unforeseen(reply);
        return earlier.outcome === "unforeseen" ? unforeseen(reply) : earlier;
      },
      *check(reference, order) {
        return statusOf(yield status(order, reference), order, reference);
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

type OpendsrOrder = Order<typeof settings>;

const authorization = ({ settings }: OpendsrOrder) => ({ authorization: settings.authorization });

const proof = ({ settings: { certificate } }: OpendsrOrder) =>
  ({ scheme: "certificate", certificate, headers: FAMILIES.map((family) => `${family}-signature`) }) as const;

const status = (order: OpendsrOrder, id: string) =>
  get(below(order.settings.url, at`/requests/${{ request: id }}`), authorization(order), { proof: proof(order) });

function wire({ type, value }: Identity) {
  const name = NAMES.get(type);
  return name === undefined ? [] : [{ identity_type: name, identity_value: value, identity_format: "raw" }];
}

/** What is wrong with an answer that should be the processor's own, about this request; undefined: nothing. */
function wrong(reply: Reply, { settings }: OpendsrOrder, id: string): Unforeseen | undefined {
  const domain = FAMILIES.map((family) => reply.header(`${family}-processor-domain`)).find(
    (each) => each !== undefined,
  );
  if (domain?.toLowerCase() !== settings.domain)
    return unforeseen(reply, "the answer is not of the processor's domain");
  if (reply.proven !== true) return unforeseen(reply, "the answer is not signed by the processor's certificate");
  const body = read(reply, Id, [200, 201]);
  if (!body.ok) return body.problem;
  return body.value.subject_request_id === id ? undefined : unforeseen(reply, "the answer is about another request");
}

function statusOf(reply: Reply, order: OpendsrOrder, id: string): Answer {
  // 404 is not described: a request that the processor does not know has erased nothing.
  if (reply.status !== 200) return unforeseen(reply);
  const problem = wrong(reply, order, id);
  if (problem !== undefined) return problem;
  const body = read(reply, Status);
  if (!body.ok) return body.problem;
  switch (body.value.request_status) {
    case "pending":
    case "in_progress":
      return accepted(id, ASK_AFTER_SECONDS);
    case "completed":
      return erased;
    case "cancelled":
      return cameToNothing("the processor says that this request was cancelled");
  }
}

/**
 * An id as the protocol wants it, a UUID of version 4 in lower case, that is the same for each repetition: FNV-1a of the key, in
 * which stand the request's own letters that nobody can guess. It names the request, and guards nothing.
 */
function uuidOf(key: string): string {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35].map((seed) =>
    [...key].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0, seed),
  );
  const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join(
    "-",
  );
}
