import { createHash } from "node:crypto";
import type { Entry } from "./entries.ts";

/*
 * One function a vendor: what it holds of a customer's person before an erasure, as the sandbox is told (`POST /seed`), and
 * by what the person is known there. A vendor without an outbound side only has the person's account.
 */
export type Person = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly facebookId: string;
};

type Identity = { readonly type: string; readonly value: string };
type Seed = { readonly vendor: string } & Readonly<Record<string, unknown>>;

export type Held = {
  readonly seeds?: readonly Seed[];
  /** By what the product knows the person there. */
  readonly identities?: readonly Identity[];
  /** What the product registers as it is made: the vendor's own ids. */
  readonly objects?: readonly { readonly type: string; readonly id: string }[];
};

export type Holder = {
  /** What the sandbox has to know of the customer's account before anybody is held there. */
  readonly account?: (settings: Entry["settings"]) => Seed;
  readonly person: (settings: Entry["settings"], person: Person, about: About) => Held;
};

export type About = {
  /** The person in this customer's accounts, as text that stands in no other. */
  readonly tag: string;
  /** Everything by which the product knows the person: own systems are told the same. */
  readonly identities: readonly Identity[];
  readonly payments: number;
  readonly age_days: number;
};

/** One of a person's accounts at a platform, the same at each start. */
export const accountIdOf = (integration: string, { id, facebookId }: Person): string =>
  integration === "facebook" ? facebookId : String(numberOf(integration, id, facebookId));

const numberOf = (...parts: readonly string[]): number =>
  Number.parseInt(createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12), 16) + 1e15;

/** The person's own account there is all that we know; what they have granted is a connection. */
const memberOf = (integration: string, type: string): Holder => ({
  person: (_, person) => ({ identities: [{ type, value: accountIdOf(integration, person) }] }),
});

/** https://web.plc.directory/spec/v0.1/did-plc: 24 characters of base32. */
export const didOf = (person: Person): string =>
  `did:plc:${numberOf("bluesky", person.id, person.facebookId)
    .toString(2)
    .padStart(120, "0")
    .replaceAll(/.{5}/g, (bits) => "abcdefghijklmnopqrstuvwxyz234567".charAt(Number.parseInt(bits, 2)))}`;

/** The account is at the person's own host; nothing of it is the customer's. */
const bluesky: Holder = {
  person: (_, person) => ({ identities: [{ type: "bluesky.did", value: didOf(person) }] }),
};

const firstParty: Holder = {
  account: ({ url = "", secret }) => ({
    vendor: "first-party",
    host: new URL(url).host,
    secret,
    mode: "done",
    people: [],
  }),
  person: ({ url = "" }, { id, name, email }, { identities }) => ({
    seeds: [
      {
        vendor: "first-party",
        host: new URL(url).host,
        people: [{ id, identities, data: { name, note: `something about ${email}` } }],
      },
    ],
  }),
};

const facebook: Holder = {
  account: ({ appId, appSecret }) => ({ vendor: "meta", account: appId, secret: appSecret, grants: [] }),
  person: ({ appId }, { facebookId }) => ({
    seeds: [
      { vendor: "meta", account: appId, grants: [{ user_id: facebookId, permissions: ["public_profile", "email"] }] },
    ],
    identities: [{ type: "facebook.user_id", value: facebookId }],
  }),
};

const stripe: Holder = {
  person: ({ secretKey }, { email, name }, { tag, payments, age_days }) => ({
    seeds: [
      {
        vendor: "stripe",
        account: secretKey,
        customers: [{ id: `cus_${tag}`.replaceAll("-", ""), email, name, payments, age_days, payment_methods: 1 }],
      },
    ],
  }),
};

const mixpanelProject = ({ projectToken, oauthToken, residency }: Entry["settings"]) => ({
  vendor: "mixpanel",
  account: projectToken,
  oauth_token: oauthToken,
  residency,
});

