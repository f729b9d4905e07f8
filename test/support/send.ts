import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { run } from "../../cli/commands.ts";
import { VENDOR_KEY_FILE } from "../../cli/senders/keys.ts";
import type { World } from "./world.ts";

type Sent = {
  readonly code: number;
  readonly deliveries: readonly { readonly status: number; readonly body: string }[];
  readonly requests: readonly unknown[];
};

/** `quittance send` to a world's gateway, with what it prints as JSON. */
export function sendingTo({ url, tenants, secrets, vendorKey }: World): {
  send(...args: readonly string[]): Promise<Sent>;
  stop(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), "quittance-send-"));
  const file = join(folder, "dev.json");
  writeFileSync(file, JSON.stringify({ url, admin_key: secrets.ADMIN_KEY, tenants }));
  writeFileSync(join(folder, VENDOR_KEY_FILE), JSON.stringify(vendorKey.jwk));
  return {
    send: async (...args) => {
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
        ["send", ...args, "--dev", file, "--json"],
      );
      expect(err).toEqual([]);
      return { code, ...JSON.parse(out.join("\n")) };
    },
    stop: () => rmSync(folder, { recursive: true, force: true }),
  };
}
