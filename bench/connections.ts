import { createSandbox, type Sandbox, vendorListener } from "../dev/sandbox/sandbox.ts";
import type { Options } from "./options.ts";
import { type Stage, startStage } from "./stage.ts";
import { median } from "./statistics.ts";
import { expectOk, newTenant, type Tenant } from "./tenant.ts";
import { Driver } from "./work.ts";

const SLUG = "bench-connections";
const RETURN_TO = "https://app.bench.example/connections";
const AT_ONCE = 16;

/** An access token of GitHub's lives for eight hours. */
const EXPIRED_MS = 9 * 3_600_000;

/**
 * What a person's way to a vendor and back costs at the store, beside the vendor's own calls; how many tokens are renewed a second, in
 * turns with how many are given out that need no renewal; and how often one token is renewed that many ask for at once.
 *
 * The share of the two is no share of tokens: every token that is counted as renewed was renewed, which the vendor is asked about.
 */
export async function connections({ renewals, rounds, burst }: Options["connections"]) {
  const stage = await startStage();
  const sandbox = createSandbox();
  stage.vendors = vendorListener(sandbox);
  const gateway = await stage.startGateway("driven");
  try {
    const settings = { webhookSecret: "bench", clientId: "Iv1.0123456789abcdef", clientSecret: "a-bench-secret" };
    const tenant = await newTenant(stage, gateway, SLUG, { github: { integration: "github", settings } });
    const policy = { grace_days: 0, ceiling_per_hour: 1_000_000, return_addresses: [RETURN_TO] };
    await expectOk(tenant.api("PUT", "/v1/policy", tenant.key, policy));
    const driver = new Driver(stage, gateway);
    const way = (account: number) => connect(stage, sandbox, tenant, account);
    // Scripts, snapshot and connections are warm from here on.
    await way(1);
    const { id: first, start, callback } = await way(2);
    const ids = [first];
    for (let account = 3; ids.length < renewals; account++) ids.push((await way(account)).id);

    const all = () => timed(() => each(ids, (id) => token(tenant, id)));
    /** Of what was measured, nothing counts for what it was not. */
    const renewing = async (times: number, work: () => Promise<number>) => {
      const before = renewalsAt(sandbox);
      const seconds = await work();
      const made = renewalsAt(sandbox) - before;
      if (made !== times) throw new Error(`the vendor renewed ${made} tokens, and not ${times}`);
      return seconds;
    };
    const [renewed, given]: [number[], number[]] = [[], []];
    let roundTrips = 0;
    for (let round = 0; round < rounds; round++) {
      await driver.advance(EXPIRED_MS);
      stage.redis.resetStats();
      renewed.push(await renewing(ids.length, all));
      roundTrips += stage.redis.stats().roundTrips;
      given.push(await renewing(0, all));
    }

    await driver.advance(EXPIRED_MS);
    const before = renewalsAt(sandbox);
    await Promise.all(Array.from({ length: burst }, () => token(tenant, first)));
    return {
      "connections.round_trips_per_start": start,
      "connections.round_trips_per_callback": callback,
      "connections.round_trips_per_renewal": roundTrips / ids.length / rounds,
      "connections.renewals_per_second": ids.length / median(renewed),
      "connections.renewals_per_second_of_floor": median(given) / median(renewed),
      "connections.renewals_per_burst": renewalsAt(sandbox) - before,
    };
  } finally {
    await gateway.stop();
    await stage.stop();
  }
}

/** One person's whole way; what the two looks of their browser cost at the store. */
async function connect(stage: Stage, sandbox: Sandbox, { api, key, url }: Tenant, account: number) {
  const body = { subprocessor: "github", return_to: RETURN_TO };
  const { start_url } = (await expectOk(api("POST", "/v1/connections", key, body))) as { readonly start_url: string };
  const here = (address: string) => `${url}${new URL(address).pathname}${new URL(address).search}`;
  stage.redis.resetStats();
  const left = await fetch(here(start_url), { redirect: "manual" });
  const start = stage.redis.stats().roundTrips;
  const cookie = left.headers.get("set-cookie")?.split(";")[0] ?? "";
  const agreed = await sandbox.fetch(
    new Request(left.headers.get("location") ?? "", {
      method: "POST",
      body: new URLSearchParams({ prompt: "login", login: String(account) }),
    }),
  );
  stage.redis.resetStats();
  const back = await fetch(here(agreed.headers.get("location") ?? ""), { redirect: "manual", headers: { cookie } });
  const callback = stage.redis.stats().roundTrips;
  const { searchParams } = new URL(back.headers.get("location") ?? "");
  const id = searchParams.get("connection") ?? "";
  const confirm = { code: searchParams.get("code"), subject: `person-${account}` };
  await expectOk(api("POST", `/v1/connections/${id}/confirm`, key, confirm));
  return { id, start, callback };
}

const token = ({ api, key }: Tenant, id: string) => expectOk(api("POST", `/v1/connections/${id}/token`, key, {}));

const renewalsAt = (sandbox: Sandbox): number =>
  sandbox.recorded().filter(({ body }) => body.includes("grant_type=refresh_token")).length;

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function each(ids: readonly string[], work: (id: string) => Promise<unknown>): Promise<void> {
  const left = ids.values();
  const worker = async () => {
    for (const id of left) await work(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
