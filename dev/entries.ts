import { createHmac, generateKeyPairSync } from "node:crypto";
import { SENDGRID_VERIFICATION_KEY } from "../cli/senders/sendgrid.ts";

/** One entry of a registry, as `PUT /v1/subprocessors/{id}` takes it. */
export type Entry = {
  readonly integration: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly registers_objects?: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
};

/*
 * One function a vendor: what a reference customer enters of it. Settings are a checkout's own, the same at each start:
 * derived, so that nothing looks like anybody's real key. What a vendor holds about a person stands in holders.ts.
 */
const derived = (what: string, length: number): string =>
  createHmac("sha256", "quittance development").update(what).digest("hex").slice(0, length);
const secretOf = (what: string): string => `dev_${derived(what, 36)}`;
const digits = (what: string): string =>
  BigInt(`0x${derived(what, 12)}`)
    .toString()
    .padStart(15, "1")
    .slice(0, 15);
const webhookSecret = (what: string): string =>
  `whsec_${createHmac("sha256", "quittance development").update(what).digest("base64")}`;

type Purpose = { readonly code: string; readonly text: string; readonly legal_basis: string };

const CONTRACT = "gdpr_6_1_b";
const INTERESTS = "gdpr_6_1_f";

/** What a record of processing says of a processor in the EEA that also works in the United States, by default. */
const processor = (name: string, country: string, purpose: Purpose, more: Readonly<Record<string, unknown>>) => ({
  legal_name: name,
  country,
  role: "processor",
  purposes: [purpose],
  data_subjects: ["end_users"],
  locations: [{ country: "US", kind: "processing" }],
  transfers: [{ from: "EEA", to: "US", mechanism: "dpf" }],
  ...more,
});

/** A platform decides for itself what it does with its members' data. */
const platform = (name: string, more: Readonly<Record<string, unknown>>) => ({
  legal_name: name,
  country: "IE",
  role: "controller",
  purposes: [
    { code: "social_connection", text: "Publishing and reading under the person's own grant", legal_basis: CONTRACT },
  ],
  data_categories: ["identifiers", "content"],
  data_subjects: ["end_users"],
  locations: [{ country: "IE", kind: "processing" }],
  ...more,
});

export const facebook = (slug: string): Entry => ({
  integration: "facebook",
  settings: { appId: digits(`${slug} facebook`), appSecret: derived(`${slug} facebook secret`, 32) },
  facts: platform("Meta Platforms Ireland Limited", { display_name: "Facebook" }),
});

export const instagram = (slug: string): Entry => ({
  integration: "instagram",
  settings: {
    appId: digits(`${slug} instagram`),
    appSecret: derived(`${slug} instagram secret`, 32),
    verifyToken: secretOf(`${slug} instagram verify`),
  },
  facts: platform("Meta Platforms Ireland Limited", { display_name: "Instagram" }),
});

export const x = (slug: string): Entry => ({
  integration: "x",
  settings: {
    consumerSecret: secretOf(`${slug} x`),
    clientId: derived(`${slug} x client`, 34),
    clientSecret: secretOf(`${slug} x client`),
    bearerToken: secretOf(`${slug} x bearer`),
  },
  facts: platform("X Internet Unlimited Company", { display_name: "X" }),
});

export const linkedin = (slug: string): Entry => ({
  integration: "linkedin",
  settings: { clientId: derived(`${slug} linkedin client`, 14), clientSecret: secretOf(`${slug} linkedin`) },
  facts: platform("LinkedIn Ireland Unlimited Company", { display_name: "LinkedIn" }),
});

export const tiktok = (slug: string): Entry => ({
  integration: "tiktok",
  settings: { clientKey: `aw${derived(`${slug} tiktok client`, 14)}`, clientSecret: secretOf(`${slug} tiktok`) },
  facts: platform("TikTok Technology Limited", { display_name: "TikTok" }),
});

/** The network tells everybody. A Tap of the customer's own would tell the same, with this password. */
export const bluesky = (slug: string): Entry => ({
  integration: "bluesky",
  settings: { tapPassword: secretOf(`${slug} bluesky tap`) },
  facts: platform("Bluesky Social, PBC", {
    country: "US",
    display_name: "Bluesky",
    locations: [{ country: "US", kind: "processing" }],
  }),
});

