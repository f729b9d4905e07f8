import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, optionsIn, Stopped } from "../../dev/connect.ts";
import { serveSandbox } from "../../dev/sandbox/sandbox.ts";
import { folder } from "../cli/support.ts";
import { startWorld, type World } from "../support/world.ts";

const file = folder();

describe("connecting an account by hand", () => {
  let world: World;
  let served: Awaited<ReturnType<typeof serveSandbox>>;
  let dev: string;
  beforeAll(async () => {
    world = await startWorld();
    served = await serveSandbox(world.sandbox, 0);
    dev = file(JSON.stringify({ url: world.url, sandbox_url: served.url, tenants: world.tenants }));
  });
  afterAll(async () => {
    await served.stop();
    await world.stop();
  });
  const connected = (...args: readonly string[]) => {
    const options = optionsIn([...args, "--dev", dev]);
    return options === undefined ? Promise.reject(new Error("help")) : connect(options);
  };

  it.each(["x", "linkedin", "tiktok", "facebook", "instagram"])(
    "goes from the product to %s and back, and is confirmed",
    async (subprocessor) => {
      const shown = await connected(subprocessor, "--subject", "ada");
      expect(shown).toMatchObject({ subprocessor, status: "active", id: expect.stringMatching(/^con_/) });
    },
  );

  it("is of the account and with the scopes that are named", async () => {
    const scopes = "users.read offline.access tweet.read";
    const shown = await connected("x", "--subject", "bob", "--account", "4711", "--scopes", scopes);
    expect(shown).toMatchObject({ account: { value: "4711" }, scopes: expect.arrayContaining(scopes.split(" ")) });
  });

  it("says what the gateway says where nobody can connect", async () => {
    await expect(connected("stripe-of-nobody", "--subject", "ada")).rejects.toThrow(/422.*in your registry/);
    await expect(connected("x", "--subject", "ada", "--tenant", "nobody")).rejects.toThrow(/no tenant nobody/);
  });
});

describe("what it was asked", () => {
  it("is read, or refused in plain words", () => {
    expect(optionsIn(["--help"])).toBeUndefined();
    expect(optionsIn(["x", "--subject", "ada", "--scopes", " a  b "])).toMatchObject({
      subprocessor: "x",
      tenant: "cloutmetrics",
      scopes: ["a", "b"],
    });
    for (const args of [[], ["x"], ["x", "y", "--subject", "ada"], ["x", "--subject"], ["x", "--loud"]])
      expect(() => optionsIn(args)).toThrow(Stopped);
  });
});
