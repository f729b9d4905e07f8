import type { Stage } from "./stage.ts";
import type { Workerd } from "./workerd.ts";

/** What a broken lane could do to a measurement is no more than to make it long: then it is a failure. */
const LONGEST_MS = 30 * 60_000;

const MINUTE_MS = 60_000;

/** Every key is looked at, which takes a second where there are a hundred thousand; lifetimes are days and months. */
const AGE_MS = 6 * 3_600_000;

/** So long without a word to the store or to a vendor, and without work for the processor: nothing is at work but what hangs. */
const QUIET_MS = 30;
const IDLE_CPU_MS = 8;

/**
 * The platform's queue and cron: each message is an invocation of its own, so that one which waits for a vendor holds up no
 * other. When nothing is at work but what waits, the clock moves on to the minute after the next thing is due, and the cron
 * trigger fires. Lifetimes in the store go by alike, some hours at a time.
 */
export class Cron {
  #offset: number;
  #unaged = 0;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stage: Stage;
  readonly #gateway: Workerd;
  readonly #calls: () => number;

  /** `calls` tells how many calls to vendors have begun or been answered, without those of one that hangs. */
  constructor(stage: Stage, gateway: Workerd, startsAt: number, calls: () => number) {
    this.#stage = stage;
    this.#gateway = gateway;
    this.#calls = calls;
    this.#offset = startsAt - Date.now();
  }

  now(): number {
    return Date.now() + this.#offset;
  }

  /** The gateway's clock begins where this one does. It does not wait for a turn at a vendor: that a vendor is slow is not its doing. */
  async start(): Promise<void> {
    await this.#setClock();
  }

  /** Works until it is so. `nextDue` tells when there is something to do again; undefined: sooner or later. */
  async until(isDone: () => Promise<boolean>, nextDue: () => Promise<number | undefined>): Promise<void> {
    const end = performance.now() + LONGEST_MS;
    let seen = this.#look();
    let since = performance.now();
    const isAtWork = () => {
      const now = this.#look();
      const isIdle = now.words === seen.words && now.cpuMs - seen.cpuMs < IDLE_CPU_MS;
      if (isIdle && performance.now() - since < QUIET_MS) return true;
      seen = now;
      since = performance.now();
      return !isIdle;
    };
    while (performance.now() < end) {
      const { lanes } = this.#stage.queue;
      if (lanes.size > 0) {
        const woken = [...lanes];
        lanes.clear();
        this.#begin("/__queue", { lanes: woken });
        since = performance.now();
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (isAtWork()) continue;
      if (await isDone()) return;
      await this.#moveTo(await nextDue());
      await this.#call("/__sweep");
      seen = this.#look();
      since = performance.now();
    }
    throw new Error("the lanes did not come to their end");
  }

  async stop(): Promise<void> {
    await Promise.race([Promise.all(this.#running), new Promise((resolve) => setTimeout(resolve, 15_000))]);
  }

  #look() {
    const words = this.#stage.redis.stats().roundTrips + this.#calls();
    return { words, cpuMs: this.#gateway.cpuMs() ?? 0 };
  }

  async #moveTo(due = 0): Promise<void> {
    const now = this.now();
    const at = Math.floor(Math.max(due, now) / MINUTE_MS + 1) * MINUTE_MS;
    this.#offset += at - now;
    await this.#setClock();
    this.#unaged += Math.round(at - now);
    if (this.#unaged < AGE_MS) return;
    await this.#stage.redis.age(this.#unaged);
    this.#unaged = 0;
  }

  #setClock(): Promise<void> {
    return this.#call(`/__clock?offset=${Math.round(this.#offset)}&longest=0`);
  }

  #begin(path: string, body: unknown): void {
    const work: Promise<unknown> = this.#call(path, body)
      // The Worker is stopped while a call of the hanging vendor's lane may still wait.
      .catch((error: unknown) => error)
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #call(path: string, body?: unknown): Promise<void> {
    const reply = await fetch(`${this.#gateway.url}${path}`, {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (reply.status !== 204) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }
}
