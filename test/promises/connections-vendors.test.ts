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

  const enter = async ({ integration, settings, seed }: Row) => {
    if (seed !== undefined) await world.admin("/seed", seed);
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

  it.each(rows)("tells the product's page when a person says no at $integration, in a word of ours", async (row) => {
    const subprocessor = await enter(row);
    const { site } = row;
    const start = await product.begin(subprocessor, site === undefined ? {} : { site });
    const landed = await newBrowser(world).signIn(start, "deny");
    expect(landed.url.href).toBe(`${RETURN_TO}?error=access_denied`);
  });
});
