/** An error as a Redis client reports it: Redis, or this endpoint in its place, refuses, and the message is the reply. */
export function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

/** The text of a refusal. Anything else that went wrong is thrown on. */
export function refusalIn(error: unknown): string {
  if (error instanceof Error && error.name === "ReplyError") return error.message;
  throw error;
}
