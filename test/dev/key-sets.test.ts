import { createVerify, X509Certificate } from "node:crypto";
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

  it("has certificates where vendors publish theirs, each in its own name", async () => {
    const { keys: vendorKeys, certificate, sign } = await keptVendorKey(folder());
    const sandbox = createSandbox({ vendorKeys, certificate });
    for (const [address, name] of [
      ["https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem", "sns.amazonaws.com"],
      ["https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-01.pem", "sns.amazonaws.com"],
      ["https://api.sandbox.paypal.com/v1/notifications/certs/CERT-0123", "messageverificationcerts.paypal.com"],
    ] as const) {
      const answer = await sandbox.fetch(new Request(address));
      const pem = await answer.text();
      const published = new X509Certificate(pem);
      const { subject, publicKey } = published;
      expect([answer.status, subject]).toEqual([200, `CN=${name}`]);
      expect(published.verify(publicKey)).toBe(true);
      const signature = Buffer.from(await sign("text", "SHA-1"), "base64");
      expect(createVerify("RSA-SHA1").update("text").verify(publicKey, signature)).toBe(true);
      expect((await createSandbox({ vendorKeys }).fetch(new Request(address))).status).toBe(404);
    }
    const elsewhere = "https://sns.s3.evil.example/SimpleNotificationService-01.pem";
    expect((await sandbox.fetch(new Request(elsewhere))).status).not.toBe(200);
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
