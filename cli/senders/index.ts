export { facebook } from "./facebook.ts";
export { stripe } from "./stripe.ts";
