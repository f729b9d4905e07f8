import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const account = { type: "bluesky.did", value: did };
const post = { type: "bluesky.post", value: `at://${did}/app.bsky.feed.post/3kb3fge5lm32x` };

const says = (type: Signal["type"], identity: Signal["identity"]) => (at: number) => [{ type, identity, at }];

/** As Jetstream's own documents have them. */
const message = (at: number, more: object) => JSON.stringify({ did, time_us: at * 1000, ...more });
const status = (name: string | undefined) => (at: number) =>
  message(at, {
    kind: "account",
    account: {
      active: name === undefined,
      ...(name !== undefined && { status: name }),
      did,
      seq: 1_409_753_013,
      time: new Date(at).toISOString(),
    },
  });

export const sample: Sample = {
  settings: { tapPassword: "dev_tap_password_0123456789" },
  hooks: {
    tap: {
      "user deleted": says("account_deleted", account),
      "user takendown": says("account_deleted", account),
      "user suspended": says("account_disabled", account),
      "user deactivated": says("account_disabled", account),
      "user active": says("account_restored", account),
      "record delete": says("content_deleted", post),
    },
  },
  streams: {
    network: {
      "account deleted": { message: status("deleted"), says: says("account_deleted", account) },
      "account takendown": { message: status("takendown"), says: says("account_deleted", account) },
      "account suspended": { message: status("suspended"), says: says("account_disabled", account) },
      "account deactivated": { message: status("deactivated"), says: says("account_disabled", account) },
      "account active": { message: status(undefined), says: says("account_restored", account) },
      "account other": { message: status("desynchronized"), says: () => [] },
      identity: {
        message: (at) =>
          message(at, {
            kind: "identity",
            identity: { did, handle: "ada.example.com", seq: 1_409_752_997, time: new Date(at).toISOString() },
          }),
        says: () => [],
      },
      "post deleted": {
        message: (at) =>
          message(at, {
            kind: "commit",
            commit: {
              rev: "3l3f6nzl3cv2s",
              operation: "delete",
              collection: "app.bsky.feed.post",
              rkey: "3kb3fge5lm32x",
            },
          }),
        says: says("content_deleted", post),
      },
    },
  },
  ways: [],
};
