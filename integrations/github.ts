import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, type Proven, type Reading, type SignalType } from "../src/contract/signal.ts";

/**
 * GitHub: the tenant has a GitHub App, to which people and organisations grant access, or sells through the Marketplace.
 * It tells us when a person revokes their authorisation, when an installation is deleted or suspended, when repositories are
 * taken out of it and when a Marketplace plan is cancelled. OAuth apps are told nothing.
 *
 * Neither the event's name nor the delivery's id is signed, so what an event is, is told by its body's own shape.
 */
const EVENTS = "https://docs.github.com/en/webhooks/webhook-events-and-payloads";
const CANCELLATION =
  "https://docs.github.com/en/apps/github-marketplace/using-the-github-marketplace-api-in-your-app/handling-plan-cancellations";
const REVOKE = "https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization";

const Id = z.int().positive().transform(String);
const Account = z.object({ id: Id });

const Event = z.looseObject({ action: z.string().optional() });

/** The person is the sender, and there is nothing else: a `revoked` with any other member is of another kind. */
const Revoked = z.strictObject({ action: z.literal("revoked"), sender: Account });

/**
 * The installation in full, as only the events about installations have it; others name its id alone, beside what they are
 * about: a label or a comment that is deleted in an installation deletes no installation.
 */
const Installation = z.object({
  id: Id,
  account: Account,
  app_id: z.int(),
  updated_at: z.union([z.string(), z.number()]).nullish(),
});
const aboutInstallation = {
  installation: Installation,
  repository: z.never().optional(),
  installation_target: z.never().optional(),
  account: z.never().optional(),
};
const Installed = z.object({
  ...aboutInstallation,
  action: z.enum(["deleted", "suspend", "unsuspend"]),
  repositories_removed: z.never().optional(),
});
const Removed = z.object({
  ...aboutInstallation,
  action: z.literal("removed"),
  repositories_removed: z.array(z.object({ id: Id })),
});

const Cancelled = z.object({
  action: z.literal("cancelled"),
  effective_date: z.string().min(1),
  marketplace_purchase: z.object({ account: Account }),
});

const Known = z.union([Cancelled, Revoked, Removed, Installed]);
type Known = z.infer<typeof Known>;

const MEANINGS = {
  deleted: "deauthorized",
  suspend: "account_disabled",
  unsuspend: "account_restored",
} as const satisfies Record<string, SignalType>;

function meaning(body: z.infer<typeof Event>, { receivedAt: at, claimed }: Proven): Reading {
  const known = Known.safeParse(body);
  if (known.success) return meant(known.data, at);
  // The header names it for people only.
  const name = /^[a-z_]{1,40}$/.exec(claimed("x-github-event") ?? "")?.[0] ?? "unknown";
  return [{ id: `${name}:${body.action ?? ""}:${at}`, name, signals: [] }];
}

function meant(body: Known, at: number): Reading {
  if ("marketplace_purchase" in body) {
    const { id: value } = body.marketplace_purchase.account;
    const name = "marketplace_purchase.cancelled";
    const identity = { type: "github.account", value };
    return [{ id: `${name}:${value}:${body.effective_date}`, name, signals: [{ type: "deauthorized", identity, at }] }];
  }
  if (body.action === "revoked") {
    const { id: value } = body.sender;
    const name = "github_app_authorization.revoked";
    // Nothing else is signed, and a person may authorise and revoke again: the same within an hour is the same.
    const hour = new Date(at).toISOString().slice(0, 13);
    const identity = { type: "github.user", value };
    return [{ id: `${name}:${value}:${hour}`, name, signals: [{ type: "deauthorized", identity, at }] }];
  }
  const { id, updated_at } = body.installation;
  const version = updated_at ?? new Date(at).toISOString().slice(0, 13);
  if (body.action === "removed") {
    const name = "installation_repositories.removed";
    return body.repositories_removed.map(({ id: value }) => ({
      id: `${name}:${id}:${value}:${version}`,
      name,
      signals: [{ type: "content_deleted", identity: { type: "github.repository", value }, at }],
    }));
  }
  const name = `installation.${body.action}`;
  const identity = { type: "github.installation", value: id };
  // An installation is deleted once; its next one has another id.
  const once = body.action === "deleted" ? "" : `:${version}`;
  return [{ id: `${name}:${id}${once}`, name, signals: [{ type: MEANINGS[body.action], identity, at }] }];
}

export const github = defineIntegration({
  id: "github",
  name: "GitHub",
  about: "Developer platform: people and organisations grant the tenant's GitHub App access.",
  origins: [],
  settings: { webhookSecret: secret("Webhook secret of the GitHub App") },
  identities: {
    "github.user": "User id, a number; a login can be changed and used again by another",
    "github.installation": "Installation id",
    "github.account": "Id of the user or organisation that bought a Marketplace plan",
    "github.repository": "Repository id",
  },

  hooks: {
    events: {
      source: EVENTS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "webhookSecret",
        signature: { header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" },
        over: ["body"],
      },
      // A form is offered too; choose JSON.
      contentTypes: ["application/json"],
      read: json(Event, meaning),
      authority: {
        deauthorized: "here",
        account_disabled: "record",
        account_restored: "record",
        content_deleted: "record",
      },
      // "Remove all customer data within 30 days of receiving the cancelled event."
      deadlines: { deauthorized: { hours: 30 * 24, source: CANCELLATION } },
      // GitHub repeats nothing by itself: failed deliveries have to be asked for within three days.
      retriesForHours: 0,
      events: [
        "github_app_authorization.revoked",
        "installation.deleted",
        "installation.suspend",
        "installation.unsuspend",
        "installation_repositories.removed",
        "marketplace_purchase.cancelled",
        "ping",
      ],
    },
  },

  oauth: absent(
    "not yet connected by Quittance",
    "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app",
  ),

  actions: {
    erase: absent(
      "GitHub offers no API that erases what it holds about a person",
      EVENTS,
      "In your own organisation: remove the person as member and outside collaborator; delete the issues, comments, wiki pages and files that hold their data, and the revisions in the edit history. What stays in commits has to be rewritten. The person's account, and what they wrote elsewhere, is theirs.",
    ),
    revoke: absent("needs the person's token, which connections will hold", REVOKE),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
