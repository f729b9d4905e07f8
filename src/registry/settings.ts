import type { Settings, SettingValues } from "../contract/settings.ts";
import type { Context } from "./load.ts";

/** The values of one setting, newest first; none where it is not filled in. */
export async function valuesOf(context: Context, subprocessor: string, setting: string): Promise<readonly string[]> {
  const plain = context.tenant.subprocessors[subprocessor]?.settings[setting];
  return plain === undefined ? context.secrets(subprocessor, setting) : [plain];
}

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
