import { z } from "zod";
import { type Call, endpointAt, noCall, type Reply, unauthorized, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { type Answer, informed } from "../src/contract/outcome.ts";
import { endpoint, type Settings, secret, text } from "../src/contract/settings.ts";
import { parse } from "../src/contract/signal.ts";

/**
 * A partner that takes deletion requests by IAB Tech Lab's Data Deletion Request Framework: a token for the identifier within a
 * token for this transaction, both signed with the tenant's key. It answers with a signed receipt, which says that the request
 * arrived. That it was carried out, the framework lets nobody say.
 */
const FRAMEWORK =
  "https://github.com/InteractiveAdvertisingBureau/Data-Subject-Rights/blob/main/Data%20Deletion%20Request%20Framework.md";

const IDENTIFIER = "ddrf.identifier";
const PARTS = /^([\w.-]{1,64}):([\w.-]{1,64}):(.+)$/s;

const Receipt = z.object({ raResultCode: z.number() });
const CODES: ReadonlyMap<number, string> = new Map([
  [1, "the partner says that the request is malformed"],
  [2, "the partner says that the signature is invalid: has it read our dsrdelete.json?"],
  [3, "the partner says that the token is invalid"],
  [4, "the partner does not take identifiers of this type"],
  [5, "the partner does not take identifiers in this format"],
  [6, "the partner says that the time is invalid or too old"],
]);

/** What cannot be signed with would look like a lost connection. */
const PrivateKey = z.object({ kty: z.string(), alg: z.string(), kid: z.string(), d: z.string() });

const settings = {
  endpoint: endpoint("`endpoint` of the partner's dsrdelete.json"),
  partnerKeys: text("`publicKey` of the partner's dsrdelete.json, as JSON", /^\s*\[[\s\S]*\]\s*$/),
  issuer: text("Own domain, at whose root dsrdelete.json has the public key", /^[a-z0-9-]+(\.[a-z0-9-]+)+$/),
  signingKey: secret("Own private key: a JWK with `alg` and `kid`, as JSON"),
} satisfies Settings;

export const ddrf = defineIntegration({
  id: "ddrf",
  name: "IAB Data Deletion Request Framework",
  about: "Any partner in advertising that takes deletion requests by IAB Tech Lab's framework.",
  origins: [],
  settings,
  identities: {
    [IDENTIFIER]: "`<type>:<format>:<value>` as the partner's dsrdelete.json has them: `email:sha256:28f6dc…`",
  },

  hooks: absent("partners answer at once, and tell nothing later", FRAMEWORK),
  oauth: absent("requests are signed", FRAMEWORK),

  actions: {
    revoke: absent("the framework has requests for deletion only", FRAMEWORK),
    erase: {
      source: FRAMEWORK,
      by: [IDENTIFIER],
      each: "identity",
      *run(order) {
        if (!parse(PrivateKey, order.settings.signingKey).ok)
          return unauthorized(noCall, "`signingKey` is no private JWK with `alg` and `kid`");
        const [, identifierType, identifierFormat, identifierValue] = PARTS.exec(order.identity.value) ?? [];
        if (identifierType === undefined)
          return unforeseen(noCall, "this identifier is not of the form <type>:<format>:<value>");
        return meaning(yield request(order, { identifierValue, identifierType, identifierFormat }));
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

type DdrfOrder = Order<typeof settings>;

/** The table of claims calls `sub` a string, and each example has an object. Unconfirmed: what partners take; here the object. */
function request(order: DdrfOrder, sub: object): Call {
  const { settings, identity, identities, requestId, requestedAt, idempotencyKey } = order;
  // Each identifier has tokens of its own, and a partner may take the same id for a repetition.
  const nth = identities.findIndex(({ value }) => value === identity.value);
  const shared = { version: "1.0", iss: settings.issuer, sub };
  return {
    method: "POST",
    at: endpointAt(settings.endpoint),
    // Unconfirmed: how the token travels, which the framework does not say; by RFC 7519 section 10.3.1 this is what it is.
    headers: { "content-type": "application/jwt" },
    proof: { scheme: "jws-receipt", keys: settings.partnerKeys, repeats: "rqJWT" },
    sign: {
      scheme: "nested-jwt",
      key: settings.signingKey,
      inside: "idJWT",
      inner: { ...shared, jti: `${requestId}/${nth}`, iat: Math.floor(Date.parse(requestedAt) / 1000) },
      outer: { ...shared, jti: idempotencyKey(`request ${nth}`) },
    },
  };
}

/** 202 and 400 both come with a receipt; without one that is the partner's own, and about this request, nothing is known. */
function meaning(reply: Reply): Answer {
  if (reply.status !== 202 && reply.status !== 400) return unforeseen(reply);
  if (reply.proven !== true) return unforeseen(reply, "the answer is not the partner's signed receipt of this request");
  const receipt = parse(Receipt, claimsOf(reply.text));
  if (!receipt.ok) return unforeseen(reply, "the receipt has no result code");
  const { raResultCode } = receipt.value;
  if (reply.status === 202 && raResultCode === 0) return informed;
  return unforeseen(reply, CODES.get(raResultCode) ?? "a result code that the framework does not have");
}

/** The claims of a token that has been proven, as text; ASCII is all that is read of them. */
function claimsOf(token: string): string {
  const claims = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token.trim())?.[1] ?? "";
  return claims.length % 4 === 1 ? "" : atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
}
