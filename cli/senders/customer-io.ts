import { hex, hmac, json, type Sender, seconds, setting } from "./sender.ts";

/** https://docs.customer.io/journeys/webhooks/ */
export const customerIo: Sender = {
  reporting: {
    "customer.unsubscribed": {
      person: "u-1",
      async make(occasion) {
        const time = `${seconds(occasion)}`;
        const said = {
          event_id: `01E4C4CT6YDC7Y5M7F${occasion.seed}`,
          object_type: "customer",
          metric: "unsubscribed",
          timestamp: seconds(occasion),
          data: {
            customer_id: occasion.person,
            identifiers: { id: occasion.person, email: "ada@example.com", cio_id: "d9c106000001" },
          },
        };
        const mac = await hmac("SHA-256", setting(occasion, "signingKey"), `v0:${time}:${JSON.stringify(said)}`);
        return json(said, { "x-cio-timestamp": time, "x-cio-signature": hex(mac) });
      },
    },
  },
};
