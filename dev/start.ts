import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ADA } from "./ada.ts";
import { startGateway } from "./gateway.ts";
import { keptSecrets, keptVendorKey } from "./keys.ts";
import { startEndpoint } from "./redis/endpoint.ts";
import { startRedis } from "./redis/engine.ts";
import { createSandbox, serveSandbox } from "./sandbox/sandbox.ts";
import { apiOf, type Seeded, seedPerson, seedSandbox, seedTenants } from "./seed.ts";

const HELP = `npm start: Quittance on this machine, with a store, a sandbox of vendors and five reference customers.

  PORT=8787           the gateway's port
  SANDBOX_PORT=8788   the sandbox's
  DATA=.quittance     where data and keys are kept; remove it to begin anew

Everything listens on 127.0.0.1 only. Stop it with Ctrl+C.`;

const LEAVING = `Ada's erasure from an earlier start is still open, so she was not entered anew: rm -r .quittance begins afresh.

`;

const SWEEP_MS = 10_000;

async function main(): Promise<void> {
  if (process.argv.includes("--help")) return console.log(HELP);
  const folder = process.env.DATA ?? ".quittance";
  const port = portIn("PORT", 8787);
  const sandboxPort = portIn("SANDBOX_PORT", 8788);
  mkdirSync(folder, { recursive: true });
  lock(folder);
  await free(port, "PORT");
  await free(sandboxPort, "SANDBOX_PORT");
  const secrets = await keptSecrets(folder);
  const engine = await startRedis({ dir: join(folder, "redis") });
  const redisToken = "dev_local_redis_token";
  const redis = await startEndpoint({ engine, token: redisToken });
  const { keys: vendorKeys, certificate } = await keptVendorKey(folder);
  const sandbox = createSandbox({ vendorKeys, certificate });
  const served = await serveSandbox(sandbox, sandboxPort);
  const admin = async (path: string, body: unknown): Promise<void> => {
    const reply = await sandbox.admin(
      new Request(`http://sandbox${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    if (!reply.ok) throw new Error(`the sandbox refused ${path}: ${await reply.text()}`);
  };
  await seedSandbox(admin);
  const gateway = await startGateway({ redis, redisToken, sandbox, secrets, port });

  const file = join(folder, "dev.json");
  const tenants = await seedTenants(gateway.url, secrets.ADMIN_KEY, knownIn(file));
  writeFileSync(
    file,
    `${JSON.stringify({ url: gateway.url, sandbox_url: served.url, admin_key: secrets.ADMIN_KEY, tenants }, null, 2)}\n`,
    { mode: 0o600 },
  );
  const key = tenants.cloutmetrics?.api_key ?? "";
  // Mixpanel's jobs take days, and the clock cannot be moved here: to be followed by eye, she is not one of its people.
  const api = apiOf(gateway.url);
  const { body: gate } = await api("GET", `/v1/subjects/${ADA.id}/gate`, key);
  // What was begun at the last start goes on, and nothing new may be known of her until it is closed.
  const isLeaving = JSON.stringify(gate).includes('"under_erasure"');
  if (!isLeaving) await seedPerson(api, admin, "cloutmetrics", key, ADA, { unknownTo: ["mixpanel"] });
  const sweeping = setInterval(() => void gateway.sweep(), SWEEP_MS);

  console.log(`
Quittance is running.

  gateway   ${gateway.url}   (API under /v1, a person's page under /status/…)
  sandbox   ${served.url}   (who holds what: ${served.url}/holdings)
  store     ${engine.kind === "redis-server" ? `redis-server, kept under ${folder}/redis` : "IN MEMORY: there is no redis-server on the PATH, and everything is gone when this stops"}
  details   ${file}   (keys and settings of the five reference customers)

${isLeaving ? LEAVING : ""}Try it: erase Ada, whom six holders of CloutMetrics know.

  curl -s ${gateway.url}/v1/requests -H 'authorization: Bearer ${key}' \\
    -H 'content-type: application/json' -d '{"type":"erasure","subject":"ada"}'

Then look at the \`status_url\` it gives, and at ${served.url}/holdings?text=ada@example.com

Or be a vendor: npm run --silent quittance -- send --list shows what each can send, and this sends Meta's callback:

  npm run --silent quittance -- send facebook data_deletion --id ${ADA.facebookId}${folder === ".quittance" ? "" : ` --dev ${file}`}
`);

  const stop = async (): Promise<void> => {
    clearInterval(sweeping);
    await gateway.stop();
    await served.stop();
    await redis.stop();
    await engine.stop();
    process.exit(0);
  };
  process.once("SIGINT", () => void stop());
  process.once("SIGTERM", () => void stop());
}

function portIn(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === "") return otherwise;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) stopWith(`${variable}: expected a port, a number from 1 to 65535`);
  return port;
}

/** Two stores on one folder would overwrite each other: the second copy needs a folder of its own. */
function lock(folder: string): void {
  const file = join(folder, "pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (pid > 0 && isRunning(pid))
    stopWith(
      `Quittance already runs from ${folder} (process ${pid}). Stop it, or give this copy its own: DATA=.quittance-2 PORT=8797 SANDBOX_PORT=8798 npm start`,
    );
  writeFileSync(file, String(process.pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // ESRCH: there is no such process. EPERM: there is, and it is somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function free(port: number, variable: string): Promise<void> {
  const server = createServer();
  const taken = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(true)).listen(port, "127.0.0.1", () => resolve(false));
  });
  if (taken) stopWith(`Port ${port} is taken. Choose another: ${variable}=${port + 10} npm start`);
  await new Promise((resolve) => server.close(resolve));
}

function stopWith(message: string): never {
  console.error(message);
  process.exit(1);
}

function knownIn(file: string): Seeded {
  if (!existsSync(file)) return {};
  // Written above, and by nobody else.
  return (JSON.parse(readFileSync(file, "utf8")) as { tenants: Seeded }).tenants;
}

await main();
