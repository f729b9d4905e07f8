import { createVerify, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { EBAY_KEY, ebay } from "../../cli/senders/ebay.ts";
import { VENDOR_KEY_FILE } from "../../cli/senders/keys.ts";
import { keptVendorKey } from "../../dev/keys.ts";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";
import * as integrations from "../../integrations/index.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import { keySets } from "../../src/platform/key-sets.ts";
import { checked } from "../support/proven.ts";

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
    expect(await statusOf("https://appleid.apple.com/auth/token")).not.toBe(200);
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

  it("is eBay's own behind a token, as its API has it", async () => {
    const sandbox = createSandbox();
    const tokenAddress = "https://api.sandbox.ebay.com/identity/v1/oauth2/token";
    const token = async (authorization: string, grant = "client_credentials") =>
      sandbox.fetch(
        new Request(tokenAddress, {
          method: "POST",
          headers: { authorization },
          body: new URLSearchParams({ grant_type: grant, scope: "https://api.ebay.com/oauth/api_scope" }),
        }),
      );
    expect((await token("Basic bm9ib2R5")).status).toBe(401);
    expect((await token(`Basic ${btoa("id:secret")}`, "password")).status).toBe(400);
    const answer: unknown = await (await token(`Basic ${btoa("id:secret")}`)).json();
    const { access_token } = z.object({ access_token: z.string() }).parse(answer);
    const keyAt = (kid: string, bearer: string) =>
      sandbox.fetch(
        new Request(`https://api.sandbox.ebay.com/commerce/notification/v1/public_key/${kid}`, {
          headers: { authorization: `Bearer ${bearer}` },
        }),
      );
    expect((await keyAt(EBAY_KEY.id, "another")).status).toBe(401);
    expect((await keyAt("9936261a-7d7b-4621-a0f1-96ccb428af49", access_token)).status).toBe(404);
    expect(await (await keyAt(EBAY_KEY.id, access_token)).json()).toMatchObject({ algorithm: "ECDSA", digest: "SHA1" });
  });

  it("proves eBay's samples through the gateway's own reading of keys", async () => {
    const sandbox = createSandbox();
    const published = keySets(
      (input, init) => sandbox.fetch(new Request(input, init)),
      Date.now,
      () => undefined,
    );
    const { hooks } = integrations.ebay;
    const hook = isAbsent(hooks) ? undefined : hooks.notifications;
    const event = ebay.notifications?.MARKETPLACE_ACCOUNT_DELETION;
    if (hook === undefined || event === undefined) throw new Error("eBay has a hook and a sample");
    const settings = { clientId: "id", clientSecret: "secret" };
    const token = () => Promise.reject(new Error("eBay signs no tokens"));
    const made = await event.make({
      settings,
      at: Date.now(),
      seed: "1",
      person: "one",
      url: "https://g.example",
      token,
      sign: token,
    });
    const result = await checked(hook.verify, made, settings, { keySets: published });
    expect(result.ok).toBe(true);
  });
});
