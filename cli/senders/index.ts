export { facebook } from "./facebook.ts";
export { instagram } from "./instagram.ts";
export { linkedin } from "./linkedin.ts";
export { stripe } from "./stripe.ts";
export { threads } from "./threads.ts";
export { tiktok } from "./tiktok.ts";
export { x } from "./x.ts";
