import { z } from "zod";
import { type Call, del, get, postJson, type Reply } from "../contract/call.ts";
import type { Settings, SettingValues } from "../contract/settings.ts";
import {
  addressAt,
  Configuration,
  configurationAt,
  isOfTransmitter,
  Metadata,
  POLL,
  PUSH,
  type Streaming,
  StreamStatus,
} from "../intake/transmitter.ts";
import type { Ports } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { change } from "../registry/change.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import type { StreamAgreed } from "../registry/subprocessor.ts";
import { fail, ok, type Result } from "../result.ts";
import { accessTo } from "./access.ts";
import { type SendStep, sender } from "./call.ts";
import { newToken } from "./lane.ts";

/** All calls of one action together; whoever asked waits for them. */
const WITHIN_MS = 25_000;

const Wanted = {
  delivery: z.enum(["push", "poll"]).optional(),
  events: z.array(z.url().max(256)).min(1).max(100).optional(),
  description: z.string().min(1).max(200).optional(),
};
const StreamId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,256}$/, "expected the id that the transmitter gave the stream")
  .optional();

/** What can be done with a stream. `stream_id` names one that was set up elsewhere. */
export const StreamAction = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("create"), ...Wanted }),
  z.strictObject({ action: z.literal("adopt"), stream_id: StreamId }),
  z.strictObject({ action: z.literal("update"), stream_id: StreamId, ...Wanted }),
  z.strictObject({ action: z.literal("verify"), stream_id: StreamId }),
  z.strictObject({
    action: z.literal("status"),
    stream_id: StreamId,
    status: z.enum(["enabled", "paused", "disabled"]).optional(),
    reason: z.string().min(1).max(200).optional(),
  }),
  z.strictObject({ action: z.literal("delete"), stream_id: StreamId }),
]);
export type StreamAction = z.infer<typeof StreamAction>;

type Endpoint = "configuration_endpoint" | "status_endpoint" | "verification_endpoint";

/** One subprocessor's transmitter, as it can be asked now. */
type Desk = {
  readonly ports: Ports;
  readonly context: Context;
  readonly streaming: Streaming;
  readonly actor: string;
  readonly settings: SettingValues<Settings>;
  readonly metadata: z.infer<typeof Metadata>;
  /** Makes one call with the transmitter's credentials; any status but these is a refusal. */
  readonly ask: (call: Call, statuses: readonly number[]) => Promise<Result<Reply, Problem>>;
};

/** Does one thing with a stream at its transmitter, and keeps in the registry what was agreed. */
export async function manage(
  ports: Ports,
  context: Context,
  streaming: Streaming,
  action: StreamAction,
  actor: string,
): Promise<Result<undefined, Problem>> {
  const desk = await deskOf(ports, context, streaming, actor);
  if (!desk.ok) return desk;
  if (action.action === "create") return create(desk.value, action);
  if (action.action === "adopt") return adopt(desk.value, action.stream_id);
  const id = action.stream_id ?? streaming.subprocessor.stream?.id;
  if (id === undefined)
    return fail({ reason: "conflict", detail: "There is no stream here yet: create one, or name a `stream_id`." });
  if (action.action === "update") return update(desk.value, id, action);
  if (action.action === "verify") return verification(desk.value, id);
  if (action.action === "status") return status(desk.value, id, action);
  return remove(desk.value, id);
}

/** Finds out where the transmitter takes what, and takes from it only what leads to itself. */
async function deskOf(
  ports: Ports,
  context: Context,
  streaming: Streaming,
  actor: string,
): Promise<Result<Desk, Problem>> {
  const { subprocessor, transmitter } = streaming;
  const integration = ports.integrations.get(subprocessor.integration);
  if (integration === undefined) return fail({ reason: "not_found", what: "such integration" });
  const settings = await settingsOf(context, subprocessor.id, integration.settings);
  const issuer = settings[transmitter.issuer] ?? "";
  const isOwn = (address: string) => isOfTransmitter(address, transmitter, settings);
  if (!isOwn(issuer)) return refused("the issuer is not a public https address without query or fragment");
  const pace = { turn: async () => undefined, until: ports.now() + WITHIN_MS };
  const sendTo = (address: string): SendStep =>
    sender(ports, { integration, settings, discovered: isOwn(address) ? [address] : [], ...pace }, []);

  const well = addressAt(configurationAt(issuer), "ssf-configuration");
  const found = await answered(sendTo(well.url), get(well, { accept: "application/json" }), [200]);
  if (!found.ok) return found;
  const metadata = readAs(found.value, Metadata, "its configuration");
  if (!metadata.ok) return metadata;
  if (metadata.value.issuer !== issuer) return refused("its configuration is that of another issuer");

  const ask: Desk["ask"] = async (call, statuses) => {
    const send = sendTo(call.at.url);
    for (const isFresh of [false, true]) {
      const access = await accessTo(ports, context, streaming, settings, send, isFresh);
      if ("problem" in access) return refused(`no access token: ${access.problem.reason.replaceAll("_", " ")}`);
      const reply = await answered(send, { ...call, headers: { ...call.headers, ...access.headers } }, [
        ...statuses,
        401,
      ]);
      if (!reply.ok || reply.value.status !== 401) return reply;
      if (!access.isKept) break;
    }
    return refused("it refused the credentials (status 401)");
  };
  return ok({ ports, context, streaming, actor, settings, metadata: metadata.value, ask });
}

