import { dirname, join } from "node:path";
import { fail, ok, type Result } from "../src/result.ts";
import { readDevFile, type Tenants } from "./dev-file.ts";
import { type KnownEvent, meant, nearest } from "./events.ts";
import type { Whereto } from "./send-option.ts";
import { VENDOR_KEY_FILE } from "./senders/keys.ts";
import type { Terminal } from "./terminal.ts";

/** The hook that is told, and what its vendor knows of it. */
export type Target = {
  readonly gateway: string;
  readonly tenant: string;
  readonly subprocessor: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The tenant's API key, to see what came of it, and where it stands. */
  readonly key: { readonly value: string; readonly from: string } | undefined;
  /** The file with the key that stands for a vendor's own; none: only the vendor can sign. */
  readonly vendorKeyFile: string | undefined;
};

/** Finds where an event is to be sent; a refusal says what there is instead. */
export async function targetOf(
  terminal: Terminal,
  { integration }: KnownEvent,
  whereto: Whereto,
): Promise<Result<Target, string>> {
  const own = ownSettings(terminal, integration, whereto);
  if (!own.ok) return own;
  const { at, tenant, subprocessor } = whereto;
  if ("url" in at) {
    const key = terminal.env.QUITTANCE_API_KEY || undefined;
    return ok({
      gateway: at.url,
      tenant: tenant ?? "",
      subprocessor: subprocessor ?? integration.id,
      settings: own.value,
      key: key === undefined ? undefined : { value: key, from: "QUITTANCE_API_KEY" },
      vendorKeyFile: undefined,
    });
  }
  const file = await readDevFile(terminal, at.dev);
  if (!file.ok)
    return fail(`${file.problem}: npm start writes it; --dev names another, --url another gateway altogether`);
  const found = entryIn(file.value.tenants, integration.id, whereto, at.dev);
  if (!found.ok) return found;
  return ok({
    gateway: file.value.url,
    tenant: found.value.tenant,
    subprocessor: found.value.subprocessor,
    settings: { ...found.value.settings, ...own.value },
    key: { value: found.value.key, from: `tenants.${found.value.tenant}.api_key in ${at.dev}` },
    vendorKeyFile: join(dirname(at.dev), VENDOR_KEY_FILE),
  });
}

/** The first subprocessor that fits, of the first tenant that has one. */
function entryIn(tenants: Tenants, integration: string, { tenant, subprocessor }: Whereto, file: string) {
  if (tenant !== undefined && !Object.hasOwn(tenants, tenant))
    return fail(`there is no tenant ${tenant} in ${file}${meant(nearest(tenant, Object.keys(tenants)))}`);
  const entries = Object.entries(tenants)
    .filter(([slug]) => tenant === undefined || slug === tenant)
    .flatMap(([slug, { api_key: key, subprocessors }]) =>
      Object.entries(subprocessors).map(([id, each]) => ({
        tenant: slug,
        key,
        subprocessor: id,
        integration: each.integration,
        settings: each.settings ?? {},
      })),
    );
  const fitting = entries.filter((each) => each.integration === integration);
  const found = fitting.find((each) => subprocessor === undefined || each.subprocessor === subprocessor);
  if (found !== undefined) return ok(found);
  if (subprocessor !== undefined && fitting.length > 0) {
    const others = [...new Set(fitting.map((each) => each.subprocessor))];
    return fail(`there is no subprocessor ${subprocessor} with ${integration}${meant(others)}`);
  }
  const lacking = tenant === undefined ? `no tenant in ${file} has` : `${tenant} does not have`;
  return fail(`${lacking} a subprocessor with ${integration}: enter one with PUT /v1/subprocessors/{id}`);
}

/** Settings from the command line. A secret comes from the environment, so that no list of processes shows it. */
function ownSettings(
  { env }: Terminal,
  { id, settings }: KnownEvent["integration"],
  { settings: given, fromEnv }: Whereto,
) {
  const values: Record<string, string> = {};
  for (const [name] of [...given, ...fromEnv])
    if (!Object.hasOwn(settings, name))
      return fail(`${id} has no setting ${name}${meant(nearest(name, Object.keys(settings)))}`);
  for (const [name, value] of given) {
    if (settings[name]?.kind === "secret")
      return fail(`${name} is a secret, and arguments are seen by others: --setting-env ${name}=VARIABLE`);
    values[name] = value;
  }
  for (const [name, variable] of fromEnv) {
    const value = env[variable];
    if (value === undefined || value === "") return fail(`--setting-env: ${variable} is not set`);
    values[name] = value;
  }
  return ok(values);
}
