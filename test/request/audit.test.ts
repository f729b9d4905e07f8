import { expect, it } from "vitest";
import type { Ports } from "../../src/ports.ts";
import { audit } from "../../src/request/audit.ts";
import { bench } from "./samples.ts";

it.each([
  ["its document is damaged", { d: "{" }],
  ["a task of it is damaged", { "t:mail.erase": "{" }],
])("[I2] puts back what others have lost where one request cannot be read: %s", async (_, damage) => {
  const at = await bench();
  const ids = [await at.request("ada"), await at.request("bob"), await at.request("eve")] as const;
  const task = JSON.stringify({ id: "mail.erase", subprocessor: "mail", state: "queued" });
  for (const id of ids) at.requests.set(id, { ...at.requests.get(id), st: "open", "t:mail.erase": task });
  at.requests.set(ids[1], { ...at.requests.get(ids[1]), ...damage });
  const restarted: string[] = [];
  const ports: Ports = {
    ...at.ports,
    store: {
      ...at.ports.store,
      tenantCount: async () => 1,
      openSlices: async () => ids,
      audit: async (all) => all.map(() => ["open", "mail.erase"]),
      look: async (orders) => orders.map(() => "missing"),
      restart: async (all) => {
        restarted.push(...all.map(({ id }) => id));
        return all.map(() => ({ result: "queued", wake: false }));
      },
    },
  };
  expect(await audit(ports)).toBe(2);
  expect(restarted).toEqual([ids[0], ids[2]]);
  expect(at.events).toContain(`request_unreadable ${ids[1]}`);
});
