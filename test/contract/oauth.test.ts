import { describe, expect, it } from "vitest";
import { at, bearer, del, get } from "../../src/contract/call.ts";
import type { Order } from "../../src/contract/integration.ts";
import { byOneOf, type Grant, notByThis, seenByAny } from "../../src/contract/oauth.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { play } from "../support/play.ts";

const POST = at`https://api.acme.example/posts/${{ post: "1" }}`;
const grant = (accessToken: string): Grant => ({
  accessToken,
  refreshToken: "",
  scopes: [],
  account: { type: "acme.user", value: accessToken },
});
const ada = grant("ada");
const too = grant("ada-too");
type Theirs = Pick<Order, "grants" | "grantsMissing">;

describe("what one of a person's grants has published", () => {
  const asked = (order: Theirs, ...statuses: readonly number[]) =>
    play(
      byOneOf(order, function* ({ accessToken }) {
        const { status } = yield del(POST, bearer(accessToken));
        if (status === 204) return erased;
        return status === 404 ? notFound : notByThis(`refused with ${status}`);
      }),
      statuses.map((status) => ({ status })),
    ).outcome;

  it("goes with the first that can delete it", () => {
    expect(asked({ grants: [ada, too] }, 403, 204)).toEqual(erased);
  });

  it("[I4] is not there only where each says so, and none of theirs is missing", () => {
    expect(asked({ grants: [ada, too] }, 404, 404)).toEqual(notFound);
    expect(asked({ grants: [ada, too] }, 404, 401)).toMatchObject({ outcome: "unforeseen" });
    expect(asked({ grants: [ada], grantsMissing: true }, 404)).toMatchObject({
      outcome: "unforeseen",
      what: expect.stringContaining("another grant of theirs has ended"),
    });
    expect(asked({ grants: [] })).toMatchObject({ outcome: "unforeseen" });
  });
});

describe("what a person's grants show of it", () => {
  const seen = (order: Theirs, ...statuses: readonly number[]) =>
    play(
      seenByAny(order, function* ({ accessToken }) {
        const { status } = yield get(POST, bearer(accessToken));
        if (status === 200) return "present";
        if (status === 403) return notByThis("another's");
        return status === 404 ? "absent" : "no_view";
      }),
      statuses.map((status) => ({ status })),
    ).outcome;

  it("is what any of them sees", () => {
    expect(seen({ grants: [ada, too] }, 404, 200)).toBe("present");
    expect(seen({ grants: [ada, too] }, 404, 404)).toBe("absent");
    expect(seen({ grants: [ada, too] }, 403, 404)).toBe("absent");
  });

  it("[I4] is no proof that it is gone where its author's may be the one that cannot look, or is missing", () => {
    expect(seen({ grants: [ada, too] }, 401, 404)).toBe("no_view");
    expect(seen({ grants: [ada], grantsMissing: true }, 404)).toBe("no_view");
    expect(seen({ grants: [ada, too] }, 403, 403)).toBe("no_view");
    expect(seen({ grants: [] })).toBe("no_view");
  });
});