/** One Google project a use, so that the end of one grant does not end another. */
const googleClient = (what: string) => {
  const clientId = `${digits(what).slice(0, 12)}-${derived(what, 32)}.apps.googleusercontent.com`;
  return { clientIds: clientId, clientId, clientSecret: secretOf(`${what} client`) };
};

export const youtube = (slug: string): Entry => ({
  integration: "youtube",
  settings: googleClient(`${slug} youtube`),
  facts: platform("Google Ireland Limited", { display_name: "YouTube" }),
});

export const google = (slug: string, use: "sign_in" | "workspace"): Entry => ({
  integration: "google",
  settings: googleClient(`${slug} google`),
  facts: platform("Google Ireland Limited", {
    display_name: use === "sign_in" ? "Google sign-in" : "Google Workspace APIs",
    purposes: [
      use === "sign_in"
        ? { code: "sign_in", text: "Signing in with a Google account", legal_basis: CONTRACT }
        : { code: "workspace", text: "Reading and writing under the person's own grant", legal_basis: CONTRACT },
    ],
    ...(use === "workspace" && { ai: { trains_on_data: false, opt_out: "contract" } }),
  }),
});

export const googleCloud = (slug: string): Entry => ({
  integration: "google-cloud",
  settings: { serviceAccount: `quittance@${slug}-dev.iam.gserviceaccount.com` },
  facts: processor(
    "Google Cloud EMEA Limited",
    "IE",
    { code: "hosting", text: "Hosting the service and storing its data", legal_basis: CONTRACT },
    {
      display_name: "Google Cloud",
      data_categories: ["contact", "content", "usage"],
      agreements: [{ kind: "dpa", url: "https://cloud.google.com/terms/data-processing-addendum" }],
    },
  ),
});

/** Made anew at each start: the sandbox takes any key of an account that it was not told of. */
const { privateKey: serviceAccountPem } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const serviceAccountKey = (slug: string): string =>
  JSON.stringify({
    type: "service_account",
    project_id: `${slug}-dev`,
    private_key_id: derived(`${slug} service account`, 40),
    private_key: serviceAccountPem,
    client_email: `quittance@${slug}-dev.iam.gserviceaccount.com`,
  });

export const googleCloudStorage = (slug: string): Entry => ({
  integration: "google-cloud-storage",
  settings: { serviceAccountKey: serviceAccountKey(slug), bucket: `${slug}-dev-uploads`, prefix: "users/{id}/" },
  facts: processor(
    "Google Cloud EMEA Limited",
    "IE",
    { code: "file_storage", text: "Storing the files that people give", legal_basis: CONTRACT },
    {
      display_name: "Google Cloud Storage",
      data_categories: ["content"],
      agreements: [{ kind: "dpa", url: "https://cloud.google.com/terms/data-processing-addendum" }],
    },
  ),
});

export const googleAi = (slug: string): Entry => ({
  integration: "google-ai",
  settings: { serviceAccountKey: serviceAccountKey(slug) },
  registers_objects: true,
  facts: processor(
    "Google Cloud EMEA Limited",
    "IE",
    { code: "language_analysis", text: "Telling the sentiment and the language of posts", legal_basis: INTERESTS },
    {
      display_name: "Google Cloud AI",
      data_categories: ["content"],
      agreements: [{ kind: "dpa", url: "https://cloud.google.com/terms/data-processing-addendum" }],
      ai: { trains_on_data: false, opt_out: "contract", retention_days: 1 },
    },
  ),
});

export const googleNaturalLanguage = (): Entry => ({
  integration: "google-natural-language",
  settings: {},
  facts: processor(
    "Google Cloud EMEA Limited",
    "IE",
    { code: "language_analysis", text: "Telling the sentiment and the language of posts", legal_basis: INTERESTS },
    {
      display_name: "Google Cloud Natural Language",
      data_categories: ["content"],
      agreements: [{ kind: "dpa", url: "https://cloud.google.com/terms/data-processing-addendum" }],
      ai: { trains_on_data: false, opt_out: "contract" },
    },
  ),
});

export const googleAnalytics = (slug: string): Entry => ({
  integration: "google-analytics",
  settings: { serviceAccountKey: serviceAccountKey(slug), properties: digits(`${slug} analytics`).slice(0, 9) },
  registers_objects: true,
  facts: processor(
    "Google Ireland Limited",
    "IE",
    { code: "analytics", text: "Measuring the use of the site", legal_basis: INTERESTS },
    {
      display_name: "Google Analytics",
      data_categories: ["usage"],
      agreements: [{ kind: "dpa", url: "https://business.safety.google/adsprocessorterms/" }],
    },
  ),
});

