/// <reference types="vite/client" />
import { describe, expect, it } from "vitest";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";
import * as all from "../../integrations/index.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import type { Sample } from "../integrations/samples/kit.ts";
import { replyOf } from "../support/play.ts";

const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });
const checked = Object.values<Integration>(all).flatMap(({ id, check, settings }) =>
  check === undefined || isAbsent(check) || "url" in settings ? [] : [{ id, check, settings }],
);

/** Stand-ins to which an account that nobody has planted is none. */
const ACCOUNTS: Readonly<Record<string, (settings: Readonly<Record<string, string>>) => object>> = {
  amplitude: ({ apiKey, residency }) => ({ account: apiKey, residency }),
  posthog: ({ projectId, residency }) => ({ account: projectId, residency }),
  mixpanel: ({ projectToken, residency }) => ({ account: projectToken, residency }),
  "azure-openai": ({ resource }) => ({ account: resource }),
};

describe("the checks, against the stand-ins", () => {
  it.each(checked)(
    "$id: all is well, and nothing is held that was not held before",
    async ({ id, check, settings }) => {
      const sandbox = createSandbox({ now: () => Date.parse("2026-11-21T12:00:00Z"), random: () => 0.5 });
      const asked = samples[`../integrations/samples/${id}.ts`]?.sample.settings ?? {};
      const empty = Object.fromEntries(Object.keys(settings).map((name) => [name, ""]));
      const held = async () => (await sandbox.admin(new Request("http://sandbox/holdings"))).text();
      const account = ACCOUNTS[id]?.(asked);
      if (account !== undefined) {
        const body = JSON.stringify({ vendor: id, ...account });
        const planted = await sandbox.admin(new Request("http://sandbox/seed", { method: "POST", body }));
        expect(planted.ok, await planted.clone().text()).toBe(true);
      }
      const before = await held();
      const steps = check.run({ ...empty, ...asked }, "2026-11-21T12:00:00.000Z");
      let step = steps.next();
      while (step.done !== true) {
        const { method, at, headers, body } = step.value;
        const answer = await sandbox.fetch(
          new Request(at.url, { method, headers, ...(body !== undefined && { body }) }),
        );
        step = steps.next(replyOf({ status: answer.status, body: await answer.text() }));
      }
      expect(step.value).toEqual({ finding: "fine" });
      expect(await held()).toBe(before);
    },
  );
});
