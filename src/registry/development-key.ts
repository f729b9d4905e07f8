/**
 * Public keys whose private halves everybody has, because samples are signed with them: RFC 8032 section 7.1, test 1, which
 * `quittance send` uses for Discord, and the one that it uses for SendGrid. What is signed so proves nothing.
 */
const PUBLISHED: ReadonlySet<string> = new Set([
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvh2++qE9Po/Wy7gd95EUrjHXck02ztoRGsc3SKt1Rewf2+9E1OVU8PndpbEkTPv1jNZe9kfe3egZtBHH9ZqMlQ==",
]);

/** Whether a setting's value is such a key, however its hexadecimal digits are written. */
export const isDevelopmentKey = (value: string): boolean => PUBLISHED.has(value) || PUBLISHED.has(value.toLowerCase());
