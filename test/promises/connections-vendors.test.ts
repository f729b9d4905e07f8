import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
import { connecting, GITHUB, GOOGLE, grantsAt } from "../support/connecting.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

/** A key such as Apple gives out for its sign-in. */
const { privateKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const SLUG = "cloutmetrics";

type Row = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Who signs in at the stand-in: the account's id there. */
  readonly account: string;
  /** Where the account lies, where the vendor has an address for each customer; or what the person says of themselves. */
  readonly site?: string;
  /** What the stand-in has to know first. */
  readonly seed?: object;
  /** Its tokens are given with the proof for one call only. */
  readonly keepsTokens?: true;
  /** How the revocation ends; `stopped` where the vendor has none. */
  readonly outcome?: "revoked" | "stopped";
  /** Hours after which the access token has to be another one; absent where it does not end, or cannot be renewed. */
  readonly renewedAfterHours?: number;
  /** What has ended cannot be renewed: the daily look renews its token weeks before that. */
  readonly renewsAhead?: true;
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
    integration: "bluesky",
    settings: {},
    account: "did:plc:aaaaaaaaaaaaaaaaaaadayda",
    site: "ada.example.org",
    seed: { vendor: "bluesky", accounts: [{ did: "did:plc:aaaaaaaaaaaaaaaaaaadayda", handle: "ada.example.org" }] },
    keepsTokens: true,
  },
  {
    integration: "slack",
    settings: { signingSecret: "0".repeat(32), clientId: "2141029472.691202649728", clientSecret: "a-client-secret" },
    account: "U0ADA",
    renewedAfterHours: 12,
  },
  {
    integration: "discord",
    settings: { publicKey: "0".repeat(64), applicationId: "936929561302675000", clientSecret: "a-client-secret" },
    account: "936929561302675456",
    renewedAfterHours: 168,
  },
  {
    integration: "twitch",
    settings: { subscriptionSecret: "0123456789", clientId: "a".repeat(30), clientSecret: "a-client-secret" },
    account: "1337",
    renewedAfterHours: 5,
  },
  {
    integration: "apple",
    settings: {
      clientIds: "com.example.web",
      clientId: "com.example.web",
      teamId: "DEF123GHIJ",
      keyId: "ABC123DEFG",
      privateKey,
    },
    account: "000001.0123456789abcdef0123456789abcdef.0001",
    renewedAfterHours: 1,
  },
  {
    integration: "notion",
    settings: {
      verificationToken: "secret_0123456789abcdef",
      clientId: "463558a3-725e-4f37-b6d3-0889894f68de",
      clientSecret: "a-client-secret",
    },
    account: "5389a034-eb5c-47b5-8a9e-f79c99ef166c",
  },
  {
    integration: "calendly",
    settings: { clientId: "a".repeat(43), clientSecret: "a-client-secret" },
    account: "AAAAAAAAAAAAAAAA",
    renewedAfterHours: 2,
  },
  {
    integration: "typeform",
    settings: { clientId: "a-client-id", clientSecret: "a-client-secret" },
    account: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    outcome: "stopped",
    renewedAfterHours: 168,
  },
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
  },
  {
    integration: "shopify",
    // The stand-in signs callbacks with this one.
    settings: { clientId: "0123456789abcdef0123456789abcdef", clientSecret: "shpss_dev_sandbox" },
    account: "954889",
    site: "ada-lace",
    renewedAfterHours: 1,
  },
  {
    integration: "facebook",
    settings: { appId: "123456789012345", appSecret: "a secret of the tests" },
    account: "1000000000001",
  },
  {
    integration: "instagram",
    settings: { appId: "990602627938098", appSecret: "a secret of the tests" },
    // Longer than a number holds.
    account: "17841405793187219",
    outcome: "stopped",
    renewsAhead: true,
  },
  {
    integration: "threads",
    settings: { appId: "990602627938099", appSecret: "a secret of the tests" },
    account: "17841405793187221",
    outcome: "stopped",
    renewsAhead: true,
  },
  {
    integration: "x",
    settings: { consumerSecret: "a secret", clientId: "bm9ib2R5", clientSecret: "a secret", bearerToken: "a token" },
    account: "1600000000000000001",
    renewedAfterHours: 2,
  },
  {
    integration: "linkedin",
    settings: { clientId: "86vhj2q7ukf83q", clientSecret: "a secret of the tests" },
    account: "782bbtaQ",
    outcome: "stopped",
  },
  {
    integration: "tiktok",
    settings: { clientKey: "awnobodyskey0001", clientSecret: "a secret of the tests" },
    account: "-000adaExample",
    renewedAfterHours: 2,
  },
  {
    integration: "reddit",
    settings: { clientId: "nobodys-app-id", clientSecret: "a secret of the tests" },
    account: "ada1",
    renewedAfterHours: 1,
  },
  {
    integration: "pinterest",
    settings: { clientId: "1234567", clientSecret: "a secret of the tests" },
    account: "549755885175",
    outcome: "stopped",
    renewedAfterHours: 720,
  },
  {
    integration: "snapchat",
    settings: { clientId: "36b0b9f2-0000-4000-8000-000000000001", clientSecret: "a secret of the tests" },
    account: "CAESIPiRBp0e5gLDq7VVurQ3",
    renewedAfterHours: 1,
  },
];

