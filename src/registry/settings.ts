import type { Settings, SettingValues } from "../contract/settings.ts";
import type { Context } from "./load.ts";

/** A subprocessor's settings as an action is handed them: secrets unsealed, the newest value of each. */
export async function settingsOf(
  context: Context,
  subprocessor: string,
  settings: Settings,
): Promise<SettingValues<Settings>> {
  const entry = context.tenant.subprocessors[subprocessor];
  const pairs = Object.entries(settings).map(async ([name, setting]) => {
    if (setting.kind !== "secret") return [name, entry?.settings[name] ?? ""];
    return [name, (await context.secrets(subprocessor, name))[0] ?? ""];
  });
  return Object.fromEntries(await Promise.all(pairs));
}
