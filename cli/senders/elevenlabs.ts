import { hex, hmac, json, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

/**
 * Signed as the SDK checks it. https://github.com/elevenlabs/elevenlabs-js/blob/main/src/wrapper/webhooks.ts; what the voices'
 * events hold in `data` is not documented, and stands here as the API names it elsewhere.
 */
const of = (type: string, person: string, data: (id: string) => object): SampleEvent => ({
  person,
  make: async (occasion) => {
    const time = seconds(occasion);
    const made = json({ type, event_timestamp: time, data: data(occasion.person) }, {});
    const mac = hex(await hmac("SHA-256", setting(occasion, "webhookSecret"), `${time}.${made.body}`));
    return { ...made, headers: { ...made.headers, "elevenlabs-signature": `t=${time},v0=${mac}` } };
  },
});
const voice = (voice_id: string) => ({ voice_id, voice_name: "Ada Example" });
const call = (conversation_id: string) => ({ agent_id: "agent_1", conversation_id, status: "done" });

export const elevenlabs: Sender = {
  webhooks: {
    voice_removal_notice: of("voice_removal_notice", "voice_1", voice),
    voice_removal_notice_withdrawn: of("voice_removal_notice_withdrawn", "voice_1", voice),
    voice_removed: of("voice_removed", "voice_1", voice),
    post_call_transcription: of("post_call_transcription", "conv_1", call),
    call_initiation_failure: of("call_initiation_failure", "conv_1", call),
    speech_to_text_transcription: of("speech_to_text_transcription", "req_1", (request_id) => ({ request_id })),
  },
};
