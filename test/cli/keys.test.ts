import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { quittance } from "./support.ts";

const config = fileURLToPath(new URL("../../src/config.ts", import.meta.url));

/** Has the Worker's own reader read them, in a process of its own, and returns what it made of them. */
function readBack(keys: Readonly<Record<string, string | undefined>>): unknown {
  const script = `
    import { readConfig } from ${JSON.stringify(config)};
    const env = { ...JSON.parse(process.argv[1]), LANES: {}, UPSTASH_REDIS_REST_URL: "https://a.example", UPSTASH_REDIS_REST_TOKEN: "12345678", PUBLIC_ORIGIN: "https://gateway.example" };
    console.log(JSON.stringify(readConfig(env)));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script, JSON.stringify(keys)]);
  return JSON.parse(String(stdout));
}

describe("keys generate", () => {
  it("prints what the Worker reads, as lines of a .env file", async () => {
    const { code, out } = await quittance(["keys", "generate", "--id", "first"]);
    expect(code).toBe(0);
    const keys = parseEnv(out);
    expect(Object.keys(keys).sort()).toEqual(["ADMIN_KEY", "MASTER_KEY", "SIGNING_KEY"]);
    expect(readBack(keys)).toMatchObject({
      ok: true,
      value: { masterKeys: [{ id: "first" }], signingKeys: [{ crv: "Ed25519" }], adminKey: keys.ADMIN_KEY },
    });
    for (const name of Object.keys(keys)) expect(out).toContain(`npx wrangler secret put ${name}`);
  });

  it("prints the same as JSON, and never the same keys twice", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => quittance(["keys", "generate", "--json"])));
    const keys: Record<string, string> = JSON.parse(first?.out ?? "");
    expect(readBack(keys)).toMatchObject({ ok: true });
    expect(keys.MASTER_KEY).toMatch(/^k\d{8}:[A-Za-z0-9_-]{43}$/);
    for (const value of Object.values(keys)) expect(second?.out).not.toContain(value);
  });
});
