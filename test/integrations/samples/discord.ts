import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

/** Discord gives microseconds. */
const about =
  (type: Signal["type"], kind: string, value: string) =>
  (at: number): Signal[] => [{ type, identity: { type: `discord.${kind}`, value }, at }];

export const sample: Sample = {
  // The public key of RFC 8032 section 7.1, test 1, with which the sender signs.
  settings: {
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    applicationId: "1234560123453231555",
  },
  hooks: {
    events: {
      APPLICATION_DEAUTHORIZED: about("deauthorized", "user", "936929561302675456"),
      APPLICATION_AUTHORIZED: () => [],
      LOBBY_MESSAGE_DELETE: about("content_deleted", "message", "1402406637632884857"),
      GAME_DIRECT_MESSAGE_DELETE: about("content_deleted", "message", "1407771600643686503"),
    },
  },
  ways: [],
};
