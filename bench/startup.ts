import { gzipSync } from "node:zlib";
import { bundle } from "./stage.ts";
import { median } from "./statistics.ts";
import { startWorkerd } from "./workerd.ts";

const NOTHING = "export default { fetch: () => new Response() };";

/**
 * The bundle's size, and the CPU time that evaluating it costs: what a fresh workerd has used when it begins to listen,
 * less what one with an empty Worker has used. workerd evaluates a Worker before it listens. Where the system does not
 * tell CPU time, it is the time that passed.
 */
export async function startup(starts: number) {
  const code = bundle();
  const differences: number[] = [];
  for (let start = 0; start < starts; start++) {
    const empty = await startMs(NOTHING);
    differences.push((await startMs(code)) - empty);
  }
  return {
    "bundle.bytes": Buffer.byteLength(code),
    "bundle.gzip_bytes": gzipSync(code).length,
    "bundle.startup_cpu_ms": median(differences),
  };
}

async function startMs(code: string): Promise<number> {
  const begun = performance.now();
  const worker = await startWorkerd({ modules: { "worker.js": code } });
  const ms = worker.cpuMs() ?? performance.now() - begun;
  await worker.stop();
  return ms;
}
