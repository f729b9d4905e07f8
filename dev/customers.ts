import { createHmac } from "node:crypto";

/** The five reference customers, as far as the first integrations go: a registry and a policy each, and one invented person. */
export type Entry = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly registers_objects?: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
};

export type Customer = {
  readonly slug: string;
  readonly name: string;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly subprocessors: Readonly<Record<string, Entry>>;
};

/** Settings of a checkout's own, the same at each start: derived, so that nothing looks like anybody's real key. */
const derived = (what: string, length: number): string =>
  createHmac("sha256", "quittance development").update(what).digest("hex").slice(0, length);
const digits = (what: string): string =>
  BigInt(`0x${derived(what, 12)}`)
    .toString()
    .padStart(15, "1")
    .slice(0, 15);
const webhookSecret = (what: string): string =>
  `whsec_${createHmac("sha256", "quittance development").update(what).digest("base64")}`;

const facebook = (slug: string): Entry => ({
  integration: "facebook",
  settings: { appId: digits(`${slug} facebook`), appSecret: derived(`${slug} facebook secret`, 32) },
  facts: {
    legal_name: "Meta Platforms Ireland Limited",
    display_name: "Facebook",
    country: "IE",
    role: "controller",
    purposes: [{ code: "social_connection", text: "Publishing and reading under the person's own grant" }],
    data_categories: ["identifiers", "content"],
    data_subjects: ["end_users"],
    locations: [{ country: "IE", kind: "processing" }],
  },
});

const stripe = (slug: string): Entry => ({
  integration: "stripe",
  settings: {
    secretKey: `sk_test_dev_${derived(`${slug} stripe`, 24)}`,
    webhookSecret: `whsec_dev_${derived(`${slug} stripe hook`, 32)}`,
    clientId: `ca_dev_${derived(`${slug} stripe client`, 16)}`,
  },
  facts: {
    legal_name: "Stripe Payments Europe, Limited",
    display_name: "Stripe",
    country: "IE",
    role: "processor",
    purposes: [{ code: "payments", text: "Taking payments and keeping their records" }],
    data_categories: ["contact", "payment"],
    data_subjects: ["end_users"],
    locations: [
      { country: "IE", kind: "processing" },
      { country: "US", kind: "storage" },
    ],
    transfers: [{ from: "EEA", to: "US", mechanism: "dpf" }],
    agreements: [{ kind: "dpa", url: "https://stripe.com/legal/dpa" }],
  },
});

const openai = (slug: string): Entry => ({
  integration: "openai",
  settings: { apiKey: `sk-dev_${derived(`${slug} openai`, 40)}` },
  registers_objects: true,
  facts: {
    legal_name: "OpenAI Ireland Limited",
    display_name: "OpenAI",
    country: "IE",
    role: "processor",
    purposes: [{ code: "content_generation", text: "Generating content from what the person gives" }],
    data_categories: ["content"],
    data_subjects: ["end_users"],
    locations: [{ country: "US", kind: "processing" }],
    transfers: [{ from: "EEA", to: "US", mechanism: "scc", scc_module: 3 }],
    ai: { trains_on_data: false, opt_out: "contract", retention_days: 30 },
  },
});

const mixpanel = (slug: string, residency: "US" | "EU"): Entry => ({
  integration: "mixpanel",
  settings: {
    projectToken: derived(`${slug} mixpanel`, 32),
    oauthToken: `dev_${derived(`${slug} mixpanel oauth`, 28)}`,
    residency,
  },
  registers_objects: true,
  facts: {
    legal_name: "Mixpanel, Inc.",
    display_name: "Mixpanel",
    country: "US",
    role: "processor",
    purposes: [{ code: "analytics", text: "Counting what people do in the product" }],
    data_categories: ["identifiers", "usage"],
    data_subjects: ["end_users"],
    locations: [{ country: residency === "EU" ? "NL" : "US", kind: "storage" }],
    transfers: [{ from: "EEA", to: "US", mechanism: "dpf" }],
    agreements: [{ kind: "dpa", url: "https://mixpanel.com/legal/dpa/" }],
  },
});

const own = (slug: string, what: string, text: string): Entry => ({
  integration: "first-party",
  settings: { url: `https://${what}.${slug}.example/privacy/events`, secret: webhookSecret(`${slug} ${what}`) },
  facts: {
    display_name: text,
    role: "controller",
    purposes: [{ code: "own_service", text }],
    data_categories: ["contact", "content", "usage"],
    data_subjects: ["end_users"],
  },
});

const billing = (years: number, law: string) => ({
  category: "billing_records",
  keep: { years },
  ground: "legal_obligation",
  law,
});

export const customers: readonly Customer[] = [
  {
    slug: "cloutmetrics",
    name: "CloutMetrics",
    policy: {
      zone: "America/New_York",
      grace_days: 0,
      retention: [{ ...billing(7, "tax law: billing records for seven years"), subprocessors: ["stripe"] }],
      // A customer deleted at Stripe is a person leaving CloutMetrics.
      authority: { "stripe/events": { account_deleted: "everywhere" } },
    },
    subprocessors: {
      facebook: facebook("cloutmetrics"),
      stripe: stripe("cloutmetrics"),
      openai: openai("cloutmetrics"),
      // Its policy says "analytics services", and names none.
      mixpanel: mixpanel("cloutmetrics", "US"),
      product: own("cloutmetrics", "product", "CloutMetrics' own database"),
    },
  },
  {
    slug: "isocial-track",
    name: "iSocial Track",
    policy: {
      zone: "Europe/Berlin",
      deadline: { days: 30 },
      grace_days: 90,
      backup_days: 90,
      retention: [
        { ...billing(7, "billing records for seven years"), subprocessors: ["stripe"] },
        {
          category: "support_tickets",
          subprocessors: ["support"],
          keep: { years: 3 },
          ground: "legal_claims",
          law: "limitation period of three years",
        },
      ],
    },
    subprocessors: {
      facebook: facebook("isocial-track"),
      stripe: stripe("isocial-track"),
      openai: openai("isocial-track"),
      mixpanel: mixpanel("isocial-track", "EU"),
      product: own("isocial-track", "product", "iSocial Track's own database"),
      support: own("isocial-track", "support", "iSocial Track's support desk"),
    },
  },
  {
    slug: "imai",
    name: "InfluencerMarketing.ai",
    policy: { zone: "Asia/Jerusalem", deadline: { days: 45 }, grace_days: 0 },
    subprocessors: {
      profiles: own("imai", "profiles", "The influencer profile index"),
      customers: own("imai", "customers", "Customers who saw a profile"),
    },
  },
  {
    slug: "socra",
    name: "socra",
    policy: { zone: "America/Los_Angeles", grace_days: 30 },
    subprocessors: {
      openai: openai("socra"),
      product: own("socra", "product", "socra's content store"),
      analytics: own("socra", "analytics", "socra's own analytics"),
    },
  },
  {
    slug: "smart-blog-system",
    name: "Smart Blog System",
    policy: {
      zone: "UTC",
      grace_days: 0,
      retention: [{ ...billing(7, "billing and transaction metadata"), subprocessors: ["stripe"] }],
    },
    subprocessors: {
      stripe: stripe("smart-blog-system"),
      openai: openai("smart-blog-system"),
      product: own("smart-blog-system", "product", "Smart Blog System's own database"),
    },
  },
];
