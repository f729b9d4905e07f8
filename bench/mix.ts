import { generateKeyPairSync } from "node:crypto";
import * as integrations from "../integrations/index.ts";
import { isAbsent, isBulk } from "../src/contract/integration.ts";
import type { Entry } from "./tenant.ts";

/*
 * The twenty subprocessors of each tenant of the isolation bench: every vendor that takes many people in one call, own systems,
 * and vendors that are called person by person.
 */
type Identity = { readonly type: string; readonly value: string };
type Seed = { readonly vendor: string } & Readonly<Record<string, unknown>>;

/** A vendor that takes many: what a tenant enters of it, by what it knows a person, and what the sandbox is told. */
type BulkVendor = {
  readonly hosts: (slug: string) => readonly string[];
  readonly settings: (slug: string) => Readonly<Record<string, string>>;
  readonly identity: (person: number) => Identity;
  readonly seed: (slug: string, people: readonly number[]) => Omit<Seed, "vendor">;
};

/** Texts of the shapes that settings have, each tenant's its own. */
const word = (slug: string, what: string): string => `${slug}${what}0123456789abcdef`.replace(/\W/g, "");
const digits = (slug: string): string => Array.from(slug, (letter) => letter.charCodeAt(0) % 10).join("");
const userOf = (person: number): string => `u${person}`;

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const vendors: Readonly<Record<string, BulkVendor>> = {
  amplitude: {
    hosts: () => ["amplitude.com"],
    settings: (slug) => ({ apiKey: word(slug, "amplitude"), secretKey: word(slug, "secret"), residency: "US" }),
    identity: (person) => ({ type: "amplitude.user_id", value: userOf(person) }),
    seed: (slug, people) => ({
      account: word(slug, "amplitude"),
      users: people.map((person) => ({ user_id: userOf(person), amplitude_id: person + 1 })),
    }),
  },
  braze: {
    hosts: () => ["rest.iad-01.braze.com"],
    settings: (slug) => ({ apiKey: word(slug, "braze"), instance: "iad-01" }),
    identity: (person) => ({ type: "braze.external_id", value: userOf(person) }),
    seed: (slug, people) => ({
      account: word(slug, "braze"),
      users: people.map((person) => ({ braze_id: `profile-${person}`, external_id: userOf(person) })),
    }),
  },
  "google-bigquery": {
    hosts: () => ["bigquery.googleapis.com", "oauth2.googleapis.com"],
    settings: (slug) => ({
      serviceAccountKey: JSON.stringify({
        private_key_id: word(slug, "key"),
        private_key: privateKey,
        client_email: `quittance@${slug}.iam.gserviceaccount.com`,
      }),
      project: slug,
      location: "EU",
      tables: "people.visits:user_id",
    }),
    identity: (person) => ({ type: "user_id", value: userOf(person) }),
    seed: (slug, people) => ({
      tables: [{ name: `${slug}.people.visits`, rows: people.map((person) => ({ user_id: userOf(person) })) }],
    }),
  },
  mixpanel: {
    hosts: () => ["mixpanel.com"],
    settings: (slug) => ({ projectToken: word(slug, "mixpanel"), oauthToken: word(slug, "oauth"), residency: "US" }),
    identity: (person) => ({ type: "mixpanel.distinct_id", value: userOf(person) }),
    seed: (slug, people) => ({
      account: word(slug, "mixpanel"),
      users: people.map((person) => ({ distinct_id: userOf(person), profile: {} })),
    }),
  },
  posthog: {
    hosts: () => ["us.posthog.com"],
    settings: (slug) => ({ projectId: digits(slug), apiKey: `phx_${word(slug, "posthog")}`, residency: "US" }),
    identity: (person) => ({ type: "posthog.distinct_id", value: userOf(person) }),
    seed: (slug, people) => ({
      account: digits(slug),
      persons: people.map((person) => ({ distinct_ids: [userOf(person)] })),
    }),
  },
  salesforce: {
    hosts: (slug) => [`${slug}.my.salesforce.com`],
    settings: (slug) => ({
      myDomain: slug,
      clientId: word(slug, "client"),
      clientSecret: word(slug, "secret"),
      personAccounts: "no",
    }),
    identity: (person) => ({ type: "salesforce.contact", value: contactOf(person) }),
    seed: (_, people) => ({ records: people.map((person) => ({ object: "Contact", id: contactOf(person) })) }),
  },
  segment: {
    hosts: () => ["api.segmentapis.com"],
    settings: (slug) => ({ apiToken: word(slug, "segment"), residency: "US" }),
    identity: (person) => ({ type: "segment.user_id", value: userOf(person) }),
    seed: (slug, people) => ({
      account: word(slug, "segment"),
      users: people.map((person) => ({ user_id: userOf(person) })),
    }),
  },
};

