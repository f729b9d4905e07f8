import { z } from "zod";
import { at, type Call, postJson, type Reply, read, unforeseen } from "../../src/contract/call.ts";
import type { Steps } from "../../src/contract/integration.ts";
import { accountIn, type TokenAnswer, type Whose } from "../../src/contract/oauth.ts";
import { type Answer, notFound, revoked, type SlowDown, type Unforeseen } from "../../src/contract/outcome.ts";

/** How shops are asked, by whichever token, and what Shopify says of the tokens of connections. */

/** Versions live for a year; this one is raised with a release. https://shopify.dev/docs/api/usage/versioning */
export const adminCall = (
  { shop, token }: Door,
  query: string,
  { variables, expects = [] }: { readonly variables?: object; readonly expects?: readonly number[] } = {},
): Call =>
  postJson(
    at`https://${{ shop }}.myshopify.com/admin/api/2026-10/graphql.json`,
    { "x-shopify-access-token": token },
    { query, ...(variables !== undefined && { variables }) },
    { expects },
  );

/** A shop, and a token that opens it. */
export type Door = { readonly shop: string; readonly token: string };

const Refused = z.object({ errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).min(1) });

/** GraphQL refuses with 200 and codes of its own. https://shopify.dev/docs/api/admin-graphql#status_and_error_codes */
export function codesIn(reply: Reply): readonly string[] {
  const refused = read(reply, Refused);
  return refused.ok ? refused.value.errors.map(({ extensions }) => extensions.code) : [];
}

/** The bucket fills by at least fifty points a second; these calls cost ten or so. */
const REST_SECONDS = 2;

export const throttled = (reply: Reply): SlowDown | undefined =>
  codesIn(reply).includes("THROTTLED") ? { outcome: "slow_down", seconds: REST_SECONDS } : undefined;

/** Scopes are separated by commas, no type is named, and of a refresh token that is no good is said what stands here. */
export function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { scope, error, error_description: why } = json;
  if (status === 200)
    return {
      status,
      json: { token_type: "Bearer", ...json, ...(typeof scope === "string" && { scope: scope.replaceAll(",", " ") }) },
    };
  const isSpent = error === "invalid_request" && String(why).includes("active refresh_token");
  return isSpent ? { status: 400, json: { error: "invalid_grant" } } : { status, json };
}

const Shop = z.object({ data: z.object({ shop: z.object({ id: z.string() }) }) });

/** A token that has ended is refused with 401, which is no credential of the tenant's. */
const shopCall = (door: Door): Call => adminCall(door, "{ shop { id } }", { expects: [401] });

/** The shop itself, by its number. */
export function* shopOf(door: Door): Steps<Whose> {
  const found = read(yield shopCall(door), Shop);
  if (!found.ok) return found;
  const [, id] = /^gid:\/\/shopify\/Shop\/(\d{1,20})$/.exec(found.value.data.shop.id) ?? [];
  return accountIn("shopify.shop", { id }, "id");
}

/** Whether a token still opens its shop. */
export function* sightOf(door: Door): Steps<"absent" | "present" | SlowDown | Unforeseen> {
  const reply = yield shopCall(door);
  if (reply.status === 401) return "absent";
  const shop = read(reply, Shop);
  return shop.ok ? "present" : (throttled(reply) ?? shop.problem);
}

const Gone = z.object({
  data: z.object({ appUninstall: z.object({ userErrors: z.array(z.object({ message: z.string() })) }) }),
});

/** Takes the app out of the shop, which ends at once all that it was granted there, the token of this call included. */
export function* uninstall(door: Door): Steps<Answer> {
  const reply = yield adminCall(door, "mutation { appUninstall { app { id } userErrors { message } } }", {
    expects: [401],
  });
  if (reply.status === 401) return notFound;
  const gone = read(reply, Gone);
  if (!gone.ok) return throttled(reply) ?? gone.problem;
  const { userErrors } = gone.value.data.appUninstall;
  return userErrors.length === 0 ? revoked : unforeseen(reply, "Shopify did not uninstall the app");
}