const refused = (what: string) => fail<Problem>({ reason: "vendor_refused", detail: `The transmitter: ${what}.` });

async function answered(send: SendStep, call: Call, statuses: readonly number[]): Promise<Result<Reply, Problem>> {
  const sent = await send({ ...call, expects: statuses });
  if ("problem" in sent) {
    const { problem } = sent;
    if (problem.reason === "forbidden_address")
      return refused(
        `${call.at.template} is at ${problem.host}, which is neither the issuer's origin nor that of the setting for its management`,
      );
    const status = "status" in problem ? ` (status ${problem.status})` : "";
    return refused(`no answer from ${call.at.template}: ${problem.reason.replaceAll("_", " ")}${status}`);
  }
  if (statuses.includes(sent.reply.status)) return ok(sent.reply);
  const hint = sent.reply.status === 409 ? "; it has a stream for this receiver already, which `adopt` takes over" : "";
  return refused(`${call.at.template} answered with status ${sent.reply.status}${hint}`);
}

function readAs<S extends z.ZodType>(reply: Reply, schema: S, what: string): Result<z.infer<S>, Problem> {
  try {
    const parsed = schema.safeParse(JSON.parse(reply.text));
    if (parsed.success) return ok(parsed.data);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return refused(`${what} cannot be read`);
}

function endpointOf({ metadata }: Desk, name: Endpoint): Result<string, Problem> {
  const address = metadata[name];
  return address === undefined ? refused(`its configuration names no ${name}`) : ok(address);
}

type Wishes = Pick<Extract<StreamAction, { action: "create" }>, "delivery" | "events" | "description">;

/** What a receiver says of a stream, as far as it is stated. */
async function wishes(desk: Desk, { delivery, events, description }: Wishes) {
  const { ports, context, streaming } = desk;
  const { subprocessor, endpoint, transmitter } = streaming;
  const [secret] = await context.secrets(subprocessor.id, transmitter.authorization);
  const push = {
    method: PUSH,
    endpoint_url: `${ports.origin}/hooks/${context.tenant.slug}/${subprocessor.id}/${endpoint}`,
    ...(secret !== undefined && { authorization_header: secret }),
  };
  return {
    ...(events !== undefined && { events_requested: events }),
    ...(delivery !== undefined && { delivery: delivery === "push" ? push : { method: POLL } }),
    ...(description !== undefined && { description }),
  };
}

async function create(desk: Desk, wanted: Wishes): Promise<Result<undefined, Problem>> {
  const { stream } = desk.streaming.subprocessor;
  if (stream !== undefined)
    return fail({ reason: "conflict", detail: "There is a stream here already: update it, or delete it first." });
  const at = endpointOf(desk, "configuration_endpoint");
  if (!at.ok) return at;
  const { delivery = "push", events = desk.streaming.transmitter.events, description } = wanted;
  const body = await wishes(desk, { delivery, events: [...events], ...(description !== undefined && { description }) });
  const reply = await desk.ask(postJson(addressAt(at.value, "configuration_endpoint"), JSON_TOO, body), [201, 200]);
  return reply.ok ? agreed(desk, reply.value, true) : reply;
}

/** Takes over a stream that exists: the one that is named, or the only one. */
async function adopt(desk: Desk, id: string | undefined): Promise<Result<undefined, Problem>> {
  const at = endpointOf(desk, "configuration_endpoint");
  if (!at.ok) return at;
  const query = id === undefined ? {} : { stream_id: id };
  const reply = await desk.ask(get(addressAt(at.value, "configuration_endpoint", query), JSON_TOO), [200]);
  if (!reply.ok) return reply;
  if (id !== undefined) return agreed(desk, reply.value, false);
  const list = readAs(reply.value, z.array(z.unknown()), "its list of streams");
  if (!list.ok) return list;
  const [only, ...others] = list.value;
  if (only === undefined || others.length > 0)
    return fail({
      reason: "conflict",
      detail: `It has ${list.value.length} streams for us: name one by \`stream_id\`.`,
    });
  return agreed(desk, { ...reply.value, text: JSON.stringify(only) }, false);
}

async function update(desk: Desk, id: string, wanted: Wishes): Promise<Result<undefined, Problem>> {
  const at = endpointOf(desk, "configuration_endpoint");
  if (!at.ok) return at;
  const body = { stream_id: id, ...(await wishes(desk, wanted)) };
  const call: Call = { ...postJson(addressAt(at.value, "configuration_endpoint"), JSON_TOO, body), method: "PATCH" };
  const reply = await desk.ask(call, [200, 202]);
  if (!reply.ok) return reply;
  // Accepted and not done yet: what was agreed stays as it was, until `adopt` reads it.
  return reply.value.status === 202 ? ok(undefined) : agreed(desk, reply.value, false);
}

/** Asks for a verification event; its state is ours, and awaited for some minutes. */
async function verification(desk: Desk, id: string): Promise<Result<undefined, Problem>> {
  const at = endpointOf(desk, "verification_endpoint");
  if (!at.ok) return at;
  const { ports, context, streaming } = desk;
  const state = newToken(ports);
  // Before it is asked for, because the event may come before the answer.
  await ports.store.expectVerification(context.tenant.n, streaming.subprocessor.id, state, ports.now());
  const call = postJson(addressAt(at.value, "verification_endpoint"), JSON_TOO, { stream_id: id, state });
  const reply = await desk.ask(call, [204, 200, 202]);
  return reply.ok ? ok(undefined) : reply;
}

async function status(
  desk: Desk,
  id: string,
  wanted: Pick<Extract<StreamAction, { action: "status" }>, "status" | "reason">,
): Promise<Result<undefined, Problem>> {
  const at = endpointOf(desk, "status_endpoint");
  if (!at.ok) return at;
  const { status, reason } = wanted;
  const body = { stream_id: id, status, ...(reason !== undefined && { reason }) };
  const call =
    status === undefined
      ? get(addressAt(at.value, "status_endpoint", { stream_id: id }), JSON_TOO)
      : postJson(addressAt(at.value, "status_endpoint"), JSON_TOO, body);
  const reply = await desk.ask(call, [200, 202]);
  if (!reply.ok || reply.value.status === 202) return reply.ok ? ok(undefined) : reply;
  const said = readAs(reply.value, StreamStatus, "its status");
  if (!said.ok) return said;
  const { ports, context, streaming } = desk;
  const why = said.value.reason?.slice(0, 200) ?? "";
  await ports.store.streamStatus(context.tenant.n, streaming.subprocessor.id, said.value.status, why, ports.now());
  return ok(undefined);
}

async function remove(desk: Desk, id: string): Promise<Result<undefined, Problem>> {
  const at = endpointOf(desk, "configuration_endpoint");
  if (!at.ok) return at;
  // Gone is what was wanted.
  const address = addressAt(at.value, "configuration_endpoint", { stream_id: id });
  const reply = await desk.ask(del(address, JSON_TOO), [204, 200, 404]);
  if (!reply.ok) return reply;
  return desk.streaming.subprocessor.stream?.id === id ? entered(desk, undefined) : ok(undefined);
}

const JSON_TOO = { accept: "application/json" };

/** Enters what the transmitter says of a stream: it must be its own, and be polled at its own address. */
async function agreed(desk: Desk, reply: Reply, isNew: boolean): Promise<Result<undefined, Problem>> {
  const read = readAs(reply, Configuration, "the stream's configuration");
  if (!read.ok) return read;
  const { stream_id: id, iss, aud, events_delivered: events = [], delivery } = read.value;
  const { streaming, settings } = desk;
  const { transmitter } = streaming;
  const left = isNew ? `; the stream ${id} exists there` : "";
  if (iss !== settings[transmitter.issuer]) return refused(`the stream is of another issuer${left}`);
  if (delivery.method !== POLL && delivery.method !== PUSH) return refused(`it delivers in another way${left}`);
  const isPolled = delivery.method === POLL;
  const endpoint = delivery.endpoint_url;
  if (isPolled && (endpoint === undefined || !isOfTransmitter(endpoint, transmitter, settings)))
    return refused(`the stream is polled at an address that may not be called${left}`);
  return entered(desk, {
    id,
    delivery: isPolled ? "poll" : "push",
    ...(isPolled && endpoint !== undefined && { endpoint }),
    audience: [aud].flat().slice(0, 20),
    events,
  });
}

async function entered(
  { ports, context, streaming, actor }: Desk,
  stream: StreamAgreed | undefined,
): Promise<Result<undefined, Problem>> {
  const { id } = streaming.subprocessor;
  const about = { by: actor, what: stream === undefined ? "stream deleted" : "stream agreed", id };
  const changed = await change(ports, context, about, async (tenant) => {
    const before = tenant.subprocessors[id];
    if (before === undefined) return fail({ reason: "not_found", what: "such subprocessor" });
    const { stream: _, ...others } = before;
    const entry = { ...others, version: before.version + 1, ...(stream !== undefined && { stream }) };
    return ok({ tenant: { ...tenant, subprocessors: { ...tenant.subprocessors, [id]: entry } }, shown: stream });
  });
  return changed.ok ? ok(undefined) : changed;
}
