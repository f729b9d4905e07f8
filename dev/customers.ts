import {
  anthropic,
  awsS3,
  bluesky,
  type Entry,
  facebook,
  gemini,
  google,
  googleAi,
  googleAnalytics,
  googleCloud,
  googleCloudStorage,
  googleNaturalLanguage,
  instagram,
  intercom,
  linkedin,
  mailchimp,
  mixpanel,
  openai,
  own,
  paypal,
  sendgrid,
  stripe,
  tiktok,
  x,
  youtube,
  zendesk,
} from "./entries.ts";

export type { Entry } from "./entries.ts";

/**
 * The five reference customers: of each third party that its privacy policy names, and that has an integration, one entry;
 * where a policy names a trade and no brand, what stands here is our choice, and said to be.
 */
export type Customer = {
  readonly slug: string;
  readonly name: string;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly subprocessors: Readonly<Record<string, Entry>>;
};

const billing = (years: number, law: string) => ({
  category: "billing_records",
  keep: { years },
  ground: "legal_obligation",
  law,
});

/** Where people land when they have connected an account. */
const returnTo = (slug: string) => [`https://app.${slug}.example/settings/connections`];

export const customers: readonly Customer[] = [
  {
    slug: "cloutmetrics",
    name: "CloutMetrics",
    policy: {
      zone: "America/New_York",
      grace_days: 0,
      return_addresses: returnTo("cloutmetrics"),
      retention: [{ ...billing(7, "tax law: billing records for seven years"), subprocessors: ["stripe"] }],
      // A customer deleted at Stripe is a person leaving CloutMetrics.
      authority: { "stripe/events": { account_deleted: "everywhere" } },
    },
    subprocessors: {
      linkedin: linkedin("cloutmetrics"),
      x: x("cloutmetrics"),
      instagram: instagram("cloutmetrics"),
      tiktok: tiktok("cloutmetrics"),
      facebook: facebook("cloutmetrics"),
      bluesky: bluesky("cloutmetrics"),
      anthropic: anthropic("cloutmetrics"),
      openai: openai("cloutmetrics"),
      gemini: gemini("cloutmetrics"),
      // Its policy says "analytics services" and "payment processors", and names none.
      mixpanel: mixpanel("cloutmetrics", "US"),
      stripe: stripe("cloutmetrics"),
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
      return_addresses: returnTo("isocial-track"),
      backup_days: 90,
      retention: [
        { ...billing(7, "billing records for seven years"), subprocessors: ["stripe"] },
        {
          category: "support_tickets",
          subprocessors: ["zendesk", "support"],
          keep: { years: 3 },
          ground: "legal_claims",
          law: "limitation period of three years",
        },
        {
          // Who has said no to marketing must not be written to again because the no was erased with the rest.
          category: "suppression_list",
          subprocessors: ["sendgrid"],
          keep: { years: 3 },
          ground: "suppression",
          law: "GDPR Art. 21(3): an objection to direct marketing is kept so that it can be heeded",
        },
      ],
    },
    subprocessors: {
      "aws-s3": awsS3("isocial-track", "eu-central-1"),
      "google-cloud": googleCloud("isocial-track"),
      "google-cloud-storage": googleCloudStorage("isocial-track"),
      openai: openai("isocial-track"),
      "google-ai": googleAi("isocial-track"),
      "google-natural-language": googleNaturalLanguage(),
      "google-analytics": googleAnalytics("isocial-track"),
      mixpanel: mixpanel("isocial-track", "EU"),
      stripe: stripe("isocial-track"),
      paypal: paypal("isocial-track"),
      zendesk: zendesk("isocial-track"),
      intercom: intercom("isocial-track", "eu"),
      sendgrid: sendgrid("isocial-track", "eu"),
      mailchimp: mailchimp("isocial-track", "us21"),
      facebook: facebook("isocial-track"),
      x: x("isocial-track"),
      instagram: instagram("isocial-track"),
      product: own("isocial-track", "product", "iSocial Track's own database"),
      support: own("isocial-track", "support", "iSocial Track's own archive of support mail"),
    },
  },
  {
    slug: "imai",
    name: "InfluencerMarketing.ai",
    policy: { zone: "Asia/Jerusalem", deadline: { days: 45 }, grace_days: 0, return_addresses: returnTo("imai") },
    subprocessors: {
      instagram: instagram("imai"),
      tiktok: tiktok("imai"),
      youtube: youtube("imai"),
      google: google("imai", "workspace"),
      "google-cloud": googleCloud("imai"),
      // Files lie under the id of a user; whoever never signed up has none.
      "google-cloud-storage": { ...googleCloudStorage("imai"), registers_objects: true },
      profiles: own("imai", "profiles", "The influencer profile index"),
      customers: own("imai", "customers", "Customers who saw a profile"),
    },
  },
  {
    slug: "socra",
    name: "socra",
    policy: { zone: "America/Los_Angeles", grace_days: 30, return_addresses: returnTo("socra") },
    subprocessors: {
      google: google("socra", "sign_in"),
      // Its policy says "our AI models" and "service and API providers", and names none.
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
      // Nothing is kept at SendGrid: it sends mail of the service only, and its lists hold no objection to marketing.
      retention: [{ ...billing(7, "billing and transaction metadata"), subprocessors: ["stripe"] }],
    },
    // Its policy names trades only: infrastructure, e-mail, analytics, AI, payment.
    subprocessors: {
      "google-cloud": googleCloud("smart-blog-system"),
      "google-cloud-storage": googleCloudStorage("smart-blog-system"),
      sendgrid: sendgrid("smart-blog-system", "us"),
      mixpanel: mixpanel("smart-blog-system", "US"),
      openai: openai("smart-blog-system"),
      gemini: gemini("smart-blog-system"),
      stripe: stripe("smart-blog-system"),
      product: own("smart-blog-system", "product", "Smart Blog System's own database"),
    },
  },
];
