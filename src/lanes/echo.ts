/** For how long the vendor's own report of what we did may come back to us. */
export const ECHO_MS = 40 * 86_400_000;
