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
 * mailbox whose local part differs only by case belongs to the same person everywhere that matters), handles without
 * their @, telephone numbers without their punctuation. Vendor ids are taken as they are. What is in this spelling
 * already stays as it is.
 *
 * Every stored pseudonym depends on this: a change needs a new version beside the old one.
 */
export function normalise({ type, value }: Identity): Identity {
  // Lower case can take letters and accents apart that belong in one character, so composing comes last.
  return { type, value: spelled(type, value.trim().normalize("NFC")).normalize("NFC") };
}

function spelled(type: string, text: string): string {
  if (type === "email") return text.toLowerCase();
  if (type === "handle") return text.toLowerCase().replace(/^[@\s]+/, "");
  if (type === "phone") return text.replace(/[\s().-]/g, "");
  return text;
}

export const sameIdentity = (a: Identity, b: Identity): boolean => a.type === b.type && a.value === b.value;
