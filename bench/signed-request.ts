import { createHmac } from "node:crypto";

/**
 * A `signed_request` as Meta makes one.
 * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function signedRequest(secret: string, user: string, now: number): string {
  const payload = Buffer.from(
    JSON.stringify({
      algorithm: "HMAC-SHA256",
      expires: Math.floor(now / 1000) + 7200,
      issued_at: Math.floor(now / 1000),
      user_id: user,
    }),
  ).toString("base64url");
  return `${createHmac("sha256", secret).update(payload).digest("base64url")}.${payload}`;
}
