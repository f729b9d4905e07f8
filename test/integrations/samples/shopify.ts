import { informed, notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, type Way } from "./kit.ts";

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

const grant = {
  accessToken: "shpat_1",
  refreshToken: "shprt_1",
  scopes: ["read_customers", "write_orders"],
  account: shop,
  site: "ada-lends",
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
const slower = { outcome: "slow_down", seconds: 2 } as const;
const uninstalled = { status: 200, body: { data: { appUninstall: { app: { id: "1" }, userErrors: [] } } } };
const end = (name: string, part: Way["part"], reply: Played, outcome: Way["outcome"]): Way => ({
  name,
  action: "revoke",
  part,
  identity: connection,
  grant,
  steps: [asked(reply)],
  outcome,
});

export const sample: Sample = {
  settings: {
    clientId: "0123456789abcdef0123456789abcdef",
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
    end("the app is uninstalled", "run", uninstalled, revoked),
    end("it was uninstalled", "run", refused, notFound),
    end("the shop is busy", "run", busy, slower),
    end("its token is dead", "look", refused, "absent"),
    end("its token lives", "look", shown, "present"),
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
