import type { Stage } from "./stage.ts";
import type { Workerd } from "./workerd.ts";

/** What it took to work everything off. Sweeps are counted apart: there is one a minute, whatever there is to do. */
export type Worked = {
  readonly seconds: number;
  readonly sweeps: number;
  readonly sweepRoundTrips: number;
  readonly sweepCommands: number;
};

/** A later look is due seconds after its erasure; the clock is moved instead of waiting. */
const STEP_MS = 6_000;

/** A day of steps would be a mistake of ours. */
const MOST_STEPS = 100;

/** A gateway whose lanes work when they are told to, and whose clock can be moved. */
export class Driver {
  #offset = 0;
  readonly stage: Stage;
  readonly gateway: Workerd;

  constructor(stage: Stage, gateway: Workerd) {
    this.stage = stage;
    this.gateway = gateway;
  }

  now(): number {
    return Date.now() + this.#offset;
  }

  async advance(ms: number): Promise<void> {
    this.#offset += ms;
    await this.#call(`/__clock?offset=${this.#offset}`);
  }

  /** Works the lanes that were woken, until none is. */
  async drain(): Promise<void> {
    const { lanes } = this.stage.queue;
    while (lanes.size > 0) {
      const woken = [...lanes];
      lanes.clear();
      await this.#call("/__queue", { lanes: woken });
    }
  }

  /** Works all lanes, as the queue and the cron trigger would, until no request of the tenant is open. */
  async work(tenant: string): Promise<Worked> {
    const { redis } = this.stage;
    const worked = { seconds: 0, sweeps: 0, sweepRoundTrips: 0, sweepCommands: 0 };
    const begun = performance.now();
    for (let step = 0; step < MOST_STEPS; step++) {
      await this.drain();
      if (Number(await redis.raw(["ZCARD", `q:${tenant}`])) === 0) {
        worked.seconds = (performance.now() - begun) / 1000;
        return worked;
      }
      await this.advance(STEP_MS);
      const before = redis.stats();
      await this.#call("/__sweep");
      const after = redis.stats();
      worked.sweeps += 1;
      worked.sweepRoundTrips += after.roundTrips - before.roundTrips;
      worked.sweepCommands += after.commands - before.commands;
    }
    throw new Error("the requests did not close");
  }

  async #call(path: string, body?: unknown): Promise<void> {
    const reply = await fetch(`${this.gateway.url}${path}`, {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (reply.status !== 204) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }
}
