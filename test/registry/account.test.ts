import { describe, expect, it } from "vitest";
import type { Integration } from "../../src/contract/integration.ts";
import { optional, secret, text } from "../../src/contract/settings.ts";
import { CannotOpen } from "../../src/ports.ts";
import { accountOf } from "../../src/registry/account.ts";
import type { Context } from "../../src/registry/load.ts";
import { bench, entry, holder } from "../lanes/samples.ts";

const limits = { connections: 1, account: { settings: ["project", "apiKey"] } } as const;
const settings = { project: optional(text("Project")), apiKey: secret("API key") };
const vendors = new Map<string, Integration>(
  [
    holder({ id: "acme", settings, limits }),
    holder({ id: "acme-mail", settings, limits: { ...limits, account: { ...limits.account, family: "acme" } } }),
    holder({ id: "alone", settings, limits: { connections: 1 } }),
    holder({ id: "other", settings, limits }),
  ].map((each) => [each.id, each]),
);

type Entry = { readonly integration: string; readonly project?: string; readonly key?: string };

/** A tenant with these subprocessors, and what each shares. */
async function registry(entries: Readonly<Record<string, Entry>>) {
  const { context } = await bench();
  const subprocessors = Object.fromEntries(
    Object.entries(entries).map(([id, { integration, project }]) => [
      id,
      entry(id, { integration, settings: project === undefined ? {} : { project } }),
    ]),
  );
  const secrets = async (id: string) => {
    const key = entries[id]?.key;
    if (key === "damaged") throw new CannotOpen();
    return key === undefined ? [] : [key];
  };
  const whole: Context = { ...context, tenant: { ...context.tenant, subprocessors }, secrets };
  return (id: string) => accountOf({ integrations: vendors }, whole, id);
}

describe("[I10] subprocessors of one vendor account", () => {
  it("are those whose naming settings are equal, and each knows the others", async () => {
    const of = await registry({
      eu: { integration: "acme", project: "p", key: "k" },
      us: { integration: "acme", project: "p", key: "k" },
      own: { integration: "acme", project: "q", key: "k" },
    });
    const [eu, us] = [await of("eu"), await of("us")];
    expect(eu).toEqual({ name: us?.name, others: ["us"] });
    expect(us?.others).toEqual(["eu"]);
    expect(await of("own")).toBeUndefined();
  });

  it("may be of several integrations of one family, and of no other", async () => {
    const same = { project: "p", key: "k" };
    const of = await registry({
      app: { integration: "acme", ...same },
      mail: { integration: "acme-mail", ...same },
      other: { integration: "other", ...same },
      alone: { integration: "alone", ...same },
    });
    expect((await of("app"))?.others).toEqual(["mail"]);
    expect(await of("other")).toBeUndefined();
    expect(await of("alone")).toBeUndefined();
    expect(await of("gateway")).toBeUndefined();
  });

  it("are not those that have filled in nothing, nor those whose values only look alike when strung together", async () => {
    const empty = await registry({ one: { integration: "acme" }, two: { integration: "acme" } });
    expect(await empty("one")).toBeUndefined();
    const strung = await registry({
      one: { integration: "acme", project: "a\nb", key: "" },
      two: { integration: "acme", project: "a", key: "b\n" },
    });
    expect(await strung("one")).toBeUndefined();
  });

  it("[I2] do without one whose secret does not open, which holds up nobody else", async () => {
    const of = await registry({
      eu: { integration: "acme", project: "p", key: "k" },
      us: { integration: "acme", project: "p", key: "k" },
      bad: { integration: "acme", project: "p", key: "damaged" },
    });
    expect((await of("eu"))?.others).toEqual(["us"]);
    expect(await of("bad")).toBeUndefined();
  });

  it("[I6 I7] are named without a word of their settings, and otherwise for each tenant", async () => {
    const entries = {
      eu: { integration: "acme", project: "p", key: "k" },
      us: { integration: "acme", project: "p", key: "k" },
    };
    const [one, other] = [await (await registry(entries))("eu"), await (await registry(entries))("eu")];
    expect(one?.name).toMatch(/^[a-z2-7]{32}$/);
    expect(other?.name).not.toBe(one?.name);
  });
});