const mixpanel: Holder = {
  account: mixpanelProject,
  person: (settings, { email, name }, { tag }) => {
    // One person, known by the device before signing in and by the product's own id after.
    const [device, user] = [`$device:${tag}`, tag];
    return {
      seeds: [
        {
          ...mixpanelProject(settings),
          users: [
            { distinct_id: device, events: ["Page viewed"] },
            { distinct_id: user, profile: { $email: email, $name: name }, events: ["Signed in"] },
          ],
        },
      ],
      objects: [device, user].map((id) => ({ type: "mixpanel.distinct_id", id })),
    };
  },
};

const openai: Holder = {
  person: ({ apiKey }, { email, name }, { tag }) => ({
    seeds: [
      {
        vendor: "openai",
        account: apiKey,
        files: [{ id: `file-${tag}`, filename: "letter.txt", purpose: "user_data", content: `A letter from ${email}` }],
        vector_stores: [{ id: `vs_${tag}`, name: `store of ${email}`, files: [`file-${tag}`] }],
        responses: [{ id: `resp_${tag}`, content: `Dear ${email}` }],
        conversations: [{ id: `conv_${tag}`, items: [`I am ${name}, ${email}`, "Hello"] }],
      },
    ],
    objects: [
      { type: "openai.file", id: `file-${tag}` },
      { type: "openai.vector_store", id: `vs_${tag}` },
      { type: "openai.response", id: `resp_${tag}` },
      { type: "openai.conversation", id: `conv_${tag}` },
    ],
  }),
};

const gemini: Holder = {
  person: ({ apiKey }, { email }, { tag }) => ({
    seeds: [
      {
        vendor: "gemini",
        account: apiKey,
        files: [{ id: tag, display_name: `letter from ${email}` }],
        file_search_stores: [{ id: tag, display_name: `store of ${email}`, documents: [tag] }],
        interactions: [{ id: `v1_${tag}`, output: `Dear ${email}` }],
      },
    ],
    objects: [
      { type: "gemini.file", id: `files/${tag}` },
      { type: "gemini.file_search_store", id: `fileSearchStores/${tag}` },
      { type: "gemini.interaction", id: `v1_${tag}` },
    ],
  }),
};

const anthropic: Holder = {
  person: ({ apiKey }, { email, name }, { tag }) => ({
    seeds: [
      {
        vendor: "anthropic",
        account: apiKey,
        files: [{ id: `file_${tag}`, filename: "letter.txt", content: `A letter from ${email}` }],
        message_batches: [{ id: `msgbatch_${tag}`, content: `Dear ${email}` }],
        sessions: [{ id: `sesn_${tag}`, events: [`I am ${name}, ${email}`] }],
      },
    ],
    objects: [
      { type: "anthropic.file", id: `file_${tag}` },
      { type: "anthropic.message_batch", id: `msgbatch_${tag}` },
      { type: "anthropic.session", id: `sesn_${tag}` },
    ],
  }),
};

const paypal: Holder = {
  person: ({ clientId }, { email }, { tag }) => {
    const customer = `customer-${numberOf("paypal", tag)}`;
    const method = { customer, email };
    return {
      seeds: [
        {
          vendor: "paypal",
          account: clientId,
          payment_tokens: [
            { ...method, id: `pt-${numberOf("paypal card", tag)}` },
            { ...method, id: `pt-${numberOf("paypal wallet", tag)}`, wallet: true },
          ],
        },
      ],
      objects: [{ type: "paypal.customer", id: customer }],
    };
  },
};

const googleCloudStorage: Holder = {
  account: ({ bucket }) => ({ vendor: "google-cloud-storage", buckets: [{ name: bucket }] }),
  person: ({ bucket }, { id, email }) => ({
    seeds: [
      {
        vendor: "google-cloud-storage",
        buckets: [
          {
            name: bucket,
            objects: ["letter.pdf", "photos/1.jpg"].map((file) => ({
              name: `users/${id}/${file}`,
              content: `${file} of ${email}`,
            })),
          },
        ],
      },
    ],
  }),
};