export const stripe = (slug: string): Entry => ({
  integration: "stripe",
  settings: {
    secretKey: `sk_test_dev_${derived(`${slug} stripe`, 24)}`,
    webhookSecret: `whsec_dev_${derived(`${slug} stripe hook`, 32)}`,
    clientId: `ca_dev_${derived(`${slug} stripe client`, 16)}`,
  },
  facts: processor(
    "Stripe Payments Europe, Limited",
    "IE",
    { code: "payments", text: "Taking payments and keeping their records", legal_basis: CONTRACT },
    {
      display_name: "Stripe",
      data_categories: ["contact", "payment"],
      locations: [
        { country: "IE", kind: "processing" },
        { country: "US", kind: "storage" },
      ],
      agreements: [{ kind: "dpa", url: "https://stripe.com/legal/dpa" }],
    },
  ),
});

export const paypal = (slug: string): Entry => ({
  integration: "paypal",
  settings: {
    environment: "sandbox",
    clientId: `dev_${derived(`${slug} paypal`, 40)}`,
    clientSecret: secretOf(`${slug} paypal`),
    webhookId: derived(`${slug} paypal hook`, 17).toUpperCase(),
  },
  registers_objects: true,
  // It decides for itself what it does with payments; what it keeps for the customer is payment methods.
  facts: {
    legal_name: "PayPal (Europe) S.à r.l. et Cie, S.C.A.",
    display_name: "PayPal",
    country: "LU",
    role: "controller",
    purposes: [{ code: "payments", text: "Taking payments and keeping payment methods", legal_basis: CONTRACT }],
    data_categories: ["contact", "payment"],
    data_subjects: ["end_users"],
    locations: [{ country: "LU", kind: "processing" }],
  },
});

const GENERATION = {
  code: "content_generation",
  text: "Generating content from what the person gives",
  legal_basis: CONTRACT,
};

export const openai = (slug: string): Entry => ({
  integration: "openai",
  settings: { apiKey: `sk-dev_${derived(`${slug} openai`, 40)}`, webhookSecret: webhookSecret(`${slug} openai hook`) },
  registers_objects: true,
  facts: processor("OpenAI Ireland Limited", "IE", GENERATION, {
    display_name: "OpenAI",
    data_categories: ["content"],
    transfers: [{ from: "EEA", to: "US", mechanism: "scc", scc_module: 3 }],
    ai: { trains_on_data: false, opt_out: "contract", retention_days: 30 },
  }),
});

export const anthropic = (slug: string): Entry => ({
  integration: "anthropic",
  settings: {
    apiKey: `sk-ant-dev_${derived(`${slug} anthropic`, 40)}`,
    webhookKey: webhookSecret(`${slug} anthropic hook`),
  },
  registers_objects: true,
  facts: processor("Anthropic Ireland, Limited", "IE", GENERATION, {
    display_name: "Anthropic",
    data_categories: ["content"],
    transfers: [{ from: "EEA", to: "US", mechanism: "scc", scc_module: 3 }],
    ai: { trains_on_data: false, opt_out: "contract", retention_days: 30 },
  }),
});

export const gemini = (slug: string): Entry => ({
  integration: "gemini",
  settings: { apiKey: `dev_${derived(`${slug} gemini`, 35)}` },
  registers_objects: true,
  facts: processor("Google Ireland Limited", "IE", GENERATION, {
    display_name: "Google Gemini API",
    data_categories: ["content"],
    ai: { trains_on_data: false, opt_out: "contract", retention_days: 55 },
  }),
});

export const mixpanel = (slug: string, residency: "US" | "EU"): Entry => ({
  integration: "mixpanel",
  settings: {
    projectToken: derived(`${slug} mixpanel`, 32),
    oauthToken: `dev_${derived(`${slug} mixpanel oauth`, 28)}`,
    residency,
  },
  registers_objects: true,
  facts: processor(
    "Mixpanel, Inc.",
    "US",
    { code: "analytics", text: "Counting what people do in the product", legal_basis: INTERESTS },
    {
      display_name: "Mixpanel",
      data_categories: ["identifiers", "usage"],
      locations: [{ country: residency === "EU" ? "NL" : "US", kind: "storage" }],
      agreements: [{ kind: "dpa", url: "https://mixpanel.com/legal/dpa/" }],
    },
  ),
});

