import { Redis } from "@upstash/redis/cloudflare";

/** What a command answers, before the store has read it. Values are never parsed for us: documents stay text. */
export type Answer = string | number | null | readonly Answer[];

export type Command =
  | readonly (string | number)[]
  | { readonly script: string; readonly keys: readonly string[]; readonly args: readonly (string | number)[] };

/** The store could not be reached or refused the call; callers tell their caller to try again later. */
export class StoreUnreachable extends Error {
  override readonly name = "StoreUnreachable";
}

export type RedisClient = {
  /**
   * Runs commands in one round trip, or where they are too large for one in several; `atomic`: in one, all of them, or none where
   * the connection is lost.
   */
  readonly run: (commands: readonly Command[], how?: { readonly atomic: boolean }) => Promise<readonly Answer[]>;
};

type Item = { readonly result?: Answer; readonly error?: string };

/** Of the ten megabytes that Upstash takes, as characters: what is quoted in JSON, or not ASCII, is longer on the wire. */
const REQUEST_LENGTH = 5_000_000;

const lengthOf = (command: Command): number =>
  ("script" in command ? [...command.keys, ...command.args] : command).reduce<number>(
    (sum, part) => sum + (typeof part === "string" ? part.length : 8),
    0,
  );

/** Commands as they fit into requests, in their order. One that is larger than a request stands alone. */
function requestsOf(commands: readonly Command[]): readonly (readonly Command[])[] {
  const requests: Command[][] = [];
  let left = 0;
  for (const command of commands) {
    const length = lengthOf(command);
    if (length > left || requests.length === 0) {
      requests.push([]);
      left = REQUEST_LENGTH;
    }
    requests.at(-1)?.push(command);
    left -= length;
  }
  return requests;
}

/** The client's own transport (encoding, retries), one whole pipeline at a time. */
class Transport extends Redis {
  async sent(path: "pipeline" | "multi-exec", commands: readonly (readonly (string | number)[])[]) {
    // The answer is one item a command, in order; the client does not type it.
    return (await this.client.request({ path: [path], body: commands })) as unknown as readonly Item[];
  }
}

/**
 * Runs commands in one round trip. Scripts are sent by digest and, where the server does not know them (after a restart
 * or failover), once more in full.
 *
 * The client retries only when fetch threw, so a write can run twice.
 * @see https://upstash.com/docs/redis/commands/scripting
 */
export function redisClient(url: string, token: string): RedisClient {
  const transport = new Transport({
    url,
    token,
    automaticDeserialization: false,
    enableTelemetry: false,
    readYourWrites: false,
    retry: { retries: 1, backoff: () => 100 },
  });
  const digests = new Map<string, string>();

  async function digestOf(script: string): Promise<string> {
    const known = digests.get(script);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script)));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    digests.set(script, hex);
    return hex;
  }

  const plain = async (command: Command, whole: boolean): Promise<readonly (string | number)[]> =>
    "script" in command
      ? [
          whole ? "eval" : "evalsha",
          whole ? command.script : await digestOf(command.script),
          command.keys.length,
          ...command.keys,
          ...command.args,
        ]
      : command;

  /** Whole: each script in full where it stands first, which makes it known to those after it. */
  const send = async (commands: readonly Command[], whole: boolean, atomic: boolean) => {
    const told = new Set<string>();
    const written = commands.map((command) => {
      const script = "script" in command ? command.script : "";
      const inFull = whole && !told.has(script);
      told.add(script);
      return plain(command, inFull);
    });
    return transport.sent(atomic ? "multi-exec" : "pipeline", await Promise.all(written));
  };

  const run = async (commands: readonly Command[], atomic: boolean): Promise<readonly Answer[]> => {
    try {
      const items = [...(await send(commands, false, atomic).catch(unlessUnknown(() => send(commands, true, atomic))))];
      const from = items.findIndex((item) => item.error?.includes("NOSCRIPT"));
      const unknown = from < 0 ? [] : commands.flatMap((_, index) => (index >= from ? [index] : []));
      if (unknown.length > 0) {
        const again = await send(
          unknown.map((index) => commands[index] ?? []),
          true,
          atomic,
        );
        unknown.forEach((index, place) => {
          items[index] = again[place] ?? {};
        });
      }
      const failed = items.find((item) => item.error !== undefined);
      if (failed?.error !== undefined) throw new StoreUnreachable(withoutValues(failed.error));
      return items.map((item) => item.result ?? null);
    } catch (error) {
      if (error instanceof StoreUnreachable) throw error;
      // Without its cause, whose message has the commands and their values.
      throw new StoreUnreachable(error instanceof Error ? withoutValues(error.message) : "unknown");
    }
  };

  return {
    run: async (commands, { atomic } = { atomic: false }) => {
      if (commands.length === 0) return [];
      if (atomic || commands.length === 1) return run(commands, atomic);
      const answers: Answer[] = [];
      for (const some of requestsOf(commands)) answers.push(...(await run(some, false)));
      return answers;
    },
  };
}

/** A transaction may be refused as a whole for a script that the server does not know. */
const unlessUnknown =
  <T>(again: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof Error && error.message.includes("NOSCRIPT")) return again();
    throw error;
  };

/** What the client and Redis append to a refusal: commands, arguments, an answer that could not be read. */
const QUOTED = /, command was:|, with args beginning with:|(?<=Unable to parse response body):/;

const withoutValues = (message: string): string => (message.split(QUOTED, 1)[0] ?? "").slice(0, 300);
