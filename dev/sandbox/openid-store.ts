import type { Adapter, AdapterPayload } from "oidc-provider";
import type { Json } from "./vendor.ts";

/** Where the provider keeps what it knows, so that it can be looked at: the provider's own state, and nobody's claim about it. */
export type OpenidStore = {
  readonly adapter: (kind: string) => Adapter;
  /** What of it is alive: grants, and tokens with the thumbprint of the key that they are bound to. */
  readonly holdings: () => { readonly [kind: string]: Json };
};

type Row = { readonly kind: string; readonly id: string; readonly until: number; payload: AdapterPayload };

/** By the provider's own time, which nobody moves. */
export function openidStore(): OpenidStore {
  const rows = new Map<string, Row>();
  const alive = (kind: string): readonly Row[] =>
    [...rows.values()].filter((row) => row.kind === kind && row.until > Date.now());
  const isOf =
    (grantId: string) =>
    ({ payload }: Row): boolean =>
      payload.grantId === grantId;

  const adapter = (kind: string): Adapter => {
    const key = (id: string) => `${kind}:${id}`;
    const found = (fits: (row: Row) => boolean) => alive(kind).find(fits)?.payload;
    return {
      upsert: async (id, payload, expiresIn) => {
        const until = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000;
        rows.set(key(id), { kind, id, until, payload });
      },
      find: async (id) => found((row) => row.id === id),
      findByUid: async (uid) => found(({ payload }) => payload.uid === uid),
      findByUserCode: async (code) => found(({ payload }) => payload.userCode === code),
      consume: async (id) => {
        const row = rows.get(key(id));
        if (row !== undefined) row.payload = { ...row.payload, consumed: Math.floor(Date.now() / 1000) };
      },
      destroy: async (id) => void rows.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const { id } of alive(kind).filter(isOf(grantId))) rows.delete(key(id));
      },
    };
  };

  return {
    adapter,
    holdings: () => ({
      grants: alive("Grant").map(({ payload: { accountId = "" } }) => ({ account: accountId })),
      access_tokens: alive("AccessToken").map(({ payload: { accountId = "", jkt = "" } }) => ({
        account: accountId,
        bound_to: jkt,
      })),
      refresh_tokens: alive("RefreshToken").map(({ payload: { accountId = "", consumed } }) => ({
        account: accountId,
        is_used: consumed !== undefined,
      })),
    }),
  };
}
