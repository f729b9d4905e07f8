import { z } from "zod";
import { type Address, at, type Reply, readRefusal, unauthorized, unforeseen } from "../../src/contract/call.ts";
import type { Unauthorized, Unforeseen } from "../../src/contract/outcome.ts";
import { secret, text } from "../../src/contract/settings.ts";

/** What the products of Cloudflare that are told by its own API have in common. */
export const ORIGIN = "https://api.cloudflare.com";
export const TOKENS = "https://developers.cloudflare.com/fundamentals/api/get-started/create-token/";

export const cloudflareSettings = {
  accountId: text("Account id", /^[0-9a-f]{32}$/),
  apiToken: secret("API token for this product only"),
};

/** An address under one account. */
export function inAccount({ accountId }: { readonly accountId: string }, { url, template }: Address): Address {
  const account = at`/client/v4/accounts/${{ account: accountId }}`;
  return { url: ORIGIN + account.url + url, template: ORIGIN + account.template + template };
}

const Errors = z.object({ errors: z.array(z.object({ code: z.number() })).min(1) });

/** 403 is about the token; other refusals are told by their numbers, because their texts may repeat what was asked. */
export function refusal(reply: Reply): Unauthorized | Unforeseen {
  const read = readRefusal(reply, Errors);
  const code = read.ok ? `: code ${read.value.errors[0]?.code}` : "";
  if (reply.status === 403) return unauthorized(reply, `Cloudflare refused the token${code}`);
  return code === "" ? unforeseen(reply) : unforeseen(reply, `Cloudflare refused the call${code}`);
}
