import { describe, expect, it } from "vitest";
import type { Integration } from "../../src/contract/integration.ts";
import type { Context } from "../../src/registry/load.ts";
import { shortageOf } from "../../src/request/shortage.ts";
import { start } from "../../src/request/start.ts";
import { viewOf } from "../../src/request/view.ts";
import { bench, NOW } from "./samples.ts";

const DAY = 86_400_000;
const quota = { account: "mail", day: "2026-11-21", allowed: 100, ends: NOW + DAY / 2 };
const limited = { task: "mail.erase", subprocessor: "mail", quota, together: 1 };

describe("a quota that is too small for a deadline", () => {
  it.each([
    [100, NOW, "all of it fits into today"],
    [200, NOW + DAY / 2, "the rest is begun at midnight"],
    [3000, NOW + 30 * DAY, "thirty days"],
  ])("is no matter with %i before it: %s", (ahead, deadline) => {
    expect(shortageOf(limited, ahead, deadline)).toBeUndefined();
  });

  it.each([
    [101, NOW + DAY / 2 - 1, NOW + DAY / 2],
    [3101, NOW + 30 * DAY, NOW + 30.5 * DAY],
    [1_000_000, NOW + 30 * DAY, NOW + 9998.5 * DAY],
  ])("is said with %i before it, and when the last can be begun at best", (ahead, deadline, earliest) => {
    expect(shortageOf(limited, ahead, deadline)).toEqual({
      task: "mail.erase",
      subprocessor: "mail",
      reason: "quota",
      ahead,
      per_day: 100,
      earliest_at: new Date(earliest).toISOString(),
    });
  });

  it("counts calls, of which one may be for many", () => {
    expect(shortageOf({ ...limited, together: 50 }, 5001, NOW + DAY / 4)).toBeDefined();
    expect(shortageOf({ ...limited, together: 50 }, 5000, NOW + DAY / 4)).toBeUndefined();
  });
});

/** Mail has a quota of two calls a day, and so many orders wait there. */
async function gateway(ahead: number) {
  const at = await bench();
  const mail = at.ports.integrations.get("mail");
  if (mail === undefined) throw new Error("there is mail");
  const limits: Integration["limits"] = {
    connections: 1,
    perDay: { calls: 2, resets: "UTC", source: "https://acme.example/limits" },
  };
  const fields: (readonly string[])[] = [];
  const told: string[] = [];
  const ports = {
    ...at.ports,
    integrations: new Map([...at.ports.integrations, ["mail", { ...mail, limits }]]),
    store: {
      ...at.ports.store,
      open: async (all: Parameters<typeof at.ports.store.open>[0]) =>
        (await at.ports.store.open(all)).map((each, index) => ({
          ...each,
          ahead: (all[index]?.counts ?? []).map(() => ahead),
        })),
      warn: async (
        _: unknown,
        requests: readonly { readonly warnings: string }[],
        quotas: readonly { readonly day: string }[],
      ) => {
        fields.push(requests.map(({ warnings }) => warnings));
        return quotas.map(() => fields.length === 1);
      },
      tell: async (_: unknown, notice: string) => {
        told.push(notice);
      },
    },
  };
  const id = await at.request("ada");
  const another = await at.request("bob");
  const context: Context = at.context;
  const third = await at.request("cai");
  await start(ports, context, "token", [at.step("start", id), at.step("start", another)]);
  await start(ports, context, "token", [at.step("start", third)]);
  return { at, ports, id, fields, told };
}

describe("a request that starts", () => {
  it("has the lanes of holders with a quota counted, and no others", async () => {
    const { at } = await gateway(1);
    expect(at.openings.map(({ counts }) => counts)).toEqual([["mail"], ["mail"], ["mail"]]);
  });

  it("[I8] says where a quota makes its deadline impossible: in its status, in an event and in the log", async () => {
    const { at, ports, id, fields, told } = await gateway(1000);
    expect(
      fields.map(({ length }) => length),
      "once for all that start together",
    ).toEqual([2, 1]);
    const [[value = ""] = []] = fields;
    expect(JSON.parse(value)).toMatchObject([{ task: "mail.erase", ahead: 1000, per_day: 2, reason: "quota" }]);
    expect(told, "once a day").toEqual([`notice:quota.short:mail/${new Date(NOW).toISOString().slice(0, 10)}`]);
    expect(at.events).toContain(`request_quota_short ${id}`);

    const task = (state: string) => JSON.stringify({ id: "mail.erase", subprocessor: "mail", state });
    const shown = async (state: string) => {
      at.requests.set(id, { ...at.requests.get(id), st: "open", sh: value, "t:mail.erase": task(state) });
      return viewOf({ ...ports, store: { ...ports.store, look: async () => [] } }, at.context, id);
    };
    expect((await shown("stuck"))?.warnings).toMatchObject([{ subprocessor: "mail", ahead: 1000 }]);
    expect((await shown("ended"))?.warnings).toBeUndefined();
  });

  it("says nothing where it can be done in time, and asks the store for nothing more", async () => {
    const { fields, told } = await gateway(60);
    expect([fields, told]).toEqual([[], []]);
  });
});
