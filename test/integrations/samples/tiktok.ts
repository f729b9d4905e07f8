import type { SignalType } from "../../../src/contract/signal.ts";
import { type Sample, signal } from "./kit.ts";

const person = { type: "tiktok.open_id", value: "act.meadow12345Lantern" };
const says =
  (...types: readonly SignalType[]) =>
  (at: number) =>
    types.map((type) => signal(type, person, at));

export const sample: Sample = {
  settings: { clientSecret: "0123456789abcdefghijklmnopqrstuv", clientKey: "meadow0lantern1cobalt" },
  hooks: {
    webhooks: {
      "authorization.removed (0)": says("deauthorized"),
      "authorization.removed (1)": says("deauthorized"),
      "authorization.removed (2)": says("account_deleted"),
      "authorization.removed (3)": says("deauthorized", "erasure_requested"),
      "authorization.removed (4)": says("deauthorized", "account_disabled"),
      "authorization.removed (5)": says("deauthorized"),
    },
  },
  ways: [],
};
