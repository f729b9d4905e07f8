import { describe, expect, it } from "vitest";
import { reddit } from "../../integrations/reddit.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, play } from "../support/play.ts";

describe("Reddit", () => {
  it("tells us nothing", () => {
    expect(isAbsent(reddit.hooks)).toBe(true);
  });

  it("makes no erasure for a person, because there is nothing that one could do", () => {
    const { erase } = reddit.actions;
    if (!isAbsent(erase)) throw new Error("nothing can be erased by API");
    expect(erase.instructions).toBeUndefined();
  });
});

describe("Reddit's grants", () => {
  const { oauth } = reddit;
  const { revoke } = reddit.actions;
  if (isAbsent(oauth) || isAbsent(revoke) || isBulk(revoke)) throw new Error("Reddit has OAuth");
  const account = { type: "reddit.user_id", value: "t2_ada1" };
  const grant = { accessToken: "access", refreshToken: "refresh", scopes: [], account };
  const order = (userAgent: string) =>
    orderFor({ clientId: "app", clientSecret: "shh", userAgent }, { type: "connection", value: "con_1" }, { grant });

  it("end with the refresh token first, by HTTP Basic, under the app's own name", () => {
    const { calls } = play(revoke.run(order("web:app:1.0 (by /u/nobody)")), [{ status: 204 }, { status: 204 }]);
    expect(calls.map(({ body }) => new URLSearchParams(body).get("token"))).toEqual(["refresh", "access"]);
    for (const { headers } of calls)
      expect(headers).toMatchObject({
        authorization: `Basic ${btoa("app:shh")}`,
        "user-agent": "web:app:1.0 (by /u/nobody)",
      });
  });

  it("end under the gateway's name where the app's is not filled in", () => {
    const { calls } = play(revoke.run(order("")), [{ status: 204 }, { status: 204 }]);
    for (const { headers } of calls) expect(headers).not.toHaveProperty("user-agent");
  });

  it.each([{ error: "invalid_request" }, { message: "Bad Request", error: 400 }])(
    "are over where a refresh token is refused with %j",
    (json) => {
      expect(oauth.adapt?.({ status: 400, json })).toEqual({ status: 400, json: { error: "invalid_grant" } });
    },
  );

  it("[I4] are not over where the app is refused", () => {
    for (const [status, json] of [
      [400, { error: "unsupported_grant_type" }],
      [401, { message: "Unauthorized", error: 401 }],
      [200, { error: "invalid_request" }],
    ] as const)
      expect(oauth.adapt?.({ status, json })?.json).not.toEqual({ error: "invalid_grant" });
  });
});