function rowOf(name: string): Row {
  const row = rows.find(({ integration }) => integration === name);
  if (row === undefined) throw new Error(`${name} has no row`);
  return row;
}

describe("connections at each vendor, through the deployed bundle", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
  });
  afterAll(() => world.stop());

  const enter = async ({ integration, settings, seed }: Row) => {
    if (seed !== undefined) await world.admin("/seed", seed);
    const id = `grants-${integration}`;
    await product.enter(id, integration, settings);
    return id;
  };

  it.each(rows)("connects, renews, and revokes at $integration", async (row) => {
    const { account, integration, outcome = "revoked", site } = row;
    const subprocessor = await enter(row);
    const { id, shown } = await product.connect(subprocessor, { account, ...(site !== undefined && { site }) });
    expect(shown.account?.value).toContain(account);
    expect(await grantsAt(world, integration, account)).toHaveLength(1);
    const given = row.keepsTokens === true ? (await product.token(id)).status : await product.tokenOf(id);
    if (row.keepsTokens === true) expect(given).toBe(409);
    if (row.renewedAfterHours !== undefined) {
      await world.advance(row.renewedAfterHours * 3_600_000);
      expect(await product.tokenOf(id)).not.toBe(given);
    }
    const closed = await product.disconnect(id);
    const [task] = closed.tasks.filter((each) => each.subprocessor === subprocessor);
    expect(task, JSON.stringify(closed.tasks)).toMatchObject({ action: "revoke", outcome });
    expect(await grantsAt(world, integration, account)).toHaveLength(outcome === "stopped" ? 1 : 0);
  });

  it.each(rows.filter(({ renewsAhead }) => renewsAhead))(
    "renews in time at $integration, though nobody asks for a token",
    async (row) => {
      const subprocessor = await enter(row);
      const { id } = await product.connect(subprocessor, { account: "17841405793180000" });
      const given = await product.tokenOf(id);
      await world.advance(30 * DAY);
      await world.gateway.sweep();
      expect(await product.tokenOf(id)).toBe(given);
      await world.advance(15 * DAY);
      const fresh = async () => {
        await world.advance(15_000);
        await world.gateway.sweep();
        return product.tokenOf(id);
      };
      await expect.poll(fresh, { timeout: 10_000, interval: 30 }).not.toBe(given);
      expect((await product.shown(id)).status).toBe("active");
    },
  );

  it("[I4] takes no refusal of our own client for the end of a grant", async () => {
    const row = rowOf("tiktok");
    const subprocessor = await enter(row);
    const account = "-000adaSecond";
    const { id } = await product.connect(subprocessor, { account });
    // The access token has ended, and revoking wants one that works.
    await world.advance(3 * HOUR);
    await world.admin("/faults/tiktok", { kind: "unauthorized", match: "/v2/oauth/token/" }, "PUT");
    const { body } = await product.call("DELETE", `/v1/connections/${id}`);
    for (let round = 0; round < 5; round++) {
      await world.advance(60_000);
      await world.gateway.sweep();
    }
    expect((await product.shown(id)).status).toBe("ending");
    expect(await grantsAt(world, "tiktok", account)).toHaveLength(1);
    await world.admin("/faults/tiktok", undefined, "DELETE");
    const closed = await world.closed(SLUG, (body as { readonly id: string }).id);
    expect(closed.tasks).toMatchObject([{ action: "revoke", outcome: "revoked" }]);
    expect(await grantsAt(world, "tiktok", account)).toHaveLength(0);
  });

  const ours = "https://app.cloutmetrics.example/hooks/";
  const others = "https://hooks.another.example/ada";
  it.each([
    {
      row: "calendly",
      scopes: "users:read webhooks:read webhooks:write",
      account: "CCCCCCCCCCCCCCCC",
      seed: {
        vendor: "calendly",
        webhooks: [
          { user: "CCCCCCCCCCCCCCCC", url: `${ours}1` },
          { user: "CCCCCCCCCCCCCCCC", url: others },
          { user: "DDDDDDDDDDDDDDDD", url: `${ours}2` },
        ],
      },
      left: [others, `${ours}2`],
    },
    {
      row: "typeform",
      scopes: "accounts:read offline forms:read webhooks:read webhooks:write",
      account: "01ARZ3NDEKTSV4RRFFQ69G5FAW",
      seed: {
        vendor: "typeform",
        forms: { empty1: [], form01: [] },
        webhooks: {
          form01: [
            { tag: "ours", url: `${ours}1` },
            { tag: "others", url: others },
          ],
        },
      },
      left: [others],
    },
  ])(
    "ends with a grant at $row the webhooks of the product about that person, long after its token has",
    async (told) => {
      const row = rowOf(told.row);
      await world.admin("/seed", told.seed);
      const subprocessor = `${told.row}-hooks`;
      await product.enter(subprocessor, told.row, { ...row.settings, webhookUrl: ours });
      const { account } = told;
      const { id } = await product.connect(subprocessor, { account, scopes: told.scopes.split(" ") });
      await world.advance(30 * DAY);
      const closed = await product.disconnect(id);
      expect(closed.tasks).toMatchObject([{ action: "revoke", outcome: row.outcome ?? "revoked" }]);
      expect(await world.admin("/holdings")).toMatchObject({ [told.row]: { webhooks: told.left } });
    },
  );

  it("ends with a grant at X what was subscribed to about that person, and about nobody else", async () => {
    const subprocessor = await enter(rowOf("x"));
    const account = "1600000000000000002";
    const { id } = await product.connect(subprocessor, { account });
    const subscriptions = [
      { id: "1", user: account },
      { id: "2", user: "1600000000000000003" },
    ];
    await world.admin("/seed", { vendor: "x", subscriptions });
    await product.disconnect(id);
    expect(await world.admin("/holdings")).toMatchObject({ x: { subscriptions: { 2: "1600000000000000003" } } });
    expect(JSON.stringify(await world.admin("/holdings"))).not.toContain(account);
  });

  it.each(rows)("tells the product's page when a person says no at $integration, in a word of ours", async (row) => {
    const subprocessor = await enter(row);
    const { site } = row;
    const start = await product.begin(subprocessor, site === undefined ? {} : { site });
    const landed = await newBrowser(world).signIn(start, "deny");
    expect(landed.url.href).toBe(`${RETURN_TO}?error=access_denied`);
  });
});
