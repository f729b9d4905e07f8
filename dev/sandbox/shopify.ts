import { Hono } from "hono";
import { z } from "zod";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const SHOP = /^[a-z0-9-]+\.myshopify\.com$/;

/** `{vendor: "shopify", shop: "acme", customers: [{id, email?}], scopes?: […], throttled?: 1}` */
const Seed = z.object({
  shop: z.string(),
  customers: z.array(z.strictObject({ id: z.string(), email: z.string().nullable().default(null) })).default([]),
  mayErase: z.boolean().default(true),
  /** How many of the next calls are over the cost that the shop allows. */
  throttled: z.int().default(0),
});
type Shop = {
  customers: { readonly id: string; email: string | null; requested: boolean }[];
  mayErase: boolean;
  throttled: number;
};

const Body = z.object({ query: z.string(), variables: z.record(z.string(), z.string()) });

/**
 * The Admin API of shops, of which it knows two documents: the search for customers and the request to erase one. The erasure
 * itself comes days or months later and is not played here.
 *
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerRequestDataErasure
 */
export const shopify: MakeVendor = () => {
  const shops = new Map<string, Shop>();

  const app = new Hono();
  app.post("/admin/api/:version/graphql.json", async (c) => {
    const shop = shops.get(new URL(c.req.url).hostname);
    if (!c.req.header("x-shopify-access-token"))
      return c.json({ errors: "[API] Invalid API key or access token" }, 401);
    if (shop === undefined) return c.json({ errors: "Not Found" }, 404);
    if (shop.throttled-- > 0) return c.json({ errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }] });
    const { query, variables } = Body.parse(await c.req.json());
    if (query.includes("customers(")) {
      const [, email] = /^email:"([^"]*)"$/.exec(variables.search ?? "") ?? [];
      // Words are matched, so that more than the address may be found.
      const domain = email?.split("@")[1] ?? "";
      const nodes = shop.customers
        .filter((each) => each.email?.endsWith(domain))
        .map(({ id, email }) => ({ id: `gid://shopify/Customer/${id}`, email }));
      return c.json({ data: { customers: { nodes, pageInfo: { hasNextPage: false } } } });
    }
    if (!query.includes("customerRequestDataErasure("))
      return c.json({ errors: [{ message: "undefined field", extensions: { code: "undefinedField" } }] });
    if (!shop.mayErase) return c.json({ errors: [{ message: "Denied", extensions: { code: "ACCESS_DENIED" } }] });
    const customer = shop.customers.find(({ id }) => `gid://shopify/Customer/${id}` === variables.customer);
    if (customer !== undefined) customer.requested = true;
    const customerRequestDataErasure =
      customer === undefined
        ? {
            customerId: null,
            userErrors: [{ code: "DOES_NOT_EXIST", field: ["customerId"], message: "Customer does not exist" }],
          }
        : { customerId: variables.customer ?? null, userErrors: [] };
    return c.json({ data: { customerRequestDataErasure } });
  });

  return {
    id: "shopify",
    about: "{shop}.myshopify.com",
    serves: (host) => SHOP.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => Response.json({ errors: reason }, { status }),
    seed(body) {
      const { shop, customers, ...rest } = Seed.parse(body);
      shops.set(`${shop}.myshopify.com`, {
        ...rest,
        customers: customers.map((each) => ({ ...each, requested: false })),
      });
      return customers.map(({ id }) => id);
    },
    holdings() {
      const held: { readonly [shop: string]: Json } = Object.fromEntries(
        [...shops].map(([shop, { customers }]) => [shop, customers]),
      );
      return held;
    },
    reset: () => shops.clear(),
  };
};
