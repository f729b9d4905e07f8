import { expect } from "vitest";
import type { RequestShape, World } from "./world.ts";

/**
 * How each task of an erasure ends at a reference customer, and where the person's address may still stand afterwards: what is
 * retained, and nothing else.
 */
type End = { readonly tasks: Readonly<Record<string, string>>; readonly left: readonly RegExp[] };

const PAYMENTS = /^\/stripe\/(payment_intents|charges|invoices|payment_methods)\//;
const SOFT_DELETED = /^\/google_cloud_storage\/soft_deleted\//;
const own = { erased: "erased deleted_reported", looked: "erased verified_absent", kept: "retained retained" };

export const ends: Readonly<Record<string, End>> = {
  cloutmetrics: {
    tasks: {
      "anthropic.erase": own.looked,
      "facebook.revoke": "revoked revoked",
      "gemini.erase": own.looked,
      "mixpanel.erase": own.erased,
      "openai.erase": own.looked,
      "product.erase": own.erased,
      "stripe.erase": own.kept,
    },
    left: [PAYMENTS],
  },
  "isocial-track": {
    tasks: {
      "aws-s3.erase": own.looked,
      "facebook.revoke": "revoked revoked",
      "google-ai.erase": own.looked,
      // It does not say when it is done, and the bucket keeps what was deleted for a week.
      "google-analytics.erase": own.kept,
      "google-cloud-storage.erase": own.kept,
      "intercom.erase": own.looked,
      "mailchimp.erase": own.looked,
      "mixpanel.erase": own.erased,
      "openai.erase": own.looked,
      "paypal.erase": own.looked,
      "product.erase": own.erased,
      "sendgrid.erase": own.kept,
      "stripe.erase": own.kept,
      "support.erase": own.erased,
      "zendesk.erase": own.kept,
    },
    left: [
      PAYMENTS,
      /^\/google_analytics\/events\//,
      SOFT_DELETED,
      /^\/sendgrid\/suppressions\//,
      /^\/zendesk\/tickets\//,
    ],
  },
  imai: {
    tasks: { "customers.erase": own.erased, "google-cloud-storage.erase": own.kept, "profiles.erase": own.erased },
    left: [SOFT_DELETED],
  },
  socra: {
    tasks: { "analytics.erase": own.erased, "openai.erase": own.looked, "product.erase": own.erased },
    left: [],
  },
  "smart-blog-system": {
    tasks: {
      "gemini.erase": own.looked,
      "google-cloud-storage.erase": own.kept,
      "mixpanel.erase": own.erased,
      "openai.erase": own.looked,
      "product.erase": own.erased,
      // Nobody can ask SendGrid about the mail itself; that it was told shows in the evidence.
      "sendgrid.erase": own.erased,
      "stripe.erase": own.kept,
    },
    left: [PAYMENTS, SOFT_DELETED],
  },
};

export const outcomesOf = ({ tasks }: RequestShape): Readonly<Record<string, string>> =>
  Object.fromEntries(tasks.map(({ id, outcome, level }) => [id, `${outcome} ${level}`]));

/** Everything that is to be retained is there, and nothing else is left of a person anywhere. */
export async function expectOnlyRetained(world: World, slug: string, email: string): Promise<void> {
  const places = await world.held(email);
  const left = ends[slug]?.left ?? [];
  expect(places.filter((path) => !left.some((kept) => kept.test(path)))).toEqual([]);
  for (const kept of left)
    expect(
      places.some((path) => kept.test(path)),
      String(kept),
    ).toBe(true);
}

/** The request that a hook has caused last. */
export async function newestFrom(world: World, slug: string, source: string): Promise<string> {
  const { body } = await world.api("GET", "/v1/requests", world.key(slug));
  return (body as { requests: readonly RequestShape[] }).requests.find((each) => each.source === source)?.id ?? "";
}
