/**
 * A real personal data server (`@atproto/pds`) and a real directory of DIDs (`@did-plc/server`), on loopback. It is a process of its own, so
 * that its clock can be moved with the gateway's, and takes nothing from outside but the gateway's client document.
 *
 * In: `{offset}`, `{gateway}` (where it listens). Out: `"gateway"` to be told that, `{pds, plc}` (ports) when it is up, then each `{event}` of its stream.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RealDate = Date;
let offset = 0;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + offset] : args));
  }
  static now() {
    return RealDate.now() + offset;
  }
};
let gatewayUrl;
process.on("message", (message) => {
  offset = message.offset ?? offset;
  gatewayUrl = message.gateway ?? gatewayUrl;
});
process.on("disconnect", () => process.exit());

const { HOST, GATEWAY } = process.env;
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.origin === GATEWAY) {
    process.send("gateway");
    while (gatewayUrl === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    return realFetch(gatewayUrl + url.pathname, { headers: { accept: "application/json" }, redirect: "error" });
  }
  if (url.hostname === "localhost" || url.hostname === "127.0.0.1") return realFetch(input, init);
  throw new Error(`nothing leaves the machine: ${url.host}`);
};

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
};

// Loaded after the clock and the way out are in their hands.
const { PDS, envToCfg, envToSecrets, readEnv } = await import("@atproto/pds");
const { Database, PlcServer } = await import("@did-plc/server");
const { Subscription } = await import("@atproto/xrpc-server");

const plcPort = await freePort();
const plc = PlcServer.create({ db: Database.mock(), port: plcPort });
await plc.start();

const port = await freePort();
const data = mkdtempSync(join(tmpdir(), "quittance-pds-"));
Object.assign(process.env, {
  PDS_PORT: String(port),
  PDS_HOSTNAME: HOST,
  PDS_DATA_DIRECTORY: data,
  PDS_BLOBSTORE_DISK_LOCATION: join(data, "blobs"),
  PDS_DID_PLC_URL: `http://localhost:${plcPort}`,
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString("hex"),
  PDS_JWT_SECRET: randomBytes(16).toString("hex"),
  PDS_ADMIN_PASSWORD: process.env.ADMIN_PASSWORD,
  PDS_INVITE_REQUIRED: "false",
  PDS_DISABLE_SSRF_PROTECTION: "true",
  LOG_ENABLED: "false",
});
const env = readEnv();
const pds = await PDS.create(envToCfg(env), envToSecrets(env));
await pds.start();
process.send({ pds: port, plc: plcPort });

const stream = new Subscription({
  service: `ws://localhost:${port}`,
  method: "com.atproto.sync.subscribeRepos",
  validate: (message) => message,
});
for await (const message of stream) {
  const { $type, did, seq, time, active, status } = message;
  process.send({ event: { type: $type, did, seq, time, active, status } });
}
