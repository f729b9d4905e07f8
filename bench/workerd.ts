import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** A Worker in a workerd of its own, reached on workerd's own socket: no proxy and no queue stand between. */
export type Workerd = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** CPU time of the process so far; undefined where the system does not tell. */
  readonly cpuMs: () => number | undefined;
  readonly stop: () => Promise<void>;
};

/**
 * Starts workerd on 127.0.0.1. Whatever the Worker fetches goes to `outbound` (host:port) and nowhere else; messages to the
 * queue binding `LANES` go to `queue` as HTTP posts.
 *
 * `modules` are ES modules by name, the main one first. What the Worker logs is dropped.
 */
export async function startWorkerd(options: {
  readonly modules: Readonly<Record<string, string>>;
  readonly bindings?: Readonly<Record<string, string>>;
  readonly outbound?: string;
  readonly queue?: string;
}): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), "quittance-bench-"));
  const names = Object.keys(options.modules);
  await Promise.all(names.map((name) => writeFile(join(folder, name), options.modules[name] ?? "")));
  await writeFile(join(folder, "config.capnp"), configOf(names, options));
  const child = spawn(binary(), ["serve", join(folder, "config.capnp"), "--control-fd=3"], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-2000);
  });
  const exited = once(child, "exit");
  const { pid } = child;
  const kill = () => void child.kill("SIGKILL");
  // Whatever ends this process, workerd ends with it.
  process.once("exit", kill);
  const stop = async () => {
    process.off("exit", kill);
    kill();
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  // The fourth stream was asked for as a pipe, so it can be read.
  const port = await listening(child.stdio[3] as Readable, exited);
  if (port === undefined || pid === undefined) {
    await stop();
    throw new Error(`workerd did not start: ${words}`);
  }
  return { url: `http://127.0.0.1:${port}`, port, pid, cpuMs: () => cpuMs(pid), stop };
}

/** The port by workerd's own word, or undefined if it ends before. */
async function listening(control: Readable, exited: Promise<unknown>): Promise<number | undefined> {
  const port = new Promise<number>((resolve) => {
    let text = "";
    control.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /"event":"listen","socket":"http","port":(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return Promise.race([port, exited.then(() => undefined)]);
}

type Parts = Parameters<typeof startWorkerd>[0];

/** Cap'n Proto's text is close enough to JSON's that its strings can be written as such. */
function configOf(names: readonly string[], { bindings = {}, outbound, queue }: Parts): string {
  const text = JSON.stringify;
  const { date, flags } = compatibility();
  const services = [
    outbound === undefined ? undefined : `(name = "outbound", external = (address = ${text(outbound)}, http = ()))`,
    queue === undefined ? undefined : `(name = "lanes", external = (address = ${text(queue)}, http = ()))`,
  ].filter((service) => service !== undefined);
  const bound = [
    ...Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...(queue === undefined ? [] : ['(name = "LANES", queue = "lanes")']),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${names.map((name) => `(name = ${text(name)}, esModule = embed ${text(name)})`).join(", ")}],
      compatibilityDate = ${text(date)},
      compatibilityFlags = ${flags},
      bindings = [${bound.join(", ")}],
      ${outbound === undefined ? "" : 'globalOutbound = "outbound",'}
    )),
    ${services.join(",\n    ")}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}

/** As the Worker is deployed. */
function compatibility(): { readonly date: string; readonly flags: string } {
  const toml = readFileSync(new URL("../wrangler.toml", import.meta.url), "utf8");
  return {
    date: /^compatibility_date = "([^"]+)"/m.exec(toml)?.[1] ?? "",
    flags: /^compatibility_flags = (\[[^\]]*\])/m.exec(toml)?.[1] ?? "[]",
  };
}

/** The very binary that Miniflare runs; the package's own command would start it as a child. */
function binary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  return require("workerd").default;
}

/** Linux keeps each thread's CPU time in nanoseconds. */
function cpuMs(pid: number): number | undefined {
  const threads = `/proc/${pid}/task`;
  if (!existsSync(threads)) return undefined;
  return readdirSync(threads).reduce((sum, thread) => {
    const file = join(threads, thread, "schedstat");
    return sum + (existsSync(file) ? Number(readFileSync(file, "utf8").split(" ")[0]) / 1e6 : 0);
  }, 0);
}
