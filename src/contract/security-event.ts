import { z } from "zod";
import type { Identity } from "./identity.ts";
import { json, type Read, type Signal, type SignalType, type VendorEvent, withinSecond } from "./signal.ts";
import type { StreamNews } from "./transmitter.ts";

/**
 * How the identifiers of one kind of subject become identities, by the identifier's format (RFC 9493). A format that is not
 * here names nobody that we know.
 */
export type Subjects = Readonly<Record<string, z.ZodType<readonly Identity[]>>>;

const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const OAUTH = "https://schemas.openid.net/secevent/oauth/event-type/";

/**
 * What the standards' events mean here; all others are counted. A token that ended is one of perhaps several, so it is
 * known by its own identifier only: the account's would end them all.
 * https://openid.net/specs/openid-risc-1_0.html, https://openid.net/specs/oauth-event-types-1_0.html
 */
const MEANINGS: Readonly<Record<string, { readonly type: SignalType; readonly of: "account" | "token" }>> = {
  [`${RISC}account-purged`]: { type: "account_deleted", of: "account" },
  [`${RISC}account-disabled`]: { type: "account_disabled", of: "account" },
  [`${RISC}account-enabled`]: { type: "account_restored", of: "account" },
  [`${OAUTH}tokens-revoked`]: { type: "deauthorized", of: "account" },
  [`${OAUTH}token-revoked`]: { type: "token_revoked", of: "token" },
};

/** A NumericDate may have a fraction (RFC 7519 section 2). */
const Seconds = z
  .number()
  .nonnegative()
  .max(8_640_000_000_000 - 1);

/** `subject_type`, and hyphens in its values, are how it was spelled before RFC 9493. */
const Subject = z.looseObject({ format: z.string().optional(), subject_type: z.string().optional() });
type Subject = z.infer<typeof Subject>;

/** RFC 8417 section 2.2. */
const Token = z.object({
  iss: z.string().min(1),
  jti: z.string().min(1).max(512),
  iat: Seconds,
  toe: Seconds.optional(),
  sub_id: Subject.optional(),
  events: z.record(z.string(), z.unknown()).refine((events) => Object.keys(events).length > 0),
});
type Token = z.infer<typeof Token>;

const Details = z.looseObject({ subject: Subject.optional(), event_timestamp: Seconds.optional() });

/**
 * Reads a security event token: what happened to an account or to one token of it. An event's id is the token's issuer and
 * `jti`, and the event's type, because the drafts let one token tell of several.
 *
 * The subject stands in `sub_id` (Shared Signals Framework 1.0) or inside the event (before it); where both say who, they
 * have to agree.
 */
export const securityEvents = (subjects: { readonly account: Subjects; readonly token: Subjects }): Read => {
  const Events = Token.transform((token, context): VendorEvent[] =>
    Object.entries(token.events).map(([name, details]) => {
      const id = `${token.iss} ${token.jti} ${name}`;
      const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
      if (meaning === undefined) {
        const stream = newsIn(name, details);
        return { id, name, signals: [], ...(stream !== undefined && { stream }) };
      }
      const read = signalsOf(meaning.type, token, details, subjects[meaning.of]);
      if ("unfit" in read) context.addIssue({ code: "custom", path: [read.unfit], message: "does not fit" });
      return { id, name, signals: "unfit" in read ? [] : read.signals };
    }),
  );
  return json(Events, (events) => events);
};

const STREAM = "https://schemas.openid.net/secevent/ssf/event-type/";
const Verification = z.looseObject({ state: z.string().max(1024).optional() });
const Status = z.looseObject({ status: z.string().max(64), reason: z.string().optional() });

/** The two events that tell of the stream itself, and no subject. What does not fit is an event like any other. */
function newsIn(name: string, details: unknown): StreamNews | undefined {
  if (name === `${STREAM}verification`) {
    const read = Verification.safeParse(details ?? {});
    if (!read.success) return undefined;
    const { state } = read.data;
    return { kind: "verified", ...(state !== undefined && { state }) };
  }
  if (name !== `${STREAM}stream-updated`) return undefined;
  const read = Status.safeParse(details);
  if (!read.success) return undefined;
  const { status, reason } = read.data;
  return { kind: "status", status, ...(reason !== undefined && { reason }) };
}

type Unfit = { readonly unfit: string };

function signalsOf(
  type: SignalType,
  token: Token,
  event: unknown,
  subjects: Subjects,
): { readonly signals: readonly Signal[] } | Unfit {
  const details = Details.safeParse(event);
  if (!details.success) return { unfit: "events" };
  const named = [token.sub_id, details.data.subject].filter((subject) => subject !== undefined);
  if (named.length === 0) return { unfit: "sub_id" };
  const read = named.map((subject) => identitiesOf(subject, subjects));
  const known = read.filter((identities) => identities !== undefined && identities.length > 0);
  if (read.includes(undefined) || new Set(known.map((identities) => JSON.stringify(identities))).size > 1)
    return { unfit: "sub_id" };
  // Nothing happens after it was told, so a clock that says otherwise cannot end what is newer.
  const at = withinSecond(Math.floor(Math.min(details.data.event_timestamp ?? token.toe ?? token.iat, token.iat)));
  return { signals: (known[0] ?? []).map((identity) => ({ type, identity, at })) };
}

const FEW = 20;
const Aliases = z.looseObject({ identifiers: z.array(Subject).min(1).max(FEW) });
const Complex = z.looseObject({ user: Subject.optional() });

/** Members of a complex subject that say where the user belongs; any other narrows the event to less than the account. */
const AROUND: ReadonlySet<string> = new Set(["format", "subject_type", "user", "tenant", "org_unit", "group"]);

/** Who a subject is: nobody where its format is not known here, undefined where it is and does not fit. */
function identitiesOf(subject: Subject, subjects: Subjects): readonly Identity[] | undefined {
  const format = (subject.format ?? subject.subject_type ?? "").replaceAll("-", "_");
  if (format === "aliases") {
    const aliases = Aliases.safeParse(subject);
    if (!aliases.success || aliases.data.identifiers.some((each) => each.format === "aliases")) return undefined;
    const read = aliases.data.identifiers.map((each) => identitiesOf(each, subjects));
    return read.includes(undefined) ? undefined : read.flatMap((identities) => identities ?? []);
  }
  // The first drafts had no name for a complex subject.
  if (format === "complex" || (format === "" && "user" in subject)) {
    const complex = Complex.safeParse(subject);
    if (!complex.success) return undefined;
    const { user } = complex.data;
    // A tenant or a group without a user is everybody in it: never an erasure.
    if (user === undefined || Object.keys(subject).some((member) => !AROUND.has(member))) return [];
    return user.format === "complex" || user.format === "aliases" ? undefined : identitiesOf(user, subjects);
  }
  const schema = Object.hasOwn(subjects, format) ? subjects[format] : undefined;
  if (schema === undefined) return [];
  const read = schema.safeParse(subject);
  return read.success ? read.data : undefined;
}
