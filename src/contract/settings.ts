import { z } from "zod";

/**
 * One setting of a subprocessor. Its kind checks the input, says how it is shown and whether it is sealed.
 * A secret may hold several values, newest first, so that it can be rotated: verification tries each.
 */
export type Setting =
  | { readonly kind: "secret"; readonly label: string; readonly required: boolean; readonly pattern?: RegExp }
  | { readonly kind: "text"; readonly label: string; readonly required: boolean; readonly pattern?: RegExp }
  /** An HTTPS address on port 443 with a public host name, which the customer owns; where it is a `tree`, what lies below it too. */
  | { readonly kind: "endpoint"; readonly label: string; readonly required: boolean; readonly tree?: true };

export type Settings = Readonly<Record<string, Setting>>;

/** What an action is handed: each setting's first value, secrets unsealed; an unset optional one is "". */
export type SettingValues<S extends Settings> = { readonly [K in keyof S]: string };

/** Only `label` is needed; a pattern refuses what can be seen to be wrong before it fails at the vendor. */
export const secret = (label: string, pattern?: RegExp): Setting => make("secret", label, true, pattern);
export const text = (label: string, pattern?: RegExp): Setting => make("text", label, true, pattern);
export const optional = (setting: Setting): Setting => ({ ...setting, required: false });
/** The one part of a vendor's host name that is the customer's own; an origin may name it as `{setting}`. */
export const dnsLabel = (label: string): Setting => text(label, DNS_LABEL);
export const endpoint = (label: string): Setting => ({ kind: "endpoint", label, required: true });
/** An endpoint below which the calls go. */
export const tree = (label: string): Setting => ({ kind: "endpoint", label, required: true, tree: true });

/** Whether an address is the customer's own by this setting: the endpoint to the letter, or below it where it is a `tree`. */
export function isOwn(setting: Setting, value: string | undefined, address: string): boolean {
  if (setting.kind !== "endpoint" || value === undefined || !isPublicEndpoint(value)) return false;
  if (address === value) return true;
  // Both as the URL parser writes them, so that no dots lead out of it.
  return (
    setting.tree === true &&
    URL.canParse(address) &&
    new URL(address).href.startsWith(`${new URL(value).href.replace(/\/$/, "")}/`)
  );
}

/** One label of a host name in lower case, so without a dot. RFC 1123 section 2.1, RFC 1035 section 2.3.4. */
export const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * An origin as an integration declares it, with each `{setting}` replaced by that setting's value; undefined unless every
 * one of them is a `text` and its value one DNS label, so that no value can name another host.
 */
export function originOf(
  declared: string,
  settings: Settings,
  values: Readonly<Record<string, string>>,
): string | undefined {
  const filled = declared.replace(/\{(\w+)\}/g, (braced, name: string) => {
    const value = settings[name]?.kind === "text" ? values[name] : undefined;
    return value !== undefined && DNS_LABEL.test(value) ? value : braced;
  });
  return filled.includes("{") ? undefined : filled;
}

const make = (kind: "secret" | "text", label: string, required: boolean, pattern: RegExp | undefined): Setting =>
  pattern === undefined ? { kind, label, required } : { kind, label, required, pattern };

const MAX_SECRETS = 4;

/** The schema of an integration's settings document. Unknown keys are refused, by name. */
export const settingsSchema = (settings: Settings) =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(settings).map(([name, setting]) => [
        name,
        setting.required ? valueSchema(setting) : valueSchema(setting).optional(),
      ]),
    ),
  );

function valueSchema(setting: Setting): z.ZodType<string | string[]> {
  if (setting.kind === "endpoint")
    return z.string({ error: "this setting is required" }).max(2048).refine(isPublicEndpoint, ENDPOINT_RULE);
  const missing = "this setting is required";
  const odd = oddWords(setting);
  const one = z
    .string({ error: missing })
    .min(1)
    .max(4096)
    .regex(setting.pattern ?? /./s, odd);
  return setting.kind === "secret"
    ? z.union([one, z.array(one).min(1).max(MAX_SECRETS)], {
        error: (issue) => (issue.input === undefined ? missing : odd),
      })
    : one;
}

/** The longest pattern that whoever enters a setting is shown; longer ones, and those that look ahead, are for machines. */
const MAX_SHOWN = 80;

/** What a value should look like; the same pattern stands in `GET /v1/integrations`. */
function oddWords({ label, pattern }: Exclude<Setting, { kind: "endpoint" }>): string {
  const isSimple = pattern !== undefined && pattern.source.length <= MAX_SHOWN && !/\(\?[=!<]/.test(pattern.source);
  return isSimple ? `text that fits ${pattern} (${label})` : `does not look right for: ${label}`;
}

const ENDPOINT_RULE =
  "expected an https address on port 443 with a public host name, without credentials, query or fragment";

/**
 * Whether an address may be a customer's endpoint: https, port 443, a name (never an IP literal) with a dot that is not
 * local by convention. On Workers `fetch` reaches no private network; this keeps the rule where that changes.
 */
export function isPublicEndpoint(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return (
    url.protocol === "https:" &&
    url.port === "" &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === "" &&
    isPublicHost(url.hostname)
  );
}

/** RFC 6761, RFC 6762 and RFC 9476 names, and the hosts of cloud metadata, are never public. */
export function isPublicHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.+$/, "");
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name)) return false;
  const top = name.slice(name.lastIndexOf(".") + 1);
  return !/^\d+$/.test(top) && !LOCAL_NAMES.has(top);
}

const LOCAL_NAMES = new Set([
  "local",
  "localhost",
  "internal",
  "intranet",
  "lan",
  "home",
  "corp",
  "arpa",
  "alt",
  "onion",
]);
