import type { Proven, SignalType } from "../src/contract/signal.ts";
import type { Verification } from "../src/contract/verification.ts";
import type { KnownEvent } from "./events.ts";
import { base64url, type Made } from "./senders/sender.ts";

/** A sample says the same whenever it is made; vendors' times are never before their first day. */
const SOME_TIME = Date.parse("2026-01-01T00:00:00Z");

/** Fits wherever a key is text, hex or base64. */
const PLACEHOLDER = "0".repeat(64);

/**
 * The signal types that an event of this kind gives, in the order in which it gives them: none where it is known and of no
 * concern, or only asks whether we are there. Found by reading a sample, which is made without anybody's settings and never
 * leaves this place; where one cannot be made so, all that its hook may give.
 */
export async function signalsOf(known: KnownEvent): Promise<readonly SignalType[]> {
  const { hook, integration, sample } = known;
  const made = await attempted(() =>
    sample.make({
      settings: Object.fromEntries(Object.keys(integration.settings).map((name) => [name, placeholder(hook.verify)])),
      at: SOME_TIME,
      seed: "1",
      person: sample.person,
      url: "https://gateway.example/hooks/tenant/subprocessor",
      token: async (claims) => `e30.${base64url(new TextEncoder().encode(JSON.stringify(claims)))}.`,
      sign: async () => "AA==",
    }),
  );
  // All that a hook may give stands there, as the contract's test holds it to.
  const any = Object.keys(hook.authority) as SignalType[];
  const text = made === undefined ? undefined : textIn(hook.verify, made.body);
  if (made === undefined || text === undefined) return any;
  const proven = unproven(text, made);
  if ((hook.challenges ?? []).some((each) => each.ask === "delivery" && each.find(proven) !== undefined)) return [];
  const reading = hook.read(proven);
  if (!reading.ok) return any;
  return [...new Set(reading.value.flatMap(({ signals }) => signals.map(({ type }) => type)))];
}

const placeholder = ({ scheme }: Verification): string =>
  scheme === "standard-webhooks" ? `whsec_${PLACEHOLDER}` : PLACEHOLDER;

async function attempted<T>(make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    // A vendor's key may have a form that no placeholder has; what the platform says of it is not foreseeable.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** What a scheme takes out of a body to be read, as `Verification` states it. */
function textIn(verify: Verification, body: string): string | undefined {
  if (verify.scheme === "signed-request") return decoded(new URLSearchParams(body).get("signed_request"));
  if (verify.scheme !== "jwt" || (typeof verify.at === "object" && "bearer" in verify.at)) return body;
  return decoded(verify.at === "body" ? body : memberOf(body, verify.at.member));
}

function memberOf(body: string, name: string): string | null {
  const parsed: unknown = JSON.parse(body);
  const value =
    typeof parsed === "object" && parsed !== null ? Object.entries(parsed).find(([key]) => key === name) : [];
  return typeof value?.[1] === "string" ? value[1] : null;
}

/** The second of the parts that have full stops between them. */
function decoded(dotted: string | null): string | undefined {
  const part = dotted?.split(".")[1];
  return part === undefined ? undefined : Buffer.from(part, "base64url").toString("utf8");
}

/** It proves nothing, and nothing is caused by it: only its reader is asked what it would mean. */
const unproven = (text: string, { headers }: Made): Proven =>
  ({
    text,
    signed: (name: string) => headers[name],
    claimed: (name: string) => headers[name],
    covers: Object.keys(headers),
    receivedAt: SOME_TIME,
    // The brand is for what has been verified; this never comes near what acts on it.
  }) as unknown as Proven;
