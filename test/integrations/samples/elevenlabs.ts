import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, signal, type Way } from "./kit.ts";

const voice = { type: "elevenlabs.voice", value: "voice_1" };
const user = { type: "elevenlabs.user", value: "u-1" };
const ok: Played = { status: 200, body: { status: "ok" } };
const gone: Played = {
  status: 404,
  body: { detail: { type: "not_found", code: "voice_not_found", message: "A voice was not found." } },
};
const old: Played = { status: 400, body: { detail: { status: "voice_not_found", message: "A voice was not found." } } };
const calls = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { conversations: ids.map((conversation_id) => ({ conversation_id })), next_cursor: null, has_more: false },
});
const byId = on(200, 400, 403, 404);
// For some kinds no body is described, and either status can be meant.
const bare = on(200, 204, 400, 403, 404);
const listing = on(200, 403);
const elevenlabsWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: voice,
  ...way,
});
const none = () => [];

export const sample: Sample = {
  settings: { apiKey: "sk_0123456789abcdef", residency: "EU", webhookSecret: "wsec_0123456789abcdef" },
  hooks: {
    webhooks: {
      voice_removal_notice: none,
      voice_removal_notice_withdrawn: none,
      voice_removed: (at) => [signal("content_deleted", voice, at)],
      post_call_transcription: none,
      call_initiation_failure: none,
      speech_to_text_transcription: none,
    },
  },
  ways: [
    elevenlabsWay({ name: "voice deleted", steps: [byId(ok)], outcome: erased }),
    elevenlabsWay({ name: "no such voice", steps: [byId(gone)], outcome: notFound }),
    elevenlabsWay({ name: "no such voice, in older words", steps: [byId(old)], outcome: notFound }),
    elevenlabsWay({
      name: "conversation deleted",
      identity: { type: "elevenlabs.conversation", value: "conv_1" },
      steps: [bare({ status: 200, body: {} })],
      outcome: erased,
    }),
    elevenlabsWay({
      name: "calls of a user",
      identity: user,
      steps: [listing(calls("conv_1"))],
      outcome: { outcome: "found", identities: [{ type: "elevenlabs.conversation", value: "conv_1" }] },
    }),
    elevenlabsWay({ name: "no calls of a user", identity: user, steps: [listing(calls())], outcome: notFound }),
    elevenlabsWay({ name: "look at a voice that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    elevenlabsWay({
      name: "look at a voice that is there",
      part: "look",
      steps: [byId({ status: 200, body: { voice_id: "voice_1" } })],
      outcome: "present",
    }),
    elevenlabsWay({
      name: "look for calls of a user",
      part: "look",
      identity: user,
      steps: [listing(calls())],
      outcome: "absent",
    }),
  ],
};
