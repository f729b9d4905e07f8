import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { documentOf, folder, newSigner, receipt } from "./support.ts";

const file = folder();
const program = fileURLToPath(new URL("../../cli/quittance.ts", import.meta.url));

/** The tool as people run it: a process of its own. */
async function quittance(args: readonly string[], stdin = "") {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: "" } });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
  });
  // It may be done before it has read everything.
  child.stdin.on("error", () => child.stdin.destroy());
  child.stdin.end(stdin);
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, out, err };
}

describe("the program", () => {
  it("verifies a receipt from a file and from standard input", async () => {
    const signer = await newSigner();
    const document = documentOf(await signer.sign(await receipt()));
    const keys = ["--jwks", file({ keys: [signer.jwk] }), "--offline", "--identity", "email=ada@example.com"];
    for (const [where, stdin] of [[file(document)], ["-", JSON.stringify(document)]] as const) {
      const { code, out, err } = await quittance(["receipt", "verify", where, ...keys], stdin);
      expect(err.replace(/^\(node:\d+\) ExperimentalWarning.*\n.*\n/, "")).toBe("");
      expect(out).toContain("✓ signature");
      expect(out).toContain("This receipt holds.");
      expect(out).not.toContain("\u001b");
      expect(code).toBe(0);
    }
  });

  it("shows its help", async () => {
    const { code, out } = await quittance(["--help"]);
    expect(out).toContain("quittance receipt verify");
    expect(code).toBe(0);
  });

  it("ends with 1 for rubbish and with 2 for wrong usage, without a trace", async () => {
    const signer = await newSigner();
    const rubbish = await quittance(["receipt", "verify", "-", "--jwks", file({ keys: [signer.jwk] })], "\u0000{}");
    expect([rubbish.code, rubbish.out]).toEqual([1, expect.stringContaining("✗ form")]);
    const unknown = await quittance(["frobnicate"]);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("known here")]);
    expect(rubbish.err + unknown.err).not.toMatch(/\n\s+at /);
  });
});
