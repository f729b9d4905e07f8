import { z } from "zod";
import { at, type Call, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Hook } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { notFound, revoked, type SlowDown, type Unforeseen } from "../src/contract/outcome.ts";
import { dnsLabel, optional, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, type SignalType } from "../src/contract/signal.ts";

/**
 * Shopify: the tenant offers an app that merchants install into their shops.
 * It tells us when a shop's customer asks for their data or is to be redacted, when a shop is to be redacted, and when the
 * app was uninstalled. What it holds itself is the merchant's to erase; what the app was granted in a shop ends with it.
 *
 * Which topic a delivery is of stands only in a header that nothing signs, so each topic has an address of its own, and
 * each reader takes the shape of its topic alone: a request for data that is sent again to the address of a redaction is
 * refused, not obeyed.
 */
const PRIVACY = "https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance";
const GRANT = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant";
const OFFLINE = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens";
const UNINSTALL = "https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/appUninstall";
const WEBHOOKS = "https://shopify.dev/docs/apps/build/webhooks";

/** Numbers in the documents; as text they are taken as well, because they may outgrow what a number can hold. */
const Id = z.union([z.int().positive().transform(String), z.string().regex(/^[1-9]\d{0,19}$/)]);

/** The member of another topic. */
const never = z.never().optional();

const shop = { shop_id: Id, shop_domain: z.string().min(1) };
const customer = z
  .object({ id: Id.nullish(), email: z.string().nullish(), phone: z.string().nullish() })
  .refine(({ id, email, phone }) => Boolean(id || email || phone));

const DataRequest = z.object({
  ...shop,
  customer,
  data_request: z.object({ id: Id }),
  orders_to_redact: never,
});
const CustomersRedact = z.object({
  ...shop,
  customer,
  orders_to_redact: z.array(Id),
  orders_requested: never,
  data_request: never,
});
/** Nothing but the shop: whatever has a member that is not the shop's is another topic. */
const ShopRedact = z.looseObject(shop).refine((body) => Object.keys(body).every((name) => name.startsWith("shop_")));
/** The shop as the Admin API shows it. */
const Uninstalled = z.object({
  id: Id,
  myshopify_domain: z.string().min(1),
  updated_at: z.string().nullish(),
  shop_id: never,
});

/**
 * Whom a customer's topic concerns. A shop's domain can be changed, its id cannot, so a customer is known by both ids.
 * "In some cases, a customer record contains only the customer's email address": then nothing but that can be said.
 */
const whom = (shopId: string, { id, email, phone }: z.infer<typeof customer>): Signal["identity"] => {
  if (id) return { type: "shopify.customer", value: `${shopId}/${id}` };
  return email ? { type: "email", value: email } : { type: "phone", value: phone ?? "" };
};

/**
 * No delivery id is signed. What says the same on the same day is the same delivery: Shopify repeats for four hours, and a
 * person or a shop that came back later must be redacted again.
 */
const onDay = (receivedAt: number) => new Date(receivedAt).toISOString().slice(0, 10);

const topic = (name: string, type: SignalType) =>
  ({
    source: PRIVACY,
    verify: {
      scheme: "hmac",
      hash: "SHA-256",
      key: "clientSecret",
      signature: { header: "x-shopify-hmac-sha256", encoding: "base64" },
      over: ["body"],
    },
    contentTypes: ["application/json"],
    // "Confirm that you've received the request by responding with a 200 series status code."
    answer: 200,
    // The review of an app checks it.
    refusal: { status: 401, source: PRIVACY },
    // Eight times.
    retriesForHours: 4,
    deadlines: { [type]: { hours: 30 * 24, source: PRIVACY } },
    events: [name],
  }) satisfies Omit<Hook, "read" | "authority">;

const settings = {
  clientSecret: secret("Client secret of the app"),
  clientId: optional(text("Client id of the app", /^[0-9a-f]{32}$/)),
  shop: optional(dnsLabel("Shop: what stands before .myshopify.com, where connections name none")),
};

/** Refusals of the Admin API come inside 200, those of the token with 401. */
const Shop = z.object({ data: z.object({ shop: z.object({ id: z.string() }) }) });
const Gone = z.object({
  data: z.object({ appUninstall: z.object({ userErrors: z.array(z.object({ message: z.string() })) }) }),
});
const Throttled = z.object({
  errors: z.array(z.object({ extensions: z.object({ code: z.literal("THROTTLED") }) })).min(1),
});

/** Versions live for a year; this one is raised with a release. */
const adminCall = (shop: string, accessToken: string, query: string): Call =>
  postJson(
    at`https://${{ shop }}.myshopify.com/admin/api/2026-07/graphql.json`,
    { "x-shopify-access-token": accessToken },
    { query },
    { expects: [401] },
  );
const shopCall = (shop: string, accessToken: string): Call => adminCall(shop, accessToken, "{ shop { id } }");

/** The bucket of every app in a shop refills in seconds. https://shopify.dev/docs/api/usage/limits */
const slower: SlowDown = { outcome: "slow_down", seconds: 5 };

function throttled(reply: Reply): SlowDown | undefined {
  return read(reply, Throttled).ok ? slower : undefined;
}

function tokenSeen(reply: Reply): "absent" | "present" | SlowDown | Unforeseen {
  if (reply.status === 401) return "absent";
  const shop = read(reply, Shop);
  return shop.ok ? "present" : (throttled(reply) ?? shop.problem);
}

