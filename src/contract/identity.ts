import { z } from "zod";

/**
 * One handle by which a data subject, or an object that a vendor holds for one, is found:
 * `{type: "email", value: "ada@example.com"}`, `{type: "stripe.customer", value: "cus_1"}`.
 *
 * A type with a dot belongs to the integration that declares it (its namespace); `email`, `phone`
 * and `user_id` belong to everyone.
 */
export const Identity = z.strictObject({
  type: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)?$/, "expected a type such as email or stripe.customer"),
  value: z.string().min(1).max(512),
});
export type Identity = z.infer<typeof Identity>;

/** The identity types that belong to no vendor. */
export const SHARED_TYPES = ["email", "phone", "user_id", "handle", "did"] as const;

/**
 * The spelling under which an identity is indexed, version 1: trimmed, NFC; e-mail and handle in lower case (a
 * mailbox whose local part differs only by case belongs to the same person everywhere that matters), telephone numbers
 * without their punctuation. Vendor ids are taken as they are.
 *
 * Every stored pseudonym depends on this: a change needs a new version beside the old one.
 */
export function normalise({ type, value }: Identity): Identity {
  const text = value.trim().normalize("NFC");
  if (type === "email") return { type, value: text.toLowerCase() };
  if (type === "handle") return { type, value: text.toLowerCase().replace(/^@/, "") };
  if (type === "phone") return { type, value: text.replace(/[\s().-]/g, "") };
  return { type, value: text };
}

export const sameIdentity = (a: Identity, b: Identity): boolean => a.type === b.type && a.value === b.value;
