import { z } from "zod";
import { type Address, at, byStatus, get, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { NOBODY, readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, found, notFound } from "../src/contract/outcome.ts";
import { optional, type Settings, secret } from "../src/contract/settings.ts";
import { json, Rfc3339 } from "../src/contract/signal.ts";

/**
 * Klaviyo sends marketing to the tenant's people. It tells us in batches who unsubscribed; not when a profile was deleted. We
 * ask it to delete profiles, which it does in its own time.
 */
const WEBHOOKS = "https://developers.klaviyo.com/en/docs/working_with_system_webhooks";
const DELETION = "https://developers.klaviyo.com/en/reference/request_profile_deletion";

const Time = Rfc3339.nullish().catch(undefined);
const Text = z.string().min(1).nullish().catch(undefined);

/** The payload is what "Get Event" answers. */
const Payload = z
  .object({
    data: z.object({
      attributes: z
        .object({ datetime: Time, event_properties: z.object({ email_address: Text }).nullish().catch(undefined) })
        .nullish()
        .catch(undefined),
      relationships: z
        .object({ profile: z.object({ data: z.object({ id: Text }) }) })
        .nullish()
        .catch(undefined),
    }),
  })
  .nullish()
  .catch(undefined);

const Batch = z.object({
  data: z.array(z.object({ external_id: Text, topic: z.string().min(1), payload: Payload })),
  meta: z.object({ timestamp: Time }),
});

const WITHDRAWALS: ReadonlySet<string> = new Set([
  "event:klaviyo.unsubscribed_from_email_marketing",
  "event:klaviyo.unsubscribed_from_sms_marketing",
]);

function whom(payload: z.infer<typeof Payload>) {
  const profile = payload?.data.relationships?.profile.data.id;
  if (profile != null) return { type: "klaviyo.profile", value: profile };
  const email = payload?.data.attributes?.event_properties?.email_address;
  return email == null ? undefined : { type: "email", value: email };
}

const Profiles = z.object({
  data: z.array(z.object({ id: z.string().min(1) })),
  links: z.object({ next: z.string().nullish() }).nullish(),
});
const Profile = z.object({ data: z.object({ id: z.string().min(1) }) });

const settings = {
  apiKey: secret("Private API key (scopes data-privacy:write and profiles:read)", /^pk_/),
  secretKey: optional(secret("Secret key of the webhook", /^.{16,}$/)),
} satisfies Settings;

export const klaviyo = defineIntegration({
  id: "klaviyo",
  name: "Klaviyo",
  about: "Marketing by e-mail and text message.",
  origins: ["https://a.klaviyo.com"],
  settings,
  identities: { "klaviyo.profile": "Profile id" },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "secretKey",
        signature: { header: "klaviyo-signature", encoding: "hex" },
        over: ["body", { header: "klaviyo-timestamp" }],
        // No age: Klaviyo states none and repeats for two days, and its header has been seen hours ahead of the time within.
      },
      contentTypes: ["application/json"],
      read: json(Batch, ({ data, meta }, { receivedAt }) =>
        data.map(({ external_id, topic, payload }, index) => {
          const at = payload?.data.attributes?.datetime ?? meta.timestamp ?? receivedAt;
          const identity = WITHDRAWALS.has(topic) ? whom(payload) : undefined;
          const id = external_id ?? `${topic}:${meta.timestamp ?? receivedAt}:${identity?.value ?? index}`;
          // One event of a thousand that says not whose it is must not hold up the others.
          if (identity === undefined) return { id, name: topic, signals: [] };
          return { id, name: topic, signals: [{ type: "consent_withdrawn", identity, at }] };
        }),
      ),
      authority: { consent_withdrawn: "record" },
      // 200, 201 or 202, within five seconds.
      answer: 200,
      retriesForHours: 48,
      events: [...WITHDRAWALS],
    },
  },

  oauth: absent("not yet connected by Quittance", "https://developers.klaviyo.com/en/docs/set_up_oauth"),

  actions: {
    erase: {
      source: DELETION,
      by: ["klaviyo.profile", "email", "phone"],
      each: "identity",
      learns: ["klaviyo.profile"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* profilesWith("email", value, order);
        if (type === "phone") return yield* profilesWith("phone_number", value, order);
        const reply = yield get(profileAt(value), auth(order));
        if (reply.status === 404) return notFound;
        const profile = read(reply, Profile);
        if (!profile.ok) return profile.problem;
        const job = at`https://a.klaviyo.com/api/data-privacy-deletion-jobs`;
        const asked = yield { ...postJson(job, {}, deletionOf(value)), headers: { ...auth(order), ...JSON_API } };
        // "Accepted" is all that it says, without an id to ask by: whether the profile is there tells.
        return byStatus(asked, { 202: accepted(value, ASK_AGAIN_SECONDS) });
      },
      *check(profile, order) {
        const reply = yield get(profileAt(profile), auth(order));
        return isThere(reply) ?? erased;
      },
      look: {
        // Gone once may be an index that is behind; gone twice is gone.
        afterSeconds: 300,
        *run(order) {
          if (order.identity.type !== "klaviyo.profile") return "no_view";
          const reply = yield get(profileAt(order.identity.value), auth(order));
          if (reply.status === 404) return "absent";
          const profile = read(reply, Profile);
          return profile.ok ? "present" : profile.problem;
        },
      },
    },
    revoke: absent(
      "needs the account's token, which connections will hold",
      "https://developers.klaviyo.com/en/docs/set_up_oauth",
    ),
  },

  check: {
    source: "https://developers.klaviyo.com/en/reference/get_profiles",
    shows: "the key reads profiles; data-privacy:write is not shown before it is used",
    *run({ apiKey }) {
      const filter = `equals(email,${JSON.stringify(NOBODY)})`;
      const headers = auth({ settings: { apiKey } });
      const reply = yield get(at`https://a.klaviyo.com/api/profiles?filter=${{ filter }}`, headers);
      return readable(reply, Profiles, "the key lacks profiles:read");
    },
  },

  residuals: [],
  retainable: [],
  limits: { perSecond: 3, connections: 1 },
});

