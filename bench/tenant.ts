import { apiOf, type Call } from "../dev/seed.ts";
import type { Stage } from "./stage.ts";
import type { Workerd } from "./workerd.ts";

export type Entry = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly registers_objects?: boolean;
  readonly quota?: { readonly per_day?: number; readonly resets?: string };
};

export type Tenant = { readonly url: string; readonly slug: string; readonly key: string; readonly api: Call };

/** Creates a tenant through the API, with no grace window and a ceiling that no load here reaches. */
export async function newTenant(
  stage: Pick<Stage, "secrets">,
  gateway: Pick<Workerd, "url">,
  slug: string,
  registry: Readonly<Record<string, Entry>>,
): Promise<Tenant> {
  const api = apiOf(gateway.url);
  const created = await expectOk(api("POST", "/v1/tenants", stage.secrets.ADMIN_KEY, { slug, name: slug }));
  if (typeof created !== "object" || created === null || !("api_key" in created)) throw new Error("no key was given");
  const key = String(created.api_key);
  await expectOk(api("PUT", "/v1/policy", key, { grace_days: 0, ceiling_per_hour: 1_000_000 }));
  for (const [id, entry] of Object.entries(registry)) await expectOk(api("PUT", `/v1/subprocessors/${id}`, key, entry));
  return { url: gateway.url, slug, key, api };
}

export async function expectOk(call: ReturnType<Call>): Promise<unknown> {
  const { status, body } = await call;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}
