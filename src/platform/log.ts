import type { Log } from "../ports.ts";

/** One JSON line an event. Facts are ids, codes and counts; nothing here is ever an identity, a token or a body. */
export const log: Log = (event, facts) => console.log(JSON.stringify({ event, ...facts }));
