import type { Spending } from "../platform/store/lanes.ts";
import type { Quota } from "../registry/quota.ts";

/** The calls that a batch may make of a vendor's daily quota. */
export type Meter = {
  /** Takes one call; false where there is none left. */
  readonly spend: () => boolean;
  readonly isSpent: () => boolean;
};

/**
 * A batch's first share of the day: enough for what a batch usually needs, and little enough that a run which dies, and leaves
 * its share taken, does not cost the day.
 */
const FIRST_SHARE = 100;

/** What one run makes of an account's quota, day by day. */
export function spender() {
  let day = "";
  let made = 0;
  let left = 0;
  let wanted = FIRST_SHARE;
  const meter: Meter = {
    spend: () => {
      if (left <= 0) {
        // What needs more calls than a share must not begin anew with each.
        wanted = Number.MAX_SAFE_INTEGER;
        return false;
      }
      left -= 1;
      made += 1;
      return true;
    },
    isSpent: () => left <= 0,
  };
  return {
    meter,
    /** Where the run stands; a new day begins at nothing. */
    stand: (quota: Quota): Spending => {
      if (quota.day !== day) made = 0;
      day = quota.day;
      return { account: quota.account, day, allowed: quota.allowed, made, wanted, ends: quota.ends };
    },
    /** What the claim allows its batch. */
    allow: (calls: number) => {
      left = calls;
    },
  };
}
