import { authorizationServer } from "./authorization-server.ts";
import { derivedId } from "./shelf.ts";
import type { Json } from "./vendor.ts";

/** How one of Meta's products deals with tokens. */
export type GraphTokens = {
  readonly now: () => number;
  /** Of the token that a code gives, and of the one that it is exchanged for. */
  readonly shortSeconds: number;
  readonly longSeconds: number;
  /** What it says beside a short token. */
  readonly answer: (short: { readonly token: string; readonly account: string; readonly scopes: string[] }) => Response;
};

type Lasting = { readonly account: string; readonly scopes: readonly string[]; since: number; until: number };

/**
 * Meta's way with tokens: a code gives a short one, that is exchanged for one of sixty days, and Instagram and Threads renew this
 * one by itself, from a day after it was given until it ends. Refused in Graph's way.
 *
 * @see https://developers.facebook.com/docs/threads/get-started/long-lived-tokens/
 */
export function graphTokens({ now, shortSeconds, longSeconds, answer }: GraphTokens) {
  const lasting = new Map<string, Lasting>();
  let made = 0;
  const server = authorizationServer({
    now,
    by: "post",
    pkce: "ignored",
    expiresIn: shortSeconds,
    refresh: "none",
    kills: "account",
    answer: ({ accessToken, account, scopes }) => answer({ token: accessToken, account, scopes: [...scopes] }),
    refuse: () => graphRefusal("This authorization code has been used.", 100, 36_009),
  });
  const give = (account: string, scopes: readonly string[]): Response => {
    const token = derivedId("EAAG", account, String(++made));
    lasting.set(token, { account, scopes, since: now(), until: now() + longSeconds * 1000 });
    return Response.json({ access_token: token, token_type: "bearer", expires_in: longSeconds });
  };
  const live = (token: string | null | undefined): Lasting | undefined => {
    const found = lasting.get(token ?? "");
    return found !== undefined && found.until > now() ? found : undefined;
  };
  const bearer = (request: Request) => {
    const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    return live(token) ?? server.holder(token);
  };
  const end = (account: string) => {
    server.endAccount(account);
    for (const [token, each] of lasting) if (each.account === account) lasting.delete(token);
  };
  return {
    server,
    end,
    holds: (account: string) => [...lasting.values()].some((each) => each.account === account),
    lengthen(short: string | null | undefined): Response {
      const holder = server.holder(short);
      return holder === undefined ? dead() : give(holder.account, holder.scopes);
    },
    renew(token: string | null | undefined): Response {
      const held = live(token);
      if (held === undefined) return dead();
      if (now() - held.since < 86_400_000) return graphRefusal("The token is not a day old.", 10);
      lasting.delete(token ?? "");
      return give(held.account, held.scopes);
    },
    /** `GET /me?fields=id`. */
    me(request: Request): Response {
      const holder = bearer(request);
      return holder === undefined ? dead() : Response.json({ id: holder.account });
    },
    /** Whose token a request comes with. */
    holder: (request: Request) => bearer(request),
    holdings: (): Json => [...lasting.values()].map(({ account, scopes }) => ({ account, scopes: [...scopes] })),
    reset(): void {
      server.reset();
      lasting.clear();
    },
  };
}

export const graphRefusal = (message: string, code: number, error_subcode?: number): Response =>
  Response.json(
    { error: { message, type: "OAuthException", code, ...(error_subcode !== undefined && { error_subcode }) } },
    { status: 400 },
  );

export const dead = (): Response =>
  graphRefusal("Error validating access token: The session is no longer valid.", 190, 460);

/** Graph's one answer for what is not there, is another's, or is not to be touched with this token. */
export const unseen = (method: string, id: string): Response =>
  graphRefusal(
    `Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.`,
    100,
    33,
  );
