import type { Integration } from "../contract/integration.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "./load.ts";
import { settingsOf } from "./settings.ts";

/**
 * The name of the vendor account whose limits a subprocessor shares with another of the tenant; undefined where it has its
 * account for itself. A keyed hash, because an account may be named by a secret.
 */
export function accountOf(
  { integrations }: Pick<Ports, "integrations">,
  context: Context,
  subprocessor: string,
): Promise<string | undefined> {
  const { subprocessors } = context.tenant;
  const integration = integrations.get(subprocessors[subprocessor]?.integration ?? "");
  const family = integration === undefined ? undefined : familyOf(integration);
  if (integration === undefined || family === undefined) return Promise.resolve(undefined);
  return context.once(`account ${subprocessor}`, async () => {
    const own = await named(context, subprocessor, integration);
    for (const other of Object.values(subprocessors)) {
      const its = integrations.get(other.integration);
      if (other.id === subprocessor || its === undefined || familyOf(its) !== family) continue;
      if ((await named(context, other.id, its)) === own) return context.keys.derive("account", `${family}\n${own}`);
    }
    return undefined;
  });
}

const familyOf = ({ id, limits }: Integration): string | undefined =>
  limits.account === undefined ? undefined : (limits.account.family ?? id);

async function named(context: Context, subprocessor: string, { settings, limits }: Integration): Promise<string> {
  const values = await settingsOf(context, subprocessor, settings);
  return (limits.account?.settings ?? []).map((name) => values[name] ?? "").join("\n");
}