const SUPPORT = { code: "support", text: "Answering people who ask for help", legal_basis: CONTRACT };

export const zendesk = (slug: string): Entry => ({
  integration: "zendesk",
  settings: {
    subdomain: slug,
    agentEmail: `privacy@${slug}.example`,
    apiToken: secretOf(`${slug} zendesk`),
    webhookSecret: secretOf(`${slug} zendesk hook`),
  },
  facts: processor("Zendesk, Inc.", "US", SUPPORT, {
    display_name: "Zendesk",
    data_categories: ["contact", "support_tickets"],
    agreements: [{ kind: "dpa", url: "https://www.zendesk.com/company/data-processing-form/" }],
  }),
});

export const intercom = (slug: string, region: "us" | "eu"): Entry => ({
  integration: "intercom",
  settings: {
    region,
    accessToken: secretOf(`${slug} intercom`),
    clientSecret: secretOf(`${slug} intercom hook`),
    uninstallSecret: secretOf(`${slug} intercom uninstall`),
  },
  facts: processor("Intercom R&D Unlimited Company", "IE", SUPPORT, {
    display_name: "Intercom",
    data_categories: ["contact", "messages"],
    locations: [{ country: region === "eu" ? "IE" : "US", kind: "storage" }],
    agreements: [{ kind: "dpa", url: "https://www.intercom.com/legal/data-processing-agreement" }],
  }),
});

export const sendgrid = (slug: string, region: "us" | "eu"): Entry => ({
  integration: "sendgrid",
  settings: {
    region,
    apiKey: `SG.dev_${derived(`${slug} sendgrid`, 40)}`,
    verificationKey: SENDGRID_VERIFICATION_KEY,
  },
  facts: processor(
    "Twilio Ireland Limited",
    "IE",
    { code: "email", text: "Sending the mail of the service", legal_basis: CONTRACT },
    {
      display_name: "Twilio SendGrid",
      data_categories: ["contact", "messages"],
      agreements: [{ kind: "dpa", url: "https://www.twilio.com/en-us/legal/data-protection-addendum" }],
    },
  ),
});

export const awsS3 = (slug: string, region: string): Entry => ({
  integration: "aws-s3",
  settings: {
    region,
    bucket: `${slug}-uploads`,
    accessKeyId: `DEV${derived(`${slug} aws-s3`, 17).toUpperCase()}`,
    secretAccessKey: secretOf(`${slug} aws-s3`),
    prefixes: "users/{id}/",
  },
  facts: processor(
    "Amazon Web Services EMEA SARL",
    "LU",
    { code: "hosting", text: "Keeping what people upload", legal_basis: CONTRACT },
    {
      display_name: "Amazon S3",
      data_categories: ["content"],
      locations: [{ country: "DE", kind: "storage" }],
      agreements: [{ kind: "dpa", url: "https://aws.amazon.com/compliance/gdpr-center/" }],
    },
  ),
});

export const mailchimp = (slug: string, dataCenter: string): Entry => ({
  integration: "mailchimp",
  settings: {
    apiKey: `${derived(`${slug} mailchimp`, 32)}-${dataCenter}`,
    dataCenter,
    signingSecret: secretOf(`${slug} mailchimp hook`),
    addressSecret: secretOf(`${slug} mailchimp address`),
  },
  facts: processor(
    "The Rocket Science Group LLC",
    "US",
    { code: "marketing", text: "Newsletters for those who asked for them", legal_basis: "gdpr_6_1_a" },
    {
      display_name: "Mailchimp",
      data_categories: ["contact", "usage"],
      agreements: [{ kind: "dpa", url: "https://mailchimp.com/legal/data-processing-addendum/" }],
    },
  ),
});

export const own = (slug: string, what: string, text: string): Entry => ({
  integration: "first-party",
  settings: { url: `https://${what}.${slug}.example/privacy/events`, secret: webhookSecret(`${slug} ${what}`) },
  facts: {
    display_name: text,
    role: "controller",
    purposes: [{ code: "own_service", text, legal_basis: CONTRACT }],
    data_categories: ["contact", "content", "usage"],
    data_subjects: ["end_users"],
  },
});
