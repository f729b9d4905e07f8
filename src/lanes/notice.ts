import type { Instant, RequestId } from "../ids.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { rfc3339 } from "../request/deadline.ts";
import { drive, type Pace } from "./drive.ts";
import { STUCK_AFTER } from "./lane.ts";
import { firstCursor } from "./order.ts";

/** A notice's order: `notice:<type>:<what it is about>`. It carries nothing else, because a notice says only "look". */
export const noticeId = (type: "receipt.issued" | "request.at_risk", request: RequestId): string =>
  `notice:${type}:${request}`;

/** The same for a holder whose quota is too small, once a day. */
export const shortNoticeId = (subprocessor: string, day: string): string => `notice:quota.short:${subprocessor}/${day}`;

/** The same for a duty, each time that it is due. */
export const dutyNoticeId = (subprocessor: string, duty: string, at: Instant): string =>
  `notice:duty.due:${subprocessor}/${duty}/${at}`;

function dataOf(type: string, about: string): Readonly<Record<string, string>> {
  const [first = "", duty = ""] = about.split("/");
  if (type === "duty.due") return { subprocessor: first, duty };
  return type === "quota.short" ? { subprocessor: first } : { request: about };
}

/** The subprocessors in use that want to be told. */
export const listeners = (ports: Pick<Ports, "integrations">, { tenant }: Context): readonly string[] =>
  Object.values(tenant.subprocessors)
    .filter(
      ({ integration, status }) => status === "active" && ports.integrations.get(integration)?.notify !== undefined,
    )
    .map(({ id }) => id);

/** Tells a holder that wants to know; a notice that cannot be delivered is given up after a while, and logged. */
export async function noticed(
  ports: Ports,
  context: Context,
  subprocessor: string,
  order: Claimed,
  pace: Pace,
): Promise<Settlement> {
  const [, type = "", request = ""] = order.id.split(":");
  const integration = ports.integrations.get(context.tenant.subprocessors[subprocessor]?.integration ?? "");
  const notify = integration?.notify?.bind(integration);
  const gone: Settlement = { id: order.id, attempt: order.attempt, deadline: 0, what: "drop" };
  if (integration === undefined || notify === undefined) return gone;
  const now = rfc3339(ports.now());
  const settings = await settingsOf(context, subprocessor, integration.settings);
  const attempt = await drive(ports, {
    payload: {
      // It is an id of ours, spelled into the order's id by `noticeId`.
      request: request as RequestId,
      task: {
        id: type,
        subprocessor,
        integration: integration.id,
        action: "manual",
        state: "queued",
        attempts: 0,
        due_at: now,
      },
      receivedAt: now,
      deadline: 0,
      keeps: {},
      frees: [],
      key: "",
      sealed: "",
    },
    cursor: { ...firstCursor([{ type: "user_id", value: "notice" }]), fails: order.attempt - 1 },
    integration,
    action: {
      source: "",
      by: "any",
      each: "person",
      run: () =>
        notify(settings, {
          id: `${type}_${request}`.replaceAll(/[./]/g, "_"),
          type,
          at: now,
          data: dataOf(type, request),
        }),
    },
    settings,
    salt: request,
    ...pace,
  });
  if ("again" in attempt && order.attempt < STUCK_AFTER)
    return { ...gone, what: "back", due: Math.max(attempt.again, attempt.rest ?? 0), cursor: "" };
  if (!("end" in attempt)) ports.log("notice_given_up", { tenant: context.tenant.slug, subprocessor, request });
  return gone;
}
