import type { Integration } from "../contract/integration.ts";
import type { Settings, SettingValues } from "../contract/settings.ts";
import type { Ports } from "../ports.ts";
import { isAllowed } from "./call.ts";

/**
 * Tries settings before they are stored, where the integration has a way to. Returns what was wrong, in plain words, or
 * nothing.
 */
export async function probe(
  ports: Pick<Ports, "send" | "random">,
  integration: Integration,
  values: Readonly<Record<string, string | string[] | undefined>>,
): Promise<string | undefined> {
  if (integration.probe === undefined) return undefined;
  const settings: SettingValues<Settings> = Object.fromEntries(
    Object.keys(integration.settings).map((name) => {
      const value = values[name];
      return [name, (Array.isArray(value) ? value[0] : value) ?? ""];
    }),
  );
  const challenge = Array.from(ports.random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const steps = integration.probe(settings, challenge);
  let step = steps.next();
  while (step.done !== true) {
    if (!isAllowed(step.value, { integration, settings })) return "this address may not be called";
    const sent = await ports.send(step.value);
    if (!sent.ok) return `no answer: ${sent.problem.reason.replaceAll("_", " ")}`;
    step = steps.next(sent.value);
  }
  const { value } = step;
  if (value.outcome === "informed") return undefined;
  return "what" in value ? `${value.what} (status ${value.status})` : "it answered something else than the challenge";
}
