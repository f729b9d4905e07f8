import { describe, expect, it } from "vitest";
import { cloudflareKv } from "../../integrations/cloudflare-kv.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { sample } from "./samples/cloudflare-kv.ts";

const { erase } = cloudflareKv.actions;
if (isAbsent(erase) || isBulk(erase)) throw new Error("KV has an erasure");
const { look } = erase;
if (look === undefined) throw new Error("KV can be looked at");

const settings = {
  accountId: "0123456789abcdef0123456789abcdef",
  apiToken: "an-invented-token",
  namespaceId: "fedcba9876543210fedcba9876543210",
  prefixes: "user:{id}:",
};
const order = (value = "1", type = "user_id", more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type, value });
const list = (names: readonly string[], cursor = ""): Played => ({
  status: 200,
  body: { success: true, result: names.map((name) => ({ name })), result_info: { cursor } },
});
const deleted = (...unsuccessful_keys: readonly string[]): Played => ({
  status: 200,
  body: { success: true, result: { unsuccessful_keys } },
});
const refusal = (status: number, code: number): Played => ({
  status,
  body: { success: false, errors: [{ code, message: "user:1:a" }] },
});
const BASE =
  "https://api.cloudflare.com/client/v4/accounts/0123456789abcdef0123456789abcdef/storage/kv/namespaces/fedcba9876543210fedcba9876543210";

describe("erasing a person's keys in KV", () => {
  it("lists all pages of all prefixes, and deletes the keys in one call", () => {
    const { calls, outcome } = play(erase.run(order("1", "user_id", { prefixes: "user:{id}:, cart:{id}:" })), [
      list(["user:1:a"], "next page"),
      list(["user:1:b"]),
      list(["cart:1:x"]),
      deleted(),
    ]);
    expect(calls.map(({ method, at }) => `${method} ${at.url.replace(BASE, "")}`)).toEqual([
      "GET /keys?limit=500&prefix=user%3A1%3A",
      "GET /keys?limit=500&prefix=user%3A1%3A&cursor=next%20page",
      "GET /keys?limit=500&prefix=cart%3A1%3A",
      "POST /bulk/delete",
    ]);
    expect(calls[3]?.body).toBe('["user:1:a","user:1:b","cart:1:x"]');
    for (const { at } of calls) expect(at.template).not.toContain("user");
    expect(outcome).toEqual(erased);
  });

  it("takes a success without a result for what it says", () => {
    const { outcome } = play(erase.run(order()), [
      list(["user:1:a"]),
      { status: 200, body: { success: true, result: null } },
    ]);
    expect(outcome).toEqual(erased);
  });

  it("deletes ten thousand keys at most, and leaves the rest until the list is up to date", () => {
    const names = Array.from({ length: 500 }, (_, nth) => `user:1:${nth}`);
    const { calls, outcome } = play(erase.run(order()), ({ method }) =>
      method === "GET" ? list(names, "more") : deleted(),
    );
    expect(calls).toHaveLength(21);
    expect(JSON.parse(calls[20]?.body ?? "")).toHaveLength(10_000);
    expect(outcome).toEqual({ outcome: "slow_down", seconds: 120 });
  });

  it("comes back for keys that were not deleted", () => {
    expect(play(erase.run(order()), [list(["user:1:a"]), deleted("user:1:a")]).outcome).toMatchObject({
      outcome: "slow_down",
    });
  });

  it("takes one key, and not those that begin with it", () => {
    const key = order("user:1", "cloudflare-kv.key");
    const { calls } = play(erase.run(key), [list(["user:1", "user:10"], "more"), deleted()]);
    expect(calls[1]?.body).toBe('["user:1"]');
    expect(play(erase.run(key), [list(["user:10"], "more")]).outcome).toEqual(notFound);
    expect(play(look.run(key), [list(["user:10"])]).outcome).toBe("absent");
  });

  it("[I14] touches nothing that a list has and that does not lie under the prefix", () => {
    const { calls, outcome } = play(erase.run(order()), [list(["user:1:a", "user:10:a"])]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it.each(["", "1:2", "1/2", ".."])("[I14] makes no call for the id %j", (id) => {
    for (const steps of [erase.run(order(id)), look.run(order(id))])
      expect(play<unknown>(steps, []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it.each([
    [refusal(403, 10000), { outcome: "unauthorized", what: "Cloudflare refused the token: code 10000" }],
    [refusal(404, 10013), { outcome: "unforeseen", what: "Cloudflare refused the call: code 10013" }],
    [{ status: 400 }, { outcome: "unforeseen" }],
    [{ status: 201, body: { success: true, result: [] } }, { outcome: "unforeseen" }],
    [{ status: 200, body: { success: false, result: [] } }, { outcome: "unforeseen" }],
  ])("[I4] claims nothing where the answer is %j", (reply, expected) => {
    expect(play(erase.run(order()), [reply]).outcome).toMatchObject(expected);
    expect(play(erase.run(order()), [list(["user:1:a"]), reply]).outcome).toMatchObject(expected);
    expect(play(look.run(order()), [reply]).outcome).toMatchObject(expected);
  });
});

it("takes no setting that could lead elsewhere", () => {
  const fits = (more: object) =>
    settingsSchema(cloudflareKv.settings).safeParse({ ...sample.settings, ...more }).success;
  expect(fits({ prefixes: "app/user:{id}:,cart:{id}:" })).toBe(true);
  for (const more of [
    { prefixes: "user:{id}" },
    { prefixes: "user-{id}-" },
    { accountId: "../x" },
    { namespaceId: "a/b" },
  ])
    expect(fits(more), JSON.stringify(more)).toBe(false);
});
