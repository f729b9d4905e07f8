import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { discord } from "../../integrations/discord.ts";
import { sendgrid } from "../../integrations/sendgrid.ts";
import { newApiKey } from "../../src/api/auth.ts";
import { subprocessors } from "../../src/api/subprocessors.ts";
import type { App, Ports } from "../../src/ports.ts";
import { sample as discordSample } from "../integrations/samples/discord.ts";
import { sample as sendgridSample } from "../integrations/samples/sendgrid.ts";
import { bench } from "../request/samples.ts";

/** Another key of the same form, which nobody knows the private half of. */
const OTHER = `${sendgridSample.settings.verificationKey?.slice(0, -8)}AAAAAA==`;

/** The route alone, as far as it comes before something is stored, and whether it comes so far. */
async function put(local: boolean, integration: string, settings: Readonly<Record<string, string>>) {
  const at = await bench();
  const { key, entry } = await newApiKey(at.context.tenant.n, "operate", at.ports.random, "", true);
  const context = { ...at.context, tenant: { ...at.context.tenant, apiKeys: [entry] } };
  let isStored = false;
  const ports: Ports = {
    ...at.ports,
    integrations: new Map([...at.ports.integrations, ["discord", discord], ["sendgrid", sendgrid]]),
    tenants: { bySlug: async () => context, byNumber: async () => context },
    store: {
      ...at.ports.store,
      change: async () => {
        isStored = true;
        throw new Error("nothing is stored here");
      },
    },
  };
  const app = new Hono<App>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.onError((_, c) => c.json({}, 500));
  app.route("/", subprocessors(local));
  const reply = await app.request(`/v1/subprocessors/${integration}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ integration, settings }),
  });
  return { body: await reply.json(), isStored };
}

describe("entering a subprocessor", () => {
  it.each([
    ["discord", "publicKey", discordSample.settings, "ab".repeat(32)],
    ["sendgrid", "verificationKey", sendgridSample.settings, OTHER],
  ] as const)(
    "[I5] refuses the key of %s's samples where it is deployed, and takes it elsewhere",
    async (id, name, settings, other) => {
      const refused = await put(false, id, settings);
      expect(refused.isStored).toBe(false);
      expect(refused.body).toMatchObject({
        errors: [{ field: `settings.${name}`, expected: expect.stringContaining("everybody can sign with it") }],
      });
      expect((await put(true, id, settings)).isStored).toBe(true);
      expect((await put(false, id, { ...settings, [name]: other })).isStored).toBe(true);
    },
  );

  it("[I5] knows it in capital letters, too", async () => {
    const { publicKey = "" } = discordSample.settings;
    const { isStored } = await put(false, "discord", { publicKey: publicKey.toUpperCase() });
    expect(isStored).toBe(false);
  });
});
