import { z } from "zod";
import { CLOUD_PLATFORM, gone, googleError, googleRefusal, withoutAccess } from "./google-access.ts";
import { derivedId } from "./shelf.ts";
import type { MakeVendor } from "./vendor.ts";

const NAME = /^projects\/[^/]+\/locations\/([^/]+)\/.+/;
/** `{vendor: "google-ai", resources: [{name: "projects/…/locations/…/…", content?, deployed?}]}`. */
const Seed = z.object({
  resources: z
    .array(
      z.strictObject({
        name: z.string().regex(NAME),
        content: z.string().default(""),
        /** A model that serves cannot be deleted. */
        deployed: z.boolean().default(false),
      }),
    )
    .default([]),
});

const OPERATION_MS = 10_000;

/**
 * Vertex AI's stored objects, each read and deleted by its name at the host of its region. All but cached contents are deleted by
 * an operation, which takes a while.
 *
 * @see https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest
 */
export const googleAi: MakeVendor = (world) => {
  const resources = new Map<string, { readonly content: string; readonly deployed: boolean }>();
  const operations = new Map<string, { readonly target: string; readonly doneAt: number; isDone: boolean }>();
  const catchUp = () => {
    for (const operation of operations.values()) {
      const { target, doneAt, isDone } = operation;
      if (isDone || doneAt > world.now()) continue;
      operation.isDone = true;
      for (const name of resources.keys()) if (name === target || name.startsWith(`${target}/`)) resources.delete(name);
    }
  };

  const remove = (name: string, isForced: boolean): Response => {
    const resource = resources.get(name);
    if (resource === undefined) return gone();
    const holdsMore = [...resources.keys()].some((each) => each.startsWith(`${name}/`));
    if (resource.deployed || (holdsMore && !isForced))
      return googleError(400, "FAILED_PRECONDITION", "The resource is in use.", "failedPrecondition");
    if (name.includes("/cachedContents/")) {
      resources.delete(name);
      return Response.json({});
    }
    const operation = `${name}/operations/${derivedId("", name, world.now())}`;
    operations.set(operation, { target: name, doneAt: world.now() + OPERATION_MS, isDone: false });
    return Response.json({ name: operation, metadata: {} });
  };

  return {
    id: "google-ai",
    about: "aiplatform.googleapis.com and its regions: what Vertex AI stores",
    serves: (host) => /^(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com$/.test(host),
    async call(request) {
      const without = withoutAccess(request, [CLOUD_PLATFORM], world.now());
      if (without !== undefined) return without;
      catchUp();
      const { hostname, pathname, searchParams } = new URL(request.url);
      const name = decodeURIComponent(pathname.replace(/^\/v1\//, ""));
      const [, region] = NAME.exec(name) ?? [];
      if (hostname !== (region === "global" ? "aiplatform.googleapis.com" : `${region}-aiplatform.googleapis.com`))
        return googleError(400, "INVALID_ARGUMENT", "The location does not match the endpoint.", "invalid");
      if (request.method === "DELETE") return remove(name, searchParams.get("force") === "true");
      const operation = operations.get(name);
      if (operation !== undefined) {
        return Response.json({ name, ...(operation.isDone && { done: true, response: {} }) });
      }
      const resource = resources.get(name);
      return resource === undefined ? gone() : Response.json({ name, displayName: resource.content });
    },
    refuse: googleRefusal,
    seed(body) {
      const seeded = Seed.parse(body).resources;
      for (const { name, content, deployed } of seeded) resources.set(name, { content, deployed });
      return { resources: seeded.map(({ name }) => name) };
    },
    holdings() {
      catchUp();
      return { resources: Object.fromEntries(resources) };
    },
    reset() {
      resources.clear();
      operations.clear();
    },
  };
};