type KlaviyoOrder = Order<typeof settings>;

/** Revisions carry their date; this one is raised with a release. */
const auth = ({ settings }: { readonly settings: { readonly apiKey: string } }) => ({
  authorization: `Klaviyo-API-Key ${settings.apiKey}`,
  revision: "2026-07-15",
  accept: "application/vnd.api+json",
});

const JSON_API = { "content-type": "application/vnd.api+json" };

/** How long a deletion takes is not said. */
const ASK_AGAIN_SECONDS = 900;

const profileAt = (id: string): Address => at`https://a.klaviyo.com/api/profiles/${{ profile: id }}`;

const deletionOf = (id: string) => ({
  data: {
    type: "data-privacy-deletion-job",
    // One identifier only; `attributes` has to be there even so.
    attributes: { profile: { data: { type: "profile", id, attributes: {} } } },
  },
});

/** An address or a number belongs to a profile or two; more than a page of them is for a person to look at. */
function* profilesWith(field: "email" | "phone_number", value: string, order: KlaviyoOrder): Steps<Answer> {
  const filter = `equals(${field},${JSON.stringify(value)})`;
  const reply = yield get(at`https://a.klaviyo.com/api/profiles?filter=${{ filter }}`, auth(order));
  const profiles = read(reply, Profiles);
  if (!profiles.ok) return profiles.problem;
  const { data, links } = profiles.value;
  if (links?.next != null) return unforeseen(reply, "more than a page of profiles with one address or number");
  return found(data.map(({ id }) => ({ type: "klaviyo.profile", value: id })));
}

/** Undefined once the profile is gone. */
function isThere(reply: Reply): Answer | undefined {
  if (reply.status === 404) return undefined;
  const profile = read(reply, Profile);
  return profile.ok ? accepted(profile.value.data.id, ASK_AGAIN_SECONDS) : profile.problem;
}
