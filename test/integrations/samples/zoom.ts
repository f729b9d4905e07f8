import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

/** Zoom gives milliseconds. */
const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "zoom.user", value: "uLoRgfbbTayCX6r2Q_qQsQ" }, at }];

export const sample: Sample = {
  settings: { secretToken: "vyDY1nu_QV-0123456789" },
  hooks: {
    deauthorization: { app_deauthorized: about("deauthorized") },
    events: {
      "user.deleted": about("account_deleted"),
      "user.disassociated": about("account_disabled"),
      "user.deactivated": about("account_disabled"),
      "user.activated": about("account_restored"),
    },
  },
  ways: [],
};
