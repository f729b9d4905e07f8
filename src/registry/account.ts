import type { Integration } from "../contract/integration.ts";
import { CannotOpen, type Ports } from "../ports.ts";
import type { Context } from "./load.ts";
import { settingsOf } from "./settings.ts";

/** A vendor account whose limits several subprocessors of a tenant share. */
export type Account = {
  /** A keyed hash, because an account may be named by a secret. */
  readonly name: string;
  /** The others that share it. */
  readonly others: readonly string[];
};

/** The account that a subprocessor shares with another; undefined where it has its account for itself. */
export function accountOf(
  { integrations }: Pick<Ports, "integrations">,
  context: Context,
  subprocessor: string,
): Promise<Account | undefined> {
  const { subprocessors } = context.tenant;
  const integration = integrations.get(subprocessors[subprocessor]?.integration ?? "");
  const family = integration === undefined ? undefined : familyOf(integration);
  if (integration === undefined || family === undefined) return Promise.resolve(undefined);
  return context.once(`account ${subprocessor}`, async () => {
    const own = await named(context, subprocessor, integration);
    if (own === undefined) return undefined;
    const others: string[] = [];
    for (const { id, integration: name } of Object.values(subprocessors)) {
      const its = integrations.get(name);
      if (id === subprocessor || its === undefined || familyOf(its) !== family) continue;
      if ((await named(context, id, its)) === own) others.push(id);
    }
    if (others.length === 0) return undefined;
    return { name: await context.keys.derive("account", `${family}\n${own}`), others };
  });
}

const familyOf = ({ id, limits }: Integration): string | undefined =>
  limits.account === undefined ? undefined : (limits.account.family ?? id);

/** Undefined where nothing is filled in, or it does not open: an order finds that out, and holds up nobody else's lane. */
async function named(
  context: Context,
  subprocessor: string,
  { settings, limits }: Integration,
): Promise<string | undefined> {
  try {
    const values = await settingsOf(context, subprocessor, settings);
    const names = (limits.account?.settings ?? []).map((name) => values[name] ?? "");
    return names.every((name) => name === "") ? undefined : JSON.stringify(names);
  } catch (error) {
    if (error instanceof CannotOpen) return undefined;
    throw error;
  }
}
