import { fork } from "node:child_process";
import { once } from "node:events";
import type { Ran, Run } from "./load.ts";

/** The process that makes load. One run at a time. */
export type Generator = {
  readonly run: (run: Omit<Run, "from" | "most">) => Promise<Ran>;
  readonly stop: () => Promise<void>;
};

/** More a second than any of what is measured here bears; what is signed and not sent is dropped. */
const MOST_PER_SECOND = 6_000;

export function startGenerator(): Generator {
  const child = fork(new URL("./load.ts", import.meta.url), { execArgv: [] });
  let from = 1_000_000_000_000;
  return {
    run: async (run) => {
      const most = Math.ceil((run.perSecond ?? MOST_PER_SECOND) * run.seconds);
      const first = from;
      from += most;
      return new Promise<Ran>((resolve, reject) => {
        const ended = () => reject(new Error("the load generator ended"));
        child.once("exit", ended);
        // `load.ts` sends one Ran for each Run, and nothing else.
        child.once("message", (ran) => {
          child.off("exit", ended);
          resolve(ran as Ran);
        });
        child.send({ ...run, most, from: first } satisfies Run);
      });
    },
    stop: async () => {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
