import { base64, hmac, json, type Made, type Occasion, type Sender, seconds, setting } from "./sender.ts";

/** https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance */
const SHOP = 954889;
const DOMAIN = "ada-lends.myshopify.com";

/** A person is `<shop id>/<customer id>`, a shop its id. */
export const shopify: Sender = {
  "customers-data-request": {
    "customers/data_request": {
      person: `${SHOP}/191167`,
      make: (occasion) =>
        signed(occasion, "customers/data_request", {
          ...shopOf(occasion),
          orders_requested: [299938, 280263],
          customer: customerOf(occasion),
          data_request: { id: seconds(occasion) },
        }),
    },
  },
  "customers-redact": {
    "customers/redact": {
      person: `${SHOP}/191167`,
      make: (occasion) =>
        signed(occasion, "customers/redact", {
          ...shopOf(occasion),
          customer: customerOf(occasion),
          orders_to_redact: [299938, 280263],
        }),
    },
  },
  "shop-redact": {
    "shop/redact": { person: `${SHOP}`, make: (occasion) => signed(occasion, "shop/redact", shopOf(occasion)) },
  },
  "app-uninstalled": {
    "app/uninstalled": {
      person: `${SHOP}`,
      make: (occasion) =>
        signed(occasion, "app/uninstalled", {
          id: shopOf(occasion).shop_id,
          name: "Ada Lends",
          email: "shop@ada.example.com",
          domain: "ada.example.com",
          myshopify_domain: DOMAIN,
          updated_at: new Date(occasion.at).toISOString(),
        }),
    },
  },
};

const shopOf = ({ person }: Occasion) => ({ shop_id: Number(person.split("/")[0]), shop_domain: DOMAIN });

const customerOf = ({ person }: Occasion) => ({
  id: Number(person.split("/").at(-1)),
  email: "ada@example.com",
  phone: "+15550100",
});

async function signed(occasion: Occasion, topic: string, said: object): Promise<Made> {
  const body = JSON.stringify(said);
  const mac = await hmac("SHA-256", setting(occasion, "clientSecret"), body);
  return json(said, {
    "x-shopify-hmac-sha256": base64(mac),
    "x-shopify-topic": topic,
    "x-shopify-shop-domain": DOMAIN,
    "x-shopify-webhook-id": `b54557e4-bdd9-4b37-8a5f-${occasion.seed.padStart(12, "0")}`,
  });
}
