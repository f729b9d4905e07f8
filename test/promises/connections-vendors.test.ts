import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser, RETURN_TO } from "../support/browser.ts";
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
    settings: { webhookSecret: "nobodys-secret", clientId: "Iv1.0123456789abcdef", clientSecret: "a-client-secret" },
    account: "1001",
    renewedAfterHours: 8,
  },
];

describe("connections at each vendor, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    const { body } = await call("GET", "/v1/policy");
    const { version: _, ...before } = body as Record<string, unknown>;
    await call("PUT", "/v1/policy", { ...before, return_addresses: [RETURN_TO] });
  });
  afterAll(() => world.stop());

  const call = (method: string, path: string, body?: unknown) => world.api(method, path, world.key(SLUG), body);
  const enter = async ({ integration, settings }: Row) => {
    const id = `grants-${integration}`;
    const entered = await call("PUT", `/v1/subprocessors/${id}`, { integration, settings });
    expect(entered.status, JSON.stringify(entered.body)).toBeLessThan(300);
    return id;
  };
  const begin = async (subprocessor: string, { site }: Row) => {
    const started = await call("POST", "/v1/connections", {
      subprocessor,
      return_to: RETURN_TO,
      ...(site !== undefined && { site }),
    });
    expect(started.status, JSON.stringify(started.body)).toBe(201);
    return (started.body as { readonly start_url: string }).start_url;
  };
  const token = async (id: string) => {
    const { status, body } = await call("POST", `/v1/connections/${id}/token`, {});
    expect(status, JSON.stringify(body)).toBe(200);
    return (body as { readonly access_token: string }).access_token;
  };

  /** What the stand-in holds of the account. */
  const grantsAt = async ({ integration, account }: Row) => {
    type Held = { readonly grants?: readonly { readonly account: string }[] };
    const held = (await world.admin("/holdings")) as Readonly<Record<string, Held>>;
    return held[integration.replaceAll("-", "_")]?.grants?.filter((grant) => grant.account === account) ?? [];
  };

  it.each(rows)("connects, renews, and revokes at $integration", async (row) => {
    const subprocessor = await enter(row);
    const landed = await newBrowser(world).signIn(await begin(subprocessor, row), row.account);
    const id = landed.url.searchParams.get("connection") ?? "";
    expect(landed.url.href, landed.text).toContain("connection=con_");
    const code = landed.url.searchParams.get("code");
    const subject = `person-at-${row.integration}`;
    const confirmed = await call("POST", `/v1/connections/${id}/confirm`, { code, subject });
    expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(200);
    expect((confirmed.body as { readonly account: { readonly value: string } }).account.value).toContain(row.account);

    expect(await grantsAt(row)).toHaveLength(1);
    const given = await token(id);
    if (row.renewedAfterHours !== undefined) {
      await world.advance(row.renewedAfterHours * 3_600_000);
      expect(await token(id)).not.toBe(given);
    }
    const ended = await call("DELETE", `/v1/connections/${id}`);
    const closed = await world.closed(SLUG, (ended.body as { readonly id: string }).id);
    const [task] = closed.tasks.filter((each) => each.subprocessor === subprocessor);
    expect(task, JSON.stringify(closed.tasks)).toMatchObject({ action: "revoke", outcome: row.outcome ?? "revoked" });
    expect(await grantsAt(row)).toHaveLength(row.outcome === "stopped" ? 1 : 0);
  });

  it.each(rows)("tells the product's page when a person says no at $integration, in a word of ours", async (row) => {
    const subprocessor = await enter(row);
    const landed = await newBrowser(world).signIn(await begin(subprocessor, row), "deny");
    expect(landed.url.href).toBe(`${RETURN_TO}?error=access_denied`);
  });
});