const googleAi: Holder = {
  person: (_, { email }, { tag }) => {
    const name = `projects/example-project/locations/europe-west1/reasoningEngines/1/sessions/${tag}`;
    return {
      seeds: [{ vendor: "google-ai", resources: [{ name, content: `what ${email} has said` }] }],
      objects: [{ type: "google-ai.session", id: name }],
    };
  },
};

const googleAnalytics: Holder = {
  account: ({ properties }) => ({ vendor: "google-analytics", property: properties }),
  person: ({ properties }, { email }, { tag }) => ({
    // An address where it should not be, as happens.
    seeds: [
      {
        vendor: "google-analytics",
        property: properties,
        events: [{ clientId: tag, page: `/welcome?address=${email}` }],
      },
    ],
    objects: [{ type: "google-analytics.client_id", id: tag }],
  }),
};

const zendesk: Holder = {
  person: ({ subdomain = "" }, { id, email, name }, { tag }) => {
    const user = numberOf("zendesk", tag);
    const tickets = ["I cannot sign in", "Where is my invoice?"].map((about) => ({
      requester_id: user,
      subject: `${about} (${email})`,
    }));
    return {
      seeds: [{ vendor: "zendesk", account: subdomain, users: [{ id: user, name, email, external_id: id }], tickets }],
    };
  },
};

const intercom: Holder = {
  person: ({ accessToken }, { id, email, name }, { tag }) => ({
    seeds: [
      {
        vendor: "intercom",
        account: accessToken,
        contacts: [{ id: `contact-${tag}`, email, external_id: id, name }],
        conversations: [{ contact: `contact-${tag}`, text: `Hello, this is ${email}` }],
      },
    ],
  }),
};

const sendgrid: Holder = {
  person: ({ apiKey }, { email }) => ({
    seeds: [
      {
        vendor: "sendgrid",
        account: apiKey,
        contacts: [{ email }],
        mail: [email],
        suppressions: [
          { list: "global", email },
          { list: "bounces", email },
        ],
      },
    ],
  }),
};

const awsS3: Holder = {
  account: ({ bucket, accessKeyId = "", secretAccessKey = "" }) => ({
    vendor: "aws-s3",
    bucket,
    keys: { [accessKeyId]: secretAccessKey },
  }),
  person: ({ bucket }, { id, email }) => ({
    seeds: [
      {
        vendor: "aws-s3",
        bucket,
        versioned: true,
        objects: [
          { key: `users/${id}/profile.json`, content: `about ${email}` },
          { key: `users/${id}/profile.json`, content: `once about ${email}` },
          { key: `users/${id}/photo.jpg`, marker: true },
        ],
        uploads: [{ key: `users/${id}/film.mp4` }],
      },
    ],
  }),
};

const mailchimp: Holder = {
  person: ({ dataCenter }, { email }) => ({
    seeds: [
      {
        vendor: "mailchimp",
        account: dataCenter,
        lists: [
          { name: "News", members: [{ email }] },
          { name: "Webinars", members: [{ email, status: "archived" }] },
        ],
      },
    ],
  }),
};

/** By integration; one that holds nothing which could be named is not here. */
export const holders: Readonly<Record<string, Holder>> = {
  anthropic,
  "aws-s3": awsS3,
  bluesky,
  "first-party": firstParty,
  facebook,
  gemini,
  google: memberOf("google", "google.sub"),
  "google-ai": googleAi,
  "google-analytics": googleAnalytics,
  "google-cloud-storage": googleCloudStorage,
  instagram: memberOf("instagram", "instagram.user_id"),
  intercom,
  linkedin: memberOf("linkedin", "linkedin.person"),
  mailchimp,
  mixpanel,
  openai,
  paypal,
  sendgrid,
  stripe,
  tiktok: memberOf("tiktok", "tiktok.open_id"),
  x: memberOf("x", "x.user_id"),
  youtube: memberOf("youtube", "youtube.google_account"),
  zendesk,
};
