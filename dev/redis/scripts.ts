import { createHash } from "node:crypto";
import type { Engine } from "./engine.ts";
import { guarded, KEY_LOCKING } from "./keys.ts";
import { refusal } from "./refusal.ts";

/** Commands that run or keep scripts; the endpoint never passes them on as they come. */
export const SCRIPTING: ReadonlySet<string> = new Set(["eval", "evalsha", "eval_ro", "evalsha_ro", "script"]);

export interface Scripts {
  /** Runs one scripting command. */
  run(command: readonly string[]): Promise<unknown>;
  /** The same as one command that a transaction can hold; its reply goes through `unwrap`. */
  prepare(command: readonly string[]): readonly string[];
  /** The script's own reply, or its error; its calls are counted. */
  unwrap(reply: unknown): unknown;
}

interface Script {
  readonly sha: string;
  readonly guardedSha: string;
  readonly text: string;
  loaded: boolean;
}

/**
 * Keeps what EVAL and SCRIPT LOAD have brought, under the sha1 of the text as it came, and runs it guarded.
 *
 * @see https://upstash.com/docs/redis/commands/scripting/eval
 */
export function keepScripts(engine: Engine, count: (calls: number) => void): Scripts {
  const byText = new Map<string, Script>();
  const bySha = new Map<string, Script>();

  function keep(source: string): Script {
    const known = byText.get(source);
    if (known) return known;
    if (!source.startsWith(`${KEY_LOCKING}\n`))
      throw refusal(`ERR This project's scripts must begin with the line '${KEY_LOCKING}' and declare every key`);
    const text = guarded(source, engine.lua);
    const script = { sha: sha1(source), guardedSha: sha1(text), text, loaded: false };
    byText.set(source, script);
    bySha.set(script.sha, script);
    return script;
  }

  function find(name: string, which: string): Script {
    if (name.startsWith("eval") && !name.startsWith("evalsha")) return keep(which);
    const script = bySha.get(which.toLowerCase());
    if (!script) throw refusal("NOSCRIPT No matching script. Please use EVAL.");
    return script;
  }

  async function evaluate(name: string, script: Script, rest: readonly string[]): Promise<unknown> {
    const kind = name.endsWith("_ro") ? "_RO" : "";
    const whole = ["EVAL".concat(kind), script.text, ...rest];
    if (!script.loaded) {
      script.loaded = true; // What is sent after this arrives after it, when the engine has it.
      return engine.send(whole);
    }
    try {
      return await engine.send(["EVALSHA".concat(kind), script.guardedSha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return engine.send(whole);
    }
  }

  async function manage([, action = "", ...rest]: readonly string[]): Promise<unknown> {
    switch (action.toLowerCase()) {
      case "load": {
        const script = keep(rest[0] ?? "");
        if (engine.kind === "redis-server") await engine.send(["SCRIPT", "LOAD", script.text]); // It alone can compile without running.
        return script.sha;
      }
      case "exists":
        return rest.map((sha) => (bySha.has(sha.toLowerCase()) ? 1 : 0));
      case "flush":
        byText.clear();
        bySha.clear();
        return "OK";
      default:
        throw refusal(`ERR unknown subcommand '${action}'. Try SCRIPT HELP.`);
    }
  }

  function unwrap(reply: unknown): unknown {
    if (!Array.isArray(reply)) return reply;
    const [calls, result] = reply;
    count(Number(calls));
    return result ?? null;
  }

  return {
    async run(command) {
      const name = (command[0] ?? "").toLowerCase();
      if (name === "script") return manage(command);
      const script = find(name, command[1] ?? "");
      try {
        return unwrap(await evaluate(name, script, command.slice(2)));
      } catch (error) {
        // The engine names the guarded text's sha in its message; the caller knows the other one.
        if (error instanceof Error) error.message = error.message.replaceAll(script.guardedSha, script.sha);
        throw error;
      }
    },
    prepare(command) {
      const name = (command[0] ?? "").toLowerCase();
      if (name === "script") throw refusal("ERR SCRIPT is not supported in a transaction here");
      const script = find(name, command[1] ?? "");
      return [name.replace("sha", ""), script.text, ...command.slice(2)];
    },
    unwrap,
  };
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
