import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

const shop = { type: "shopify.shop", value: "954889" };
const customer = { type: "shopify.customer", value: "954889/191167" };

/** Shopify signs no time: it happened when it arrived. */
const arrived =
  (type: Signal["type"], identity: Signal["identity"]) =>
  (at: number): Signal[] => [{ type, identity, at }];

export const sample: Sample = {
  settings: { clientSecret: "shpss_0123456789abcdef0123456789abcdef" },
  hooks: {
    "customers-data-request": { "customers/data_request": arrived("access_requested", customer) },
    "customers-redact": { "customers/redact": arrived("erasure_requested", customer) },
    "shop-redact": { "shop/redact": arrived("erasure_requested", shop) },
    "app-uninstalled": { "app/uninstalled": arrived("deauthorized", shop) },
  },
  ways: [],
};
