import { hex, hmac, json, type Made, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const installation = (action: string, more: (person: number) => object = () => ({})): SampleEvent => ({
  person: "4711",
  make: (occasion) => {
    const id = Number(occasion.person);
    return signed(occasion, "installation", {
      action,
      installation: installed(id, occasion),
      repositories: [],
      sender: ada,
      ...more(id),
    });
  },
});

export const github: Sender = {
  events: {
    "github_app_authorization.revoked": {
      person: "1001",
      make: (occasion) =>
        signed(occasion, "github_app_authorization", {
          action: "revoked",
          sender: { ...ada, id: Number(occasion.person) },
        }),
    },
    "installation.deleted": installation("deleted"),
    "installation.suspend": installation("suspend"),
    "installation.unsuspend": installation("unsuspend"),
    "installation_repositories.removed": {
      person: "9001",
      make: (occasion) =>
        signed(occasion, "installation_repositories", {
          action: "removed",
          installation: installed(4711, occasion),
          repository_selection: "selected",
          repositories_added: [],
          repositories_removed: [{ id: Number(occasion.person), name: "engine", full_name: "ada-example/engine" }],
          sender: ada,
        }),
    },
    "marketplace_purchase.cancelled": {
      person: "1001",
      make: (occasion) =>
        signed(occasion, "marketplace_purchase", {
          action: "cancelled",
          effective_date: new Date(occasion.at).toISOString(),
          sender: ada,
          marketplace_purchase: {
            account: { type: "User", id: Number(occasion.person), login: "ada-example" },
            billing_cycle: "monthly",
            unit_count: 1,
          },
        }),
    },
    ping: {
      person: "1001",
      make: (occasion) =>
        signed(occasion, "ping", { zen: "Keep it logically awesome.", hook_id: 1, hook: { type: "App", id: 1 } }),
    },
  },
};

const ada = { login: "ada-example", id: 1001, type: "User" };

const installed = (id: number, { at }: Occasion) => ({
  id,
  account: ada,
  app_id: 5,
  target_type: "User",
  updated_at: new Date(at).toISOString(),
});

async function signed(occasion: Occasion, event: string, said: object): Promise<Made> {
  const mac = await hmac("SHA-256", setting(occasion, "webhookSecret"), JSON.stringify(said));
  return json(said, {
    "x-github-event": event,
    "x-github-delivery": `72d3162e-cc78-11e3-81ab-${occasion.seed.padStart(12, "0")}`,
    "x-hub-signature-256": `sha256=${hex(mac)}`,
  });
}
