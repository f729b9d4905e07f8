import { bearer, endpointAt, postForm, read } from "../contract/call.ts";
import { basic } from "../contract/oauth.ts";
import type { Settings, SettingValues } from "../contract/settings.ts";
import { AccessToken, type Streaming } from "../intake/transmitter.ts";
import { CannotOpen, type Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { SendStep, Stopped } from "./call.ts";

/** A token is used until so long before its end, and so long where no end is stated. */
const MARGIN_MS = 60_000;
const UNSTATED_MS = 5 * 60_000;

const place = (subprocessor: string): string => `stream ${subprocessor} token`;

export type Access =
  | { readonly headers: Readonly<Record<string, string>>; readonly isKept: boolean }
  | { readonly problem: Stopped };

/**
 * What opens a transmitter's stream: the token that was entered, or one by client credentials (RFC 6749 section 4.4), which is
 * kept sealed until shortly before its end. `isFresh` asks for a new one.
 */
export async function accessTo(
  ports: Pick<Ports, "store" | "now">,
  context: Context,
  { subprocessor, transmitter }: Pick<Streaming, "subprocessor" | "transmitter">,
  settings: SettingValues<Settings>,
  send: SendStep,
  isFresh: boolean,
): Promise<Access> {
  const filled = (setting: string) => settings[setting] ?? "";
  const entered = filled(transmitter.token);
  if (entered !== "") return { headers: bearer(entered), isKept: false };
  const endpoint = filled(transmitter.tokenEndpoint);
  if (endpoint === "") return { headers: {}, isKept: false };
  const { n } = context.tenant;
  const kept = isFresh ? undefined : await keptToken(ports, context, subprocessor.id);
  if (kept !== undefined) return { headers: bearer(kept), isKept: true };
  const scope = filled(transmitter.scope);
  const fields = [["grant_type", "client_credentials"] as const, ...(scope === "" ? [] : [["scope", scope] as const])];
  const authorization = basic(filled(transmitter.clientId), filled(transmitter.clientSecret));
  const sent = await send(postForm(endpointAt(endpoint), { authorization }, fields));
  if ("problem" in sent) return sent;
  const answer = read(sent.reply, AccessToken);
  if (!answer.ok) return { problem: { reason: "credential", status: answer.problem.status } };
  const { access_token: token, expires_in: seconds } = answer.value;
  const until = ports.now() + (seconds === undefined ? UNSTATED_MS : seconds * 1000) - MARGIN_MS;
  await ports.store.keepStreamToken(
    n,
    subprocessor.id,
    await context.keys.sealSetting(place(subprocessor.id), token),
    Math.floor(until),
  );
  return { headers: bearer(token), isKept: false };
}

async function keptToken(
  { store, now }: Pick<Ports, "store" | "now">,
  { tenant: { n }, keys }: Context,
  subprocessor: string,
): Promise<string | undefined> {
  const { tk, tu } = await store.stream(n, subprocessor);
  if (tk === undefined || Number(tu) <= now()) return undefined;
  try {
    return await keys.openSetting(place(subprocessor), tk);
  } catch (error) {
    if (error instanceof CannotOpen) return undefined;
    throw error;
  }
}
