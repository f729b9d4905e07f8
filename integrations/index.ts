export { facebook } from "./facebook.ts";
export { firstParty } from "./first-party.ts";
export { mixpanel } from "./mixpanel.ts";
export { openai } from "./openai.ts";
export { stripe } from "./stripe.ts";
