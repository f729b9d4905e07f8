import { SENDGRID_VERIFICATION_KEY } from "../cli/senders/sendgrid.ts";
import { startGenerator } from "./generator.ts";
import { floorCode, whole } from "./intake.ts";
import type { By } from "./load.ts";
import type { Options } from "./options.ts";
import { startStage } from "./stage.ts";
import { median } from "./statistics.ts";
import { newTenant } from "./tenant.ts";

/**
 * Accepted deliveries a second of one vendor of each scheme, each for a new person, beside the floor of the main job in the same
 * minutes. What a vendor's event causes differs, and so do the bodies: this shows that no scheme is slow for reasons of its own.
 * Schemes whose keys are published are left out, because what would be measured is a key server; `verification` has them.
 */
export async function schemes({ connections, rounds, roundSeconds }: Options["schemes"]) {
  const stage = await startStage();
  const generator = startGenerator();
  const gateway = await stage.startGateway("alone");
  const secret = "0123456789abcdef0123456789abcdef";
  const floor = await stage.startWorker(await floorCode(), { APP_SECRET: secret });
  try {
    const registry = Object.fromEntries(
      Object.values(VENDORS).map(({ sender, settings }) => [sender, { integration: sender, settings }]),
    );
    const { slug } = await newTenant(stage, gateway, "bench-schemes", registry);
    const rate = async (scheme: string, seconds: number) => {
      const by = VENDORS[scheme];
      const to =
        by === undefined
          ? { port: floor.port, path: "/floor/floor" }
          : {
              port: gateway.port,
              path: `/hooks/${slug}/${by.sender}/${by.endpoint}`,
              by: { ...by, sender: camel(by.sender) },
            };
      const ran = whole(await generator.run({ ...to, secret, connections, seconds }));
      return ran.accepted / ran.seconds;
    };
    const names = ["floor", ...Object.keys(VENDORS)];
    for (const name of names) await rate(name, roundSeconds / 2);
    const found = new Map<string, { readonly perSecond: number; readonly ratio: number }[]>();
    for (let round = 0; round < rounds; round++) {
      const turn = new Map<string, number>();
      for (const name of round % 2 === 0 ? names : names.toReversed()) turn.set(name, await rate(name, roundSeconds));
      const [, ...measured] = names;
      for (const name of measured) {
        const perSecond = turn.get(name) ?? Number.NaN;
        const ratio = perSecond / (turn.get("floor") ?? Number.NaN);
        found.set(name, [...(found.get(name) ?? []), { perSecond, ratio }]);
      }
    }
    return Object.fromEntries(
      [...found].flatMap(([name, all]) => [
        [`intake.${name}.per_second`, median(all.map(({ perSecond }) => perSecond))],
        [`intake.${name}.ratio_to_floor`, median(all.map(({ ratio }) => ratio))],
      ]),
    );
  } finally {
    await generator.stop();
    await gateway.stop();
    await floor.stop();
    await stage.stop();
  }
}

/** What an integration's sender is exported as. */
const camel = (id: string): string => id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const SECRET = "0123456789abcdef0123456789abcdef";

/** A vendor of each scheme that needs nobody's published keys, and one of its events. */
const VENDORS: Readonly<Record<string, By>> = {
  "signed-request": {
    sender: "facebook",
    endpoint: "data-deletion",
    event: "data_deletion",
    person: "#",
    settings: { appId: "100000000000000", appSecret: SECRET },
  },
  stripe: {
    sender: "stripe",
    endpoint: "events",
    event: "customer.deleted",
    person: "cus_#",
    settings: { secretKey: "sk_test_0123456789", webhookSecret: "whsec_0123456789abcdef" },
  },
  hmac: {
    sender: "github",
    endpoint: "events",
    event: "github_app_authorization.revoked",
    person: "#",
    settings: { webhookSecret: SECRET },
  },
  ed25519: {
    sender: "discord",
    endpoint: "events",
    event: "APPLICATION_DEAUTHORIZED",
    person: "#",
    settings: { publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
  },
  "ecdsa-p256": {
    sender: "sendgrid",
    endpoint: "events",
    event: "unsubscribe",
    person: "#@example.com",
    settings: { region: "us", apiKey: "SG.0123456789.abcdef", verificationKey: SENDGRID_VERIFICATION_KEY },
  },
  "standard-webhooks": {
    sender: "standard-webhooks",
    endpoint: "events",
    event: "user.deleted",
    person: "#",
    settings: { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  },
  "shared-secret": {
    sender: "intercom",
    endpoint: "uninstall",
    event: "uninstall",
    person: "#",
    settings: { region: "us", accessToken: "dG9rOmFiY2RlZg==", uninstallSecret: SECRET },
  },
};
