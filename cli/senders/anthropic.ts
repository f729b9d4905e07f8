import { Webhook } from "standardwebhooks";
import { json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** As the SDK has them: thin events, signed as Standard Webhooks. https://platform.claude.com/docs/en/managed-agents/webhooks */
const of = (type: string, person: string, more: object = {}): SampleEvent => ({
  person,
  make: async (occasion) => {
    const [id = "", inner] = occasion.person.split("/");
    const event = {
      id: `whe_${occasion.seed}`,
      created_at: new Date(occasion.at).toISOString().replace(/\.\d+Z$/, "Z"),
      data: {
        id: inner ?? id,
        organization_id: "org_011CZkZZAe0sMna4vkBdtrfx",
        type,
        ...(inner !== undefined && { vault_id: id }),
        workspace_id: "wrkspc_011CZkZaBF1tNoB5wlCeusgy",
        ...more,
      },
      type: "event",
    };
    const made = json(event, {});
    const message = `msg_${occasion.seed}`;
    const signature = new Webhook(setting(occasion, "webhookKey")).sign(message, new Date(occasion.at), made.body);
    const signed = {
      "webhook-id": message,
      "webhook-timestamp": `${seconds(occasion)}`,
      "webhook-signature": signature,
    };
    return { ...made, headers: { ...made.headers, ...signed } };
  },
});

export const anthropic: Sender = {
  "managed-agents": {
    "session.deleted": of("session.deleted", "sesn_1"),
    "vault.deleted": of("vault.deleted", "vlt_1"),
    "vault_credential.deleted": of("vault_credential.deleted", "vlt_1/vcrd_1"),
    "memory_store.deleted": of("memory_store.deleted", "memstore_1"),
    "vault_credential.refresh_failed": of("vault_credential.refresh_failed", "vlt_1/vcrd_1"),
    "session.{change}": of("session.status_idled", "sesn_1"),
    "vault.{change}": of("vault.archived", "vlt_1"),
    "vault_credential.{change}": of("vault_credential.archived", "vlt_1/vcrd_1"),
    "memory_store.{change}": of("memory_store.created", "memstore_1"),
    "agent.{change}": of("agent.deleted", "agent_1"),
    "environment.{change}": of("environment.updated", "env_1"),
    "deployment.{change}": of("deployment.paused", "depl_1"),
    "deployment_run.{change}": of("deployment_run.started", "drun_1"),
  },
};
