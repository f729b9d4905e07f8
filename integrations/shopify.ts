import { z } from "zod";
import { at, type Call, noCall, postJson, type Reply, read, unauthorized, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Hook, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, found, informed, notFound } from "../src/contract/outcome.ts";
import { dnsLabel, optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, type SignalType } from "../src/contract/signal.ts";

/**
 * Shopify: the tenant offers an app that merchants install into their shops.
 * It tells us when a shop's customer asks for their data or is to be redacted, when a shop is to be redacted, and when the
 * app was uninstalled. What it holds itself is the merchant's to erase: where the tenant is the merchant, it asks Shopify to
 * erase a customer of its own shop.
 *
 * Which topic a delivery is of stands only in a header that nothing signs, so each topic has an address of its own, and
 * each reader takes the shape of its topic alone: a request for data that is sent again to the address of a redaction is
 * refused, not obeyed.
 */
const PRIVACY = "https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance";
const WEBHOOKS = "https://shopify.dev/docs/apps/build/webhooks";
const ERASURE = "https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerRequestDataErasure";

const CUSTOMER = "shopify.customer";

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
  shop: optional(dnsLabel("Own shop: the first part of its myshopify.com address")),
  shopId: optional(text("Own shop's id, a number", /^[1-9]\d{0,19}$/)),
  adminToken: optional(secret("Access token of the own shop, with read_customers and write_customer_data_erasure")),
} satisfies Settings;

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

  oauth: absent("not yet connected by Quittance", "https://shopify.dev/docs/apps/build/authentication-authorization"),

  actions: {
    erase: {
      source: ERASURE,
      by: ["email", CUSTOMER],
      each: "identity",
      learns: [CUSTOMER],
      needs: {
        settings: ["shop", "shopId", "adminToken"],
        otherwise: absent("`customerRequestDataErasure` needs the token of the tenant's own shop", ERASURE),
      },
      *run(order) {
        return order.identity.type === CUSTOMER ? yield* request(order) : yield* search(order);
      },
    },
    revoke: absent(
      "`appUninstall` needs the shop's token, which connections will hold",
      "https://shopify.dev/docs/api/admin-graphql/latest/mutations/appUninstall",
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

type ShopifyOrder = Order<typeof settings>;

const Customers = z.object({
  data: z.object({
    customers: z.object({
      nodes: z.array(
        z.object({ id: z.string().regex(/^gid:\/\/shopify\/Customer\/[1-9]\d*$/), email: z.string().nullable() }),
      ),
      pageInfo: z.object({ hasNextPage: z.boolean() }),
    }),
  }),
});
const Requested = z.object({
  data: z.object({
    customerRequestDataErasure: z.object({
      customerId: z.string().nullable(),
      userErrors: z.array(z.object({ code: z.string().nullish() })),
    }),
  }),
});
const Refused = z.object({ errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).min(1) });

/** The bucket fills by at least fifty points a second; these calls cost ten or so. */
const REST_SECONDS = 2;

const call = (order: ShopifyOrder, query: string, variables: object): Call =>
  postJson(
    at`https://${{ shop: order.settings.shop }}.myshopify.com/admin/api/2026-10/graphql.json`,
    { "x-shopify-access-token": order.settings.adminToken },
    { query, variables },
  );

/** The search takes words, so each hit is looked at. */
function* search(order: ShopifyOrder): Steps<Answer> {
  const email = order.identity.value.toLowerCase();
  const reply = yield call(
    order,
    "query ($search: String!) { customers(first: 50, query: $search) { nodes { id email } pageInfo { hasNextPage } } }",
    { search: `email:"${email.replace(/["\\]/g, "\\$&")}"` },
  );
  const customers = read(reply, Customers);
  if (!customers.ok) return refusal(reply) ?? customers.problem;
  const { nodes, pageInfo } = customers.value.data.customers;
  if (pageInfo.hasNextPage) return unforeseen(reply, "more than fifty customers are found by this address");
  const own = nodes.filter((customer) => customer.email?.toLowerCase() === email);
  const { shopId } = order.settings;
  return found(own.map(({ id }) => ({ type: CUSTOMER, value: `${shopId}/${id.slice(id.lastIndexOf("/") + 1)}` })));
}

/**
 * "Enqueues a request to erase customer's data": Shopify erases ten days later, or six months after the last order, and does not
 * say so here. It is told, and no more is claimed.
 */
function* request(order: ShopifyOrder): Steps<Answer> {
  const [, shop, customer] = /^(\d+)\/(\d+)$/.exec(order.identity.value) ?? [];
  if (shop !== order.settings.shopId)
    return unforeseen(noCall, "this customer is of another shop, whose token is not here");
  const reply = yield call(
    order,
    "mutation ($customer: ID!) { customerRequestDataErasure(customerId: $customer) { customerId userErrors { code } } }",
    { customer: `gid://shopify/Customer/${customer}` },
  );
  const requested = read(reply, Requested);
  if (!requested.ok) return refusal(reply) ?? requested.problem;
  const { customerId, userErrors } = requested.value.data.customerRequestDataErasure;
  if (userErrors.length === 0 && customerId !== null) return informed;
  if (userErrors.length === 1 && userErrors[0]?.code === "DOES_NOT_EXIST") return notFound;
  return unforeseen(reply, "Shopify says that it could not request the erasure");
}

/** GraphQL refuses with 200 and a code of its own. https://shopify.dev/docs/api/admin-graphql#status_and_error_codes */
function refusal(reply: Reply): Answer | undefined {
  if (reply.status === 403) return unauthorized(reply, "Shopify says that this token may not do this");
  const refused = read(reply, Refused);
  const codes = refused.ok ? refused.value.errors.map(({ extensions }) => extensions.code) : [];
  if (codes.includes("THROTTLED")) return { outcome: "slow_down", seconds: REST_SECONDS };
  if (codes.includes("ACCESS_DENIED")) return unauthorized(reply, "Shopify says that this token lacks a scope");
  return undefined;
}
