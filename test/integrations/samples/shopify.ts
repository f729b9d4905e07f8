import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

const shop = { type: "shopify.shop", value: "954889" };
const customer = { type: "shopify.customer", value: "954889/191167" };

/** Shopify signs no time: it happened when it arrived. */
const arrived =
  (type: Signal["type"], identity: Signal["identity"]) =>
  (at: number): Signal[] => [{ type, identity, at }];

const grant = {
  accessToken: "shpat_1",
  refreshToken: "shprt_1",
  scopes: ["read_customers", "write_orders"],
  account: shop,
  site: "ada-lace",
};
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `shpat_${nth}`,
    expires_in: 3600,
    refresh_token: `shprt_${nth}`,
    refresh_token_expires_in: 7_776_000,
    scope: "read_customers,write_orders",
  },
});
const asked = on(200, 401);
const shown = { status: 200, body: { data: { shop: { id: "gid://shopify/Shop/954889" } } } };
const refused = {
  status: 401,
  body: { errors: "[API] Invalid API key or access token (unrecognized login or wrong password)" },
};
const busy = { status: 200, body: { errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }] } };
const slower = { outcome: "slow_down", seconds: 5 } as const;
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});

export const sample: Sample = {
  settings: {
    clientSecret: "shpss_0123456789abcdef0123456789abcdef",
    clientId: "0123456789abcdef0123456789abcdef",
    shop: "ada-lace",
  },
  hooks: {
    "customers-data-request": { "customers/data_request": arrived("access_requested", customer) },
    "customers-redact": { "customers/redact": arrived("erasure_requested", customer) },
    "shop-redact": { "shop/redact": arrived("erasure_requested", shop) },
    "app-uninstalled": { "app/uninstalled": arrived("deauthorized", shop) },
  },
  ways: [
    way({
      name: "the app is uninstalled",
      steps: [asked({ status: 200, body: { data: { appUninstall: { app: { id: "1" }, userErrors: [] } } } })],
      outcome: revoked,
    }),
    way({ name: "it was uninstalled", steps: [asked(refused)], outcome: notFound }),
    way({ name: "the shop is busy", steps: [asked(busy)], outcome: slower }),
    way({ name: "its token is dead", part: "look", steps: [asked(refused)], outcome: "absent" }),
    way({ name: "its token lives", part: "look", steps: [asked(shown)], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)(shown)],
    grant,
    lastsSeconds: 3600,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "shpat_2", refreshToken: "shprt_2" } },
    invalidGrant: {
      status: 401,
      body: { error: "invalid_request", error_description: "This request requires an active refresh_token" },
    },
    alive: [
      { name: "alive", steps: [asked(shown)], outcome: "alive" },
      { name: "over", steps: [asked(refused)], outcome: "ended" },
      { name: "not to be told now", steps: [asked(busy)], outcome: slower },
    ],
  },
};
