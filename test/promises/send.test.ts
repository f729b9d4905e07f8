import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/commands.ts";
import { eventsOf } from "../../cli/events.ts";
import { signalsOf } from "../../cli/meaning.ts";
import * as senders from "../../cli/senders/index.ts";
import { VENDOR_KEY_FILE } from "../../cli/senders/keys.ts";
import { customers } from "../../dev/customers.ts";
import * as integrations from "../../integrations/index.ts";
import type { Integration } from "../../src/contract/integration.ts";
import type { SignalType } from "../../src/contract/signal.ts";
import { dump } from "../support/dump.ts";
import { startWorld, type World } from "../support/world.ts";

/** What may cause something at all; of other signals a note is kept. */
const CAUSES: ReadonlySet<SignalType> = new Set([
  "erasure_requested",
  "account_deleted",
  "deauthorized",
  "token_revoked",
]);

const entered = new Set(
  customers.flatMap(({ subprocessors }) => Object.values(subprocessors).map(({ integration }) => integration)),
);
const events = eventsOf({ integrations: Object.values<Integration>(integrations), senders })
  .filter(({ integration }) => entered.has(integration.id))
  .map((known) => ({ known, id: known.integration.id, endpoint: known.endpoint, name: known.name }));

let world: World;
let folder: string;

beforeAll(async () => {
  world = await startWorld();
  folder = mkdtempSync(join(tmpdir(), "quittance-send-"));
  const { url, tenants, secrets, vendorKey } = world;
  writeFileSync(join(folder, "dev.json"), JSON.stringify({ url, admin_key: secrets.ADMIN_KEY, tenants }));
  writeFileSync(join(folder, VENDOR_KEY_FILE), JSON.stringify(vendorKey.jwk));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world.stop();
});

/** `quittance send`, with what it prints as JSON. */
async function send(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(
    {
      env: {},
      stdin: (async function* () {})(),
      fetch,
      print: (line) => out.push(line),
      complain: (line) => err.push(line),
      colours: false,
    },
    ["send", ...args, "--dev", join(folder, "dev.json"), "--json"],
  );
  expect(err).toEqual([]);
  return { code, ...JSON.parse(out.join("\n")) };
}

/** Requests and notes. */
const recorded = async () => [...(await dump(world)).keys()].filter((key) => key.startsWith("r:")).length;

describe("what every vendor of the reference customers sends", () => {
  it.each(events)("$id's $name at $endpoint is taken, and something comes of it", async ({ known, ...event }) => {
    const before = await recorded();
    const { code, deliveries } = await send(event.id, event.name, "--endpoint", event.endpoint);
    const [{ status }] = deliveries;
    expect([code, Math.floor(status / 100)]).toEqual([0, 2]);
    const signals = await signalsOf(known);
    if (signals.some((type) => CAUSES.has(type))) expect(await recorded()).toBeGreaterThan(before);
  });

  it("[I3] is one request, however often the very same is sent", async () => {
    const args = ["facebook", "data_deletion", "--id", "1000000000777", "--at", new Date().toISOString()];
    const first = await send(...args);
    const again = await send(...args);
    expect([first.requests.length, again.requests.length]).toEqual([1, 0]);
    expect(again.deliveries[0].body).toBe(first.deliveries[0].body);
  });
});
