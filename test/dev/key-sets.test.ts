import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { VENDOR_KEY_FILE } from "../../cli/senders/keys.ts";
import { keptVendorKey } from "../../dev/keys.ts";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";
import * as integrations from "../../integrations/index.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "quittance-keys-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe("the key that stands for vendors' own", () => {
  it("is made once, and for its owner's eyes only", async () => {
    const data = folder();
    const made = await keptVendorKey(data);
    expect((await keptVendorKey(data)).keys).toEqual(made.keys);
    expect(statSync(join(data, VENDOR_KEY_FILE)).mode & 0o777).toBe(0o600);
  });

  it("has its public half where vendors publish theirs, and nothing of the private one", async () => {
    const { keys } = await keptVendorKey(folder());
    const sandbox = createSandbox({ vendorKeys: keys });
    for (const address of ["https://appleid.apple.com/auth/keys", "https://idp.example/jwks.json"]) {
      const answer = await sandbox.fetch(new Request(address));
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual(keys);
    }
    expect(Object.keys(keys.keys[0] ?? {}).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
  });

  it("is published nowhere else", async () => {
    const sandbox = createSandbox({ vendorKeys: (await keptVendorKey(folder())).keys });
    const statusOf = async (url: string, method = "GET") => (await sandbox.fetch(new Request(url, { method }))).status;
    expect(await statusOf("https://appleid.apple.com/auth/token")).toBe(502);
    expect(await statusOf("https://appleid.apple.com.evil.test/auth/keys")).toBe(502);
    expect(await statusOf("https://notexample.org/jwks.json")).toBe(502);
    expect(await statusOf("https://product.acme.example/jwks.json", "POST")).not.toBe(200);
    expect(await statusOf("https://product.acme.example/")).toBe(405);
    expect((await createSandbox().fetch(new Request("https://idp.example/keys"))).status).toBe(404);
  });

  it("can fail like any vendor", async () => {
    const sandbox = createSandbox({ vendorKeys: (await keptVendorKey(folder())).keys });
    const body = JSON.stringify({ kind: "server_error" });
    await sandbox.admin(new Request("http://sandbox/faults/key-sets", { method: "PUT", body }));
    expect((await sandbox.fetch(new Request("https://idp.example/jwks.json"))).status).toBeGreaterThanOrEqual(500);
  });

  it("stands at every fixed address that a hook takes keys from", async () => {
    const { keys } = await keptVendorKey(folder());
    const sandbox = createSandbox({ vendorKeys: keys });
    const hooks = Object.values<Integration>(integrations).flatMap((each) =>
      isAbsent(each.hooks) ? [] : Object.values(each.hooks),
    );
    for (const { verify } of hooks)
      if (verify.scheme === "jwt" && typeof verify.keys === "string")
        expect((await sandbox.fetch(new Request(verify.keys))).status, verify.keys).toBe(200);
  });
});
