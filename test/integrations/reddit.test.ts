import { describe, expect, it } from "vitest";
import { reddit } from "../../integrations/reddit.ts";
import { isAbsent } from "../../src/contract/integration.ts";

describe("Reddit", () => {
  it("tells us nothing, and is called nowhere", () => {
    expect(isAbsent(reddit.hooks)).toBe(true);
    expect(reddit.origins).toEqual([]);
  });

  it("makes no task for a person, because there is nothing that one could do", () => {
    const { erase, revoke } = reddit.actions;
    if (!isAbsent(erase) || !isAbsent(revoke)) throw new Error("nothing can be done by API");
    expect(erase.instructions).toBeUndefined();
    expect(revoke.instructions).toBeUndefined();
  });
});