/** A record's id has 15 letters and digits, and three more that repeat their case. */
const contactOf = (person: number): string => `003${String(person).padStart(12, "0")}AAA`;

/** Every integration that takes many people in one call. */
export const BULK: readonly string[] = Object.values(integrations)
  .filter(({ actions }) => Object.values(actions).some((action) => !isAbsent(action) && isBulk(action)))
  .map(({ id }) => id);

const lacking = BULK.filter((id) => vendors[id] === undefined);
if (lacking.length > 0) throw new Error(`the isolation bench does not know how to enter ${lacking.join(", ")}`);

export const HUNG = "own-hung";
export const QUOTA = "own-quota";

const SUBPROCESSORS = 20;

/** The eighteen whose vendors are well: Facebook, those that take many, and own systems and OpenAI accounts in turn. */
export const WELL: readonly string[] = [
  "facebook",
  ...BULK,
  ...Array.from({ length: SUBPROCESSORS - 3 - BULK.length }, (_, at) => (at % 2 === 0 ? `own-${at}` : `openai-${at}`)),
];

export type Quota = { readonly per_day?: number; readonly resets?: string };

export const own = (id: string, slug: string, quota?: Quota): Entry => ({
  integration: "first-party",
  settings: { url: `https://${id}.${slug}.example.com/privacy`, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  ...(quota !== undefined && { quota }),
});

function entryOf(id: string, slug: string): Entry {
  const vendor = vendors[id];
  if (vendor !== undefined) return { integration: id, settings: vendor.settings(slug) };
  if (id === "facebook")
    return {
      integration: id,
      settings: { appId: "100000000000000", appSecret: "0123456789abcdef0123456789abcdef" },
    };
  if (id.startsWith("own-")) return own(id, slug);
  return { integration: "openai", settings: { apiKey: `sk-dev_bench_${slug}_${id}` }, registers_objects: true };
}

export const registryOf = (slug: string, quota?: Quota): Readonly<Record<string, Entry>> => ({
  ...Object.fromEntries(WELL.map((id) => [id, entryOf(id, slug)])),
  [HUNG]: own(HUNG, slug),
  [QUOTA]: own(QUOTA, slug, quota),
});

/** A person is named by the ids that the vendors go by, so that nothing has to be registered before. */
export function identitiesOf(person: number): readonly Identity[] {
  const all = [
    { type: "user_id", value: userOf(person) },
    { type: "facebook.user_id", value: String(4_000_000_000_000 + person) },
    { type: "openai.response", value: `resp_${person}` },
    ...BULK.flatMap((id) => vendors[id]?.identity(person) ?? []),
  ];
  return [...new Map(all.map((identity) => [identity.type, identity])).values()];
}

/** What the sandbox is told, so that each of these people is known at each vendor that takes many. */
export const seedsOf = (slug: string, people: readonly number[]): readonly Seed[] =>
  Object.entries(vendors).map(([vendor, { seed }]) => ({ vendor, ...seed(slug, people) }));

/** Which of the vendors that take many answers for a host. */
export const bulkVendorAt = (host: string, slugs: readonly string[]): string | undefined =>
  BULK.find((id) => slugs.some((slug) => vendors[id]?.hosts(slug).includes(host)));
