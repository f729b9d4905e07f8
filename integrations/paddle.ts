import { absent, defineIntegration } from "../src/contract/integration.ts";

/**
 * Paddle sells to the tenant's customers in its own name, as their merchant of record: what it holds of a buyer it holds as a
 * controller. Its API archives customers, which can be undone, and deletes none; who wants to be erased asks Paddle.
 */
const DELETION = "https://www.paddle.com/help/manage/your-customers/requesting-buyer-data-deletion";
const API = "https://developer.paddle.com/api-reference/customers/overview";

export const paddle = defineIntegration({
  id: "paddle",
  name: "Paddle",
  about: "Sells to the tenant's customers as merchant of record.",
  origins: [],
  settings: {},
  identities: { "paddle.customer": "Customer id (`ctm_…`)" },

  hooks: absent(
    "its webhooks carry payments, subscriptions and changed customers, and tell of no erasure",
    "https://developer.paddle.com/webhooks/overview",
  ),
  oauth: absent("API keys only", "https://developer.paddle.com/api-reference/about/authentication"),

  actions: {
    erase: absent(
      "Paddle's API deletes no customer: it archives one, which can be undone",
      DELETION,
      "In Paddle, cancel the buyer's subscriptions (a payment method of an active one cannot be deleted) and delete the saved payment methods. Then write to sellers@paddle.com with the buyer's first name, last name and e-mail address, and ask for the deletion of their data; buyers can ask by Paddle's own form as well. Complete this task when Paddle has confirmed it to the buyer. Paddle keeps some transaction data for 5 years, as the law has it.",
    ),
    revoke: absent("people grant Paddle nothing that the tenant could end", API),
  },

  residuals: [
    {
      category: "transactions",
      // Five years, a leap day or two among them.
      days: 1827,
      ground: "Paddle keeps some transaction data for 5 years to comply with legal requirements",
      source: DELETION,
    },
  ],
  retainable: [],
  limits: { connections: 1 },
});
