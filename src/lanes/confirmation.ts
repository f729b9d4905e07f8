import type { Instant } from "../ids.ts";

/** What such an order holds; its deadline is also its place among the others. */
export type SealedConfirmation = {
  readonly deadline: Instant;
  /** The key of this value alone, wrapped by the tenant's. */
  readonly key: string;
  readonly sealed: string;
};

const PREFIX = "confirm:";

/** `confirm:<endpoint>:<digest of what is asked for>`. */
export const confirmationId = (endpoint: string, digest: string): string =>
  `${PREFIX}${endpoint}:${digest.slice(0, 26)}`;

export const isConfirmation = ({ id }: { readonly id: string }): boolean => id.startsWith(PREFIX);

export const endpointOf = (id: string): string => id.slice(PREFIX.length, id.lastIndexOf(":"));

export const confirmationPlace = (subprocessor: string, order: string): string => `${subprocessor} ${order}`;

export const sealedConfirmation = (order: SealedConfirmation): string => JSON.stringify(order);

// Written by intake and by nobody else.
export const readConfirmation = (payload: string): SealedConfirmation => JSON.parse(payload) as SealedConfirmation;
