import { build } from "esbuild";
import { type Generator, startGenerator } from "./generator.ts";
import type { Ran } from "./load.ts";
import type { Options } from "./options.ts";
import { type Stage, startStage } from "./stage.ts";
import { median } from "./statistics.ts";
import { newTenant } from "./tenant.ts";
import type { Workerd } from "./workerd.ts";

/** One thing that takes deliveries. */
type Taker = { readonly worker: Workerd; readonly path: string };
type Point = { readonly port: number; readonly path: string; readonly secret: string };

/**
 * Accepted deliveries of Meta's data deletion callback, each for a new person: at saturation (as many connections as
 * bring the most), beside the floor in the same minutes; and at a fixed rate, with the time counted from when a delivery
 * was due.
 *
 * The machine's other work comes and goes, so gateway and floors take turns, and the ratio is the median of the turns'.
 */
export async function intake(options: Options["intake"]) {
  const stage = await startStage();
  const generator = startGenerator();
  const gateway = await stage.startGateway("alone");
  const secret = "0123456789abcdef0123456789abcdef";
  const floor = await stage.startWorker(await floorCode(), { APP_SECRET: secret });
  try {
    const { slug } = await newTenant(stage, gateway, "bench-intake", { facebook: facebook(secret) });
    const takers = {
      gateway: { worker: gateway, path: `/hooks/${slug}/facebook/data-deletion` },
      floor: { worker: floor, path: "/floor/floor" },
      plain: { worker: floor, path: "/floor-without-encryption/plain" },
    };
    const pointOf = ({ worker, path }: Taker): Point => ({ port: worker.port, path, secret });
    const points = {
      gateway: pointOf(takers.gateway),
      floor: pointOf(takers.floor),
      plain: pointOf(takers.plain),
    };
    const connections = await best(generator, points, options);
    const at = (who: keyof typeof points) => ({ ...points[who], connections: connections[who] });

    const costs = { gateway: 0, floor: 0, deliveries: { gateway: 0, floor: 0 } };
    const turns: { gateway: number; floor: number; plain: number }[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const turn = { gateway: 0, floor: 0, plain: 0 };
      // Every other round goes the other way, so that none always comes after the same one.
      const order = round % 2 === 0 ? WHO : WHO.toReversed();
      for (const who of order) {
        const before = takers[who].worker.cpuMs() ?? Number.NaN;
        const ran = whole(await generator.run({ ...at(who), seconds: options.roundSeconds }));
        turn[who] = ran.accepted / ran.seconds;
        if (who === "plain") continue;
        costs[who] += (takers[who].worker.cpuMs() ?? Number.NaN) - before;
        costs.deliveries[who] += ran.accepted;
      }
      turns.push(turn);
    }
    const perSecond = median(turns.map((turn) => turn.gateway));

    const counted = await counts(stage, generator, at("gateway"), options);
    const offered = { ...points.gateway, connections: 64, seconds: options.offeredSeconds };
    const steady = whole(await generator.run({ ...offered, perSecond: options.offeredPerSecond }));
    const busy = whole(await generator.run({ ...offered, perSecond: Math.max(1, Math.floor(perSecond * 0.6)) }));
    const cpu = { gateway: costs.gateway / costs.deliveries.gateway, floor: costs.floor / costs.deliveries.floor };
    return {
      "intake.ratio_to_floor": median(turns.map((turn) => turn.gateway / turn.floor)),
      "intake.ratio_to_floor_without_encryption": median(turns.map((turn) => turn.gateway / turn.plain)),
      "intake.per_second": perSecond,
      "intake.floor_per_second": median(turns.map((turn) => turn.floor)),
      "intake.floor_without_encryption_per_second": median(turns.map((turn) => turn.plain)),
      "intake.cpu_ms": number(cpu.gateway),
      "intake.floor_cpu_ms": number(cpu.floor),
      "intake.p50_ms": steady.p50Ms,
      "intake.p99_ms": steady.p99Ms,
      "intake.p50_ms_at_60_percent": busy.p50Ms,
      "intake.p99_ms_at_60_percent": busy.p99Ms,
      ...counted,
    };
  } finally {
    await generator.stop();
    await gateway.stop();
    await floor.stop();
    await stage.stop();
  }
}

const WHO = ["gateway", "floor", "plain"] as const;

const number = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** A figure counts only if everything was accepted. */
export function whole(ran: Ran): Ran {
  if (ran.refused > 0 || ran.accepted === 0)
    throw new Error(`${ran.refused} deliveries were refused, ${ran.accepted} accepted`);
  return ran;
}

/** Warms each up, and finds the number of connections that brings it the most. */
async function best(
  generator: Generator,
  points: Readonly<Record<(typeof WHO)[number], Point>>,
  { concurrencies, warmSeconds, probeSeconds }: Options["intake"],
) {
  const found = { gateway: 1, floor: 1, plain: 1 };
  for (const who of WHO) {
    await generator.run({ ...points[who], connections: 8, seconds: warmSeconds });
    let most = 0;
    for (const connections of concurrencies) {
      const { accepted, seconds } = whole(await generator.run({ ...points[who], connections, seconds: probeSeconds }));
      if (accepted / seconds > most) {
        most = accepted / seconds;
        found[who] = connections;
      }
    }
  }
  return found;
}

/** What one delivery costs at the store and at the queue, when all is warm. */
async function counts(
  stage: Stage,
  generator: Generator,
  point: Point & { readonly connections: number },
  { roundSeconds }: Options["intake"],
) {
  stage.redis.resetStats();
  const sent = stage.queue.sends;
  const { accepted } = whole(await generator.run({ ...point, seconds: roundSeconds }));
  const { roundTrips, commands, scriptCommands } = stage.redis.stats();
  return {
    "intake.redis_round_trips": roundTrips / accepted,
    "intake.redis_commands": commands / accepted,
    "intake.script_commands": scriptCommands / accepted,
    "intake.queue_sends": (stage.queue.sends - sent) / accepted,
  };
}

export async function floorCode(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("./floor.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    minify: true,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

const facebook = (appSecret: string) => ({
  integration: "facebook",
  settings: { appId: "100000000000000", appSecret },
});
