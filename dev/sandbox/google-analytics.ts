import { z } from "zod";
import { googleError, googleRefusal, withoutAccess } from "./google-access.ts";
import type { MakeVendor } from "./vendor.ts";

const FIELDS = ["clientId", "appInstanceId", "userId", "userProvidedData"] as const;
const Ids = z.strictObject({
  clientId: z.string().optional(),
  appInstanceId: z.string().optional(),
  userId: z.string().optional(),
  userProvidedData: z.string().optional(),
});
/** `{vendor: "google-analytics", property, events: [{clientId?, appInstanceId?, userId?, userProvidedData?, page?}]}`. */
const Seed = z.object({
  property: z.string(),
  events: z.array(z.strictObject({ ...Ids.shape, page: z.string().default("/") })).default([]),
});
type Event = z.infer<typeof Seed>["events"][number] & { readonly at: number };

const SCOPES = ["https://www.googleapis.com/auth/analytics.edit"];
/** "Approximately every two months." */
const RUN_MS = 60 * 86_400_000;

/**
 * Google Analytics 4: deletions are accepted, whether it knows the id or not, and done in the next run. Nothing tells when.
 *
 * @see https://developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/properties/submitUserDeletion
 */
export const googleAnalytics: MakeVendor = (world) => {
  const properties = new Map<string, Event[]>();
  const asked: { property: string; field: (typeof FIELDS)[number]; value: string; at: number }[] = [];
  const catchUp = () => {
    for (const { property, field, value, at } of asked)
      if (Math.ceil((at + 1) / RUN_MS) * RUN_MS <= world.now())
        properties.set(
          property,
          (properties.get(property) ?? []).filter((event) => event[field] !== value || event.at > at),
        );
  };

  return {
    id: "google-analytics",
    about: "analyticsadmin.googleapis.com: user deletions",
    serves: (host) => host === "analyticsadmin.googleapis.com",
    async call(request) {
      const without = withoutAccess(request, SCOPES, world.now());
      if (without !== undefined) return without;
      const [, property = ""] =
        /^\/v1alpha\/properties\/(\d+):submitUserDeletion$/.exec(new URL(request.url).pathname) ?? [];
      if (request.method !== "POST" || !properties.has(property))
        return googleError(403, "PERMISSION_DENIED", "User does not have sufficient permissions for this property.");
      const { data } = Ids.safeParse(await request.json());
      const [field, ...more] = FIELDS.filter((each) => data?.[each] !== undefined);
      if (field === undefined || more.length > 0)
        return googleError(400, "INVALID_ARGUMENT", "Exactly one of the ids is required.");
      asked.push({ property, field, value: data?.[field] ?? "", at: world.now() });
      return Response.json({ deletionRequestTime: new Date(world.now()).toISOString() });
    },
    refuse: googleRefusal,
    seed(body) {
      const { property, events } = Seed.parse(body);
      properties.set(property, [
        ...(properties.get(property) ?? []),
        ...events.map((event) => ({ ...event, at: world.now() })),
      ]);
      return { events: events.length };
    },
    holdings() {
      catchUp();
      const shown = (events: readonly Event[]) => events.map((event) => JSON.stringify(event));
      return { events: Object.fromEntries([...properties].map(([property, events]) => [property, shown(events)])) };
    },
    reset() {
      properties.clear();
      asked.length = 0;
    },
  };
};
