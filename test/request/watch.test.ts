import { expect, it } from "vitest";
import { watch } from "../../src/request/watch.ts";
import { bench, summary } from "./samples.ts";

it("[I8] watches the others of a batch where one request's record is damaged", async () => {
  const at = await bench();
  const ids = [await at.request("ada"), await at.request("bob"), await at.request("eve")] as const;
  at.requests.set(ids[1], { ...at.requests.get(ids[1]), d: "{" });
  const done = await at.run(watch, "watch", ids);
  expect(summary(done.settlements).toSorted()).toEqual(ids.map((id) => `watch:${id} back later`).toSorted());
  expect(at.events.filter((event) => event.startsWith("step_failed"))).toEqual([`step_failed watch:${ids[1]}`]);
  expect(at.events.filter((event) => event.startsWith("request_at_risk"))).toHaveLength(2);
});
