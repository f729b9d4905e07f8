import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const script = new URL("../../dev/start.ts", import.meta.url).pathname;

describe("npm start", () => {
  it.each([
    ["PORT", "abc"],
    ["PORT", "0"],
    ["SANDBOX_PORT", "70000"],
  ])("refuses %s=%s in plain words, and leaves nothing behind", (variable, value) => {
    const env = { ...process.env, DATA: join(tmpdir(), "quittance-never-made"), [variable]: value };
    const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
    expect([status, stderr]).toEqual([1, `${variable}: expected a port, a number from 1 to 65535\n`]);
  });
});
