import { describe, expect, it } from "vitest";
import { x } from "../../integrations/x.ts";
import { sealGrant } from "../../src/connections/connection.ts";
import { NoTokenNow, theirGrants } from "../../src/connections/held.ts";
import { type Cursor, firstCursor, type Target } from "../../src/lanes/order.ts";
import type { Store } from "../../src/platform/store.ts";
import { bench, NOW } from "../request/samples.ts";

const post = { type: "x.post", value: "1" };
const erased: Target["state"] = { at: "look", lookAt: NOW, was: "erased" };

describe("what a person has granted, for what is done in their name", () => {
  /** Connections by their ids, each with the account that it is of; those that are `over` are used no more. */
  const asked = async (
    connections: Readonly<Record<string, { readonly account: string; readonly over?: true }>>,
    state: Target["state"] = { at: "todo" },
  ) => {
    const { ports, context } = await bench();
    const store: Partial<Store> = {
      takeGrant: async ({ id }) => {
        const { account, over } = connections[id] ?? { account: "" };
        if (over === true) return { result: "ended", end: "" };
        const whose = { type: "x.user_id", value: account };
        const grant = { accessToken: id, refreshToken: "", scopes: [], account: whose };
        const { wrapped, sealed } = await sealGrant(context.keys, id, grant);
        return { result: "held", wrapped, grant: sealed, version: "1", subprocessor: "x", wasCutOff: false };
      },
      connections: async (all) => all.map(({ id }) => ({ a: connections[id]?.account ?? "" })),
    };
    const cursor: Cursor = { ...firstCursor([post], Object.keys(connections)), targets: [{ identity: post, state }] };
    const its = await theirGrants({ ...ports, store: { ...ports.store, ...store } }, context, "x", x, cursor);
    return { tokens: its.grants.map(({ accessToken }) => accessToken), isPart: its.isPart };
  };

  it("is all of it where all is good", async () => {
    expect(await asked({ one: { account: "ada" }, two: { account: "bea" } })).toEqual({
      tokens: ["one", "two"],
      isPart: false,
    });
  });

  it("[I4] is a part where another account's has ended, and not where the same account was connected anew", async () => {
    const isPart = async (account: string) =>
      (await asked({ one: { account: "ada" }, two: { account, over: true } })).isPart;
    expect(await isPart("bea")).toBe(true);
    expect(await isPart("ada")).toBe(false);
  });

  it("is needed for what is to be done, and not to look at what the vendor has said is done", async () => {
    await expect(asked({ one: { account: "ada", over: true } })).rejects.toThrow(NoTokenNow);
    expect(await asked({ one: { account: "ada", over: true } }, erased)).toEqual({ tokens: [], isPart: true });
  });
});
