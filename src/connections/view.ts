import type { Hash } from "../platform/store/requests.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import { type ConnectionFacts, type ConnectionState, endingIn, openGrant } from "./connection.ts";

/** A connection as the API shows it: never a token, and of the account only what the product has been told anyway. */
type ConnectionView = {
  readonly id: string;
  readonly subprocessor: string;
  readonly integration: string;
  readonly status: ConnectionState;
  readonly scopes: readonly string[];
  readonly account?: { readonly type: string; readonly value: string };
  readonly connected_at: string;
  /** When the present access token ends; it is renewed before that where the vendor lets it. */
  readonly expires_at?: string;
  readonly renewable: boolean;
  /** How often an access token was given out, when last, and to which API key. */
  readonly tokens_given: { readonly count: number; readonly last_at?: string; readonly last_to?: string };
  readonly ended?: { readonly at: string; readonly outcome: string; readonly request: string };
};

export async function connectionView({ keys }: Context, id: string, hash: Hash): Promise<ConnectionView> {
  // Written when it landed, and by nobody else.
  const facts = JSON.parse(hash.d ?? "{}") as ConnectionFacts;
  const grant = hash.k === undefined || hash.t === undefined ? undefined : await openGrant(keys, id, hash.k, hash.t);
  const ending = endingIn(hash);
  const expires = Number(hash.e);
  return {
    id,
    subprocessor: hash.p ?? "",
    integration: facts.integration,
    // The states are written by the store's scripts, and there are no others.
    status: hash.st as ConnectionState,
    scopes: grant?.scopes ?? facts.scopes,
    ...(grant !== undefined && { account: grant.account }),
    connected_at: rfc3339(Number(hash.at)),
    ...(expires > 0 && { expires_at: rfc3339(expires) }),
    renewable: hash.f === "1",
    tokens_given: {
      count: Number(hash.gn ?? "0"),
      ...(hash.ga !== undefined && { last_at: rfc3339(Number(hash.ga)) }),
      ...(hash.gb !== undefined && { last_to: hash.gb }),
    },
    ...(ending !== undefined && {
      ended: { at: rfc3339(ending.at), outcome: ending.outcome, request: ending.request },
    }),
  };
}
