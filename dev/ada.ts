import type { Person } from "./holders.ts";

/** An invented user of CloutMetrics, whom `npm start` enters. */
export const ADA: Person = {
  id: "ada",
  email: "ada@example.com",
  name: "Ada Example",
  facebookId: "1000000000001",
};
