import { Webhook } from "standardwebhooks";
import type { Call } from "../contract/call.ts";
import { nestedJwt } from "./nested-jwt.ts";

/** What leaves in place of a call's own headers and body. */
export type Signed = { readonly headers: Readonly<Record<string, string>>; readonly body?: string };

/** Puts the proof of who calls onto a call, at the moment when it leaves: each attempt is signed anew. `now` in milliseconds. */
export async function signed({ sign, headers, body }: Call, now: number): Promise<Signed> {
  const plain: Signed = { headers, ...(body !== undefined && { body }) };
  switch (sign?.scheme) {
    case undefined:
      return plain;
    case "nested-jwt":
      return { ...plain, body: await nestedJwt(sign, now) };
    case "standard-webhooks":
      return { ...plain, headers: { ...headers, ...webhookHeaders(sign.secret, sign.id, body ?? "", now) } };
  }
}

/** Standard Webhooks: the time is this attempt's, the id every attempt's. */
const webhookHeaders = (secret: string, id: string, body: string, now: number) => ({
  "webhook-id": id,
  "webhook-timestamp": Math.floor(now / 1000).toString(),
  "webhook-signature": new Webhook(secret).sign(id, new Date(now), body),
});
