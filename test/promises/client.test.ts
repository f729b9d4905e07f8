import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { example } from "../../client/example.ts";
import { startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";

describe("the product's client, through the deployed bundle", () => {
  let world: World;
  /** The sandbox's admin API, as `npm start` serves it. */
  const admin = createServer(async (request, reply) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const answer = await world.admin(request.url ?? "", JSON.parse(text));
    reply.end(JSON.stringify(answer));
  });
  let sandbox: string;
  beforeAll(async () => {
    world = await startWorld();
    await new Promise<void>((resolve) => admin.listen(0, "127.0.0.1", resolve));
    const address = admin.address();
    sandbox = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  });
  afterAll(async () => {
    admin.close();
    await world.stop();
  });

  it("registers beside the vendor's call, so that an erasure needs no search: the example runs", async () => {
    const said: string[] = [];
    const dev = { url: world.url, sandbox, key: world.key(SLUG) };
    const id = await example(dev, "eli", (line) => said.push(line));
    expect(said).toEqual(["registered: 1", "created and registered: file-eli-photo", `asked for: ${id}`]);
    const closed = await world.closed(SLUG, id);
    expect(closed.tasks.find(({ subprocessor }) => subprocessor === "openai")).toMatchObject({
      outcome: "erased",
      level: "verified_absent",
      read_back: "all",
    });
    expect(await world.held("eli@example.com")).toEqual([]);
  });
});
