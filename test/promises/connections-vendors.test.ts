import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { connecting, GITHUB, GOOGLE, grantsAt } from "../support/connecting.ts";
import { startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";

type Row = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Who signs in at the stand-in: the account's id there. */
  readonly account: string;
  /** Where the account lies, where the vendor has an address for each customer. */
  readonly site?: string;
  /** How the revocation ends; `stopped` where the vendor has none. */
  readonly outcome?: "revoked" | "stopped";
  /** Hours after which the access token has to be another one; absent where it does not end, or cannot be renewed. */
  readonly renewedAfterHours?: number;
};

/** Every vendor with OAuth and a stand-in: its own wire, deviations included. */
const rows: readonly Row[] = [
  {
    integration: "github",
    settings: GITHUB,
    account: "1001",
    renewedAfterHours: 8,
  },
  { integration: "google", settings: GOOGLE, account: "100000000000000000031", renewedAfterHours: 1 },
  {
    integration: "stripe",
    settings: { secretKey: "sk_test_0123456789", clientId: "ca_0123456789" },
    account: "acct_1001",
  },
  {
    integration: "paypal",
    settings: { environment: "sandbox", clientId: "AbC-dEf_0123456789", clientSecret: "a-client-secret" },
    account: "ADATESTPAYER2",
    outcome: "stopped",
    renewedAfterHours: 8,
  },
  {
    integration: "mailchimp",
    settings: {
      apiKey: "0123456789abcdef0123456789abcdef-us21",
      dataCenter: "us21",
      clientId: "635959587059",
      clientSecret: "a-client-secret",
    },
    account: "1001",
    outcome: "stopped",
  },
  {
    integration: "intercom",
    settings: {
      region: "us",
      accessToken: "dG9rOmFiY2RlZg==",
      clientId: "c0a1b2c3-0000-4000-8000-000000000001",
      clientSecret: "a-client-secret",
    },
    account: "abc1001",
  },
  {
    integration: "zendesk",
    settings: {
      subdomain: "acme",
      agentEmail: "agent@acme.example",
      apiToken: "0123456789abcdef",
      clientId: "quittance_test",
      clientSecret: "a-client-secret",
    },
    account: "35436",
    site: "customer",
    renewedAfterHours: 8,
  },
  {
    integration: "hubspot",
    settings: {
      accessToken: "pat-na1-0123456789abcdef",
      portalId: "62515",
      clientId: "7fff1e36-2d40-4ae1-bbb1-5266d59564fb",
      clientSecret: "a-client-secret",
    },
    account: "1001",
    renewedAfterHours: 1,
  },
  {
    integration: "zoom",
    settings: {
      secretToken: "vyDY1nu_QV-0123456789",
      clientId: "R3xH_8fsQ0ipUnFm9sSKAg",
      clientSecret: "a-client-secret",
    },
    account: "uLoRgfbbTayCX6r2Q_qQsQ",
    renewedAfterHours: 1,
  },
];

describe("connections at each vendor, through the deployed bundle", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
  });
  afterAll(() => world.stop());

  const enter = async ({ integration, settings }: Row) => {
    const id = `grants-${integration}`;
    await product.enter(id, integration, settings);
    return id;
  };

  it.each(rows)("connects, renews, and revokes at $integration", async (row) => {
    const { account, integration, outcome = "revoked", site = "" } = row;
    const subprocessor = await enter(row);
    const { id, shown } = await product.connect(subprocessor, { account, site });
    expect(shown.account?.value).toContain(account);
    expect(await grantsAt(world, integration, account)).toHaveLength(1);
    const given = await product.tokenOf(id);
    if (row.renewedAfterHours !== undefined) {
      await world.advance(row.renewedAfterHours * 3_600_000);
      expect(await product.tokenOf(id)).not.toBe(given);
    }
    const closed = await product.disconnect(id);
    const [task] = closed.tasks.filter((each) => each.subprocessor === subprocessor);
    expect(task, JSON.stringify(closed.tasks)).toMatchObject({ action: "revoke", outcome });
    expect(await grantsAt(world, integration, account)).toHaveLength(outcome === "stopped" ? 1 : 0);
  });

  it.each(rows)("tells the product's page when a person says no at $integration, in a word of ours", async (row) => {
    const subprocessor = await enter(row);
    const { site } = row;
    const start = await product.begin(subprocessor, site === undefined ? {} : { site });
    const landed = await newBrowser(world).signIn(start, "deny");
    expect(landed.url.href).toBe(`${RETURN_TO}?error=access_denied`);
  });
});
