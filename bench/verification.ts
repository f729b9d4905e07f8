import { build } from "esbuild";
import type { Options } from "./options.ts";
import { median } from "./statistics.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

/**
 * How many genuine deliveries of a kilobyte each scheme verifies in a second of workerd's CPU time, without anything around it;
 * beside the floor, a bare check of a keyed hash. They take turns, because the machine's other work comes and goes. Where the
 * system does not tell CPU time, it is the time that passed.
 */
export async function verification({ rounds, roundMs }: Options["verification"]) {
  const worker = await startWorkerd({ modules: { "worker.js": await code() } });
  try {
    const names: readonly string[] = await (await fetch(worker.url)).json();
    const times = new Map<string, number>();
    for (const name of names) times.set(name, await timesIn(worker, name, roundMs));
    const rates = new Map<string, number[]>(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const count = times.get(name) ?? 1;
        rates.get(name)?.push((count * 1000) / (await ms(worker, name, count)));
      }
    return Object.fromEntries([...rates].map(([name, found]) => [`verification.${name}.per_second`, median(found)]));
  } finally {
    await worker.stop();
  }
}

/** As many as take about so long, found by doubling, which also warms them up. */
async function timesIn(worker: Workerd, name: string, roundMs: number): Promise<number> {
  for (let times = 16; ; times *= 2)
    if ((await ms(worker, name, times)) >= roundMs / 2 || times >= 65_536) return times * 2;
}

async function ms(worker: Workerd, name: string, times: number): Promise<number> {
  const cpu = worker.cpuMs();
  const begun = performance.now();
  const reply = await fetch(`${worker.url}/${name}?times=${times}`);
  if (!reply.ok) throw new Error(`${name}: ${await reply.text()}`);
  const passed = performance.now() - begun;
  return cpu === undefined ? passed : (worker.cpuMs() ?? Number.NaN) - cpu;
}

async function code(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("./verifier.ts", import.meta.url).pathname],
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
