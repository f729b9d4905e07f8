import { z } from "zod";
import { fail, ok, type Result } from "../result.ts";
import type { Identity } from "./identity.ts";

/** What a proven delivery means. */
export type SignalType =
  | "erasure_requested"
  | "deauthorized"
  | "token_revoked"
  | "account_deleted"
  | "account_restored"
  | "content_deleted"
  | "consent_withdrawn";

export type Signal = {
  readonly type: SignalType;
  readonly identity: Identity;
  /** When it happened, by the sender's clock, in epoch milliseconds: an older connection's end cannot end a newer one. */
  readonly at: number;
};

/** A vendor's time in whole Unix seconds, no later than any date can be. */
export const UnixSeconds = z
  .int()
  .nonnegative()
  .max(8_640_000_000_000 - 1);

/** The last moment that a time in whole seconds may mean: what happened in the second of a connection is not older than it. */
export const withinSecond = (seconds: number): number => seconds * 1000 + 999;

/** What one delivery says: its own id, by which a repeat is recognised, and its signals (none: known but irrelevant). */
export type Reading = { readonly deliveryId: string; readonly signals: readonly Signal[] };

export type Unreadable = { readonly reason: "unreadable"; readonly at: string };

/** Reads proven JSON by a schema. The error names the place that did not fit, never the value. */
export const json =
  <S extends z.ZodType>(schema: S, meaning: (body: z.infer<S>) => Reading) =>
  (proven: string): Result<Reading, Unreadable> => {
    let body: unknown;
    try {
      body = JSON.parse(proven);
    } catch (error) {
      if (error instanceof SyntaxError) return fail({ reason: "unreadable", at: "body" });
      throw error;
    }
    const parsed = schema.safeParse(body);
    if (!parsed.success) return fail({ reason: "unreadable", at: parsed.error.issues[0]?.path.join(".") || "body" });
    return ok(meaning(parsed.data));
  };