/** Scopes are separated by commas, no type is named, and of a refresh token that is no good is said what stands here. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { scope, error, error_description: why } = json;
  if (status === 200)
    return {
      status,
      json: { token_type: "Bearer", ...json, ...(typeof scope === "string" && { scope: scope.replaceAll(",", " ") }) },
    };
  const isSpent = error === "invalid_request" && String(why).includes("active refresh_token");
  return isSpent ? { status: 400, json: { error: "invalid_grant" } } : { status, json };
}

export const shopify = defineIntegration({
  id: "shopify",
  name: "Shopify",
  about: "Commerce platform: merchants install the tenant's app into their shops.",
  origins: ["https://{shop}.myshopify.com"],
  settings,
  identities: {
    "shopify.customer": "A shop's customer: `<shop id>/<customer id>`",
    "shopify.shop": "Shop id, a number that stays when the shop's domain changes",
  },

  hooks: {
    "customers-data-request": {
      ...topic("customers/data_request", "access_requested"),
      read: json(DataRequest, ({ shop_id, customer, data_request }, { receivedAt }) => [
        {
          id: `customers/data_request:${shop_id}/${data_request.id}`,
          name: "customers/data_request",
          signals: [{ type: "access_requested", identity: whom(shop_id, customer), at: receivedAt }],
        },
      ]),
      authority: { access_requested: "record" },
    },
    "customers-redact": {
      ...topic("customers/redact", "erasure_requested"),
      read: json(CustomersRedact, ({ shop_id, customer, orders_to_redact }, { receivedAt }) => {
        const identity = whom(shop_id, customer);
        const orders = [...orders_to_redact].sort().join(",");
        return [
          {
            id: `customers/redact:${shop_id}:${identity.type}:${identity.value}:${orders}:${onDay(receivedAt)}`,
            name: "customers/redact",
            signals: [{ type: "erasure_requested", identity, at: receivedAt }],
          },
        ];
      }),
      authority: { erasure_requested: "everywhere" },
    },
    "shop-redact": {
      ...topic("shop/redact", "erasure_requested"),
      read: json(ShopRedact, ({ shop_id }, { receivedAt }) => [
        {
          id: `shop/redact:${shop_id}:${onDay(receivedAt)}`,
          name: "shop/redact",
          signals: [{ type: "erasure_requested", identity: { type: "shopify.shop", value: shop_id }, at: receivedAt }],
        },
      ]),
      authority: { erasure_requested: "everywhere" },
    },
    "app-uninstalled": {
      ...topic("app/uninstalled", "deauthorized"),
      source: WEBHOOKS,
      deadlines: {},
      read: json(Uninstalled, ({ id, updated_at }, { receivedAt, claimed }) => {
        // `shop/update` has this very shape. Where it is sent here by mistake its header says so; the header alone is never
        // a reason to end anything.
        const claim = claimed("x-shopify-topic") ?? "app/uninstalled";
        if (claim !== "app/uninstalled")
          return [{ id: `other:${id}:${updated_at ?? ""}:${onDay(receivedAt)}`, name: "another topic", signals: [] }];
        return [
          {
            id: `app/uninstalled:${id}:${updated_at ?? ""}:${onDay(receivedAt)}`,
            name: "app/uninstalled",
            signals: [{ type: "deauthorized", identity: { type: "shopify.shop", value: id }, at: receivedAt }],
          },
        ];
      }),
      authority: { deauthorized: "here" },
    },
  },

  oauth: {
    source: GRANT,
    server: {
      issuer: "https://{shop}.myshopify.com",
      authorize: "https://{shop}.myshopify.com/admin/oauth/authorize",
      token: "https://{shop}.myshopify.com/admin/oauth/access_token",
    },
    // Tokens that do not expire are refused of public apps from 2027 on. The page lists no other parameters.
    client: {
      id: "clientId",
      secret: "clientSecret",
      by: "post",
      exchange: { adds: { expiring: "1" }, omits: ["grant_type", "redirect_uri"] },
    },
    pkce: absent("its page names no parameters for it", GRANT),
    signedCallback: { parameter: "hmac", source: GRANT },
    // Where none are named, those of the app's configuration are granted.
    scopes: { standard: [], separator: "," },
    site: "shop",
    adapt,
    *account({ settings: { shop }, accessToken }) {
      const reply = yield shopCall(shop, accessToken);
      const found = read(reply, Shop);
      if (!found.ok) return found;
      const [, id] = /^gid:\/\/shopify\/Shop\/(\d{1,20})$/.exec(found.value.data.shop.id) ?? [];
      return accountIn("shopify.shop", { id }, "id");
    },
    refresh: { source: OFFLINE },
    // The hook tells of the end. But a refresh token that nobody uses for 90 days ends too, and without one nothing can be revoked.
    *alive({ settings: { shop }, grant }) {
      const sight = tokenSeen(yield shopCall(shop, grant.accessToken));
      if (sight === "absent") return "ended";
      return sight === "present" ? "alive" : sight;
    },
    // An app is installed in a shop once.
    kills: "account",
    revokesWithAccess: true,
  },

  actions: {
    erase: absent(
      "what a shop holds is its merchant's to erase; with the shop's token the product may ask for it (`customerRequestDataErasure`)",
      "https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerRequestDataErasure",
    ),
    revoke: {
      source: UNINSTALL,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const mutation = "mutation { appUninstall { app { id } userErrors { message } } }";
        const reply = yield adminCall(order.settings.shop, grantOf(order).accessToken, mutation);
        // Uninstalling ends the token at once.
        if (reply.status === 401) return notFound;
        const gone = read(reply, Gone);
        if (!gone.ok) return throttled(reply) ?? gone.problem;
        const { userErrors } = gone.value.data.appUninstall;
        return userErrors.length === 0 ? revoked : unforeseen(reply, "Shopify did not uninstall the app");
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return tokenSeen(yield shopCall(order.settings.shop, grantOf(order).accessToken));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
