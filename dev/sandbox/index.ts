export { firstParty } from "./first-party.ts";
export { gemini } from "./gemini.ts";
export { meta } from "./meta.ts";
export { mixpanel } from "./mixpanel.ts";
export { openai } from "./openai.ts";
export { stripe } from "./stripe.ts";
