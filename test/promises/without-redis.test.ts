import { expect, it } from "vitest";
import { expectOnlyRetained } from "../support/erased.ts";
import { type RequestShape, startWorld } from "../support/world.ts";

it("does the main job on a machine without redis-server too, in memory", async () => {
  const world = await startWorld({ engine: "memory" });
  const mia = await world.person("imai", "mia");
  const opened = await world.api("POST", "/v1/requests", world.key("imai"), { type: "erasure", subject: mia.id });
  const closed = await world.closed("imai", (opened.body as RequestShape).id);
  expect(closed.complete).toBe(true);
  await expectOnlyRetained(world, "imai", mia.email);
  await world.stop();
});
