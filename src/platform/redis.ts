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

export type RedisClient = { readonly run: (commands: readonly Command[]) => Promise<readonly Answer[]> };

type Item = { readonly result?: Answer; readonly error?: string };

/** The client's own transport (encoding, retries), one whole pipeline at a time. */
class Transport extends Redis {
  async pipelined(commands: readonly (readonly (string | number)[])[]): Promise<readonly Item[]> {
    // The pipeline's answer is one item a command, in order; the client does not type it.
    return (await this.client.request({ path: ["pipeline"], body: commands })) as unknown as readonly Item[];
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

  const send = async (commands: readonly Command[], whole: boolean) =>
    transport.pipelined(await Promise.all(commands.map((command) => plain(command, whole))));

  return {
    run: async (commands) => {
      if (commands.length === 0) return [];
      try {
        const items = [...(await send(commands, false))];
        const from = items.findIndex((item) => item.error?.includes("NOSCRIPT"));
        const unknown = from < 0 ? [] : commands.flatMap((_, index) => (index >= from ? [index] : []));
        if (unknown.length > 0) {
          const again = await send(
            unknown.map((index) => commands[index] ?? []),
            true,
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
    },
  };
}

/** What the client and Redis append to a refusal: commands, arguments, an answer that could not be read. */
const QUOTED = /, command was:|, with args beginning with:|(?<=Unable to parse response body):/;

const withoutValues = (message: string): string => (message.split(QUOTED, 1)[0] ?? "").slice(0, 300);
