import { informed, notFound } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const shop = { type: "shopify.shop", value: "954889" };
const customer = { type: "shopify.customer", value: "954889/191167" };

/** Shopify signs no time: it happened when it arrived. */
const arrived =
  (type: Signal["type"], identity: Signal["identity"]) =>
  (at: number): Signal[] => [{ type, identity, at }];

const known = on(200, 403);
const customers = (...nodes: readonly object[]): Played => ({
  status: 200,
  body: { data: { customers: { nodes, pageInfo: { hasNextPage: false } } } },
});
const requested = (customerId: string | null, ...userErrors: readonly object[]): Played => ({
  status: 200,
  body: { data: { customerRequestDataErasure: { customerId, userErrors } } },
});
const ada = { id: "gid://shopify/Customer/191167", email: "Ada@example.com" };
const nobody = { code: "DOES_NOT_EXIST", field: ["customerId"], message: "Customer does not exist" };
const way = (name: string, identity: Way["identity"], reply: Played, outcome: Way["outcome"]): Way => ({
  name,
  action: "erase",
  part: "run",
  identity,
  steps: [known(reply)],
  outcome,
});

export const sample: Sample = {
  settings: {
    clientSecret: "shpss_0123456789abcdef0123456789abcdef",
    shop: "ada-lends",
    shopId: "954889",
    adminToken: "shpat_0123456789abcdef0123456789abcdef",
  },
  hooks: {
    "customers-data-request": { "customers/data_request": arrived("access_requested", customer) },
    "customers-redact": { "customers/redact": arrived("erasure_requested", customer) },
    "shop-redact": { "shop/redact": arrived("erasure_requested", shop) },
    "app-uninstalled": { "app/uninstalled": arrived("deauthorized", shop) },
  },
  ways: [
    way("found", person, customers(ada), { outcome: "found", identities: [customer] }),
    way("not found", person, customers(), notFound),
    way("requested", customer, requested(ada.id), informed),
    way("no such customer", customer, requested(null, nobody), notFound),
  ],
};
