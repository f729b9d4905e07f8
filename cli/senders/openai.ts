import { Webhook } from "standardwebhooks";
import { json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/** As https://developers.openai.com/api/reference/resources/webhooks shows them: what happened, and to which object. */
const of = (type: string, id: string, more: object = {}): SampleEvent => ({
  person: id,
  make: async (occasion) => {
    const event = {
      id: `evt_${occasion.seed}`,
      object: "event",
      created_at: seconds(occasion),
      type,
      data: { id: occasion.person, ...more },
    };
    const made = json(event, { "user-agent": "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)" });
    const id = `wh_${occasion.seed}`;
    const signature = new Webhook(setting(occasion, "webhookSecret")).sign(id, new Date(occasion.at), made.body);
    const signed = { "webhook-id": id, "webhook-timestamp": `${seconds(occasion)}`, "webhook-signature": signature };
    return { ...made, headers: { ...made.headers, ...signed } };
  },
});

export const openai: Sender = {
  events: {
    "response.completed": of("response.completed", "resp_1"),
    "response.failed": of("response.failed", "resp_1"),
    "response.cancelled": of("response.cancelled", "resp_1"),
    "response.incomplete": of("response.incomplete", "resp_1"),
    "batch.completed": of("batch.completed", "batch_1"),
    "batch.failed": of("batch.failed", "batch_1"),
    "batch.cancelled": of("batch.cancelled", "batch_1"),
    "batch.expired": of("batch.expired", "batch_1"),
    "fine_tuning.job.succeeded": of("fine_tuning.job.succeeded", "ftjob-1"),
    "fine_tuning.job.failed": of("fine_tuning.job.failed", "ftjob-1"),
    "fine_tuning.job.cancelled": of("fine_tuning.job.cancelled", "ftjob-1"),
    "eval.run.succeeded": of("eval.run.succeeded", "evalrun_1"),
    "eval.run.failed": of("eval.run.failed", "evalrun_1"),
    "eval.run.canceled": of("eval.run.canceled", "evalrun_1"),
    "realtime.call.incoming": of("realtime.call.incoming", "rtc_1", {
      call_id: "rtc_1",
      sip_headers: [{ name: "From", value: "sip:ada@example.com" }],
    }),
    "agent.session.created": of("agent.session.created", "sess_1"),
    "agent.session.action_required": of("agent.session.action_required", "sess_1", {
      required_action: { type: "function_call" },
    }),
    "agent.session.in_progress": of("agent.session.in_progress", "sess_1"),
    "agent.session.idle": of("agent.session.idle", "sess_1"),
    "agent.session.failed": of("agent.session.failed", "sess_1"),
    "safety.warning_issued": of("safety.warning_issued", "C-abc123"),
    "safety.deactivation_issued": of("safety.deactivation_issued", "C-abc123"),
  },
};
