import type { Call, Reply } from "../contract/call.ts";
import type { Integration, Steps } from "../contract/integration.ts";
import { isOwn, isPublicHost, originOf, type Settings, type SettingValues } from "../contract/settings.ts";
import type { Instant } from "../ids.ts";
import type { Ports, SendProblem } from "../ports.ts";
import { rfc3339 } from "../request/deadline.ts";
import type { Evidence } from "../request/task.ts";
import { randomOf, restMs } from "./lane.ts";
import type { Meter } from "./meter.ts";

/** On whose behalf calls are made, and within what bounds. */
export type Caller = {
  readonly integration: Integration;
  readonly settings: SettingValues<Settings>;
  /** Addresses that a vendor has named and that were found to be its own (`isOfTransmitter`), to the letter. */
  readonly discovered?: readonly string[];
  /** Origins at which the person's own grants are good, as the servers that gave them were found to say. */
  readonly homes?: readonly string[];
  /** Waits for its turn before each call, so that the account's rate is kept whatever an order asks for. */
  readonly turn: () => Promise<void>;
  /** What the vendor's quota still allows; undefined where it has none. */
  readonly quota?: Meter;
  /** No call begins after this moment: the lease has to outlive the attempt. */
  readonly until: Instant;
  /** Salts the digests of answers, so that two receipts' cannot be compared. Without: what is answered belongs to no one receipt. */
  readonly salt?: string;
};

/** Why there is no answer to go on with. */
export type Stopped =
  | SendProblem
  | { readonly reason: "throttled"; readonly rest: number }
  | { readonly reason: "vendor_down"; readonly status: number; readonly rest?: number }
  | { readonly reason: "credential"; readonly status: number }
  | { readonly reason: "out_of_time" }
  | { readonly reason: "out_of_quota" }
  | { readonly reason: "broken"; readonly what: string };

export type SendStep = (call: Call) => Promise<{ readonly reply: Reply } | { readonly problem: Stopped }>;

/** Runs a generator to its end, sending what it yields. A mistake in a vendor's code is shown, and harms nobody else. */
export async function stepped<A>(
  steps: Steps<A>,
  send: SendStep,
): Promise<{ readonly answer: A } | { readonly problem: Stopped }> {
  try {
    let step = steps.next();
    while (step.done !== true) {
      const sent = await send(step.value);
      if ("problem" in sent) return sent;
      step = steps.next(sent.reply);
    }
    return { answer: step.value };
  } catch (error) {
    return {
      problem: { reason: "broken", what: `the integration failed: ${error instanceof Error ? error.name : "unknown"}` },
    };
  }
}

/** Most calls that one run of an action may make. */
const MAX_CALLS = 500;

/** Sends one call where it may go, notes the evidence, and keeps from the vendor's code what is not its business. */
export function sender(ports: Pick<Ports, "send" | "now" | "random">, job: Caller, evidence: Evidence[]): SendStep {
  let calls = 0;
  return async (call) => {
    if (!isAllowed(call, job)) return { problem: { reason: "forbidden_address", host: hostOf(call.at.url) } };
    await job.turn();
    if (ports.now() >= job.until) return { problem: { reason: "out_of_time" } };
    if (job.quota?.spend() === false) return { problem: { reason: "out_of_quota" } };
    if (++calls > MAX_CALLS) return { problem: { reason: "broken", what: `more than ${MAX_CALLS} calls in one run` } };
    const sent = await ports.send(call);
    if (!sent.ok) return { problem: sent.problem };
    const reply = sent.value;
    evidence.push(await evidenceOf(call, reply, job.salt, ports.now()));
    const { status } = reply;
    if (call.expects?.includes(status) === true) return { reply };
    const retryAfter = reply.header("retry-after");
    if (status === 429)
      return { problem: { reason: "throttled", rest: restMs(retryAfter, ports.now(), randomOf(ports)) } };
    if (status === 401) return { problem: { reason: "credential", status } };
    if (status >= 500 || status === 408)
      return {
        problem: {
          reason: "vendor_down",
          status,
          ...(retryAfter !== undefined && { rest: restMs(retryAfter, ports.now(), 0) }),
        },
      };
    return { reply };
  };
}

/**
 * Fixed origins, those with a DNS label from a setting, or a customer's own endpoint; nothing else, whatever a vendor's code
 * or answer says.
 */
export function isAllowed(
  call: Call,
  {
    integration,
    settings,
    discovered = [],
    homes = [],
  }: Pick<Caller, "integration" | "settings" | "discovered" | "homes">,
): boolean {
  if (!URL.canParse(call.at.url)) return false;
  if (discovered.includes(call.at.url)) return true;
  const { origin } = new URL(call.at.url);
  if (homes.includes(origin)) return true;
  if (integration.origins.some((declared) => originOf(declared, integration.settings, settings) === origin))
    return true;
  return Object.entries(integration.settings).some(([name, setting]) => isOwn(setting, settings[name], call.at.url));
}

/** Declared origins, and public hosts on 443 that a reply may have named: a look without credentials, and nothing else. */
export function isPublicLook({ method, at, headers, body, sign }: Call, origins: readonly string[]): boolean {
  if (!URL.canParse(at.url)) return false;
  const { origin, protocol, port, username, password, hostname } = new URL(at.url);
  const isBare = sign === undefined && headers.authorization === undefined;
  if (origins.includes(origin)) return isBare;
  return (
    method === "GET" &&
    body === undefined &&
    isBare &&
    protocol === "https:" &&
    port === "" &&
    username === "" &&
    password === "" &&
    isPublicHost(hostname)
  );
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : "an unreadable address");

async function evidenceOf(call: Call, reply: Reply, salt: string | undefined, at: Instant): Promise<Evidence> {
  const { host } = new URL(call.at.url);
  const template = call.at.template.replace(/^https:\/\/[^/]+/, "").split("?")[0] ?? "";
  const vendorRequestId = reply.header("request-id") ?? reply.header("x-request-id");
  return {
    method: call.method,
    host,
    path: template,
    status: reply.status,
    ...(vendorRequestId !== undefined &&
      /^[\w-]{1,80}$/.test(vendorRequestId) && { vendor_request_id: vendorRequestId }),
    // To the second, which is what the vendors' own records of it tell.
    at: `${rfc3339(at).slice(0, 19)}Z`,
    ...(salt !== undefined && { digest: await digestOf(salt, reply.text) }),
  };
}

async function digestOf(salt: string, text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${salt}\n${text}`));
  return base64(new Uint8Array(digest).subarray(0, 9));
}

const base64 = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
