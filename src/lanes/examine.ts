import type { Finding } from "../contract/check.ts";
import { type Integration, isAbsent } from "../contract/integration.ts";
import { CannotOpen, type Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { rfc3339 } from "../request/deadline.ts";
import { type SendStep, type Stopped, sender, stepped } from "./call.ts";
import { turns } from "./pace.ts";

/** How a subprocessor's credentials were found. Nothing in it comes from the vendor but the status. */
export type Examined = {
  readonly subprocessor: string;
  readonly integration: string;
  readonly result: Finding["finding"] | "no_answer" | "no_check";
  /** What was found, or why nothing could be, in plain words. */
  readonly what: string;
  /** The vendor's status, where it gave one that explains the result. */
  readonly status?: number;
  readonly source?: string;
  readonly at: string;
};

/** A check is a few reads; whoever asked waits for it. */
const WITHIN_MS = 25_000;

/**
 * Makes the harmless reads of a subprocessor's check, now, whether its lane rests or not. Nothing is written, here or there: a
 * call that is no GET is made only where the integration says why it changes nothing.
 */
export async function examine(
  ports: Pick<Ports, "send" | "now" | "random" | "sleep" | "integrations">,
  context: Context,
  subprocessor: string,
): Promise<Examined | undefined> {
  const entry = context.tenant.subprocessors[subprocessor];
  if (entry === undefined) return undefined;
  const integration = ports.integrations.get(entry.integration);
  const at = rfc3339(ports.now());
  const base = { subprocessor, integration: entry.integration, at };
  if (integration === undefined)
    return { ...base, result: "no_check", what: `this version has no integration ${entry.integration}` };
  const { check } = integration;
  if (check === undefined) return { ...base, result: "no_check", what: withoutCheck(integration) };
  if (isAbsent(check)) return { ...base, result: "no_check", what: check.absent, source: check.source };
  const found = { ...base, source: check.source };
  try {
    const settings = await settingsOf(context, subprocessor, integration.settings);
    const turn = turns(ports, integration.limits.perSecond);
    const send = sender(ports, { integration, settings, turn, until: ports.now() + WITHIN_MS }, []);
    const harmless: SendStep = async (call) =>
      call.method === "GET" || check.posts !== undefined
        ? send(call)
        : { problem: { reason: "broken", what: `the check would ${call.method}` } };
    const made = await stepped(check.run(settings, at), harmless);
    return { ...found, ...("problem" in made ? stopped(made.problem) : answered(made.answer, check.shows)) };
  } catch (error) {
    if (error instanceof CannotOpen)
      return { ...found, result: "unforeseen", what: "its secrets cannot be opened: enter them again" };
    throw error;
  }
}

const withoutCheck = ({ actions, probe }: Integration): string =>
  Object.values(actions).every(isAbsent) && probe === undefined
    ? "nothing is called there, so no credential is needed for it"
    : "this integration has no check yet";

type Result = Pick<Examined, "result" | "what" | "status">;

function answered(finding: Finding, shows: string): Result {
  if (finding.finding === "fine") return { result: "fine", what: shows };
  const { finding: result, what, status } = finding;
  return { result, what, ...(status > 0 && { status }) };
}

function stopped(problem: Stopped): Result {
  switch (problem.reason) {
    case "credential":
      return { result: "unauthorized", what: "the vendor refused the credential", status: problem.status };
    case "throttled":
      return { result: "no_answer", what: "the vendor asked us to slow down; try again later", status: 429 };
    case "vendor_down":
      return { result: "no_answer", what: "the vendor has trouble of its own", status: problem.status };
    case "cannot_sign":
      return { result: "unauthorized", what: "the key that was entered cannot sign, so nothing was asked" };
    case "broken":
      return { result: "unforeseen", what: problem.what };
    case "forbidden_address":
      return { result: "unforeseen", what: "its settings lead to an address that may not be called" };
    case "out_of_quota":
    case "out_of_time":
    case "timed_out":
      return { result: "no_answer", what: "no answer in time" };
    case "connection_failed":
      return { result: "no_answer", what: "no connection" };
    case "too_large":
      return { result: "unforeseen", what: "the answer is larger than is read" };
  }
}
