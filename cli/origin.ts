/** Plain http is for a gateway on this very machine. */
export const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" ||
  (protocol === "http:" && (hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname)));

/** Whether a text is an origin, spelled as URLs spell it, that is safe to ask. */
export const isOrigin = (value: string): boolean =>
  URL.canParse(value) && new URL(value).origin === value && isSafe(new URL(value));
